package matrix

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"text/template"
	"time"

	"tenantrace/lab/proc"
)

//go:embed files
var files embed.FS

// server is a kind of server: how to start it, and which rows it has.
type server struct {
	name     string
	ports    []string // what each of its ports is for
	prepare  func(context.Context, *yard) (proc.Spec, error)
	exe      string // the executable that is traced, if it is not the one started
	blocking bool   // its threads wait inside a read of OpenSSL
	pipeline bool   // it takes a request before the one before is answered
	memory   bool   // its TLS goes through a memory BIO: what receives is not OpenSSL
	hangUp   bool   // it closes the connection after each answer
	early    []Row  // further rows over connections older than the daemon
	rows     []Row
}

// yard is where a server runs: what its configuration is made of.
type yard struct {
	Name          string
	Dir           string // its own
	Cert, Key, CA string // files
	Variant       string
	Hosts         map[string][]string // by purpose of the port: directives
	ports         map[string]int
	cache         string     // directory that stays between runs
	nobody        *proc.User // the user that servers run as which do not choose one themselves
}

// Port is the number of the port for a purpose.
func (y *yard) Port(purpose string) (int, error) {
	if n, ok := y.ports[purpose]; ok {
		return n, nil
	}
	return 0, fmt.Errorf("no port for %q", purpose)
}

// port is Port as text, for a purpose that is known to be there.
func (y *yard) port(purpose string) string { return strconv.Itoa(y.ports[purpose]) }

// put writes one of the embedded files into the yard, as a template if expand says so, and returns its path.
func (y *yard) put(name string, expand bool) (string, error) {
	text, err := files.ReadFile("files/" + name)
	if err != nil {
		return "", err
	}
	if expand {
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
	path := filepath.Join(y.Dir, name)
	if err := os.WriteFile(path, text, 0o644); err != nil {
		return "", fmt.Errorf("write %q: %w", name, err)
	}
	return path, nil
}

// copy puts a copy of an executable into the yard, so that its processes can be told from others of the machine.
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
func (s *server) start(ctx context.Context, y *yard) (*running, error) {
	if err := os.MkdirAll(y.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("make directory of %s: %w", s.name, err)
	}
	var err error
	if y.ports, err = freePorts(s.ports); err != nil {
		return nil, err
	}
	spec, err := s.prepare(ctx, y)
	if err != nil {
		return nil, fmt.Errorf("prepare %s: %w", s.name, err)
	}
	spec.Name, spec.Log = s.name, filepath.Join(y.Dir, "log")
	if spec.Stop == 0 {
		spec.Stop = syscall.SIGTERM
	}
	if spec.Env == nil {
		spec.Env = environment()
	}
	if spec.Dir == "" {
		spec.Dir = y.Dir
	}
	r := &running{exe: spec.Path, ports: y.ports}
	if s.exe != "" {
		r.exe = s.exe
	}
	if r.exe, err = filepath.EvalSymlinks(r.exe); err != nil {
		return nil, fmt.Errorf("find the executable of %s: %w", s.name, err)
	}
	if r.process, err = proc.Start(spec); err != nil {
		return nil, err
	}
	if err := r.wait(ctx, s.name); err != nil {
		return nil, errors.Join(err, r.stop())
	}
	return r, nil
}

func (r *running) wait(ctx context.Context, name string) error {
	deadline := time.Now().Add(60 * time.Second)
	for _, port := range r.ports {
		for {
			connection, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", port), time.Second)
			if err == nil {
				connection.Close()
				break
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-r.process.Done():
				return fmt.Errorf("%s ended while starting: %s", name, proc.Tail(r.process.Log(), 5))
			case <-time.After(50 * time.Millisecond):
			}
			if time.Now().After(deadline) {
				return fmt.Errorf("%s does not listen after a minute (%w): %s", name, err, proc.Tail(r.process.Log(), 5))
			}
		}
	}
	return nil
}

// stop ends the server. How it ends is its own matter: some leave with the signal's status.
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

// freePorts asks the kernel for ports on loopback that nobody has.
func freePorts(purposes []string) (map[string]int, error) {
	ports := make(map[string]int)
	for _, purpose := range purposes {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
		defer l.Close()
		ports[purpose] = l.Addr().(*net.TCPAddr).Port
	}
	return ports, nil
}
