package accuracy

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"tenantrace/lab/measure"
)

// Results are those of a run: what the file of --json holds.
type Results struct {
	Format     string         `json:"format"`
	Version    int            `json:"v"`
	Machine    string         `json:"machine"`
	Random     uint64         `json:"seed"`
	Statements int            `json:"statements"` // at least, of requests in each cell
	Cells      []*Result      `json:"cells"`
	Scenes     []*SceneResult `json:"scenes"`
}

func newResults(cfg Config) *Results {
	return &Results{Format: "tenantrace-accuracy", Version: 1, Machine: measure.Machine(), Random: cfg.Random, Statements: cfg.Statements}
}

func (r *Results) write(path string) error {
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("write the results: %w", err)
	}
	return nil
}

// failures counts the cells and scenes in which something was wrong.
func (r *Results) failures() int {
	n := 0
	for _, c := range r.Cells {
		if len(c.Problems) > 0 {
			n++
		}
	}
	for _, s := range r.Scenes {
		if len(s.Problems) > 0 {
			n++
		}
	}
	return n
}

const layout = "%-4s %-62s %7s %7s %7s %7s %7s %7s %7s %6s %6s %6s %9s %6s %6s %6s\n"

func printHead(out io.Writer) {
	fmt.Fprintf(out, layout, "", "server, driver, pool, in flight/tenants, violation", "n", "token", "thread", "task", "trans", "set", "none", "wrong", "sound", "power", "found", "false", "unattr", "lost")
}

// print writes a cell's line.
func (r *Result) print(out io.Writer) {
	t := r.Tally
	state := "PASS"
	if len(r.Problems) > 0 {
		state = "FAIL"
	}
	of := func(link string) string {
		if rung := t.Rungs[link]; rung != nil {
			return percent(float64(rung.Claimed)/float64(t.Statements)) + " %"
		}
		return ""
	}
	wrong := 0
	for _, link := range exact {
		if rung := t.Rungs[link]; rung != nil {
			wrong += rung.Wrong
		}
	}
	sound, power := "", ""
	if s := t.Rungs["set"]; s != nil && s.Claimed > 0 {
		sound, power = percent(float64(s.Right)/float64(s.Claimed))+" %", percent(t.Power)
	}
	found := ""
	if p, f := t.planted(); p > 0 {
		found = fmt.Sprintf("%d/%d", f, p)
	}
	unattributed := 0
	for _, n := range t.Reasons {
		unattributed += n
	}
	share := ""
	if t.Statements > 0 {
		share = percent(float64(unattributed)/float64(t.Statements)) + " %"
	}
	fmt.Fprintf(out, layout, state, r.Cell.short(), fmt.Sprint(t.Statements), of("token"), of("thread"), of("task"), of("transaction"), of("set"), of("none"), fmt.Sprint(wrong), sound, power,
		found, fmt.Sprint(t.False), share, fmt.Sprint(r.Lost))
	for _, p := range append(slices.Clone(r.Problems), t.Examples...) {
		fmt.Fprintf(out, "       %.600s\n", strings.TrimSpace(p))
	}
}

// planted sums the violations.
func (t *Tally) planted() (planted, found int) {
	for _, c := range t.Classes {
		planted, found = planted+c.Planted, found+c.Found
	}
	return planted, found
}

// report prints what the cells have in common.
func report(out io.Writer, r *Results) {
	sum := newTally()
	for _, c := range r.Cells {
		sum.add(c.Tally)
	}
	fmt.Fprintf(out, "\n%s, seed %d. Intervals are Wilson's, of 95 %%.\n\n", r.Machine, r.Random)
	fmt.Fprintf(out, "| link | statements | of all | right |\n|---|---:|---:|---|\n")
	for _, name := range rungs {
		if rung := sum.Rungs[name]; rung != nil && name != "none" {
			fmt.Fprintf(out, "| `%s` | %d | %s %% | %s |\n", name, rung.Claimed, percent(float64(rung.Claimed)/float64(sum.Statements)), share(rung.Right, rung.Claimed))
		}
	}
	fmt.Fprintf(out, "| none | %d | %s %% | |\n", sum.Statements-claimed(sum), percent(1-float64(claimed(sum))/float64(sum.Statements)))
	fmt.Fprintf(out, "\n| violations | planted | found | with an exact link | of these found |\n|---|---:|---|---:|---|\n")
	for _, name := range slices.Sorted(maps.Keys(sum.Classes)) {
		c := sum.Classes[name]
		fmt.Fprintf(out, "| %s | %d | %s | %d | %s |\n", name, c.Planted, share(c.Found, c.Planted), c.Exact, share(c.OfExact, c.Exact))
	}
	_, found := sum.planted()
	fmt.Fprintf(out, "\nOf %d violations said, %d are true: %s. Of %d statements that are none, %d were said to be: %s.\n", found+sum.False, found, share(found, found+sum.False), sum.Clean, sum.False, share(sum.False, sum.Clean))
	fmt.Fprintf(out, "\n| not judged, because of | statements | of all |\n|---|---:|---:|\n")
	for _, name := range slices.Sorted(maps.Keys(sum.Reasons)) {
		fmt.Fprintf(out, "| `%s` | %d | %s %% |\n", name, sum.Reasons[name], percent(float64(sum.Reasons[name])/float64(sum.Statements)))
	}
	fmt.Fprintf(out, "\n| planted violation not found, because it was | statements |\n|---|---:|\n")
	for _, name := range slices.Sorted(maps.Keys(sum.Missed)) {
		fmt.Fprintf(out, "| %s | %d |\n", name, sum.Missed[name])
	}
}

func claimed(t *Tally) int {
	n := 0
	for name, rung := range t.Rungs {
		if name != "none" {
			n += rung.Claimed
		}
	}
	return n
}

// add adds another cell's counts.
func (t *Tally) add(o *Tally) {
	t.Requests, t.Lines, t.Statements, t.NoTruth, t.Mixed = t.Requests+o.Requests, t.Lines+o.Lines, t.Statements+o.Statements, t.NoTruth+o.NoTruth, t.Mixed+o.Mixed
	t.Background, t.Denied, t.Trapped, t.False, t.Clean, t.Strays = t.Background+o.Background, t.Denied+o.Denied, t.Trapped+o.Trapped, t.False+o.False, t.Clean+o.Clean, t.Strays+o.Strays
	for name, rung := range o.Rungs {
		if t.Rungs[name] == nil {
			t.Rungs[name] = &Rung{}
		}
		mine := t.Rungs[name]
		mine.Claimed, mine.Right, mine.Wrong = mine.Claimed+rung.Claimed, mine.Right+rung.Right, mine.Wrong+rung.Wrong
	}
	for name, c := range o.Classes {
		if t.Classes[name] == nil {
			t.Classes[name] = &Class{}
		}
		mine := t.Classes[name]
		mine.Planted, mine.Found, mine.Exact, mine.OfExact = mine.Planted+c.Planted, mine.Found+c.Found, mine.Exact+c.Exact, mine.OfExact+c.OfExact
	}
	for _, m := range []struct{ mine, other map[string]int }{{t.Reasons, o.Reasons}, {t.Verdicts, o.Verdicts}, {t.Missed, o.Missed}} {
		for name, n := range m.other {
			m.mine[name] += n
		}
	}
}
