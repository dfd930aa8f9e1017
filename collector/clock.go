package collector

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// clock turns the kernel's CLOCK_BOOTTIME into time since the Unix epoch. The difference is taken once: a step of the wall clock must not reorder
// events.
type clock struct {
	offset int64 // nanoseconds
}

func newClock() (clock, error) {
	boot, err := bootTime()
	if err != nil {
		return clock{}, err
	}
	return clock{offset: time.Now().UnixNano() - boot}, nil
}

func bootTime() (int64, error) {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &t); err != nil {
		return 0, fmt.Errorf("clock CLOCK_BOOTTIME: %w", err)
	}
	return t.Nano(), nil
}

// wall gives nanoseconds since the Unix epoch of a kernel time.
func (c clock) wall(boot uint64) int64 { return int64(boot) + c.offset }

func (c clock) now() int64 {
	boot, err := bootTime()
	if err != nil {
		return time.Now().UnixNano()
	}
	return boot + c.offset
}
