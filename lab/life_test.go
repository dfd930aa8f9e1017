package lab

import (
	"testing"

	"tenantrace/lab/life"
)

// TestLife is "make life".
func TestLife(t *testing.T) {
	needRoot(t)
	if err := life.Run(t.Context(), life.Config{Daemon: daemon(t), Out: &writer{t: t}}); err != nil {
		t.Fatal(err)
	}
}
