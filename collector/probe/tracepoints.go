package probe

import (
	"fmt"
	"os"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
)

// hook is a program of a tracepoint.
type hook struct {
	program string
	group   string // of the tracepoint, where it is attached as a perf event
	name    string // of the tracepoint
}

// hooks are those of the way that the features allow.
func hooks(f Features) []hook {
	all := []hook{
		{program: "sched_process_fork", name: "sched_process_fork"},
		{program: "sched_process_exec", name: "sched_process_exec"},
		{program: "sched_process_exit", name: "sched_process_exit"},
		{program: "inet_sock_set_state", name: "inet_sock_set_state"},
	}
	if f.RawTracepoints {
		return append(all, hook{program: "sys_enter", name: "sys_enter"}, hook{program: "sys_exit", name: "sys_exit"})
	}
	return append(all, hook{"sys_enter_event", "raw_syscalls", "sys_enter"}, hook{"sys_exit_event", "raw_syscalls", "sys_exit"})
}

// AttachTracepoints attaches the programs that need no library.
func (p *Programs) AttachTracepoints() error {
	for _, h := range hooks(p.features) {
		l, err := h.attach(p.hooks[h.program])
		if err != nil {
			return err
		}
		p.links = append(p.links, l)
	}
	return nil
}

func (h hook) attach(program *ebpf.Program) (l link.Link, err error) {
	switch {
	case h.group != "":
		l, err = link.Tracepoint(h.group, h.name, program, nil)
	case program.Type() == ebpf.Tracing:
		l, err = link.AttachTracing(link.TracingOptions{Program: program, AttachType: ebpf.AttachTraceRawTp})
	default:
		l, err = link.AttachRawTracepoint(link.RawTracepointOptions{Name: h.name, Program: program})
	}
	if h.group != "" && err != nil && !tracefsMounted() {
		return nil, fmt.Errorf("attach to tracepoint %q: %w [mount -t tracefs tracefs /sys/kernel/tracing]", h.name, err)
	}
	if err != nil {
		return nil, fmt.Errorf("attach to tracepoint %q: %w", h.name, explain(err))
	}
	return l, nil
}

func tracefsMounted() bool {
	_, err := os.Stat("/sys/kernel/tracing/events")
	return err == nil
}

// Missed gives how often the kernel left a program out, since one of its runs was under way on the same processor (since Linux 5.12 it counts).
func (p *Programs) Missed() (uint64, error) {
	var sum uint64
	for _, program := range p.all() {
		stats, err := program.Stats()
		if err != nil {
			return 0, fmt.Errorf("runs of %v that were left out: %w", program, err)
		}
		sum += stats.RecursionMisses
	}
	return sum, nil
}
