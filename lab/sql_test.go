package lab

import (
	"testing"

	"tenantrace/lab/sqlmatrix"
)

// TestStatements is the quick half of "make sql-matrix".
func TestStatements(t *testing.T) {
	needRoot(t)
	if err := sqlmatrix.Run(t.Context(), sqlmatrix.Config{Daemon: daemon(t), Quick: true, Out: &writer{t: t}}); err != nil {
		t.Fatal(err)
	}
}
