package sqlmatrix

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"tenantrace/lab/tracer"
)

// What a program may take to load its libraries, and to play its job.
const playTime = 3 * time.Minute

// settle is for how long the daemon is waited for after a program has ended.
const settle = 20 * time.Second

// unfit is what a directory's name is better without.
var unfit = regexp.MustCompile(`[^A-Za-z0-9]+`)

// program is a running driver.
type program struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout *bufio.Reader
	stderr bytes.Buffer
	said   []string
}

// play plays a driver over each of its transports.
func (m *matrix) play(ctx context.Context, d *driver) error {
	for _, f := range d.files {
		if _, err := os.Stat(f); err != nil {
			return fmt.Errorf("%w [apt install %s]", err, d.install)
		}
	}
	s, err := m.serverOf(ctx, d)
	if err != nil {
		return err
	}
	if d.build != nil {
		if err := d.build(ctx, m.yard); err != nil {
			return fmt.Errorf("build: %w", err)
		}
	}
	for _, transport := range d.transports {
		m.runs++
		r, err := m.run(ctx, d, s, transport)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			m.fail(d, transport, err)
		default:
			m.tell(r)
		}
	}
	return nil
}

// run plays a driver over one transport, with a daemon that traces it alone, and compares.
func (m *matrix) run(ctx context.Context, d *driver, s *server, transport string) (*result, error) {
	r := &result{driver: d, transport: transport, lacks: s.lacks}
	r.job = newJob(d, m.runs, slices.DeleteFunc(labels(), func(l label) bool { return s.lacks[l.name] != "" }))
	r.dir = filepath.Join(m.dir, fmt.Sprintf("run-%02d-%s-%s", m.runs, unfit.ReplaceAllString(d.name, "-"), transport))
	if err := os.Mkdir(r.dir, 0o755); err != nil {
		return nil, fmt.Errorf("make directory of the daemon: %w", err)
	}
	if s.clean != nil {
		if err := s.clean(ctx); err != nil {
			return nil, fmt.Errorf("clean the tables: %w", err)
		}
	}
	if _, err := s.logged(ctx); err != nil { // what was before
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, playTime)
	defer cancel()
	p, err := startProgram(ctx, m.yard, d, s, transport)
	if err != nil {
		return nil, err
	}
	defer p.end()
	pids := []int{p.cmd.Process.Pid}
	if s.pid != 0 {
		pids = append(pids, s.pid)
	}
	t, err := tracer.Start(ctx, tracer.Config{Binary: m.cfg.Daemon, Dir: r.dir, Policy: m.policy, PIDs: pids, Record: true})
	if err != nil {
		return nil, err
	}
	err = p.do(r.job.text)
	if err == nil {
		r.said, err = heard(p.said)
	}
	if err == nil {
		r.logged, err = s.logged(ctx)
	}
	if err == nil {
		r.metrics, err = await(ctx, t, len(pids)-1, d.unreadable[transport] != "")
	}
	if err = errors.Join(err, t.Stop()); err != nil {
		return nil, err
	}
	if d.ofServer {
		slices.Reverse(pids)
	}
	if err := r.read(pids, t); err != nil {
		return nil, err
	}
	r.compare()
	return r, nil
}

// startProgram starts a driver's program and waits until it is ready.
func startProgram(ctx context.Context, y *yard, d *driver, s *server, transport string) (*program, error) {
	argv := d.command(y)
	p := &program{cmd: exec.CommandContext(ctx, argv[0], argv[1:]...)}
	p.cmd.Env, p.cmd.Dir, p.cmd.Stderr = append(s.environment(transport, d.user), d.env...), y.build, &p.stderr
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var err error
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.stdout = bufio.NewReader(out)
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the program: %w", err)
	}
	if line, err := p.stdout.ReadString('\n'); strings.TrimSpace(line) != "ready" {
		p.end()
		return nil, fmt.Errorf("the program says %q and is not ready: %w: %s", line, errors.Join(err, ctx.Err()), p.stderr.String())
	}
	return p, nil
}

// do gives the program its job and waits until it has ended.
func (p *program) do(job string) error {
	if _, err := io.WriteString(p.stdin, job); err != nil {
		return fmt.Errorf("write the job: %w: %s", err, p.stderr.String())
	}
	if err := p.stdin.Close(); err != nil {
		return fmt.Errorf("write the job: %w", err)
	}
	text, err := io.ReadAll(p.stdout)
	if err := errors.Join(err, p.cmd.Wait()); err != nil {
		return fmt.Errorf("the program failed after %q: %w: %s", lastLine(string(text)), err, lastLine(p.stderr.String()))
	}
	for line := range strings.Lines(string(text)) {
		p.said = append(p.said, strings.TrimSuffix(line, "\n"))
	}
	return nil
}

// lastLine gives what a program said last: of an exception, what it was.
func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

// end kills what is left of the program.
func (p *program) end() {
	// its group may outlive it
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	if p.cmd.ProcessState == nil {
		_ = p.cmd.Wait()
	}
}

// report is what a program says of a label.
type report struct {
	sent int
	na   string // why its driver cannot
}

func heard(lines []string) (map[string]report, error) {
	out := make(map[string]report)
	for _, line := range lines {
		fields := strings.SplitN(line, "\t", 3)
		if len(fields) < 3 {
			return nil, fmt.Errorf("the program says %q", line)
		}
		if _, twice := out[fields[1]]; twice {
			return nil, fmt.Errorf("the program speaks twice of %q", fields[1])
		}
		switch fields[0] {
		case "na":
			if fields[2] == "" {
				return nil, fmt.Errorf("the program gives no reason for leaving out %q", fields[1])
			}
			out[fields[1]] = report{na: fields[2]}
		case "sent":
			n, err := strconv.Atoi(fields[2])
			if err != nil {
				return nil, fmt.Errorf("the program says %q: %w", line, err)
			}
			out[fields[1]] = report{sent: n}
		default:
			return nil, fmt.Errorf("the program says %q", line)
		}
	}
	return out, nil
}

// await waits until the daemon has seen the program's end, and with it all that it sent. It gives the daemon's metrics.
// others of the traced processes go on. A session that cannot be read is counted a moment after the end of its process was seen.
func await(ctx context.Context, t *tracer.Tracer, others int, unreadable bool) (metrics map[string]float64, err error) {
	for deadline := time.Now().Add(settle); ; time.Sleep(20 * time.Millisecond) {
		text, err := t.Metrics(ctx)
		if err != nil {
			return nil, err
		}
		metrics := make(map[string]float64)
		for line := range strings.Lines(text) {
			if name, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " "); ok && !strings.HasPrefix(line, "#") {
				if metrics[name], err = strconv.ParseFloat(value, 64); err != nil {
					return nil, fmt.Errorf("read metric %q: %w", name, err)
				}
			}
		}
		ended, late := metrics["tenantrace_traced_processes"] == float64(others), time.Now().After(deadline)
		if ended && (!unreadable || late || metrics[unreadableMetric] > 0) {
			return metrics, nil
		}
		if late {
			return nil, fmt.Errorf("the daemon still traces a process %s after its end", settle)
		}
	}
}
