// Command tenantrace is a daemon that proves, from outside the application, that every request touched only the data of the tenant whose
// certificate opened its connection, and flags the requests that did not.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"tenantrace/cmd/tenantrace/command"
)

// version is set when the program is built: -ldflags "-X main.version=…".
var version = "unreleased"

// stopTimeout bounds the stop: a part that hangs must not keep the program from ending.
const stopTimeout = 5 * time.Second

// The heap is small and its garbage short-lived: collecting less often spends memory that the budget of 150 MB has to save processor time, and the
// limit keeps it there. GOGC and GOMEMLIMIT in the environment win.
const (
	collectPercent = 400
	softMemory     = 120 << 20
)

func tuneCollection() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collectPercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(softMemory)
	}
}

func main() {
	tuneCollection()
	// A closed standard output is an error of the write, counted and said; it must not end the tracing.
	signal.Ignore(syscall.SIGPIPE)
	ctx, restore := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	context.AfterFunc(ctx, restore) // a second signal ends the program at once

	program := command.Program{
		Version: version, Stdout: os.Stdout, Stderr: os.Stderr,
		NewEngine: newEngine, NewTracer: newTracer, Check: check,
	}
	ended := make(chan int, 1)
	go func() { ended <- program.Main(ctx, os.Args[1:]) }()
	select {
	case code := <-ended:
		os.Exit(code)
	case <-ctx.Done():
	}
	select {
	case code := <-ended:
		os.Exit(code)
	case <-time.After(stopTimeout):
		fmt.Fprintf(os.Stderr, "tenantrace: did not stop within %v\n", stopTimeout)
		os.Exit(1)
	}
}
