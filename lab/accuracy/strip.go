package accuracy

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"

	"tenantrace/lab/audit"
)

// moment names a statement as it was written: the time and the thread. A thread may write several at once.
type moment struct {
	time int64 // nanoseconds since the Unix epoch
	tid  int
}

// statement is the truth about one.
type statement struct {
	gt     string // of its request; backgroundGT: no request's
	number int    // among those of its request; 0 for those that drivers send by themselves
	tenant string // whose data it is about; "" nobody's, unknownTenant: the response tells
	kind   string
	mixed  bool // several of different requests were written at once: it cannot be told which is which
}

// backgroundGT marks statements that no request caused.
const backgroundGT = "background"

// unknownTenant marks statements whose tenant only the rows show.
const unknownTenant = "?"

// sessionKind are statements about the tenant that is set in the database session.
const sessionKind = "session"

// truth is what the labels in a recording say.
type truth struct {
	statements map[moment]*statement
	labelled   int // statements with a label
	stripped   int // labels taken out of header fields
}

// label is what the service puts before its statements. Only there it counts: a text may hold what looks like one.
var label = regexp.MustCompile(`^/\* gt=([A-Za-z0-9-]+) n=([0-9]+) t=([a-z0-9?]*) k=([a-z0-9_]+) \*/ `)

// truthField is the header field of requests that names them in truth.
const truthField = "x-gt"

// strip copies a recording without the truth in it, and tells the truth.
func strip(from, to string) (*truth, error) {
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("strip a recording: %w", err)
	}
	s := &stripper{out: bufio.NewWriter(out), truth: &truth{statements: make(map[moment]*statement)}, begun: make(map[uint64][]moment), last: make(map[uint64]string)}
	err = audit.EachLine(from, s.line)
	return s.truth, errors.Join(err, s.out.Flush(), out.Close())
}

// stripper reads a recording.
type stripper struct {
	out     *bufio.Writer
	truth   *truth
	started bool
	begun   map[uint64][]moment // by connection: BEGINs whose request is not known yet
	last    map[uint64]string   // by connection: request of its last statement
}

func (s *stripper) line(text []byte) error {
	var l struct {
		Format  string                     `json:"format"`
		Version int                        `json:"v"`
		Kind    string                     `json:"k"`
		Event   map[string]json.RawMessage `json:"e"`
	}
	if err := json.Unmarshal(text, &l); err != nil {
		return err
	}
	switch {
	case !s.started:
		if s.started = true; l.Format != "tenantrace-recording" || l.Version != 1 {
			return fmt.Errorf("format %q version %d is not the one that the lab reads", l.Format, l.Version)
		}
	case l.Kind == "statement":
		return s.statement(l.Event, text)
	case l.Kind == "http_request" && bytes.Contains(bytes.ToLower(l.Event["fields"]), []byte(truthField)):
		if err := s.request(l.Event); err != nil {
			return err
		}
		return s.write(l.Kind, l.Event)
	}
	_, err := s.out.Write(append(text, '\n'))
	return err
}

func (s *stripper) write(kind string, event map[string]json.RawMessage) error {
	line, err := json.Marshal(map[string]any{"k": kind, "e": event})
	if err != nil {
		return err
	}
	_, err = s.out.Write(append(line, '\n'))
	return err
}

// request takes the truth out of a request's header fields.
func (s *stripper) request(event map[string]json.RawMessage) error {
	var fields, kept []json.RawMessage
	if err := json.Unmarshal(event["fields"], &fields); err != nil {
		return err
	}
	for _, f := range fields {
		var field struct {
			Name string `json:"name"`
		}
		if err := json.Unmarshal(f, &field); err != nil {
			return err
		}
		if strings.EqualFold(field.Name, truthField) {
			s.truth.stripped++
		} else {
			kept = append(kept, f)
		}
	}
	if delete(event, "fields"); len(kept) > 0 {
		text, err := json.Marshal(kept)
		if err != nil {
			return err
		}
		event["fields"] = text
	}
	return nil
}

// statement takes the truth out of a statement. One without a label, as the BEGIN and COMMIT that drivers send by themselves, belongs to the request of the others
// between them on its database connection.
func (s *stripper) statement(event map[string]json.RawMessage, line []byte) error {
	var e struct {
		Time int64  `json:"time"`
		TID  int    `json:"tid"`
		Conn uint64 `json:"conn"`
		Text string `json:"text"`
	}
	if err := errors.Join(field(event, "time", &e.Time), field(event, "tid", &e.TID), field(event, "conn", &e.Conn), field(event, "text", &e.Text)); err != nil {
		return err
	}
	at := moment{e.Time, e.TID}
	if found := label.FindStringSubmatch(e.Text); found != nil {
		number, err := strconv.Atoi(found[2])
		if err != nil {
			return err
		}
		s.truth.labelled++
		s.note(at, statement{gt: found[1], number: number, tenant: found[3], kind: found[4]})
		for _, b := range s.begun[e.Conn] {
			s.note(b, statement{gt: found[1], kind: "begin"})
		}
		delete(s.begun, e.Conn)
		s.last[e.Conn] = found[1]
		if event["text"], err = json.Marshal(e.Text[len(found[0]):]); err != nil {
			return err
		}
		return s.write("statement", event)
	}
	switch strings.TrimRight(strings.ToUpper(e.Text), "; ") {
	case "BEGIN":
		s.begun[e.Conn] = append(s.begun[e.Conn], at)
	case "COMMIT", "ROLLBACK":
		if gt := s.last[e.Conn]; gt != "" {
			s.note(at, statement{gt: gt, kind: "end"})
		}
	}
	_, err := s.out.Write(append(line, '\n'))
	return err
}

func (s *stripper) note(at moment, what statement) {
	known, twice := s.truth.statements[at]
	if !twice {
		s.truth.statements[at] = &what
		return
	}
	known.mixed = known.mixed || known.gt != what.gt || known.tenant != what.tenant
}

// field reads a member of an event; one that is not there is zero.
func field(event map[string]json.RawMessage, name string, into any) error {
	if text, ok := event[name]; ok {
		if err := json.Unmarshal(text, into); err != nil {
			return fmt.Errorf("field %q of an event: %w", name, err)
		}
	}
	return nil
}

// contains tells whether a file holds a text.
func contains(path, text string) (bool, error) {
	found := false
	err := audit.EachLine(path, func(line []byte) error {
		found = found || bytes.Contains(line, []byte(text))
		return nil
	})
	return found, err
}
