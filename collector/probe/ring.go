package probe

import (
	"fmt"
	"os"
	"strconv"

	"github.com/cilium/ebpf"
)

// ringDivisor is set by the linker (-X) in a build that shows what a ring buffer of a part of the size does: a power of two.
var ringDivisor string

// shrink gives the ring buffer the part of its size that the build wants.
func shrink(spec *ebpf.CollectionSpec) error {
	if ringDivisor == "" {
		return nil
	}
	n, err := strconv.ParseUint(ringDivisor, 10, 32)
	ring := spec.Maps["events"]
	if err != nil || n == 0 || ring == nil || ring.MaxEntries/uint32(n) < uint32(os.Getpagesize()) || n&(n-1) != 0 {
		return fmt.Errorf("the ring buffer cannot be divided by %q [build with a power of two that leaves a page]", ringDivisor)
	}
	ring.MaxEntries /= uint32(n)
	return nil
}
