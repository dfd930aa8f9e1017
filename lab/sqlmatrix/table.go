package sqlmatrix

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// knownShare is the least share of the statements that have evidence whose tenants must be known.
const knownShare = 0.99

const lineFormat = "%-5s %-28s %-9s %5v %5v %7v %7v %8v %6v %5v  %s\n"

func printHead(out io.Writer) {
	fmt.Fprintln(out, "sent: statements in the server's log; seen: verdict lines; labeled: of those, the matrix's own, not the driver's; right: the tenants and the kind of evidence")
	fmt.Fprintln(out, "are those wanted, none if there is no evidence; unknown: there is evidence, but it was not known; n/a: labels that the driver has no API for")
	fmt.Fprintf(out, lineFormat, "", "driver", "transport", "sent", "seen", "labeled", "right", "unknown", "wrong", "n/a", "")
}

// fail prints a row of a driver that could not be played.
func (m *matrix) fail(d *driver, transport string, err error) {
	m.bad++
	fmt.Fprintf(m.cfg.Out, lineFormat, "FAIL", d.name, transport, "", "", "", "", "", "", "", err)
}

// tell prints a row.
func (m *matrix) tell(r *result) {
	state, note := "ok", ""
	if len(r.problems) > 0 {
		state = "FAIL"
		m.bad++
	}
	t := &r.tally
	if why := r.driver.unreadable[r.transport]; why != "" {
		note = "unreadable: " + why + "; counted as such"
		if state == "ok" {
			state = "blind"
		}
	}
	fmt.Fprintf(m.cfg.Out, lineFormat, state, r.driver.name, r.transport, t.sent, t.seen, t.labeled, t.right, t.unknown, t.wrong, t.na, note)
	for _, text := range append(r.problems, r.doubts...) {
		fmt.Fprintf(m.cfg.Out, "      %s\n", text)
	}
	if r.transport == r.driver.transports[0] {
		for _, why := range slices.Sorted(maps.Keys(r.missing)) {
			fmt.Fprintf(m.cfg.Out, "      n/a, %s: %s\n", why, strings.Join(r.missing[why], ", "))
		}
	}
	if r.driver.unreadable[r.transport] != "" {
		m.blind++
		return
	}
	m.total.sent += t.sent
	m.total.seen += t.seen
	m.total.labeled += t.labeled
	m.total.right += t.right
	m.total.unknown += t.unknown
	m.total.wrong += t.wrong
	m.total.none += t.none
	m.total.na += t.na
}

// conclude prints the totals.
func (m *matrix) conclude() error {
	t := &m.total
	fmt.Fprintf(m.cfg.Out, lineFormat, "", "all", "", t.sent, t.seen, t.labeled, t.right, t.unknown, t.wrong, t.na, "")
	known, evidence := t.right-t.none, t.right-t.none+t.unknown+t.wrong
	share := float64(known) / float64(max(evidence, 1))
	fmt.Fprintf(m.cfg.Out, "%d of %d statements that have evidence are known (%.2f %%), %d have none; %d runs, %d of them over a transport that cannot be read\n",
		known, evidence, 100*share, t.none, m.runs, m.blind)
	switch {
	case m.bad > 0:
		return fmt.Errorf("%d of %d rows: %w", m.bad, m.runs, ErrRows)
	case evidence > 0 && share < knownShare:
		return fmt.Errorf("%.2f %% known, at least %.0f %% must be: %w", 100*share, 100*knownShare, ErrRows)
	}
	fmt.Fprintf(m.cfg.Out, "PASS: every statement was seen, none is wrong\n")
	return nil
}
