package preflight

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// capability is a bit of the effective set (capabilities(7)); any of bits is enough.
type capability struct {
	bits []int
	name string
	why  string
	bars bool // the programs cannot be loaded without it
}

var capabilities = [...]capability{
	{[]int{unix.CAP_BPF, unix.CAP_SYS_ADMIN}, "CAP_BPF", "load eBPF programs", true},
	{[]int{unix.CAP_PERFMON, unix.CAP_SYS_ADMIN}, "CAP_PERFMON", "attach probes and read memory of traced processes", true},
	{[]int{unix.CAP_SYS_PTRACE}, "CAP_SYS_PTRACE", "read the mappings of other users' processes", false},
	{[]int{unix.CAP_CHECKPOINT_RESTORE, unix.CAP_SYS_ADMIN}, "CAP_CHECKPOINT_RESTORE", "open the files that processes map, also deleted ones and those of containers", false},
	{[]int{unix.CAP_DAC_READ_SEARCH, unix.CAP_DAC_OVERRIDE}, "CAP_DAC_READ_SEARCH", "open libraries that only their owners may read", false},
}

// capabilitySet is the effective set: bit n is capability n.
type capabilitySet uint64

func (s capabilitySet) has(anyOf ...int) bool {
	for _, bit := range anyOf {
		if s&(1<<bit) != 0 {
			return true
		}
	}
	return false
}

// capabilitiesHeld judges each capability of the table; those of another user namespace than the initial one do not count.
func capabilitiesHeld(initial bool) []Requirement {
	held, err := effective()
	if !initial {
		held = 0
	}
	return judgeCapabilities(held, err)
}

func judgeCapabilities(held capabilitySet, err error) []Requirement {
	var out []Requirement
	for _, c := range capabilities {
		r := Requirement{Name: strings.ToLower(c.name), OK: held.has(c.bits...), Detail: "to " + c.why, Remedy: "run as root, or grant " + c.name, bars: c.bars}
		switch {
		case r.OK:
		case err != nil:
			r.Detail = err.Error()
		default:
			r.Detail = "missing: " + c.name + ", needed to " + c.why
		}
		out = append(out, r)
	}
	return out
}

func effective() (capabilitySet, error) {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return 0, fmt.Errorf("capget: %w", err)
	}
	return capabilitySet(data[1].Effective)<<32 | capabilitySet(data[0].Effective), nil
}
