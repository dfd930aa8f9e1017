package preflight

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

var errAny = errors.New("any error")

func TestKernelRelease(t *testing.T) {
	for release, want := range map[string]bool{
		"5.10.0-32-cloud-amd64": true, "5.9.16": false, "4.18.0-553.el8.x86_64": false, "6.1.176": true, "10.0": true, "": false, "next": false,
	} {
		if r := judgeRelease(release, nil); r.OK != want || !strings.Contains(r.Detail, release) {
			t.Errorf("%q: %+v, want %v", release, r, want)
		}
	}
}

func TestLockdownModes(t *testing.T) {
	for text, want := range map[string]struct {
		ok     bool
		detail string
	}{
		"[none] integrity confidentiality\n": {true, "none"},
		"none [integrity] confidentiality\n": {true, "integrity"},
		"none integrity [confidentiality]\n": {false, "mode confidentiality"},
		"none integrity":                     {true, "not known"},
		"none [integrity":                    {true, "not known"},
		"":                                   {true, "not known"},
	} {
		if r := judgeLockdown(text); r.OK != want.ok || !strings.HasPrefix(r.Detail, want.detail) {
			t.Errorf("%q: %+v, want %v and %q", text, r, want.ok, want.detail)
		}
	}
}

// Where the mode is not told, the helper tells it, but only where a program without it loads.
func TestLockdownByBehaviour(t *testing.T) {
	unsupported := fmt.Errorf("helper: %w", ebpf.ErrNotSupported)
	for _, tc := range []struct {
		program, helper error
		want            bool
	}{
		{nil, nil, true}, {nil, unsupported, false}, {unsupported, unsupported, true}, {unix.EPERM, unix.EPERM, true}, {nil, errAny, true},
	} {
		if r := judgeHelper(tc.program, tc.helper, fs.ErrNotExist); r.OK != tc.want || r.Detail == "" {
			t.Errorf("program %v, helper %v: %+v, want %v", tc.program, tc.helper, r, tc.want)
		}
	}
}

func TestSymbolsOfTracepoints(t *testing.T) {
	const all = `ffffffff81415670 t __pfx___bpf_trace_sys_enter
ffffffff81415680 t __bpf_trace_sys_enter
ffffffff814159b0 t __bpf_trace_sys_exit
ffffffff81000000 t __bpf_trace_sched_process_fork
ffffffff81000000 t __bpf_trace_sched_process_exec
ffffffff81000000 t __bpf_trace_sched_process_template
ffffffff81000000 t __bpf_trace_inet_sock_set_state	[some_module]
`
	for text, want := range map[string][]string{
		all: nil,
		strings.Replace(all, "t __bpf_trace_sys_enter", "t gone", 1):                 {"sys_enter"},
		strings.Replace(all, "process_template", "process_exit", 1):                  nil,
		strings.Replace(all, "sched_process_template", "gone", 1):                    {"sched_process_exit"},
		"ffffffff81000000 T _stext\n":                                                tracepointNames[:],
		strings.Replace(strings.ReplaceAll(all, "sys_e", "x"), "inet_sock", "in", 1): {"sys_enter", "sys_exit", "inet_sock_set_state"},
	} {
		got, err := missingIn(strings.NewReader(text))
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%v, %v; want %v of\n%s", got, err, want, text)
		}
	}
	if got, err := missingIn(strings.NewReader("")); err == nil {
		t.Errorf("no symbols at all: %v, want an error", got)
	}
}

func TestSystemCall(t *testing.T) {
	for _, tc := range []struct {
		call             unix.Errno
		program          error
		entitled, filter bool
		ok               bool
		remedy           string
	}{
		{unix.EINVAL, nil, true, true, true, ""},
		{unix.ENOSYS, unix.ENOSYS, true, false, false, "boot a kernel with CONFIG_BPF_SYSCALL=y"},
		{unix.ENOSYS, unix.ENOSYS, false, true, false, "let the seccomp filter"},
		{unix.EPERM, unix.EPERM, true, true, false, "let the seccomp filter"},
		{unix.EACCES, unix.EACCES, true, false, false, "let the security module"},
		{unix.EPERM, unix.EPERM, false, true, true, ""}, // the missing capability says it
		{unix.EINVAL, ebpf.ErrNotSupported, true, false, false, "CONFIG_BPF_EVENTS=y"},
		{unix.EINVAL, ebpf.ErrNotSupported, false, false, true, ""},
	} {
		if r := judgeCall(tc.call, tc.program, tc.entitled, tc.filter); r.OK != tc.ok || !strings.Contains(r.Remedy, tc.remedy) {
			t.Errorf("%+v: %+v", tc, r)
		}
	}
}

func TestNamespaces(t *testing.T) {
	for _, tc := range []struct {
		link string
		err  error
		want bool
	}{
		{initialUserNamespace, nil, true}, {"user:[4026532177]", nil, false}, {"", nil, false}, {"", errAny, false},
		{"", fs.ErrNotExist, true}, // proc is mounted here: a kernel without such namespaces
	} {
		if r := judgeNamespace(Requirement{}, initialUserNamespace, "why", tc.link, tc.err); r.OK != tc.want {
			t.Errorf("%+v: %+v", tc, r)
		}
	}
}

func TestCapabilities(t *testing.T) {
	var all capabilitySet
	for _, c := range capabilities {
		for _, bit := range c.bits {
			all |= 1 << bit
		}
	}
	for i, c := range capabilities {
		held := all
		for _, bit := range c.bits {
			held &^= 1 << bit
		}
		for j, r := range judgeCapabilities(held, nil) {
			// CAP_SYS_ADMIN stands in for others, which are held themselves here.
			if want := j != i; r.OK != want || !want && !strings.Contains(r.Detail+r.Remedy, c.name) {
				t.Errorf("without %s: %+v", c.name, r)
			}
		}
	}
	if got := judgeCapabilities(1<<unix.CAP_SYS_ADMIN, nil); !got[0].OK || !got[1].OK || got[2].OK {
		t.Errorf("with CAP_SYS_ADMIN alone: %+v", got)
	}
}

func TestRemedyOfUprobe(t *testing.T) {
	const root = capabilitySet(1) << unix.CAP_SYS_ADMIN
	for _, tc := range []struct {
		err      error
		held     capabilitySet
		paranoid int
		filter   bool
		want     string
	}{
		{unix.EACCES, 0, 2, true, "grant CAP_SYS_ADMIN: this kernel"},
		{unix.EACCES, 0, 3, false, "kernel.perf_event_paranoid is 2 (it is 3)"},
		{unix.EPERM, root, 4, true, "seccomp"},
		{unix.ENOSYS, 0, 2, true, "seccomp"},
		{unix.EACCES, root, 4, false, "security module"},
		{unix.EINVAL, root, 2, true, "see the kernel's refusal"},
	} {
		if got := remedyOfUprobe(fmt.Errorf("attach: %w", tc.err), tc.held, tc.paranoid, tc.filter); !strings.Contains(got, tc.want) {
			t.Errorf("%+v: %q", tc, got)
		}
	}
}

func TestRemedyOfLoad(t *testing.T) {
	for _, tc := range []struct {
		err, memlock error
		want         string
	}{
		{&ebpf.VerifierError{Cause: unix.EACCES}, errAny, "report"},
		{unix.EPERM, errAny, "locked memory"},
		{unix.EPERM, nil, "security module"},
		{unix.ENOMEM, errAny, "see the kernel's refusal"},
	} {
		if got := remedyOfLoad(fmt.Errorf("load: %w", tc.err), tc.memlock); !strings.Contains(got, tc.want) {
			t.Errorf("%+v: %q", tc, got)
		}
	}
}

// What can fail says how to mend it, whatever this host is like, and each name stands once.
func TestRemediesAreComplete(t *testing.T) {
	failing := []Requirement{
		judgeRelease("4.4", nil), judgeRelease("", errAny), judgeTracepoints(tracepointNames[:]), judgeLockdown("[confidentiality]"),
		judgeHelper(nil, ebpf.ErrNotSupported, errAny), judgeCall(unix.ENOSYS, nil, true, false), judgeCall(unix.EPERM, nil, true, false),
		judgeCall(0, ebpf.ErrNotSupported, true, false),
		judgeSysfs(Requirement{}, "x", "CONFIG_X=y", fs.ErrNotExist, true), judgeSysfs(Requirement{}, "x", "CONFIG_X=y", fs.ErrNotExist, false),
		judgeSysfs(Requirement{}, "x", "CONFIG_X=y", fs.ErrPermission, true),
		judgeNamespace(Requirement{Remedy: "x"}, initialPIDNamespace, "why", "pid:[1]", nil), judgeNamespace(Requirement{}, initialPIDNamespace, "why", "", errAny),
	}
	failing = append(failing, judgeCapabilities(0, nil)...)
	for _, r := range append(failing, judgeCapabilities(0, errAny)...) {
		if r.OK || r.Detail == "" || r.Remedy == "" {
			t.Errorf("%+v: want one that fails, says why, and says the remedy", r)
		}
	}
	names := map[string]bool{}
	for _, r := range append(Prerequisites(), load()...) {
		if names[r.Name] || r.Name == "" || r.Detail == "" || r.Remedy == "" && r.Name != "features" {
			t.Errorf("%+v: want a name of its own, and a remedy", r)
		}
		names[r.Name] = true
	}
}
