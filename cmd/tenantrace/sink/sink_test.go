package sink

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// outlet is an output that takes at most accept bytes and then fails with err.
type outlet struct {
	mu     sync.Mutex
	got    bytes.Buffer
	accept int // -1: all
	err    error
	gate   chan struct{} // if set, each Write waits for it
}

func (o *outlet) Write(p []byte) (int, error) {
	if o.gate != nil {
		<-o.gate
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.accept < 0 || len(p) <= o.accept {
		if o.accept > 0 {
			o.accept -= len(p)
		}
		return o.got.Write(p)
	}
	n, _ := o.got.Write(p[:o.accept])
	o.accept = 0
	return n, o.err
}

func (o *outlet) text() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.got.String()
}

func (o *outlet) set(accept int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.accept = accept
}

type logLines struct {
	mu sync.Mutex
	bytes.Buffer
}

func (l *logLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Buffer.Write(p)
}

func open(t *testing.T, cfg Config) (*Lines, *logLines) {
	t.Helper()
	metrics, err := NewMetrics(prometheus.NewRegistry(), "findings")
	if err != nil {
		t.Fatal(err)
	}
	log := &logLines{}
	cfg.Name, cfg.Metrics, cfg.Log = "findings", metrics, slog.New(slog.NewTextHandler(log, nil))
	s, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s, log
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never came: %s", what)
		}
	}
}

func write(t *testing.T, s *Lines, line string) {
	t.Helper()
	if n, err := s.Write([]byte(line)); n != len(line) || err != nil {
		t.Fatalf("Write = %d, %v", n, err)
	}
}

func TestFileIsPrivateAndAppended(t *testing.T) {
	path := filepath.Join(t.TempDir(), "findings")
	if err := os.WriteFile(path, []byte("old\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	s, _ := open(t, Config{Path: path})
	write(t, s, "new\n")
	eventually(t, "flush", func() bool { b, _ := os.ReadFile(path); return string(b) == "old\nnew\n" })
	write(t, s, "last\n")
	if err := s.Close(time.Second); err != nil {
		t.Fatal(err)
	}
	if b, _ := os.ReadFile(path); string(b) != "old\nnew\nlast\n" {
		t.Errorf("file holds %q", b)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, error %v; want 0600", info.Mode(), err)
	}
}

func TestTruncate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "recording")
	if err := os.WriteFile(path, []byte("old\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, _ := open(t, Config{Path: path, Truncate: true})
	time.Sleep(2 * flushDelay) // nothing is written, so nothing is lost
	if b, _ := os.ReadFile(path); string(b) != "old\n" {
		t.Errorf("before the first line the file holds %q", b)
	}
	write(t, s, "new\n")
	eventually(t, "first line", func() bool { b, _ := os.ReadFile(path); return string(b) == "new\n" })
	write(t, s, "newer\n")
	if err := s.Close(time.Second); err != nil {
		t.Fatal(err)
	}
	if b, _ := os.ReadFile(path); string(b) != "new\nnewer\n" {
		t.Errorf("file holds %q", b)
	}
}

func TestReopenAfterRotation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "findings")
	s, _ := open(t, Config{Path: path})
	write(t, s, "before\n")
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	if err := s.Reopen(); err != nil {
		t.Fatal(err)
	}
	write(t, s, "after\n")
	if err := s.Close(time.Second); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{path: "after\n", path + ".1": "before\n"} {
		if b, _ := os.ReadFile(file); string(b) != want {
			t.Errorf("%s holds %q, want %q", filepath.Base(file), b, want)
		}
	}
}

func TestReopenFailureKeepsTheOldFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "logs")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "findings")
	s, _ := open(t, Config{Path: path})
	kept := dir + ".old"
	if err := os.Rename(dir, kept); err != nil {
		t.Fatal(err)
	}
	if err := s.Reopen(); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v, want one that names the file", err)
	}
	write(t, s, "still\n")
	if err := s.Close(time.Second); err != nil {
		t.Fatal(err)
	}
	if b, _ := os.ReadFile(filepath.Join(kept, "findings")); string(b) != "still\n" {
		t.Errorf("old file holds %q", b)
	}
}

// A full disk takes part of a line and fails; when there is room again, every line is there once and whole.
func TestFullDiskKeepsLinesWhole(t *testing.T) {
	out := &outlet{accept: 15, err: syscall.ENOSPC}
	s, log := open(t, Config{Path: Stdout, Stdout: out})
	write(t, s, "line one\nline two\nline three\n")
	eventually(t, "error", func() bool { return testutil.ToFloat64(s.cfg.Metrics.errors.WithLabelValues("findings")) >= 3 })
	if got := out.text(); got != "line one\nline t" {
		t.Fatalf("full disk holds %q", got)
	}
	write(t, s, "line four\n")
	out.set(-1)
	if err := s.Close(5 * time.Second); err != nil {
		t.Fatal(err)
	}
	if got, want := out.text(), "line one\nline two\nline three\nline four\n"; got != want {
		t.Errorf("holds %q, want %q", got, want)
	}
	if n := strings.Count(log.String(), "cannot write output"); n != 1 {
		t.Errorf("said %d times within a minute, want once:\n%s", n, log)
	}
	if s.Lost() != 0 {
		t.Errorf("lost %d lines", s.Lost())
	}
}

// A line of which the old file has a part is written whole to the new one.
func TestReopenWithAPartialLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "findings")
	s, _ := open(t, Config{Path: path})
	full := &outlet{accept: 4, err: syscall.ENOSPC}
	s.outMu.Lock()
	s.out = full
	s.outMu.Unlock()
	write(t, s, "whole line\n")
	eventually(t, "part", func() bool { return full.text() == "whol" })
	if err := s.Reopen(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(time.Second); err != nil {
		t.Fatal(err)
	}
	if b, _ := os.ReadFile(path); string(b) != "whole line\n" {
		t.Errorf("new file holds %q", b)
	}
}

func TestClosedPipeLosesAndCounts(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	s, log := open(t, Config{Path: Stdout, Stdout: w})
	for i := range 3 {
		write(t, s, fmt.Sprintf("line %d\n", i))
		eventually(t, "loss", func() bool { return s.Lost() == uint64(i+1) })
	}
	if err := s.Close(time.Second); err != nil {
		t.Errorf("Close = %v", err)
	}
	if n := testutil.ToFloat64(s.cfg.Metrics.lost.WithLabelValues("findings")); n != 3 {
		t.Errorf("metric counts %v lost lines, want 3", n)
	}
	if n := strings.Count(log.String(), "cannot write output"); n != 1 {
		t.Errorf("said %d times, want once", n)
	}
}

// A reader that stops reading makes lines lost beyond the limit, and Write does not wait for it.
func TestStuckOutputShedsBeyondItsLimit(t *testing.T) {
	out := &outlet{accept: -1, gate: make(chan struct{})}
	s, _ := open(t, Config{Path: Stdout, Stdout: out, Limit: 100})
	write(t, s, "first\n")
	eventually(t, "take", func() bool { s.mu.Lock(); defer s.mu.Unlock(); return len(s.buf) == 0 })
	for range 15 {
		write(t, s, "123456789\n")
	}
	if got := s.Lost(); got != 5 {
		t.Errorf("lost %d lines, want 5 of 15 (100 bytes hold 10)", got)
	}
	if err := s.Close(50 * time.Millisecond); err == nil || !strings.Contains(err.Error(), "findings") {
		t.Errorf("Close of a stuck output = %v, want an error that names it", err)
	}
	close(out.gate)
	<-s.done
	if got := strings.Count(out.text(), "\n"); got != 11 {
		t.Errorf("output took %d lines, want 11", got)
	}
}

func TestWaitLosesNothing(t *testing.T) {
	out := &outlet{accept: -1}
	s, _ := open(t, Config{Path: Stdout, Stdout: out, Limit: 64, Wait: true})
	for i := range 1000 {
		write(t, s, fmt.Sprintf("line %d\n", i))
	}
	if err := s.Close(5 * time.Second); err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(out.text(), "\n"); got != 1000 || s.Lost() != 0 {
		t.Errorf("output took %d lines, lost %d; want 1000, 0", got, s.Lost())
	}
}

func TestLongLineIsTaken(t *testing.T) {
	out := &outlet{accept: -1}
	s, _ := open(t, Config{Path: Stdout, Stdout: out, Limit: 64})
	long := strings.Repeat("x", 1000) + "\n"
	write(t, s, long)
	if err := s.Close(time.Second); err != nil || out.text() != long {
		t.Errorf("took %d bytes, error %v; want %d", len(out.text()), err, len(long))
	}
}

func TestOpenErrorsNameTheFile(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, filepath.Join(dir, "missing", "findings"), fifo} {
		_, err := Open(Config{Name: "findings", Path: path})
		if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "[") {
			t.Errorf("Open(%q) = %v, want an error with the path and a remedy", path, err)
		}
	}
}

func TestManyWriters(t *testing.T) {
	out := &outlet{accept: -1}
	s, _ := open(t, Config{Path: Stdout, Stdout: out, Wait: true, Limit: 4096})
	var writers sync.WaitGroup
	for w := range 8 {
		writers.Go(func() {
			for i := range 500 {
				fmt.Fprintf(s, "writer %d line %d\n", w, i)
			}
		})
	}
	writers.Wait()
	if err := s.Close(5 * time.Second); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.text()) {
		var w, i int
		if _, err := fmt.Sscanf(line, "writer %d line %d\n", &w, &i); err != nil {
			t.Fatalf("line %q: %v", line, err)
		}
	}
	if got := strings.Count(out.text(), "\n"); got != 4000 {
		t.Errorf("%d lines, want 4000", got)
	}
}

func TestCloseOnAFullDiskSaysWhatIsLost(t *testing.T) {
	out := &outlet{accept: 4, err: syscall.ENOSPC}
	s, _ := open(t, Config{Path: Stdout, Stdout: out})
	write(t, s, "one\ntwo\n")
	eventually(t, "error", func() bool { return testutil.ToFloat64(s.cfg.Metrics.errors.WithLabelValues("findings")) >= 1 })
	write(t, s, "three\n")
	if err := s.Close(5 * time.Second); err == nil || !strings.Contains(err.Error(), "last 2 lines") {
		t.Errorf("Close = %v, want the 2 lines said", err)
	}
	if s.Lost() != 2 || out.text() != "one\n" {
		t.Errorf("lost %d, output %q", s.Lost(), out.text())
	}
}

func TestWriteAfterCloseIsLost(t *testing.T) {
	s, _ := open(t, Config{Path: Stdout, Stdout: io.Discard})
	if err := errors.Join(s.Close(time.Second)); err != nil {
		t.Fatal(err)
	}
	write(t, s, "late\n")
	if s.Lost() != 1 {
		t.Errorf("lost %d lines, want 1", s.Lost())
	}
}

func BenchmarkWrite(b *testing.B) {
	metrics, err := NewMetrics(prometheus.NewRegistry(), "verdicts")
	if err != nil {
		b.Fatal(err)
	}
	s, err := Open(Config{Name: "verdicts", Path: Stdout, Stdout: io.Discard, Wait: true, Log: slog.New(slog.DiscardHandler), Metrics: metrics})
	if err != nil {
		b.Fatal(err)
	}
	line := []byte(strings.Repeat("x", 600) + "\n")
	b.ReportAllocs()
	for b.Loop() {
		_, _ = s.Write(line)
	}
	if err := s.Close(time.Second); err != nil {
		b.Fatal(err)
	}
}
