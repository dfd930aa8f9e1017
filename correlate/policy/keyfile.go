package policy

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"syscall"
)

// Bounds of a key file, in bytes.
const (
	minSecret = 32
	maxSecret = 4096
)

// minDistinct is the least number of different bytes in a secret: fewer are a filler, not a key.
const minDistinct = 8

// readSecret reads the secret of a file that nobody but its owner may touch, and whose owner is root or who runs the program. Line ends behind it are no
// part of it. Errors do not show what the file holds.
func readSecret(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // opening a pipe would block
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	switch stat, ok := info.Sys().(*syscall.Stat_t); {
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%q is not a regular file", path)
	case info.Mode().Perm()&0o077 != 0:
		return nil, fmt.Errorf("%q has mode %04o, so that others may use the key (chmod 600; if others have read it, make a new one)", path, info.Mode().Perm())
	case ok && stat.Uid != 0 && int(stat.Uid) != os.Geteuid():
		return nil, fmt.Errorf("%q belongs to user %d (chown it to root, or to who runs the daemon)", path, stat.Uid)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", path, err)
	}
	data = bytes.TrimRight(data, "\r\n")
	distinct := map[byte]bool{}
	for _, c := range data {
		distinct[c] = true
	}
	switch {
	case len(data) < minSecret:
		return nil, fmt.Errorf("%q holds %d bytes, a key needs %d (openssl rand -hex 32)", path, len(data), minSecret)
	case len(data) > maxSecret:
		return nil, fmt.Errorf("%q is larger than %d bytes", path, maxSecret)
	case len(distinct) < minDistinct:
		return nil, fmt.Errorf("%q repeats %d bytes: it is no key (openssl rand -hex 32)", path, len(distinct))
	}
	return data, nil
}
