// Package tracer runs the daemon under test, by its command line alone.
package tracer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"tenantrace/lab/proc"
)

// Config says what to run.
type Config struct {
	Binary string
	Dir    string // takes the outputs
	Policy string // file
	Exe    string // traces only processes of this executable
	PIDs   []int  // traces only these processes
	Record bool   // writes the recording and the verdict lines; off for benchmarks
}

// Tracer is a running daemon.
type Tracer struct {
	Addr     string // of its HTTP endpoint
	Findings string // file
	Verdicts string // file; "" off
	Record   string // file; "" off
	cfg      Config
	process  *proc.Process
	client   http.Client
	stopped  bool
}

// stopTime is what the daemon may take to end in order.
const stopTime = 5 * time.Second

// Start starts the daemon and waits until it says that it is ready.
func Start(ctx context.Context, cfg Config) (*Tracer, error) {
	addr, err := freeAddress()
	if err != nil {
		return nil, err
	}
	t := &Tracer{Addr: addr, Findings: filepath.Join(cfg.Dir, "findings.jsonl"), cfg: cfg, client: http.Client{Timeout: 10 * time.Second}}
	args := []string{"run", "--policy", cfg.Policy, "--findings", t.Findings, "--listen", addr}
	if cfg.Exe != "" {
		args = append(args, "--exe", cfg.Exe)
	}
	for _, pid := range cfg.PIDs {
		args = append(args, "--pid", strconv.Itoa(pid))
	}
	if cfg.Record {
		t.Verdicts, t.Record = filepath.Join(cfg.Dir, "verdicts.jsonl"), filepath.Join(cfg.Dir, "recording.jsonl")
		args = append(args, "--verdicts", t.Verdicts, "--record", t.Record)
	}
	t.process, err = proc.Start(proc.Spec{Name: "tenantrace", Path: cfg.Binary, Args: args, Env: os.Environ(),
		Log: filepath.Join(cfg.Dir, "tenantrace.log"), Stop: syscall.SIGTERM})
	if err != nil {
		return nil, err
	}
	if err := t.wait(ctx); err != nil {
		return nil, errors.Join(err, t.Stop())
	}
	return t, nil
}

// PID returns the daemon's process id.
func (t *Tracer) PID() int { return t.process.PID() }

// Log returns the path of the daemon's log.
func (t *Tracer) Log() string { return t.process.Log() }

// Stop ends the daemon; one that takes longer than its contract says, or whose exit status is not 0, is an error.
// Only the first call does anything.
func (t *Tracer) Stop() error {
	if t.stopped {
		return nil
	}
	t.stopped = true
	return t.process.Stop(stopTime)
}

func (t *Tracer) wait(ctx context.Context) error {
	for deadline := time.Now().Add(proc.Patience); ; {
		_, err := t.get(ctx, "/readyz")
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-t.process.Done():
			return fmt.Errorf("the daemon ended while starting: %s", proc.Tail(t.process.Log(), 10))
		case <-time.After(50 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the daemon is not ready after %s (%w): %s", proc.Patience, err, proc.Tail(t.process.Log(), 10))
		}
	}
}

// Metrics returns the text of /metrics.
func (t *Tracer) Metrics(ctx context.Context) (string, error) { return t.get(ctx, "/metrics") }

func (t *Tracer) get(ctx context.Context, path string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+t.Addr+path, nil)
	if err != nil {
		return "", err
	}
	response, err := t.client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s answers %s: %s", path, response.Status, strings.TrimSpace(string(text)))
	}
	return string(text), nil
}

// Replay judges the recording again, after Stop, and returns the files of the findings and the verdict lines.
func (t *Tracer) Replay(ctx context.Context) (findings, verdicts string, err error) {
	return t.ReplayOther(ctx, t.Record, "replayed")
}

// ReplayOther judges another recording. The name begins those of the files.
func (t *Tracer) ReplayOther(ctx context.Context, recording, name string) (findings, verdicts string, err error) {
	findings, verdicts = filepath.Join(t.cfg.Dir, name+"-findings.jsonl"), filepath.Join(t.cfg.Dir, name+"-verdicts.jsonl")
	command := exec.CommandContext(ctx, t.cfg.Binary, "replay", recording, "--policy", t.cfg.Policy, "--findings", findings, "--verdicts", verdicts)
	if out, err := command.CombinedOutput(); err != nil {
		return "", "", fmt.Errorf("replay %q: %w: %s", recording, err, strings.TrimSpace(string(out)))
	}
	return findings, verdicts, nil
}

// CheckPolicy runs the daemon's own check of the policy.
func CheckPolicy(ctx context.Context, binary, policy string) error {
	if out, err := exec.CommandContext(ctx, binary, "policy", "check", policy).CombinedOutput(); err != nil {
		return fmt.Errorf("policy check: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().String(), nil
}
