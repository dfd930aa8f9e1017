package sqlmatrix

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

//go:embed closure.sh
var closureScript []byte

// closure is a directory with packages of another release of Debian and all that they depend on.
type closure struct {
	root      string
	libraries string // directory
	loader    string // the C library's own, which programs are run by
}

// fetchClosure unpacks packages of a suite into the cache, once. Those after a "+" are left out as if they were there.
func fetchClosure(ctx context.Context, cache, suite string, packages ...string) (*closure, error) {
	c := &closure{root: filepath.Join(cache, strings.ReplaceAll(strings.Join(append([]string{suite}, packages...), "-"), "+", ""))}
	if _, err := os.Stat(c.root); errors.Is(err, fs.ErrNotExist) {
		bash := exec.CommandContext(ctx, "bash", append([]string{"-s", "--", suite, c.root}, packages...)...)
		bash.Stdin = bytes.NewReader(closureScript)
		bash.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		if out, err := bash.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("unpack %s of Debian's release %q: %w: %s", packages, suite, err, strings.TrimSpace(string(out)))
		}
	}
	loaders, err := filepath.Glob(filepath.Join(c.root, "usr/lib/*/ld-linux-*.so.*"))
	if err != nil || len(loaders) != 1 {
		return nil, fmt.Errorf("%d dynamic loaders in %q, not one [remove it]", len(loaders), c.root)
	}
	c.loader, c.libraries = loaders[0], filepath.Dir(loaders[0])
	return c, nil
}

// command runs a program of the closure, named below its root, or another one, named by its whole path, with the closure's libraries.
func (c *closure) command(program string, args ...string) []string {
	if !filepath.IsAbs(program) {
		program = filepath.Join(c.root, program)
	}
	return append([]string{c.loader, "--library-path", c.libraries, program}, args...)
}
