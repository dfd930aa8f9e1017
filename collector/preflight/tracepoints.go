package preflight

import (
	"bufio"
	"errors"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/cilium/ebpf/btf"
)

// tracepointNames are those that the programs attach to.
var tracepointNames = [...]string{"sys_enter", "sys_exit", "sched_process_fork", "sched_process_exec", "sched_process_exit", "inet_sock_set_state"}

// tracepoints gives nothing where the kernel tells its tracepoints neither by its type information nor by its symbols.
func tracepoints() []Requirement {
	missing, err := missingTypes()
	if err != nil {
		if missing, err = missingSymbols(); err != nil {
			return nil
		}
	}
	return []Requirement{judgeTracepoints(missing)}
}

func judgeTracepoints(missing []string) Requirement {
	r := Requirement{
		Name: "tracepoints", OK: len(missing) == 0, Detail: "system calls, processes, sockets", bars: true,
		Remedy: "boot a kernel with CONFIG_BPF_EVENTS=y, CONFIG_FTRACE_SYSCALLS=y and CONFIG_INET=y",
	}
	if !r.OK {
		r.Detail = "not in this kernel, or not open to eBPF: " + strings.Join(missing, ", ")
	}
	return r
}

// missingTypes asks the type information: a tracepoint that eBPF may attach to has a type btf_trace_NAME (include/trace/bpf_probe.h).
func missingTypes() ([]string, error) {
	if _, err := os.Stat(btfPath); err != nil {
		return nil, err // before the library looks for another kernel's image
	}
	spec, err := btf.LoadKernelSpec()
	if err != nil {
		return nil, err
	}
	var missing []string
	for _, name := range tracepointNames {
		var t *btf.Typedef
		if err := spec.TypeByName("btf_trace_"+name, &t); errors.Is(err, btf.ErrNotFound) {
			missing = append(missing, name)
		} else if err != nil {
			return nil, err
		}
	}
	return missing, nil
}

func missingSymbols() ([]string, error) {
	f, err := os.Open("/proc/kallsyms")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return missingIn(f)
}

// missingIn reads the kernel's symbols: such a tracepoint, or the class that it belongs to, has a function __bpf_trace_NAME.
func missingIn(symbols io.Reader) ([]string, error) {
	found := map[string]bool{}
	class := map[string]string{"sched_process_exit": "sched_process_template"} // of older kernels
	lines := 0
	for s := bufio.NewScanner(symbols); ; lines++ {
		if !s.Scan() {
			if err := s.Err(); err != nil {
				return nil, err
			}
			break
		}
		if fields := strings.Fields(s.Text()); len(fields) >= 3 {
			if name, ok := strings.CutPrefix(fields[2], "__bpf_trace_"); ok {
				found[name] = true
			}
		}
	}
	if lines == 0 {
		return nil, errors.New("the kernel lists no symbols")
	}
	return slices.DeleteFunc(slices.Clone(tracepointNames[:]), func(name string) bool { return found[name] || found[class[name]] }), nil
}
