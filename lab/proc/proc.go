// Package proc starts the lab's processes, each in a process group of its own, and ends exactly those.
package proc

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// Patience is for how long the lab waits for a process that starts: an emulated processor on a busy host takes minutes. One that ends is not waited for.
const Patience = 4 * time.Minute

// Spec says what to start.
type Spec struct {
	Name    string // for messages
	Path    string // executable
	Args    []string
	Env     []string // the whole environment
	Dir     string   // working directory; "" this process's
	Log     string   // file that takes standard output and error, appended
	User    *User    // nil: as this process
	Inherit []*os.File
	Stop    syscall.Signal // the signal that ends it in order
}

// User is a user to run as.
type User struct{ UID, GID uint32 }

// Process is a running process.
type Process struct {
	spec Spec
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
	err  error         // of Wait; valid once done is closed
}

// Start starts the process that spec describes.
func Start(spec Spec) (*Process, error) {
	log, err := os.OpenFile(spec.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open log of %s: %w", spec.Name, err)
	}
	defer log.Close()
	cmd := exec.Command(spec.Path, spec.Args...)
	cmd.Env, cmd.Dir, cmd.ExtraFiles = spec.Env, spec.Dir, spec.Inherit
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if spec.User != nil {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: spec.User.UID, Gid: spec.User.GID}
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", spec.Name, err)
	}
	p := &Process{spec: spec, cmd: cmd, done: make(chan struct{})}
	go func() {
		p.err = cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// PID returns the process id, which is also that of its group.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Log returns the path of the process's output.
func (p *Process) Log() string { return p.spec.Log }

// Stop ends the process in order; what is left of its group after the grace is killed. The error is the process's exit status, or that
// it had to be killed.
func (p *Process) Stop(grace time.Duration) error {
	var late error
	select {
	case <-p.done:
	default:
		if err := p.cmd.Process.Signal(p.spec.Stop); err != nil && !errors.Is(err, os.ErrProcessDone) {
			late = fmt.Errorf("stop %s: %w", p.spec.Name, err)
		}
		select {
		case <-p.done:
		case <-time.After(grace):
			late = fmt.Errorf("%s did not end within %s of its signal and was killed: %s", p.spec.Name, grace, Tail(p.spec.Log, 3))
		}
	}
	// The group outlives its leader if a child did not follow it; without members this is ESRCH.
	if err := syscall.Kill(-p.PID(), syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		late = errors.Join(late, fmt.Errorf("kill the group of %s: %w", p.spec.Name, err))
	}
	<-p.done
	if late != nil {
		return late
	}
	if p.err != nil {
		return fmt.Errorf("%s ended: %w: %s", p.spec.Name, p.err, Tail(p.spec.Log, 3))
	}
	return nil
}
