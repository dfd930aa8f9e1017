package probe

import (
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/features"
)

// Features are what the programs use of kernels newer than the oldest that they run on.
type Features struct {
	Control     bool // programs of type syscall (Linux 5.14), which touch maps without holding back programs of perf events; without: system calls do
	Cookies     bool // a number with each probe, which its program reads (Linux 5.15); without: programs of its own for each probe
	UprobeMulti bool // one link for all probes of a program in a file (Linux 6.6); without: one for each probe
	// RawTracepoints: what is attached to raw tracepoints runs to its end. Kernels since 6.13 that preempt themselves (preempt=full or lazy) break in, and leave out
	// what another thread meets meanwhile; there those of system calls are attached as perf events, which cost each call of the host more.
	RawTracepoints bool
	Hold           bool // bpf_preempt_disable (Linux 6.10), since programs can be preempted from 6.13 on
	Loop           bool // bpf_loop (Linux 5.17): one transfer may take many records; without: what lies beyond the first few is not captured
}

// KernelFeatures asks the running kernel by trying each.
func KernelFeatures() Features {
	f := Features{
		Control:        features.HaveProgramType(ebpf.Syscall) == nil,
		Cookies:        features.HaveProgramHelper(ebpf.Kprobe, asm.FnGetAttachCookie) == nil,
		RawTracepoints: !preemptsTracepoints(),
		Hold:           haveFunction("bpf_preempt_disable") && haveFunction("bpf_preempt_enable"),
		Loop:           features.HaveProgramHelper(ebpf.Kprobe, asm.FnLoop) == nil,
	}
	f.UprobeMulti = f.Cookies && features.HaveBPFLinkUprobeMulti() == nil
	return f
}

// without gives the features less others. Probes that share a link need cookies.
func (f Features) without(off Features) Features {
	f.Control = f.Control && !off.Control
	f.Cookies = f.Cookies && !off.Cookies
	f.UprobeMulti = f.UprobeMulti && !off.UprobeMulti && f.Cookies
	f.RawTracepoints = f.RawTracepoints && !off.RawTracepoints
	f.Hold = f.Hold && !off.Hold
	f.Loop = f.Loop && !off.Loop
	return f
}

// haveFunction tells whether the kernel has a function that programs may call, by its type information.
func haveFunction(name string) bool {
	spec, err := btf.LoadKernelSpec()
	if err != nil {
		return false
	}
	var f *btf.Func
	return spec.TypeByName(name, &f) == nil
}

// String names them as the kernel does.
func (f Features) String() string {
	var names []string
	for _, feature := range []struct {
		there bool
		name  string
	}{{f.Control, "syscall programs"}, {f.Cookies, "attach cookies"}, {f.Loop, "bpf_loop"}, {f.Hold, "bpf_preempt_disable"}, {f.RawTracepoints, "raw tracepoints of system calls"}, {f.UprobeMulti, "uprobe_multi"}} {
		if feature.there {
			names = append(names, feature.name)
		}
	}
	if names == nil {
		return "none beyond Linux 5.10"
	}
	return strings.Join(names, ", ")
}
