package collector

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"tenantrace/collector/probe"
)

// What the other tests of this package see by raw tracepoints is seen by perf events too.
func TestByPerfEvents(t *testing.T) {
	needRoot(t)
	if !probe.KernelFeatures().Cookies {
		t.Log("this kernel is older than 5.15 and does not preempt what is attached to raw tracepoints")
		return
	}
	const tracefs = "/sys/kernel/tracing"
	if _, err := os.Stat(tracefs + "/events"); err != nil {
		if err := unix.Mount("tracefs", tracefs, "tracefs", 0, ""); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { unix.Unmount(tracefs, 0) })
	}
	byPerfEvents = true
	t.Cleanup(func() { byPerfEvents = false })
	t.Run("identity", TestEveryRequestAndItsIdentity)
	t.Run("late process", TestProcessThatComesLater)
	t.Run("sockets", TestPlainSockets)
	t.Run("sockets of TLS", TestSocketByClientRandom)
	t.Run("waits", TestWaitsThatMultiplex)
	t.Run("exit", TestProcessWithoutItsExitIsForgotten)
}
