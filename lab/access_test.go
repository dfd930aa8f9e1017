package lab

import (
	"testing"

	"tenantrace/lab/access"
)

// TestAccess is "make access".
func TestAccess(t *testing.T) {
	needRoot(t)
	if err := access.Run(t.Context(), access.Config{Daemon: daemon(t), Out: &writer{t: t}}); err != nil {
		t.Fatal(err)
	}
}
