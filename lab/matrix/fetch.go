package matrix

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
)

//go:embed provision.sh
var provisionScript []byte

//go:embed unpack.sh
var unpackScript []byte

// script runs a script of ours.
func script(ctx context.Context, text []byte, out io.Writer, args ...string) error {
	bash := exec.CommandContext(ctx, "bash", append([]string{"-s", "--"}, args...)...)
	var said bytes.Buffer
	bash.Stdin, bash.Stdout, bash.Stderr = bytes.NewReader(text), io.MultiWriter(out, &said), &said
	bash.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := bash.Run(); err != nil {
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(said.String()))
	}
	return nil
}

// unpacked gives the directory into which packages of the machine's own release are unpacked, and not installed.
func unpacked(ctx context.Context, cache string, packages ...string) (string, error) {
	return unpackedFrom(ctx, cache, "", packages...)
}

// unpackedFrom does the same for another release.
func unpackedFrom(ctx context.Context, cache, suite string, packages ...string) (string, error) {
	root := filepath.Join(cache, strings.Join(append([]string{"unpacked", suite}, packages...), "-"))
	if _, err := os.Stat(root); err == nil {
		return root, nil
	}
	if err := script(ctx, unpackScript, io.Discard, append([]string{suite, root}, packages...)...); err != nil {
		return "", fmt.Errorf("unpack %s of Debian's release %q: %w", packages, suite, err)
	}
	return root, nil
}

// nodeBinary gives the executable of a version of Node, as the npm package of its builds has it.
func nodeBinary(ctx context.Context, cache, version string) (string, error) {
	arch, ok := map[string]string{"amd64": "x64", "arm64": "arm64"}[runtime.GOARCH]
	if !ok {
		return "", fmt.Errorf("npm has no build of Node for %q", runtime.GOARCH)
	}
	name := "node-linux-" + arch
	folder := filepath.Join(cache, "node-"+version)
	exe := filepath.Join(folder, "node_modules", name, "bin", "node")
	if _, err := os.Stat(exe); err == nil {
		return exe, nil
	}
	return exe, npmInstall(ctx, folder, name+"@"+version)
}

// npmInstall installs a package into a folder of its own.
func npmInstall(ctx context.Context, folder, what string) error {
	npm := exec.CommandContext(ctx, "npm", "install", "--loglevel=error", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", folder, what)
	if out, err := npm.CombinedOutput(); err != nil {
		return fmt.Errorf("npm install %s: %w: %s", what, err, strings.TrimSpace(string(out)))
	}
	return nil
}
