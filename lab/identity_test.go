package lab

import (
	"testing"

	"tenantrace/lab/matrix"
)

// TestIdentity is the quick half of "make identity-matrix".
func TestIdentity(t *testing.T) {
	needRoot(t)
	if err := matrix.Run(t.Context(), matrix.Config{Daemon: daemon(t), Quick: true, Out: &writer{t: t}}); err != nil {
		t.Fatal(err)
	}
}
