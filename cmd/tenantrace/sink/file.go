package sink

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// openFile opens path to append lines: created with mode 0600, and given that mode if it is a regular file that was there before. A
// pipe without a reader is an error rather than a wait.
func openFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND|syscall.O_NONBLOCK, 0o600)
	if err != nil {
		if errors.Is(err, syscall.ENXIO) {
			return nil, fmt.Errorf("%w [start the reader of the pipe first]", err)
		}
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && info.Mode().IsRegular() && info.Mode().Perm() != 0o600 {
		err = f.Chmod(0o600)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
