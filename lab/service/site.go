// Package service runs the lab's Django service under gunicorn, which terminates mutual TLS itself.
package service

import (
	"embed"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

//go:embed all:site
var site embed.FS

// interpreter is Debian's Python: the one that has Debian's Django.
const interpreter = "/usr/bin/python3"

// Install writes the service into dir and returns the path of its interpreter there: a copy of Debian's under a name of its own, so that
// the lab's processes can be told from any other Python on the machine.
func Install(dir string) (exe string, err error) {
	err = fs.WalkDir(site, "site", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		target := filepath.Join(dir, path)
		switch {
		case entry.IsDir() && entry.Name() == "__pycache__":
			return fs.SkipDir
		case entry.IsDir():
			return os.MkdirAll(target, 0o755)
		case !strings.HasSuffix(path, ".py"):
			return nil
		}
		text, err := site.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(target, text, 0o644)
	})
	if err != nil {
		return "", fmt.Errorf("install the service: %w", err)
	}
	exe = filepath.Join(dir, "lab-django")
	return exe, copyExecutable(interpreter, exe)
}

func copyExecutable(from, to string) error {
	source, err := os.Open(from)
	if err != nil {
		return fmt.Errorf("copy the interpreter [run lab/provision.sh]: %w", err)
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if err != nil {
		return fmt.Errorf("copy the interpreter: %w", err)
	}
	_, err = io.Copy(target, source)
	if closed := target.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return fmt.Errorf("copy the interpreter: %w", err)
	}
	return nil
}
