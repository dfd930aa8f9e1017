package life

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"text/template"
	"time"

	"tenantrace/lab/matrix"
	"tenantrace/lab/proc"
)

//go:embed files
var files embed.FS

// server is a kind of server.
type server struct {
	name    string
	ports   []string // what each of its ports is for
	prepare func(context.Context, *company, *yard) (proc.Spec, error)
}

// yard is where a server runs: what its configuration is made of.
type yard struct {
	Dir           string // its own
	Cert, Key, CA string // files
	Unpacked      string // directory of unpacked packages
	Hosts         map[string][]string
	ports         map[string]int
}

// Triplet names the directory of the machine's libraries.
func (y *yard) Triplet() string {
	return map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH] + "-linux-gnu"
}

// Port is the number of the port for a purpose.
func (y *yard) Port(purpose string) (int, error) {
	if n, ok := y.ports[purpose]; ok {
		return n, nil
	}
	return 0, fmt.Errorf("no port for %q", purpose)
}

// port is Port as text, for a purpose that is known to be there.
func (y *yard) port(purpose string) string { return fmt.Sprint(y.ports[purpose]) }

// put writes one of the embedded files into the yard, and returns its path. A configuration is a template.
func (y *yard) put(name string) (string, error) {
	text, err := files.ReadFile("files/" + name)
	if err != nil {
		return "", err
	}
	if filepath.Ext(name) == ".conf" {
		t, err := template.New(name).Parse(string(text))
		if err != nil {
			return "", err
		}
		var b bytes.Buffer
		if err := t.Execute(&b, y); err != nil {
			return "", fmt.Errorf("write %q: %w", name, err)
		}
		text = b.Bytes()
	}
	return filepath.Join(y.Dir, name), y.write(name, text)
}

func (y *yard) write(name string, text []byte) error {
	if err := os.WriteFile(filepath.Join(y.Dir, name), text, 0o644); err != nil {
		return fmt.Errorf("write %q: %w", name, err)
	}
	return nil
}

// copy puts a copy of an executable into the yard: nobody else's process is traced.
func (y *yard) copy(from string) (string, error) {
	text, err := os.ReadFile(from)
	if err != nil {
		return "", fmt.Errorf("copy an executable: %w", err)
	}
	path := filepath.Join(y.Dir, "lab-"+filepath.Base(from))
	if err := os.WriteFile(path, text, 0o755); err != nil {
		return "", fmt.Errorf("copy an executable: %w", err)
	}
	return path, nil
}

// environment is all that the servers get to see.
func environment(more ...string) []string {
	return append([]string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "TZ=UTC", "HOME=/nonexistent"}, more...)
}

// running is a server that runs.
type running struct {
	process *proc.Process
	exe     string
	ports   map[string]int
}

// start starts a server and waits until it listens everywhere.
func (c *company) start(ctx context.Context, s *server, dir string) (*running, error) {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make directory: %w", err)
	}
	y := &yard{Dir: dir, Cert: c.server.CertFile, Key: c.server.KeyFile, CA: c.stage.CA.RootFile}
	var err error
	if y.ports, err = matrix.Ports(s.ports); err != nil {
		return nil, err
	}
	spec, err := s.prepare(ctx, c, y)
	if err != nil {
		return nil, fmt.Errorf("prepare: %w", err)
	}
	spec.Name, spec.Log, spec.Dir, spec.Stop = s.name, filepath.Join(dir, "log"), dir, syscall.SIGTERM
	if spec.Env == nil {
		spec.Env = environment()
	}
	r := &running{exe: spec.Path, ports: y.ports}
	if r.process, err = proc.Start(spec); err != nil {
		return nil, err
	}
	for _, port := range r.ports {
		if err := r.wait(ctx, port); err != nil {
			return nil, errors.Join(err, r.stop())
		}
	}
	return r, nil
}

func (r *running) addr(purpose string) string { return fmt.Sprintf("127.0.0.1:%d", r.ports[purpose]) }

func (r *running) wait(ctx context.Context, port int) error {
	for deadline := time.Now().Add(proc.Patience); ; {
		connection, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", port), time.Second)
		if err == nil {
			return connection.Close()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-r.process.Done():
			return fmt.Errorf("it ended while starting: %s", proc.Tail(r.process.Log(), 5))
		case <-time.After(50 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("it does not listen after %s (%w): %s", proc.Patience, err, proc.Tail(r.process.Log(), 5))
		}
	}
}

// renew has Apache replace its workers. The new ones are younger than the daemon: none of their requests was missed.
func (r *running) renew(ctx context.Context) error {
	before, err := r.children()
	if err != nil {
		return err
	}
	if err := syscall.Kill(r.process.PID(), syscall.SIGUSR1); err != nil {
		return fmt.Errorf("ask for new workers: %w", err)
	}
	for deadline := time.Now().Add(proc.Patience); ; {
		now, err := r.children()
		switch {
		case err != nil:
			return err
		case len(now) > 0 && !slices.ContainsFunc(now, func(pid string) bool { return slices.Contains(before, pid) }):
			return nil
		case time.Now().After(deadline):
			return fmt.Errorf("processes %s, of them before: %s: its workers are not replaced after %s", now, before, proc.Patience)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// children are the ids of the server's child processes.
func (r *running) children() ([]string, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", r.process.PID()))
	if err != nil {
		return nil, fmt.Errorf("list workers: %w", err)
	}
	return strings.Fields(string(text)), nil
}

// stop ends the server. With which status it ends is its own matter.
func (r *running) stop() error {
	select {
	case <-r.process.Done():
		return fmt.Errorf("it ended by itself: %w: %s", r.process.Stop(0), proc.Tail(r.process.Log(), 5))
	default:
	}
	err := r.process.Stop(10 * time.Second)
	var exit interface{ ExitCode() int }
	if errors.As(err, &exit) {
		return nil
	}
	return err
}
