package sqlmatrix

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"io"
	"os/exec"
	"syscall"
)

//go:embed provision.sh
var provisionScript []byte

// provision installs what is missing: of the quick matrix its part alone.
func provision(ctx context.Context, out io.Writer, quick bool) error {
	part := "all"
	if quick {
		part = "quick"
	}
	bash := exec.CommandContext(ctx, "bash", "-s", part)
	bash.Stdin, bash.Stdout, bash.Stderr = bytes.NewReader(provisionScript), out, out
	bash.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := bash.Run(); err != nil {
		return fmt.Errorf("install what the drivers need: %w", err)
	}
	return nil
}
