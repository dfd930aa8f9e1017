package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// yieldToOthers makes the daemon's threads batch work (SCHED_BATCH, sched(7)): they do not take a processor from whoever runs when they wake, so that on
// a busy host the traced application goes on. Threads that come later inherit it.
func yieldToOthers() error {
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return fmt.Errorf("own threads: %w", err)
	}
	var errs []error
	for _, t := range tasks {
		tid, err := strconv.Atoi(t.Name())
		if err != nil {
			continue
		}
		attr := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_BATCH}
		if err := unix.SchedSetAttr(tid, &attr, 0); err != nil && !errors.Is(err, unix.ESRCH) {
			errs = append(errs, fmt.Errorf("scheduling of thread %d: %w", tid, err))
		}
	}
	return errors.Join(errs...)
}
