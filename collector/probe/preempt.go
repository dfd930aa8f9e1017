package probe

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"strings"

	"github.com/cilium/ebpf/btf"
)

// preemptsTracepoints tells whether the running kernel may preempt a program that is attached to a raw tracepoint: since system calls' tracepoints may fault
// (struct tracepoint_ext, Linux 6.14) it does, where it preempts itself at all. What cannot be found out counts as yes: that costs time, the other way events.
func preemptsTracepoints() bool {
	spec, err := btf.LoadKernelSpec()
	if err != nil {
		return false // nothing can be loaded
	}
	var s *btf.Struct
	if spec.TypeByName("tracepoint_ext", &s) != nil {
		return false
	}
	if mode, err := os.ReadFile("/sys/kernel/debug/sched/preempt"); err == nil {
		return preemptsInMode(string(mode))
	}
	line, err := os.ReadFile("/proc/cmdline")
	if err != nil {
		return true
	}
	config, err := kernelConfig()
	if err != nil {
		return true
	}
	return preemptsAsBuilt(config, string(line))
}

// preemptsInMode reads the debug file of the scheduler: the mode in force stands in parentheses.
func preemptsInMode(text string) bool {
	return !strings.Contains(text, "(none)") && !strings.Contains(text, "(voluntary)")
}

// preemptsAsBuilt reads how the kernel was built and its command line, which may choose another mode.
func preemptsAsBuilt(config, commandLine string) bool {
	for _, word := range strings.Fields(commandLine) {
		if mode, ok := strings.CutPrefix(word, "preempt="); ok {
			return mode != "none" && mode != "voluntary"
		}
	}
	for _, line := range strings.Split(config, "\n") {
		if line == "CONFIG_PREEMPT_NONE=y" || line == "CONFIG_PREEMPT_VOLUNTARY=y" {
			return false
		}
	}
	return true
}

// kernelConfig is the running kernel's own copy of its configuration (CONFIG_IKCONFIG_PROC).
func kernelConfig() (string, error) {
	b, err := os.ReadFile("/proc/config.gz")
	if err != nil {
		return "", err
	}
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(z)
	return string(text), err
}
