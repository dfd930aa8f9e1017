package sqlmatrix

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"tenantrace/lab/audit"
	"tenantrace/lab/tracer"
)

// statement is a statement that the daemon saw, with what it made of it.
type statement struct {
	conn    uint64
	text    string
	comment string // "" none
	further bool   // a further part of a portal's rows
	tenants []string
	level   string
	verdict string // with its reason
}

// moment names a write to a socket: a thread makes one at a time.
type moment struct {
	time int64 // nanoseconds since the Unix epoch
	tid  int
}

// read reads what the daemon wrote: the recording has the texts, in which the comments are, and the verdict lines what is known. Only the first of the traced
// processes counts.
func (r *result) read(pids []int, t *tracer.Tracer) error {
	lines := make(map[moment][]audit.Line)
	err := audit.EachLine(t.Verdicts, func(text []byte) error {
		var l audit.Line
		if err := json.Unmarshal(text, &l); err != nil {
			return err
		}
		for _, finding := range l.Findings {
			if finding == "DB_CONNECTION_SHARED" || finding == "RESPONSE_DESYNC" {
				r.problem("%s is found", finding)
			}
		}
		if l.PID != pids[0] && slices.Contains(pids, l.PID) {
			return nil
		}
		at := moment{l.Time.UnixNano(), l.TID}
		lines[at] = append(lines[at], l)
		r.lines++
		return nil
	})
	if err != nil {
		return err
	}
	var order []moment
	parts := make(map[moment][]statement)
	err = audit.EachLine(t.Record, func(text []byte) error {
		var l struct {
			Kind  string `json:"k"`
			Event struct {
				Time    int64  `json:"time"`
				PID     int    `json:"pid"`
				TID     int    `json:"tid"`
				Conn    uint64 `json:"conn"`
				Text    string `json:"text"`
				Resumed bool   `json:"resumed"`
				Reason  string `json:"reason"`
				Count   uint64 `json:"count"`
			} `json:"e"`
		}
		if err := json.Unmarshal(text, &l); err != nil {
			return err
		}
		e := &l.Event
		switch l.Kind {
		case "session_unreadable":
			r.unreadable = append(r.unreadable, e.Reason)
		case "lost":
			r.problem("the daemon lost %d events: %s", e.Count, e.Reason)
		case "session_desync":
			r.problem("a session was lost: %s", e.Reason)
		case "statement":
			if e.PID != pids[0] && slices.Contains(pids, e.PID) {
				return nil
			}
			if e.PID != pids[0] {
				r.problem("a statement of process %d, which is not the program: %s", e.PID, e.Text)
			}
			at := moment{e.Time, e.TID}
			if parts[at] == nil {
				order = append(order, at)
			}
			for _, part := range split(e.Text, r.driver.engine) {
				parts[at] = append(parts[at], statement{conn: e.Conn, text: part, comment: commentOf(part), further: e.Resumed})
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, at := range order {
		if len(parts[at]) != len(lines[at]) {
			text := "a statement without a text"
			if len(parts[at]) > 0 {
				text = brief(parts[at][0].text)
			}
			r.problem("%d verdict lines for %d statements written at once: %s", len(lines[at]), len(parts[at]), text)
		}
		for i, s := range parts[at] {
			if i < len(lines[at]) {
				l := lines[at][i]
				s.tenants, s.level, s.verdict = slices.Sorted(slices.Values(l.DatabaseTenants)), l.EvidenceLevel, strings.TrimSpace(l.Verdict+" "+l.Reason)
				r.seen = append(r.seen, s)
			}
		}
	}
	return nil
}

// commentOf gives the comment of the matrix in a text, "" if there is none.
func commentOf(text string) string {
	if m := comments.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return ""
}

func (r *result) problem(format string, args ...any) {
	r.problems = append(r.problems, fmt.Sprintf(format, args...))
}

func brief(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > 160 {
		return text[:160] + " ..."
	}
	return text
}
