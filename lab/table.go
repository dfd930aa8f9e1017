package lab

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// printBench prints the medians over the pairs, and how far the pairs' differences spread.
func printBench(cfg BenchConfig, rate int, pairs []pairOf) {
	out := cfg.Out
	how := "as fast as the answers come"
	if rate > 0 {
		how = fmt.Sprintf("at %d requests/s", rate)
	}
	fmt.Fprintf(out, "\n%s, %d CPUs, Linux %s. %d pairs of %d requests over %d connections, %s (gthread, 2 workers of 8 threads, plain TCP to PostgreSQL); client, service, database and daemon share the machine. Medians; the difference is the median of the pairs' differences, with the lowest and the highest.\n\n",
		processor(), runtime.NumCPU(), kernel(), len(pairs), cfg.Requests, cfg.Connections, how)
	fmt.Fprintln(out, "| | without | with | difference |")
	fmt.Fprintln(out, "|---|---:|---:|---:|")
	perThousand := func(d time.Duration) float64 { return d.Seconds() / float64(cfg.Requests) * 1e6 } // ms of CPU per 1,000 requests
	for _, row := range []struct {
		name, format string
		value        func(sample) float64
	}{
		{"requests/s", "%.0f", func(s sample) float64 { return s.rate }},
		{"p50, ms", "%.2f", func(s sample) float64 { return milliseconds(s.p50) }},
		{"p99, ms", "%.2f", func(s sample) float64 { return milliseconds(s.p99) }},
		{"CPU of the service, ms per 1,000 requests", "%.0f", func(s sample) float64 { return perThousand(s.service) }},
	} {
		var without, with, differences []float64
		for _, p := range pairs {
			w, d := row.value(p.without), row.value(p.with)
			without, with, differences = append(without, w), append(with, d), append(differences, 100*(d-w)/w)
		}
		fmt.Fprintf(out, "| %s | "+row.format+" | "+row.format+" | %+.1f %% (%+.1f to %+.1f) |\n",
			row.name, median(without), median(with), median(differences), slices.Min(differences), slices.Max(differences))
	}
	var used, core, resident []float64
	for _, p := range pairs {
		used = append(used, perThousand(p.with.daemon))
		core = append(core, perThousand(p.with.daemon)/10) // 1,000 ms per 1,000 requests are 100 % of a core at 1,000 requests/s
		resident = append(resident, float64(p.with.resident)/(1<<20))
	}
	fmt.Fprintf(out, "| CPU of the daemon, ms per 1,000 requests | | %.0f | %.1f %% of a core at 1,000 requests/s |\n", median(used), median(core))
	fmt.Fprintf(out, "| resident memory of the daemon, MiB | | %.0f | |\n", median(resident))
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 0 {
		return (sorted[middle-1] + sorted[middle]) / 2
	}
	return sorted[middle]
}

// processor names the CPU model; its architecture where the kernel does not say.
func processor() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	for line := range strings.Lines(string(text)) {
		if name, value, found := strings.Cut(line, ":"); found && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

func kernel() string {
	var name syscall.Utsname
	if err := syscall.Uname(&name); err != nil {
		return "unknown"
	}
	var release bytes.Buffer
	for _, c := range name.Release {
		if c == 0 {
			break
		}
		release.WriteByte(byte(c))
	}
	return release.String()
}
