package measure

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"
)

// Table prints the medians over the rounds in Markdown, and how far each variant is from the first: the median of the rounds' differences, with the lowest
// and the highest. Each sample is of that many requests.
func Table(out io.Writer, names []string, rounds []Round, requests int) {
	head, rule := "| |", "|---|"
	for i, name := range names {
		head, rule = head+" "+name+" |", rule+"---:|"
		if i > 0 {
			head, rule = head+" difference |", rule+"---:|"
		}
	}
	fmt.Fprintln(out, head)
	fmt.Fprintln(out, rule)
	n := float64(requests)
	for _, row := range []struct {
		name, format string
		value        func(Sample) float64
	}{
		{"requests/s", "%.0f", func(s Sample) float64 { return s.Rate }},
		{"p50, ms", "%.2f", func(s Sample) float64 { return milliseconds(s.P50) }},
		{"p99, ms", "%.2f", func(s Sample) float64 { return milliseconds(s.P99) }},
		{"CPU of the server, µs per request", "%.0f", func(s Sample) float64 { return s.Service.Seconds() / n * 1e6 }},
	} {
		line := "| " + row.name + " |"
		for k := range names {
			values, differences := column(rounds, k, row.value)
			line += fmt.Sprintf(" "+row.format+" |", Median(values))
			if k > 0 {
				line += fmt.Sprintf(" %+.1f %% (%+.1f to %+.1f) |", Median(differences), slices.Min(differences), slices.Max(differences))
			}
		}
		fmt.Fprintln(out, line)
	}
	used, resident := "| CPU of the daemon, µs per request | |", "| resident memory of the daemon, MiB | |"
	for k := range names[1:] {
		values, _ := column(rounds, k+1, func(s Sample) float64 { return s.Daemon.Seconds() / n * 1e6 })
		// 1,000 µs for each request are all of a core at 1,000 requests/s
		used += fmt.Sprintf(" %.0f | %.1f %% of a core at 1,000 requests/s |", Median(values), Median(values)/10)
		values, _ = column(rounds, k+1, func(s Sample) float64 { return float64(s.Resident) / (1 << 20) })
		resident += fmt.Sprintf(" %.0f | |", Median(values))
	}
	fmt.Fprintln(out, used)
	fmt.Fprintln(out, resident)
}

// column gives a variant's values by round, and their differences to the first variant's in percent.
func column(rounds []Round, k int, value func(Sample) float64) (values, differences []float64) {
	for _, r := range rounds {
		base, v := value(r[0]), value(r[k])
		values, differences = append(values, v), append(differences, 100*(v-base)/base)
	}
	return values, differences
}

// Median of at least one value.
func Median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 0 {
		return (sorted[middle-1] + sorted[middle]) / 2
	}
	return sorted[middle]
}

// Machine names the CPU model (its architecture where the kernel does not say), how many there are, and the kernel.
func Machine() string {
	return fmt.Sprintf("%s, %d CPUs, Linux %s", processor(), runtime.NumCPU(), kernel())
}

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
