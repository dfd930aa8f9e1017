package lab

import (
	"testing"

	"tenantrace/lab/accuracy"
)

// TestAccuracy is the quick part of "make accuracy".
func TestAccuracy(t *testing.T) {
	needRoot(t)
	if err := accuracy.Run(t.Context(), accuracy.Config{Daemon: daemon(t), Quick: true, Out: &writer{t: t}, Random: accuracy.DefaultRandom}); err != nil {
		t.Fatal(err)
	}
}
