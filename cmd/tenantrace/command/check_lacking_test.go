package command

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// lack is a host that lacks something: made of this one by taking just that away from the program.
type lack struct {
	name    string
	without string // capabilities that are dropped: a list for setpriv
	shell   string // run before the program, in a mount namespace of its own
	attr    syscall.SysProcAttr
	filter  []filtered
	user    bool // run as nobody

	missing []string // the names of all that is missing
	remedy  string   // part of that of the first
}

// filtered is a system call that a seccomp filter refuses, and the error that it gives.
type filtered struct {
	number uint32
	errno  unix.Errno
}

const ownMounts = syscall.CLONE_NEWNS

// lacks lists them. What a kernel asks for where a uprobe is attached differs: perf events, or not; CAP_SYS_ADMIN, or not.
func lacks(perfEvents, sysAdmin bool) []lack {
	hide := func(directory string) string { return "mount --make-rprivate / && mount -t tmpfs tmpfs " + directory }
	mounts := syscall.SysProcAttr{Unshareflags: ownMounts}
	root := []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: 1}}
	all := []string{"cap_bpf", "cap_perfmon", "cap_sys_ptrace", "cap_checkpoint_restore", "cap_dac_read_search"}
	list := []lack{
		{name: "BTF", attr: mounts, shell: hide("/sys/kernel/btf"), missing: []string{"btf"}, remedy: "CONFIG_DEBUG_INFO_BTF=y"},
		{name: "uprobes", attr: mounts, shell: hide("/sys/bus/event_source/devices"), missing: []string{"uprobes"}, remedy: "CONFIG_UPROBE_EVENTS=y"},
		{name: "sysfs", attr: mounts, shell: hide("/sys"), missing: []string{"btf", "uprobes"}, remedy: "mount sysfs"},
		{name: "CAP_BPF", without: "-bpf,-sys_admin", missing: []string{"cap_bpf"}, remedy: "grant CAP_BPF"},
		{name: "CAP_PERFMON", without: "-perfmon,-sys_admin", missing: []string{"cap_perfmon"}, remedy: "grant CAP_PERFMON"},
		{name: "CAP_SYS_PTRACE", without: "-sys_ptrace", missing: []string{"cap_sys_ptrace"}, remedy: "grant CAP_SYS_PTRACE"},
		{name: "CAP_DAC_READ_SEARCH", without: "-dac_read_search,-dac_override", missing: []string{"cap_dac_read_search"}, remedy: "grant CAP_DAC_READ_SEARCH"},
		{name: "every capability", without: "-all", missing: all, remedy: "run as root"},
		{name: "root", user: true, missing: all, remedy: "run as root"},
		{
			name: "the initial user namespace", attr: syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER, UidMappings: root, GidMappings: root},
			missing: append([]string{"user_namespace"}, all...), remedy: "docker run --userns=host --privileged",
		},
		{
			name: "the initial PID namespace", attr: syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID, Unshareflags: ownMounts},
			shell: "mount --make-rprivate / && mount -t proc proc /proc", missing: []string{"pid_namespace"}, remedy: "docker run --pid=host",
		},
		{name: "the system call bpf", filter: []filtered{{unix.SYS_BPF, unix.ENOSYS}}, missing: []string{"bpf"}, remedy: "CONFIG_BPF_SYSCALL=y"},
		{name: "the right to bpf", filter: []filtered{{unix.SYS_BPF, unix.EPERM}}, missing: []string{"bpf"}, remedy: "seccomp filter"},
	}
	// CAP_CHECKPOINT_RESTORE without CAP_SYS_ADMIN, which includes it: then a kernel may refuse uprobes as well.
	restore := lack{name: "CAP_CHECKPOINT_RESTORE", without: "-checkpoint_restore,-sys_admin", missing: []string{"cap_checkpoint_restore"}, remedy: "grant CAP_CHECKPOINT_RESTORE"}
	perf := lack{name: "the right to perf events", filter: []filtered{{unix.SYS_PERF_EVENT_OPEN, unix.EPERM}}}
	admin := lack{name: "CAP_SYS_ADMIN", without: "-sys_admin"}
	if perfEvents {
		perf.missing, perf.remedy = []string{"programs"}, "seccomp filter"
	}
	if sysAdmin {
		restore.missing = append(restore.missing, "programs")
		admin.missing, admin.remedy = []string{"programs"}, "grant CAP_SYS_ADMIN"
	}
	return append(list, restore, perf, admin)
}

// Whatever is missing, check names all of it with its remedy, and run says the same when it does not start.
func TestHostsThatLackSomething(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skipf("effective uid is %d: taking things away from a process needs root", os.Geteuid())
	}
	binary := buildProgram(t)
	whole := lack{name: "nothing"}
	report, text, code := whole.check(t, binary)
	if code != exitOK {
		t.Fatalf("this host itself lacks something:\n%s", text)
	}
	features := item(report, "features")
	if features.Detail == "" {
		t.Errorf("check does not tell the kernel's features:\n%s", text)
	}
	for _, l := range lacks(!strings.Contains(features.Detail, "uprobe_multi"), asksForSysAdmin(t, binary)) {
		t.Run(l.name, func(t *testing.T) {
			report, text, code := l.check(t, binary)
			var missing []string
			for _, i := range report.Items {
				if !i.OK {
					missing = append(missing, i.Name)
				}
			}
			if !slices.Equal(missing, l.missing) {
				t.Fatalf("missing are %v, want %v:\n%s", missing, l.missing, text)
			}
			if len(missing) == 0 {
				if code != exitOK {
					t.Errorf("check: exit %d, want 0:\n%s", code, text)
				}
				return
			}
			if code != exitError {
				t.Errorf("check: exit %d, want 1", code)
			}
			first := item(report, missing[0])
			if !strings.Contains(first.Remedy, l.remedy) {
				t.Errorf("remedy of %s is %q, want %q", first.Name, first.Remedy, l.remedy)
			}
			for _, i := range report.Items {
				if !i.OK && (!strings.Contains(text, "missing  "+i.Name) || i.Remedy == "" || !strings.Contains(text, "remedy: "+i.Remedy+"\n")) {
					t.Errorf("text does not name %s and its remedy %q:\n%s", i.Name, i.Remedy, text)
				}
			}
			_, said, code := l.run(t, binary, "run", "--listen", "127.0.0.1:0")
			if code != exitError || !strings.Contains(said, first.Name+": ") || !strings.Contains(said, first.Remedy) {
				t.Errorf("run: exit %d and %q, want 1, %s and %q", code, said, first.Name, first.Remedy)
			}
			t.Logf("%s: %s [%s]", first.Name, first.Detail, first.Remedy)
		})
	}
}

// asksForSysAdmin tells whether the program needs CAP_SYS_ADMIN on this kernel to attach a uprobe.
func asksForSysAdmin(t *testing.T, binary string) bool {
	t.Helper()
	l := lack{name: "CAP_SYS_ADMIN", without: "-sys_admin"}
	_, said, code := l.run(t, binary, "run", "--listen", "127.0.0.1:0")
	if code == exitOK {
		return false
	}
	if code != exitError || !strings.Contains(said, "CAP_SYS_ADMIN") {
		t.Fatalf("run without CAP_SYS_ADMIN: exit %d and %q", code, said)
	}
	return true
}

func item(r *Report, name string) Item {
	for _, i := range r.Items {
		if i.Name == name {
			return i
		}
	}
	return Item{}
}

// check gives what check prints as JSON, and as text. The exit codes must agree.
func (l *lack) check(t *testing.T, binary string) (report *Report, text string, code int) {
	t.Helper()
	text, _, code = l.run(t, binary, "check")
	out, said, codeJSON := l.run(t, binary, "check", "--json")
	report = &Report{}
	if err := json.Unmarshal([]byte(out), report); err != nil {
		t.Fatalf("check --json: %v in %q; it said %q", err, out, said)
	}
	if code != codeJSON {
		t.Errorf("check exits with %d, check --json with %d", code, codeJSON)
	}
	return report, text, code
}

// run runs the program on the host that lacks something. A program that starts is told to stop.
func (l *lack) run(t *testing.T, binary string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	line := append([]string{binary}, args...)
	if l.user {
		line = append([]string{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"}, line...)
	}
	if l.without != "" {
		line = append([]string{"setpriv", "--inh-caps=-all", "--bounding-set=" + l.without}, line...)
	}
	if l.shell != "" {
		line = append([]string{"sh", "-c", l.shell + ` && exec "$@"`, "sh"}, line...)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var out, said started
	cmd := exec.CommandContext(ctx, line[0], line[1:]...)
	cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = &out, &said, &l.attr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	said.when, said.do = "msg=tracing", cancel
	ended := make(chan error, 1)
	go func() {
		if len(l.filter) > 0 {
			runtime.LockOSThread() // for good: the thread ends with the goroutine, and its filter with it
			if err := refuse(l.filter); err != nil {
				ended <- err
				return
			}
		}
		ended <- cmd.Start()
	}()
	if err := <-ended; err != nil {
		t.Fatalf("start %q: %v", line, err)
	}
	if err := cmd.Wait(); err != nil && cmd.ProcessState == nil {
		t.Fatalf("%q: %v", line, err)
	}
	return out.String(), said.String(), cmd.ProcessState.ExitCode()
}

// started is output that does something once it holds a text.
type started struct {
	bytes.Buffer
	when string
	do   func()
}

func (s *started) Write(p []byte) (int, error) {
	n, err := s.Buffer.Write(p)
	if s.do != nil && bytes.Contains(s.Bytes(), []byte(s.when)) {
		s.do()
	}
	return n, err
}

// refuse makes the kernel refuse system calls to this thread and what it starts.
func refuse(calls []filtered) error {
	program := []unix.SockFilter{{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}} // seccomp_data.nr
	for _, c := range calls {
		program = append(program,
			unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: c.number},
			unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(c.errno)})
	}
	program = append(program, unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW})
	filter := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	if _, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, uintptr(unsafe.Pointer(&filter))); errno != 0 {
		return errno
	}
	return nil
}

// buildProgram compiles the program to where every user may run it.
func buildProgram(t *testing.T) string {
	t.Helper()
	directory := t.TempDir()
	for _, d := range []string{directory, filepath.Dir(directory)} {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	binary := filepath.Join(directory, "tenantrace")
	build := exec.Command("go", "build", "-o", binary, "tenantrace/cmd/tenantrace")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return binary
}
