package audit

import (
	"encoding/json"
	"fmt"
	"regexp"
)

// Truth is what a recording proves: which request each statement was sent for, by the comment that the service put into its SQL.
type Truth struct {
	Requests   map[string]int // HTTP requests seen, by X-Request-ID
	statements map[moment]statement
}

// moment names a statement: a thread writes one at a time.
type moment struct {
	time int64 // nanoseconds since the Unix epoch
	tid  int
}

type statement struct {
	request string // "" not known
	conn    uint64
}

// recorded is a line of a recording, as far as it is looked at.
type recorded struct {
	Format  string `json:"format"`
	Version int    `json:"v"`
	Kind    string `json:"k"`
	Event   struct {
		Time int64  `json:"time"`
		TID  int    `json:"tid"`
		Conn uint64 `json:"conn"`
		ID   string `json:"id"`
		Text string `json:"text"`
	} `json:"e"`
}

var label = regexp.MustCompile(`/\* gt=([A-Za-z0-9._-]+) \*/`)

// ReadTruth reads a recording. A statement without a comment, as the BEGIN and COMMIT that the driver sends by itself, belongs to the request
// of the others between them on its database connection.
func ReadTruth(path string) (*Truth, error) {
	t := &Truth{Requests: make(map[string]int), statements: make(map[moment]statement)}
	waiting := make(map[uint64][]moment) // by connection: BEGINs whose request is not known yet
	last := make(map[uint64]string)      // by connection: request of its last statement
	first := true
	err := EachLine(path, func(text []byte) error {
		var r recorded
		if err := json.Unmarshal(text, &r); err != nil {
			return err
		}
		if first {
			if first = false; r.Format != "tenantrace-recording" || r.Version != 1 {
				return fmt.Errorf("format %q version %d is not the one that the lab reads", r.Format, r.Version)
			}
			return nil
		}
		e := &r.Event
		switch r.Kind {
		case "http_request":
			t.Requests[e.ID]++
		case "statement":
			m := moment{e.Time, e.TID}
			if _, twice := t.statements[m]; twice {
				return fmt.Errorf("thread %d wrote two statements at the time %d", e.TID, e.Time)
			}
			request := ""
			if found := label.FindAllStringSubmatch(e.Text, -1); len(found) > 0 {
				request = found[len(found)-1][1]
				for _, w := range waiting[e.Conn] {
					t.statements[w] = statement{request, e.Conn}
				}
				delete(waiting, e.Conn)
				last[e.Conn] = request
			} else if e.Text == "BEGIN" {
				waiting[e.Conn] = append(waiting[e.Conn], m)
			} else if e.Text == "COMMIT" || e.Text == "ROLLBACK" {
				request = last[e.Conn]
			}
			t.statements[m] = statement{request, e.Conn}
		}
		return nil
	})
	return t, err
}

// Links is the comparison of the verdict lines' links with the truth.
type Links struct {
	Right    int
	Unlinked int    // no single request was named
	NoTruth  int    // the statement carries no label
	Unjoined int    // the recording has no such statement
	Wrong    []Line // linked to another request than the one it was sent for
}

// Check compares the links of lines.
func (t *Truth) Check(lines []Line) Links {
	var l Links
	for _, line := range lines {
		s, ok := t.statements[moment{line.Time.UnixNano(), line.TID}]
		switch id := line.RequestID(); {
		case !ok:
			l.Unjoined++
		case s.request == "":
			l.NoTruth++
		case id == "":
			l.Unlinked++
		case id == s.request:
			l.Right++
		default:
			l.Wrong = append(l.Wrong, line)
		}
	}
	return l
}

// RequestOf returns the request that a line's statement was sent for, "" if that is not known.
func (t *Truth) RequestOf(line *Line) string {
	return t.statements[moment{line.Time.UnixNano(), line.TID}].request
}
