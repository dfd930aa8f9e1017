package accuracy

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"io"
	"os/exec"
	"syscall"

	"tenantrace/lab/matrix"
)

//go:embed provision.sh
var provisionScript []byte

// provision installs what is missing.
func provision(ctx context.Context, out io.Writer) error {
	if err := matrix.Provision(ctx, out); err != nil {
		return err
	}
	bash := exec.CommandContext(ctx, "bash", "-s")
	bash.Stdin, bash.Stdout, bash.Stderr = bytes.NewReader(provisionScript), out, out
	bash.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := bash.Run(); err != nil {
		return fmt.Errorf("install what the accuracy harness needs: %w", err)
	}
	return nil
}
