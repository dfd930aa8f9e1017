package preflight

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/features"
	"golang.org/x/sys/unix"
)

// systemCall looks whether bpf(2) is there, is not filtered away, and takes programs of uprobes.
func systemCall() Requirement {
	// An array of no size: refused, but only by a kernel that has the call and lets this process use it.
	_, _, call := unix.Syscall(unix.SYS_BPF, 0, 0, 0)
	held, _ := effective()
	return judgeCall(call, features.HaveProgramType(ebpf.Kprobe), held.has(unix.CAP_BPF, unix.CAP_SYS_ADMIN) && userNamespace().OK, filtered())
}

// judgeCall judges the error of an empty bpf(2) and that of loading a program of uprobes. Without the right to load, the second says nothing.
func judgeCall(call unix.Errno, program error, entitled, filter bool) Requirement {
	r := Requirement{Name: "bpf", OK: true, Detail: "system call", Remedy: "boot a kernel with CONFIG_BPF_SYSCALL=y", bars: true}
	switch {
	case call == unix.ENOSYS:
		r.OK, r.Detail = false, fmt.Sprintf("no system call bpf: %v", call)
	case entitled && (call == unix.EPERM || call == unix.EACCES):
		r.OK, r.Detail = false, fmt.Sprintf("system call bpf is refused, although the capabilities for it are held: %v", call)
		r.Remedy = allowModule
	case entitled && errors.Is(program, ebpf.ErrNotSupported):
		r.OK, r.Detail = false, "the kernel takes no programs of uprobes and tracepoints"
		r.Remedy = "boot a kernel with CONFIG_BPF_EVENTS=y"
		return r
	default:
		return r
	}
	if filter {
		r.Remedy = passFilter + "bpf and perf_event_open; or " + r.Remedy
	}
	return r
}

// filtered tells whether a seccomp filter is in force.
func filtered() bool {
	mode, err := unix.PrctlRetInt(unix.PR_GET_SECCOMP, 0, 0, 0, 0)
	return err == nil && mode == unix.SECCOMP_MODE_FILTER
}
