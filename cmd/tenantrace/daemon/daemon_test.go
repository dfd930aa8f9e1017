package daemon

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"tenantrace/collector/event"
	"tenantrace/correlate/policy"
	"tenantrace/correlate/verdict"
)

// buffer is a bytes.Buffer for several goroutines.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// fakeEngine gives one verdict and one finding per statement, and one more of each at Close.
type fakeEngine struct {
	cfg    EngineConfig
	mu     sync.Mutex
	policy *policy.Policy
}

func (e *fakeEngine) Handle(ev event.Event) {
	if s, ok := ev.(*event.Statement); ok {
		e.conclude(s.Time, s.Text)
	}
}

func (e *fakeEngine) conclude(at int64, shape string) {
	s := verdict.Statement{
		Version: 1, Time: time.Unix(0, at).UTC().Format(time.RFC3339Nano), Verdict: verdict.Violation,
		Findings: []string{"CROSS_TENANT_READ"}, Link: verdict.LinkThread, DatabaseTenants: []string{"beta"},
		SQL: verdict.SQL{Engine: "postgresql", Shape: shape},
	}
	e.cfg.Verdict(&s)
	e.cfg.Finding(&verdict.Finding{Name: "CROSS_TENANT_READ", UID: shape, First: at, Last: at, Count: 1, Severity: verdict.SeverityCritical, Evidence: s})
}

func (e *fakeEngine) SetPolicy(p *policy.Policy) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.policy = p
}

func (e *fakeEngine) hash() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.policy.Hash()
}

func (e *fakeEngine) Close() { e.conclude(9, "last words") }

// fakeTracer emits n statements at once and one more when it drains.
type fakeTracer struct {
	prometheus.Collector
	cfg TracerConfig
	n   int
	// events, if set, are what it observes, instead of anything else.
	events []event.Event
	fail   error
	stuck  chan struct{}
	mu     sync.Mutex
	want   []string // columns
}

func (f *fakeTracer) Run(ctx context.Context) error {
	if f.events != nil {
		for _, e := range f.events {
			f.cfg.Handler.Handle(e)
		}
		<-ctx.Done()
		return nil
	}
	for i := range f.n {
		f.cfg.Handler.Handle(&event.Statement{Header: event.Header{Time: int64(i + 1), PID: 7}, Conn: 1, Seq: uint64(i + 1), Text: fmt.Sprintf("SELECT %d <> 2", i)})
	}
	if f.fail != nil {
		return f.fail
	}
	for ctx.Err() == nil {
		f.cfg.Handler.Handle(&event.Tick{Header: event.Header{Time: 7}})
		time.Sleep(10 * time.Millisecond)
	}
	if f.stuck != nil {
		<-f.stuck
	}
	f.cfg.Handler.Handle(&event.Statement{Header: event.Header{Time: 8, PID: 7}, Conn: 1, Seq: 99, Text: "drained"})
	return nil
}

func (f *fakeTracer) Close() error { return nil }

func (f *fakeTracer) Ready() (bool, string) { return true, "" }

func (f *fakeTracer) SetWanted(_, columns []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.want = columns
}

func (f *fakeTracer) wanted() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Join(f.want, ",")
}

func (f *fakeTracer) Libraries() any { return []string{"/usr/lib/libssl.so.3"} }

type run struct {
	cfg    Config
	dir    string
	addr   string
	stdout *buffer
	log    *buffer
	hangup chan os.Signal
	engine *fakeEngine
	tracer *fakeTracer
	cancel context.CancelFunc
	ended  chan error
}

func prepare(t *testing.T) *run {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	free.Close()
	r := &run{
		dir: t.TempDir(), addr: free.Addr().String(), stdout: &buffer{}, log: &buffer{}, hangup: make(chan os.Signal, 1), ended: make(chan error, 1),
		tracer: &fakeTracer{n: 3, Collector: prometheus.NewGauge(prometheus.GaugeOpts{Name: "tenantrace_fake", Help: "Of the fake tracer."})},
	}
	r.cfg = Config{
		Listen: r.addr, Findings: "-", Verdicts: filepath.Join(r.dir, "verdicts"), Record: filepath.Join(r.dir, "recording"),
		Version: "1.2.3", Stdout: r.stdout, Log: slog.New(slog.NewTextHandler(r.log, nil)), Hangup: r.hangup,
		NewEngine: func(c EngineConfig) (Engine, error) {
			r.engine = &fakeEngine{cfg: c, policy: c.Policy}
			return r.engine, nil
		},
		NewTracer: func(c TracerConfig) (Tracer, error) {
			r.tracer.cfg = c
			return r.tracer, nil
		},
	}
	return r
}

func (r *run) start(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r.cancel = cancel
	go func() { r.ended <- Run(ctx, r.cfg) }()
	eventually(t, "answer of /readyz", func() bool { return r.get("/readyz") == "ok\n" })
}

func (r *run) get(path string) string {
	response, err := http.Get("http://" + r.addr + path)
	if err != nil {
		return err.Error()
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err.Error()
	}
	return string(body)
}

func (r *run) stop(t *testing.T) {
	t.Helper()
	begun := time.Now()
	r.cancel()
	if err := <-r.ended; err != nil {
		t.Errorf("Run = %v, want nil", err)
	}
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("stop took %v, want at most 5 s", took)
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(15 * time.Second); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never came: %s", what)
		}
	}
}

func shapes(t *testing.T, lines string) []string {
	t.Helper()
	var all []string
	for line := range strings.Lines(lines) {
		var v struct {
			Statement *struct{ Shape string }
			Unmapped  struct{ Statement struct{ Shape string } }
		}
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatalf("line %q: %v", line, err)
		}
		if v.Statement != nil {
			all = append(all, v.Statement.Shape)
			continue
		}
		all = append(all, v.Unmapped.Statement.Shape)
	}
	return all
}

func TestRunAndReplay(t *testing.T) {
	r := prepare(t)
	r.start(t)
	eventually(t, "findings within the flush interval", func() bool { return strings.Count(r.stdout.String(), "\n") == 3 })
	var s status
	if err := json.Unmarshal([]byte(r.get("/api/v1/status")), &s); err != nil || !s.Ready || s.Version != "1.2.3" || s.Policy.Hash != policy.Default().Hash() || s.Libraries == nil {
		t.Errorf("status %+v, %v", s, err)
	}
	r.stop(t)

	want := []string{"SELECT 0 <> 2", "SELECT 1 <> 2", "SELECT 2 <> 2", "drained", "last words"}
	verdicts, err := os.ReadFile(r.cfg.Verdicts)
	if err != nil {
		t.Fatal(err)
	}
	for name, lines := range map[string]string{"findings": r.stdout.String(), "verdicts": string(verdicts)} {
		if got := shapes(t, lines); !equal(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
		if strings.Contains(lines, `\u003c`) {
			t.Errorf("%s: SQL is escaped as HTML", name)
		}
	}
	if info, err := os.Stat(r.cfg.Record); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("recording: %v, %v; want mode 0600", info, err)
	}
	if !strings.Contains(r.log.String(), "plain text") {
		t.Error("the log does not say that the recording holds plain text")
	}

	replayed := r.cfg
	var out buffer
	replayed.Stdout, replayed.Verdicts = &out, filepath.Join(r.dir, "replayed")
	if err := Replay(t.Context(), r.cfg.Record, replayed); err != nil {
		t.Fatal(err)
	}
	if out.String() != r.stdout.String() {
		t.Errorf("replay found\n%s\nthe run found\n%s", &out, r.stdout)
	}
	again, err := os.ReadFile(replayed.Verdicts)
	if err != nil || string(again) != string(verdicts) {
		t.Errorf("replay judged\n%s\nthe run judged\n%s", again, verdicts)
	}
}

func equal(a, b []string) bool {
	return strings.Join(a, "\n") == strings.Join(b, "\n")
}

func TestHangupReopensAndReloads(t *testing.T) {
	r := prepare(t)
	r.cfg.Policy, r.cfg.Findings = filepath.Join(r.dir, "policy.yaml"), filepath.Join(r.dir, "findings")
	write := func(text string) {
		t.Helper()
		next := r.cfg.Policy + ".new"
		if err := os.WriteFile(next, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(next, r.cfg.Policy); err != nil {
			t.Fatal(err)
		}
	}
	write("version: 1\n")
	r.start(t)
	first := r.engine.hash()
	eventually(t, "findings", func() bool { b, _ := os.ReadFile(r.cfg.Findings); return bytes.Count(b, []byte("\n")) == 3 })

	// A broken policy keeps the old one, is said and is counted; the files are reopened all the same.
	if err := os.Rename(r.cfg.Findings, r.cfg.Findings+".1"); err != nil {
		t.Fatal(err)
	}
	write("version: 1\nidentiti: {}\n")
	r.hangup <- syscall.SIGHUP
	eventually(t, "failure in the metrics", func() bool { return !strings.Contains(r.get("/metrics"), "tenantrace_policy_reload_failures_total 0") })
	if r.engine.hash() != first || !strings.Contains(r.get("/metrics"), fmt.Sprintf("tenantrace_policy_info{hash=%q,version=\"1\"} 1", first)) {
		t.Error("a broken policy is in force")
	}
	if !strings.Contains(r.log.String(), "identiti") || !strings.Contains(r.log.String(), "the old one stays in force") {
		t.Errorf("the log does not say what is broken:\n%s", r.log)
	}

	// A good one comes into force by itself, within the watch interval.
	write("version: 1\ndatabase:\n  - engine: postgres\n    tenant:\n      columns: [account_id]\n")
	eventually(t, "new policy", func() bool { return r.engine.hash() != first })
	eventually(t, "columns", func() bool { return r.tracer.wanted() == "account_id,tenant_id" }) // that of MySQL, which the file does not name
	r.stop(t)
	for file, want := range map[string]int{r.cfg.Findings + ".1": 3, r.cfg.Findings: 2} {
		if b, err := os.ReadFile(file); err != nil || bytes.Count(b, []byte("\n")) != want {
			t.Errorf("%s: %d lines, error %v; want %d", filepath.Base(file), bytes.Count(b, []byte("\n")), err, want)
		}
	}
}

func TestStartErrors(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for name, tc := range map[string]struct {
		change func(*run)
		want   string
	}{
		"unreadable policy":   {func(r *run) { r.cfg.Policy = filepath.Join(r.dir, "missing.yaml") }, "missing.yaml"},
		"occupied port":       {func(r *run) { r.cfg.Listen = taken.Addr().String() }, "--listen"},
		"unwritable findings": {func(r *run) { r.cfg.Findings = filepath.Join(r.dir, "no", "findings") }, "findings file"},
		"unwritable verdicts": {func(r *run) { r.cfg.Verdicts = r.dir }, "verdicts file"},
		"unwritable record":   {func(r *run) { r.cfg.Record = r.dir }, "recording file"},
		"no privileges": {func(r *run) {
			r.cfg.NewTracer = func(TracerConfig) (Tracer, error) { return nil, errors.New("not root [run with sudo]") }
		}, "run with sudo"},
		"tracer ends": {func(r *run) { r.tracer.fail = errors.New("ring buffer went away") }, "went away"},
	} {
		t.Run(name, func(t *testing.T) {
			r := prepare(t)
			tc.change(r)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			err := Run(ctx, r.cfg)
			if err == nil || !strings.Contains(err.Error(), tc.want) || ctx.Err() != nil {
				t.Errorf("Run = %v, want %q", err, tc.want)
			}
			again, listenErr := net.Listen("tcp", r.addr)
			if listenErr != nil {
				t.Fatalf("the address is still taken: %v", listenErr)
			}
			again.Close()
		})
	}
}

// A start that fails leaves an old recording as it was.
func TestFailedStartKeepsTheRecording(t *testing.T) {
	r := prepare(t)
	if err := os.WriteFile(r.cfg.Record, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	r.cfg.NewTracer = func(TracerConfig) (Tracer, error) { return nil, errors.New("not root") }
	if err := Run(t.Context(), r.cfg); err == nil {
		t.Fatal("Run = nil")
	}
	if b, _ := os.ReadFile(r.cfg.Record); string(b) != "precious" {
		t.Errorf("recording holds %q", b)
	}
}

func TestStuckTracerDoesNotHoldTheStop(t *testing.T) {
	r := prepare(t)
	r.tracer.stuck = make(chan struct{})
	r.start(t)
	begun := time.Now()
	r.cancel()
	err := <-r.ended
	if err == nil || !strings.Contains(err.Error(), "did not stop") {
		t.Errorf("Run = %v, want an error about the tracer", err)
	}
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("stop took %v", took)
	}
	if got := len(shapes(t, r.stdout.String())); got != 3 {
		t.Errorf("%d findings were written, want the 3 before the stop", got)
	}
	close(r.tracer.stuck)
}

func TestClosedStandardOutputDoesNotStopTheTracing(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	read.Close()
	defer write.Close()
	r := prepare(t)
	r.cfg.Stdout = write
	r.start(t)
	eventually(t, "loss in the metrics", func() bool {
		m := r.get("/metrics")
		return strings.Contains(m, `tenantrace_sink_lost_lines_total{sink="findings"} 3`) && strings.Contains(m, `tenantrace_sink_errors_total{sink="findings"} 1`)
	})
	r.stop(t)
	if b, _ := os.ReadFile(r.cfg.Verdicts); bytes.Count(b, []byte("\n")) != 5 {
		t.Errorf("%d verdicts, want 5", bytes.Count(b, []byte("\n")))
	}
}

func TestReplayErrors(t *testing.T) {
	r := prepare(t)
	foreign := filepath.Join(r.dir, "foreign")
	if err := os.WriteFile(foreign, []byte("{}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	broken := filepath.Join(r.dir, "broken")
	if err := os.WriteFile(broken, []byte(`{"format":"tenantrace-recording","v":1,"started":"2026-01-02T03:04:05Z"}`+"\n{}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{
		filepath.Join(r.dir, "missing"): "--record",
		foreign:                         "--record",
		broken:                          "line 2: ",
	} {
		if err := Replay(t.Context(), file, r.cfg); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), file) {
			t.Errorf("Replay(%s) = %v, want the file and %q", filepath.Base(file), err, want)
		}
	}
}

// A replay whose findings cannot be written fails.
func TestReplayToAFullDisk(t *testing.T) {
	r := prepare(t)
	r.start(t)
	r.stop(t)
	r.cfg.Findings = "/dev/full"
	if err := Replay(t.Context(), r.cfg.Record, r.cfg); err == nil || !strings.Contains(err.Error(), "/dev/full") {
		t.Errorf("Replay = %v, want an error that names the file", err)
	}
}

func TestMetricsAreWellFormed(t *testing.T) {
	r := prepare(t)
	r.start(t)
	defer r.stop(t)
	var own []string
	for line := range strings.Lines(r.get("/metrics")) {
		if strings.Contains(line, "tenantrace_") && !strings.Contains(line, "tenantrace_fake") {
			own = append(own, line)
		}
	}
	problems, err := promlint.New(strings.NewReader(strings.Join(own, ""))).Lint()
	if err != nil || len(problems) > 0 {
		t.Errorf("promlint: %v, %v", problems, err)
	}
	var got strings.Builder
	for _, line := range own {
		name, _, _ := strings.Cut(line, " ")
		switch {
		case strings.HasPrefix(line, "tenantrace_build_info"), strings.HasPrefix(line, "tenantrace_policy_info"):
			line = name[:strings.Index(name, "{")] + " …\n" // labelled with versions and a hash
		case strings.HasPrefix(line, "tenantrace_policy_reload_success"):
			line = name + " …\n" // a time
		}
		got.WriteString(line)
	}
	want, err := os.ReadFile("testdata/metrics.txt")
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("/metrics is\n%s\nwant testdata/metrics.txt:\n%s", got.String(), want)
	}
}
