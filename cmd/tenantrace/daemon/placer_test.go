package daemon

import (
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tenantrace/collector/container"
	"tenantrace/collector/event"
	"tenantrace/collector/procfs"
	"tenantrace/correlate/policy"
)

// kept keeps what a placer says.
type kept struct{ said []*event.ProcessPlaced }

func (k *kept) Handle(e event.Event) {
	if p, ok := e.(*event.ProcessPlaced); ok {
		k.said = append(k.said, p)
	}
}

// fakeHost is a placer on a host of files.
type fakeHost struct {
	*placer
	*kept
	t    *testing.T
	root string
	log  *buffer
	now  int64
}

const bootTime = 1_700_000_000

func newFakeHost(t *testing.T, wants policy.Places) *fakeHost {
	h := &fakeHost{kept: &kept{}, t: t, root: t.TempDir(), log: &buffer{}, now: int64(time.Hour)}
	h.write("/proc/stat", fmt.Sprintf("cpu 1 2\nbtime %d\n", bootTime))
	for i, path := range wants.PIDFiles {
		wants.PIDFiles[i] = filepath.Join(h.root, path)
	}
	h.placer = newPlacer(h.kept, &wants, slog.New(slog.NewTextHandler(h.log, nil)))
	h.proc, h.host = procfs.FS(filepath.Join(h.root, "proc")), container.Host(h.root)
	return h
}

func (h *fakeHost) write(name, text string) {
	h.t.Helper()
	name = filepath.Join(h.root, name)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		h.t.Fatal(err)
	}
	next := name + ".new"
	if err := os.WriteFile(next, []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
	if err := os.Rename(next, name); err != nil {
		h.t.Fatal(err)
	}
}

// process puts a process that began some seconds after boot into /proc.
func (h *fakeHost) process(pid, parent, seconds int) {
	h.write(fmt.Sprintf("/proc/%d/stat", pid), fmt.Sprintf("%d (x y) S %d 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 %d 0\n", pid, parent, seconds*clockTicks))
}

// pidFile writes one some seconds after boot.
func (h *fakeHost) pidFile(name, text string, seconds int) {
	h.t.Helper()
	h.write(name, text)
	at := time.Unix(int64(bootTime+seconds), 0)
	if err := os.Chtimes(filepath.Join(h.root, name), at, at); err != nil {
		h.t.Fatal(err)
	}
}

func (h *fakeHost) started(pid int, cgroup string) {
	h.now += int64(time.Millisecond)
	h.placer.Handle(&event.ProcessStarted{Header: event.Header{Time: h.now, PID: uint32(pid)}, Cgroup: cgroup})
}

func (h *fakeHost) wait(d time.Duration) {
	for end := h.now + int64(d); h.now < end; {
		h.now += int64(250 * time.Millisecond)
		h.placer.Handle(&event.Tick{Header: event.Header{Time: h.now}})
	}
}

// expect compares what was said since the last call, as "PID file,file image namespace/pod/container".
func (h *fakeHost) expect(want ...string) {
	h.t.Helper()
	var got []string
	for _, p := range h.said {
		for i, f := range p.PIDFiles {
			p.PIDFiles[i] = strings.TrimPrefix(f, h.root)
		}
		text := fmt.Sprintf("%d %s %s", p.PID, strings.Join(p.PIDFiles, ","), p.Image)
		if p.Namespace+p.Pod+p.Container != "" {
			text += fmt.Sprintf(" %s/%s/%s", p.Namespace, p.Pod, p.Container)
		}
		got = append(got, strings.Join(strings.Fields(text), " "))
		for i, f := range p.PIDFiles {
			p.PIDFiles[i] = filepath.Join(h.root, f)
		}
	}
	h.said = nil
	if strings.Join(got, "; ") != strings.Join(want, "; ") {
		h.t.Errorf("said %q, want %q", got, want)
	}
}

func TestPIDFiles(t *testing.T) {
	h := newFakeHost(t, policy.Places{PIDFiles: []string{"/run/a.pid", "/run/b.pid"}})
	h.process(100, 1, 10) // the master, its worker and the worker's child
	h.process(101, 100, 20)
	h.process(102, 101, 21)
	h.process(200, 1, 10)
	h.started(101, "/")
	h.started(200, "/")
	h.expect()
	h.pidFile("/run/a.pid", "100\n/var/lib/x\n5432\n", 11) // it comes after the worker
	h.wait(time.Second)
	h.expect("101 /run/a.pid")
	h.started(102, "/")
	h.started(100, "/")
	h.expect("102 /run/a.pid", "100 /run/a.pid")

	// The master ends before its worker: who belonged to it still does. One that comes later under the same id is another.
	if err := os.RemoveAll(filepath.Join(h.root, "proc/100")); err != nil {
		t.Fatal(err)
	}
	h.process(101, 1, 20)
	h.wait(3 * time.Second)
	h.process(100, 1, 500)
	h.wait(3 * time.Second)
	h.started(100, "/")
	h.expect()
	h.pidFile("/run/b.pid", "100", 400)
	h.wait(2 * time.Second)
	h.started(100, "/")
	h.expect()
	if !strings.Contains(h.log.String(), "began after the file was written") {
		t.Errorf("the log does not tell of the stale file:\n%s", h.log)
	}

	// A restart: the file names another process.
	h.process(300, 1, 600)
	h.pidFile("/run/a.pid", "300", 600)
	h.started(300, "/")
	slices.SortFunc(h.said, func(a, b *event.ProcessPlaced) int { return int(a.PID) - int(b.PID) })
	h.expect("101", "102", "300 /run/a.pid")
	h.pidFile("/run/b.pid", "300", 601)
	h.wait(time.Second)
	h.expect("300 /run/a.pid,/run/b.pid")

	for text, why := range map[string]string{"": "no process id", "x": "no process id", "-3": "no process id", "1": "no process id", "99999999999": "no process id", "4711": "is not there"} {
		h.pidFile("/run/b.pid", text, 700)
		h.wait(2 * time.Second)
		if !strings.Contains(h.log.String(), why) {
			t.Errorf("%q: the log does not say %q:\n%s", text, why, h.log)
		}
	}
	h.expect("300 /run/a.pid")

	// Another policy asks nothing, and then for the other file again.
	asked := h.wants.Load()
	h.wants.Store(&policy.Places{})
	h.pidFile("/run/a.pid", "200", 800)
	h.wait(2 * time.Second)
	h.expect()
	h.wants.Store(asked)
	h.wait(time.Second)
	for _, p := range h.said {
		if p.PID == 200 && len(p.PIDFiles) == 1 || p.PID == 300 && len(p.PIDFiles) == 0 {
			continue
		}
		t.Errorf("said %+v", p)
	}
	if len(h.said) != 2 {
		t.Errorf("%d answers, want 2", len(h.said))
	}
}

// TestOwnPIDFile does the same with real processes: a pid file of this one holds for its child.
func TestOwnPIDFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "own.pid")
	if err := os.WriteFile(file, fmt.Appendf(nil, "%d\n", os.Getpid()), 0o600); err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), "sleep", "60")
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = child.Process.Kill()
		_ = child.Wait()
	}()
	k := &kept{}
	p := newPlacer(k, &policy.Places{PIDFiles: []string{file}}, slog.New(slog.DiscardHandler))
	for _, pid := range []int{os.Getpid(), child.Process.Pid, os.Getppid()} {
		p.Handle(&event.ProcessStarted{Header: event.Header{Time: 1, PID: uint32(pid)}})
	}
	if len(k.said) != 2 || k.said[0].PID != uint32(os.Getpid()) || k.said[1].PID != uint32(child.Process.Pid) {
		t.Errorf("said %+v", k.said)
	}
	if booted, err := p.proc.Booted(); err != nil || time.Since(booted) < 0 || time.Since(booted) > 50*365*24*time.Hour {
		t.Errorf("booted %v, %v", booted, err)
	}
}

func TestContainers(t *testing.T) {
	id := strings.Repeat("0a", 32)
	const uid = "8f14e45f-ceea-467f-a0e6-4f1b7f1b2c3d"
	pod := "/kubepods/burstable/pod" + uid + "/" + id
	h := newFakeHost(t, policy.Places{Containers: true})
	h.started(1, "/system.slice/x.service")
	h.started(2, pod)
	h.expect()
	h.write("/var/log/pods/prod_shop-0_"+uid+"/web/0.log", "")
	h.wait(time.Second)
	h.expect("2 prod/shop-0/")
	h.write("/run/containerd/io.containerd.runtime.v2.task/k8s.io/"+id+"/config.json", `{"annotations":{"io.kubernetes.cri.image-name":"registry.example/web:1"}}`)
	h.write("/var/log/containers/shop-0_prod_web-"+id+".log", "")
	h.wait(time.Second)
	h.expect("2 registry.example/web:1 prod/shop-0/web")
	h.started(3, pod) // of the same container: known
	h.expect("3 registry.example/web:1 prod/shop-0/web")
	if len(h.waiting) != 0 {
		t.Errorf("%d processes are waited for", len(h.waiting))
	}
	h.started(4, "/docker/"+strings.Repeat("0b", 32))
	h.wait(time.Minute)
	h.expect()
	if n := strings.Count(h.log.String(), "do not tell all of a container"); n != 1 || len(h.waiting) != 0 {
		t.Errorf("said %d times, %d waited for:\n%s", n, len(h.waiting), h.log)
	}
	h.placer.Handle(&event.ProcessExited{Header: event.Header{Time: h.now, PID: 3}})
	if h.processes.Len() != 3 {
		t.Errorf("%d processes are kept, want 3", h.processes.Len())
	}
	h.wants.Store(&policy.Places{Containers: true})
	h.wait(time.Second)
	h.expect() // nothing is news
}

func FuzzPIDFile(f *testing.F) {
	for _, text := range []string{"100\n", "", " 7 \nx", "-1", "4294967296", "0x10"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if pid, err := parsePID(data); err == nil && (pid < 2 || pid > 1<<31-1) || err != nil && pid != 0 {
			t.Errorf("%q is %d, %v", data, pid, err)
		}
	})
}
