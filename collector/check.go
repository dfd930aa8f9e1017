package collector

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"tenantrace/collector/discovery"
	"tenantrace/collector/probe"
)

// Requirement is one thing that tracing needs of the host.
type Requirement struct {
	Name   string
	OK     bool
	Detail string
	Remedy string // what to do if it is not OK
}

// minMajor and minMinor are the oldest kernel that has the ring buffer, BTF-based relocation and the helpers that the programs call.
const minMajor, minMinor = 5, 10

// capability is a bit of the effective set (capabilities(7)); any of names is enough.
type capability struct {
	bits  []int
	names string
	why   string
}

var capabilities = [...]capability{
	{[]int{unix.CAP_BPF, unix.CAP_SYS_ADMIN}, "CAP_BPF", "load eBPF programs"},
	{[]int{unix.CAP_PERFMON, unix.CAP_SYS_ADMIN}, "CAP_PERFMON", "attach probes and read memory of traced processes"},
	{[]int{unix.CAP_SYS_PTRACE}, "CAP_SYS_PTRACE", "read the mappings of other users' processes"},
	{[]int{unix.CAP_CHECKPOINT_RESTORE, unix.CAP_SYS_ADMIN}, "CAP_CHECKPOINT_RESTORE", "open mapped files that were deleted or belong to a container"},
	{[]int{unix.CAP_DAC_READ_SEARCH, unix.CAP_DAC_OVERRIDE}, "CAP_DAC_READ_SEARCH", "open libraries that only their owners may read"},
}

// Prerequisites looks at the host: its kernel, and what this process may do.
func Prerequisites() []Requirement {
	return append([]Requirement{kernelVersion(), typeInformation(), uprobes()}, capable()...)
}

// Requirements are the prerequisites and, if they hold, whether the programs load and attach.
func Requirements() []Requirement {
	out := Prerequisites()
	for _, r := range out {
		if !r.OK {
			return out
		}
	}
	return append(out, loads())
}

func kernelVersion() Requirement {
	var u unix.Utsname
	r := Requirement{Name: "kernel", Remedy: fmt.Sprintf("boot a kernel of version %d.%d or later", minMajor, minMinor)}
	if err := unix.Uname(&u); err != nil {
		r.Detail = fmt.Sprintf("uname: %v", err)
		return r
	}
	release := unix.ByteSliceToString(u.Release[:])
	var major, minor int
	if n, _ := fmt.Sscanf(release, "%d.%d", &major, &minor); n != 2 {
		r.Detail = fmt.Sprintf("release %q is not a version", release)
		return r
	}
	r.OK = major > minMajor || major == minMajor && minor >= minMinor
	r.Detail = release
	return r
}

// btfPath is the running kernel's own type information.
const btfPath = "/sys/kernel/btf/vmlinux"

func typeInformation() Requirement {
	r := Requirement{Name: "btf", OK: true, Detail: btfPath, Remedy: "boot a kernel with CONFIG_DEBUG_INFO_BTF=y, and mount sysfs on /sys"}
	if _, err := os.Stat(btfPath); err != nil {
		r.OK, r.Detail = false, fmt.Sprintf("no type information of the kernel: %v", err)
	}
	return r
}

// uprobePMU is the perf event source of uprobes.
const uprobePMU = "/sys/bus/event_source/devices/uprobe/type"

func uprobes() Requirement {
	r := Requirement{Name: "uprobes", OK: true, Detail: "perf event source", Remedy: "boot a kernel with CONFIG_UPROBE_EVENTS=y, and mount sysfs on /sys"}
	if _, err := os.Stat(uprobePMU); err != nil {
		r.OK, r.Detail = false, fmt.Sprintf("no uprobes: %v", err)
	}
	return r
}

func capable() []Requirement {
	effective, err := effectiveCapabilities()
	var out []Requirement
	for _, c := range capabilities {
		r := Requirement{Name: strings.ToLower(c.names), Detail: "to " + c.why, Remedy: "run as root, or grant " + c.names}
		if err != nil {
			r.Detail = err.Error()
		}
		for _, bit := range c.bits {
			r.OK = r.OK || effective&(1<<bit) != 0
		}
		if !r.OK && err == nil {
			r.Detail = "missing: " + c.names + ", needed to " + c.why
		}
		out = append(out, r)
	}
	return out
}

func effectiveCapabilities() (uint64, error) {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return 0, fmt.Errorf("capget: %w", err)
	}
	return uint64(data[1].Effective)<<32 | uint64(data[0].Effective), nil
}

func loads() Requirement {
	r := Requirement{Name: "programs", OK: true, Remedy: "see the kernel's refusal; lockdown or a security module may forbid eBPF"}
	programs, err := probe.Load(probe.Config{})
	if err != nil {
		r.OK, r.Detail = false, err.Error()
		return r
	}
	err = programs.AttachTracepoints()
	if err == nil {
		if err = programs.TryUprobe(); err != nil {
			r.Remedy = "run as root, or grant CAP_SYS_ADMIN: some kernels ask for it where others are content with CAP_PERFMON"
		}
	}
	if err = errors.Join(err, programs.Close()); err != nil {
		r.OK, r.Detail = false, err.Error()
		return r
	}
	r.Detail = "loaded; tracepoints and uprobes attach"
	if !programs.Cookies() {
		r.Detail += "; no attach cookies (kernel before 5.15): each probe has programs of its own"
	}
	return r
}

// Survey lists the libraries of the running processes without attaching to any.
func Survey(ctx context.Context) ([]discovery.Library, error) {
	return discovery.Survey(ctx, Proc)
}
