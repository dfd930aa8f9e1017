package preflight

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/rlimit"
	"golang.org/x/sys/unix"

	"tenantrace/collector/probe"
)

// load puts the programs into the kernel, attaches them and a uprobe, and takes all of it away again.
func load() []Requirement {
	r := Requirement{Name: "programs", Detail: "loaded; tracepoints and uprobes attach", Remedy: seeRefusal}
	programs, err := probe.Load(probe.Config{})
	if err != nil {
		r.Detail, r.Remedy = err.Error(), remedyOfLoad(err, rlimit.RemoveMemlock())
		return []Requirement{r}
	}
	if err = programs.AttachTracepoints(); err == nil {
		err = programs.TryUprobe()
	}
	if err != nil {
		held, _ := effective()
		r.Remedy = remedyOfUprobe(err, held, paranoia(), filtered())
	}
	features := Requirement{Name: "features", OK: true, Detail: programs.Features().String()}
	err = errors.Join(err, programs.Close())
	if r.OK = err == nil; !r.OK {
		r.Detail = err.Error()
	}
	return []Requirement{r, features}
}

const (
	seeRefusal  = "see the kernel's refusal; a security module (SELinux, AppArmor, BPF LSM) may forbid eBPF, or memory be short"
	allowModule = "let the security module (SELinux, AppArmor, BPF LSM) allow this process eBPF and perf events"
	passFilter  = "let the seccomp filter of this process (systemd: SystemCallFilter=, containers: the seccomp profile) pass "
)

// remedyOfLoad: memlock is the error of lifting the limit of locked memory.
func remedyOfLoad(err, memlock error) string {
	switch {
	case errors.As(err, new(*ebpf.VerifierError)):
		return "report the release of this kernel with its verifier's words, which `tenantrace check --json` prints in full"
	case errors.Is(err, fs.ErrPermission) && memlock != nil:
		return "raise the limit of locked memory (ulimit -l unlimited; systemd: LimitMEMLOCK=infinity), or grant CAP_SYS_RESOURCE: before Linux 5.11 it bounds eBPF memory"
	case errors.Is(err, fs.ErrPermission):
		return allowModule
	}
	return seeRefusal
}

// paranoidAll is the first value of kernel.perf_event_paranoid with which the kernels of some distributions refuse perf events to CAP_PERFMON too.
const paranoidAll = 3

func remedyOfUprobe(err error, held capabilitySet, paranoid int, filter bool) string {
	switch {
	case filter && (errors.Is(err, unix.ENOSYS) || errors.Is(err, fs.ErrPermission) && held.has(unix.CAP_SYS_ADMIN)):
		return passFilter + "perf_event_open"
	case errors.Is(err, fs.ErrPermission) && held.has(unix.CAP_SYS_ADMIN):
		return allowModule
	case errors.Is(err, fs.ErrPermission):
		remedy := "run as root, or grant CAP_SYS_ADMIN: this kernel asks for it where a uprobe is opened, or a tracepoint as a perf event"
		if paranoid >= paranoidAll {
			remedy = fmt.Sprintf("run as root, or grant CAP_SYS_ADMIN; some kernels are content with CAP_PERFMON once kernel.perf_event_paranoid is 2 (it is %d)", paranoid)
		}
		return remedy
	}
	return seeRefusal
}

// paranoia is kernel.perf_event_paranoid; 0 where it cannot be read.
func paranoia() int {
	text, err := os.ReadFile("/proc/sys/kernel/perf_event_paranoid")
	if err != nil {
		return 0
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0
	}
	return n
}
