package probe

import (
	"bufio"
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"maps"
	"math"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/rlimit"
	"golang.org/x/sys/unix"
)

var update = flag.Bool("update", false, "write the costs on this kernel into the table")

// costTable holds what each program costs the verifier, by kernel: the instructions that it processed.
const costTable = "verifier-cost.tsv"

const costHeader = `# Instructions that the kernel's verifier processed to accept each program, by Linux version and architecture. The verifier gives up at 1,000,000.
# A growth of more than 10 % fails TestVerifierCost; "make verifier-cost" records anew, and the change then shows what grew.
# kernel	architecture	program	instructions
`

// growth is the share of a recorded cost that a program may grow by before it has to be said.
const growth = 0.10

// row is a kernel and an architecture.
type row struct{ kernel, arch string }

// costs are instructions by program.
type costs map[string]int

// TestVerifierCost keeps the programs from growing unseen. On a kernel that the table lacks only their names can be compared: kernels differ by more than the growth
// that is allowed.
func TestVerifierCost(t *testing.T) {
	needRoot(t)
	here, measured := row{kernelVersion(t), runtime.GOARCH}, measure(t)
	table := readCosts(t)
	if *update {
		table[here] = measured
		writeCosts(t, table)
		return
	}
	for _, p := range compareCosts(table, here, measured) {
		t.Error(p)
	}
	for _, program := range slices.Sorted(maps.Keys(measured)) {
		t.Logf("%-22s %7d", program, measured[program])
		if now, was := measured[program], table[here][program]; float64(now) < float64(was)*(1-growth) {
			t.Logf("%-22s %7d before: %.0f %% less [make verifier-cost records it, so that it does not grow back unseen]", "", was, 100*float64(was-now)/float64(was))
		}
	}
	if table[here] == nil && !t.Failed() {
		t.Skipf("Linux %s on %s is not in %s, which has %v [make verifier-cost records it]", here.kernel, here.arch, costTable, kernelsOf(table))
	}
}

// compareCosts says what has grown, come or gone.
func compareCosts(table map[row]costs, here row, measured costs) (problems []string) {
	recorded, where := table[here], "Linux "+here.kernel
	if recorded == nil {
		recorded, where = costs{}, "any kernel"
		for _, c := range table {
			for program := range c {
				recorded[program] = math.MaxInt
			}
		}
	}
	const remedy = "[make verifier-cost records it anew]"
	for _, program := range slices.Sorted(maps.Keys(measured)) {
		was, known := recorded[program]
		switch now := measured[program]; {
		case !known:
			problems = append(problems, fmt.Sprintf("program %q is not in %s for %s on %s %s", program, costTable, where, here.arch, remedy))
		case float64(now) > float64(was)*(1+growth):
			problems = append(problems, fmt.Sprintf("program %q costs the verifier of Linux %s (%s) %d instructions, %+.0f %% of the %d of %s %s",
				program, here.kernel, here.arch, now, 100*float64(now-was)/float64(was), was, where, remedy))
		}
	}
	if table[here] == nil { // a kernel has the programs that its features ask for
		return problems
	}
	for _, program := range slices.Sorted(maps.Keys(recorded)) {
		if _, still := measured[program]; !still {
			problems = append(problems, fmt.Sprintf("program %q of %s for %s is gone %s", program, costTable, where, remedy))
		}
	}
	return problems
}

func TestCompareCosts(t *testing.T) {
	table := map[row]costs{{"5.10", "amd64"}: {"a": 100, "b": 100}, {"6.1", "amd64"}: {"a": 200, "b": 50}, {"6.1", "arm64"}: {"a": 300}}
	for _, c := range []struct {
		here     row
		measured costs
		want     string // in the only problem; "" none
	}{
		{row{"5.10", "amd64"}, costs{"a": 110, "b": 20}, ""},
		{row{"5.10", "amd64"}, costs{"a": 111, "b": 100}, `"a" costs the verifier of Linux 5.10 (amd64) 111 instructions, +11 % of the 100`},
		{row{"5.10", "amd64"}, costs{"a": 100, "b": 100, "c": 1}, `"c" is not in`},
		{row{"5.10", "amd64"}, costs{"a": 100}, `"b" of verifier-cost.tsv for Linux 5.10 is gone`},
		{row{"6.1", "arm64"}, costs{"a": 331}, `"a" costs`},
		{row{"5.10", "arm64"}, costs{"a": 5000, "b": 5000}, ""},
		{row{"5.10", "arm64"}, costs{"a": 1, "b": 1, "c": 1}, `"c" is not in verifier-cost.tsv for any kernel on arm64`},
		{row{"9.9", "amd64"}, costs{"a": 1}, ""},
	} {
		problems := compareCosts(table, c.here, c.measured)
		if c.want == "" && len(problems) > 0 || c.want != "" && (len(problems) != 1 || !strings.Contains(problems[0], c.want)) {
			t.Errorf("%v %v: problems %q, want one with %q", c.here, c.measured, problems, c.want)
		}
	}
}

var processed = regexp.MustCompile(`processed (\d+) insns`)

// measure loads all programs and reads the verifier's own count. Its log has it on every kernel; bpf_prog_info only since Linux 5.16.
func measure(t *testing.T) costs {
	t.Helper()
	_ = rlimit.RemoveMemlock() // as Load does
	features := KernelFeatures()
	costs := measureAs(t, features)
	if features.RawTracepoints && features.Cookies { // the other way, which a kernel may be set to; it needs a helper of Linux 5.15
		features.RawTracepoints = false
		maps.Copy(costs, measureAs(t, features))
	}
	return costs
}

func measureAs(t *testing.T, features Features) costs {
	t.Helper()
	spec, err := specification(features, false)
	if err != nil {
		t.Fatal(err)
	}
	c, err := ebpf.NewCollectionWithOptions(spec, ebpf.CollectionOptions{Programs: ebpf.ProgramOptions{LogLevel: ebpf.LogLevelStats}})
	if err != nil {
		t.Fatal(explain(err))
	}
	defer c.Close()
	out := costs{}
	for name, program := range c.Programs {
		m := processed.FindStringSubmatch(program.VerifierLog)
		if m == nil {
			t.Fatalf("the verifier's log of %q tells no cost: %q", name, program.VerifierLog)
		}
		if out[name], err = strconv.Atoi(m[1]); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// kernelVersion is major.minor of the running kernel.
func kernelVersion(t *testing.T) string {
	t.Helper()
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		t.Fatal(err)
	}
	parts := strings.SplitN(unix.ByteSliceToString(u.Release[:]), ".", 3)
	if len(parts) < 2 {
		t.Fatalf("release %q is not a version", u.Release)
	}
	return parts[0] + "." + parts[1]
}

func readCosts(t *testing.T) map[row]costs {
	t.Helper()
	text, err := os.ReadFile(costTable)
	if err != nil {
		t.Fatal(err)
	}
	table := map[row]costs{}
	for s := bufio.NewScanner(bytes.NewReader(text)); s.Scan(); {
		if strings.HasPrefix(s.Text(), "#") {
			continue
		}
		fields := strings.Split(s.Text(), "\t")
		if len(fields) != 4 {
			t.Fatalf("%s: %q has %d fields, want 4", costTable, s.Text(), len(fields))
		}
		n, err := strconv.Atoi(fields[3])
		if err != nil {
			t.Fatalf("%s: %v", costTable, err)
		}
		at := row{fields[0], fields[1]}
		if table[at] == nil {
			table[at] = costs{}
		}
		table[at][fields[2]] = n
	}
	return table
}

func writeCosts(t *testing.T, table map[row]costs) {
	t.Helper()
	var b strings.Builder
	b.WriteString(costHeader)
	for _, r := range kernelsOf(table) {
		for _, program := range slices.Sorted(maps.Keys(table[r])) {
			fmt.Fprintf(&b, "%s\t%s\t%s\t%d\n", r.kernel, r.arch, program, table[r][program])
		}
	}
	if err := os.WriteFile(costTable, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// kernelsOf gives the rows by architecture and version.
func kernelsOf(table map[row]costs) []row {
	return slices.SortedFunc(maps.Keys(table), func(x, y row) int {
		return cmp.Or(cmp.Compare(x.arch, y.arch), compareVersions(x.kernel, y.kernel))
	})
}

// compareVersions orders major.minor as numbers.
func compareVersions(x, y string) int {
	var a, b [2]int
	fmt.Sscanf(x, "%d.%d", &a[0], &a[1])
	fmt.Sscanf(y, "%d.%d", &b[0], &b[1])
	return slices.Compare(a[:], b[:])
}
