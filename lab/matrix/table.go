package matrix

import (
	"fmt"
	"io"
	"strings"
)

const layout = "%-4s %-18s %-4s %-32s %6s %6s %8s %6s %8s %6s %8s %8s %6s  %s\n"

func printHead(out io.Writer) {
	fmt.Fprintf(out, layout, "", "server", "TLS", "session", "n", "right", "unknown", "wrong", "resumed", "told", "address", "unknown", "wrong", "")
}

// tell prints the rows of a server.
func (a *act) tell(recordings []string) error {
	saw := &seen{}
	for _, path := range recordings {
		if err := saw.read(path); err != nil {
			return err
		}
	}
	for i := range a.results {
		r := &a.results[i]
		t := count(&r.row, r.played.Sent, saw, a.people, r.windows, a.excuses(r))
		a.print(&r.row, &t, a.problems(r, &t))
	}
	if saw.lost > 0 {
		fmt.Fprintf(a.cfg.Out, "     the daemon lost %d events of this server\n", saw.lost)
	}
	return nil
}

// problems are what is wrong with a row besides identities.
func (a *act) problems(r *result, t *Tally) []string {
	problems := r.played.Errors
	refused := 0
	for i := range r.played.Sent {
		s := &r.played.Sent[i]
		expected := r.row.refused && s.who >= 0 && !a.people[s.who].trusted
		if ok := s.status == 200; ok == expected {
			refused++
		}
	}
	if refused > 0 {
		problems = append(problems, fmt.Sprintf("%d answers have another status than expected", refused))
	}
	if n := t.Placed.Wrong; n > 0 {
		problems = append(problems, fmt.Sprintf("%d requests have the address of another connection", n))
	}
	// The sockets of memory BIO connections that are older than the daemon are found by and by.
	if n := t.Placed.Unknown; n > 0 && !(a.server.memory && (r.row.Session == older || r.row.Session == restarted)) {
		problems = append(problems, fmt.Sprintf("the addresses of %d requests are not known", n))
	}
	if t.N+t.Excused < a.cfg.Requests {
		problems = append(problems, fmt.Sprintf("only %d requests", t.N))
	}
	if r.row.mode == "resume" && (t.Resumed == 0) != r.row.never {
		problems = append(problems, fmt.Sprintf("%d requests came over resumed sessions", t.Resumed))
	}
	if t.Told != t.Resumed {
		problems = append(problems, fmt.Sprintf("of %d requests over resumed sessions, %d have an identity that says so", t.Resumed, t.Told))
	}
	if t.Invented > 0 {
		problems = append(problems, fmt.Sprintf("%d requests over full handshakes have an identity that says that they resumed", t.Invented))
	}
	return problems
}

func (a *act) print(row *Row, t *Tally, problems []string) {
	state := "PASS"
	if t.Unknown+t.Wrong+len(problems) > 0 {
		state = "FAIL"
		a.bad++
	}
	note := row.Note
	if t.Excused > 0 {
		note = strings.TrimSpace(fmt.Sprintf("%s %d not seen: the thread waited in that read while the probes were attached", note, t.Excused))
	}
	n := func(i int) string { return fmt.Sprint(i) }
	fmt.Fprintf(a.cfg.Out, layout, state, a.server.name, row.TLS, row.Session, n(t.N), n(t.Right), n(t.Unknown), n(t.Wrong), n(t.Resumed), n(t.Told), n(t.Placed.Right), n(t.Placed.Unknown), n(t.Placed.Wrong), note)
	for i, p := range append(problems, t.Examples...) {
		if i == 6 {
			break
		}
		fmt.Fprintf(a.cfg.Out, "       %s\n", p)
	}
}

// excuses tells of which requests of a row a daemon could not know: the first on each connection since it was ready, where threads wait inside a read
// of OpenSSL.
func (a *act) excuses(r *result) func(*sent) bool {
	excused := make(map[string]bool)
	if a.server.blocking && (r.row.Session == older || r.row.Session == restarted) {
		from := r.windows[len(r.windows)-1].from
		first := make(map[string]*sent) // by client
		for i := range r.played.Sent {
			s := &r.played.Sent[i]
			if f := first[s.client()]; s.begin >= from && (f == nil || s.begin < f.begin) {
				first[s.client()] = s
			}
		}
		for i := range r.played.Sent {
			s := &r.played.Sent[i]
			if f := first[s.client()]; f != nil && s.begin == f.begin { // more than one, if they were sent at once
				excused[s.id] = true
			}
		}
	}
	return func(s *sent) bool { return excused[s.id] }
}
