package probe

import (
	"testing"

	"github.com/cilium/ebpf"
)

func TestShrink(t *testing.T) {
	defer func() { ringDivisor = "" }()
	for divisor, want := range map[string]uint32{"": 1 << 24, "16": 1 << 20, "4096": 4096, "3": 0, "0": 0, "8192": 0, "x": 0} {
		ringDivisor = divisor
		spec := &ebpf.CollectionSpec{Maps: map[string]*ebpf.MapSpec{"events": {MaxEntries: 1 << 24}}}
		switch err := shrink(spec); {
		case want == 0 && err == nil:
			t.Errorf("1/%s: no error", divisor)
		case want > 0 && (err != nil || spec.Maps["events"].MaxEntries != want):
			t.Errorf("1/%s: %d bytes, %v; want %d", divisor, spec.Maps["events"].MaxEntries, err, want)
		}
	}
}
