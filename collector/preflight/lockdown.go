package preflight

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/features"
)

// lockdownPath shows the lockdown modes, the one in force in brackets.
const lockdownPath = "/sys/kernel/security/lockdown"

func lockdown() Requirement {
	text, err := os.ReadFile(lockdownPath)
	if err == nil {
		return judgeLockdown(string(text))
	}
	if !kernelVersion().OK { // it may be too old for the helper
		return judgeHelper(errors.ErrUnsupported, nil, err)
	}
	return judgeHelper(features.HaveProgramType(ebpf.Kprobe), features.HaveProgramHelper(ebpf.Kprobe, asm.FnProbeReadKernel), err)
}

// lockdownRequirement is met in mode integrity: that forbids programs only to write user memory, which none here does. Mode confidentiality takes the
// helpers away that read kernel memory, and the verifier then says "unknown func" (LOCKDOWN_BPF_READ_KERNEL, kernel/trace/bpf_trace.c).
func lockdownRequirement() Requirement {
	return Requirement{
		Name: "lockdown", OK: true, bars: true,
		Remedy: "boot without lockdown=confidentiality (lockdown=integrity does no harm), or a kernel whose Secure Boot policy does not force it",
	}
}

func judgeLockdown(text string) Requirement {
	r := lockdownRequirement()
	_, rest, _ := strings.Cut(text, "[")
	mode, _, closed := strings.Cut(rest, "]")
	switch {
	case !closed:
		r.Detail = fmt.Sprintf("not known: %s holds %q", lockdownPath, strings.TrimSpace(text))
	case mode == "confidentiality":
		r.OK, r.Detail = false, "mode confidentiality: the kernel lets no eBPF program read its memory"
	default:
		r.Detail = mode
	}
	return r
}

// judgeHelper judges by what the kernel does, where it does not tell the mode: by the errors of loading a program of a uprobe, and one that reads kernel
// memory. Where no such program loads, the second says nothing.
func judgeHelper(program, helper, untold error) Requirement {
	r := lockdownRequirement()
	switch {
	case program == nil && helper == nil:
		r.Detail = "none that hinders: the kernel lets eBPF programs read its memory"
	case program == nil && errors.Is(helper, ebpf.ErrNotSupported):
		r.OK, r.Detail = false, fmt.Sprintf("the kernel lets no eBPF program read its memory, as in mode confidentiality (the mode itself is not told: %v)", untold)
	default:
		r.Detail = fmt.Sprintf("none seen: %v", untold)
	}
	return r
}
