package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
)

// ErrNotRoot is returned when the lab is run by another user than root.
var ErrNotRoot = errors.New("the lab starts a database and a service as users of their own and traces them, which only root can [run it as root]")

// provision installs what is missing. It says what it does on out.
func provision(ctx context.Context, out io.Writer) error {
	if os.Geteuid() != 0 {
		return ErrNotRoot
	}
	bash := exec.CommandContext(ctx, "bash", "-s")
	bash.Stdin, bash.Stdout, bash.Stderr = bytes.NewReader(provisionScript), out, out
	bash.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := bash.Run(); err != nil {
		return fmt.Errorf("install what the lab needs: %w", err)
	}
	return nil
}
