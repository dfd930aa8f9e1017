package recording

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"tenantrace/collector/event"
)

// eventTypes are the struct types of package event that embed Header: every implementation of event.Event, found in its source so that
// a new one cannot be forgotten here.
func eventTypes(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../event/*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no source of package event: %v", err)
	}
	var names []string
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			structure, ok := spec.Type.(*ast.StructType)
			if !ok {
				return true
			}
			for _, field := range structure.Fields.List {
				if id, ok := field.Type.(*ast.Ident); ok && len(field.Names) == 0 && id.Name == "Header" {
					names = append(names, spec.Name.Name)
				}
			}
			return true
		})
	}
	return names
}

// snake turns HTTPResponseEnd into http_response_end.
func snake(name string) string {
	name = regexp.MustCompile(`([A-Z]+)([A-Z][a-z])`).ReplaceAllString(name, "${1}_${2}")
	return strings.ToLower(regexp.MustCompile(`([a-z])([A-Z])`).ReplaceAllString(name, "${1}_${2}"))
}

// fill sets every field to a value that is not its zero and differs from its neighbours'.
func fill(v reflect.Value, n *int) {
	*n++
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0), n)
		fill(v.Index(1), n)
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key, n)
		fill(value, n)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.String:
		v.SetString(fmt.Sprintf("value %d <&> \u2028 \x00", *n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(int64(*n))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(*n))
	default:
		panic("no filler for " + v.Kind().String())
	}
}

type sink struct {
	bytes.Buffer
	lost uint64
}

func (s *sink) Lost() uint64 { return s.lost }

type collected []event.Event

func (c *collected) Handle(e event.Event) { *c = append(*c, e) }

func readAll(t *testing.T, in io.Reader) []event.Event {
	t.Helper()
	r, err := NewReader(in)
	if err != nil {
		t.Fatal(err)
	}
	var events []event.Event
	for {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			return events
		}
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, e)
	}
}

func TestEveryEventHasAKind(t *testing.T) {
	names := eventTypes(t)
	if len(names) < 17 {
		t.Fatalf("found %d event types, want at least 17: %v", len(names), names)
	}
	var file sink
	var passed collected
	w := NewWriter(&file, time.Unix(1763938000, 123), &passed)
	n := 0
	for _, name := range names {
		e := newEvent(snake(name))
		if e == nil {
			t.Fatalf("event.%s: newEvent(%q) is nil", name, snake(name))
		}
		if got := reflect.TypeOf(e).Elem().Name(); got != name {
			t.Fatalf("newEvent(%q) is a %s", snake(name), got)
		}
		if got := kindOf(e); got != snake(name) {
			t.Fatalf("kindOf(%s) = %q, want %q", name, got, snake(name))
		}
		fill(reflect.ValueOf(e).Elem(), &n)
		w.Handle(e)
		w.Handle(newEvent(snake(name))) // the zero value survives too
	}
	got := readAll(t, &file)
	if len(got) != len(passed) || len(got) != 2*len(names) {
		t.Fatalf("read %d events, handed on %d, wrote %d", len(got), len(passed), 2*len(names))
	}
	for i := range got {
		if !reflect.DeepEqual(got[i], passed[i]) {
			t.Errorf("event %d: read\n%+v\nwrote\n%+v", i, got[i], passed[i])
		}
	}
}

func TestWriterMarksHoles(t *testing.T) {
	var file sink
	var passed collected
	w := NewWriter(&file, time.Unix(1, 0), &passed)
	w.Handle(&event.Tick{Header: event.Header{Time: 1}})
	file.lost = 3
	w.Handle(&event.Tick{Header: event.Header{Time: 2}})
	w.Handle(&event.Tick{Header: event.Header{Time: 3}})
	want := []event.Event{
		&event.Tick{Header: event.Header{Time: 1}},
		&event.Lost{Header: event.Header{Time: 2}, Reason: "shed", Count: 3},
		&event.Tick{Header: event.Header{Time: 2}},
		&event.Tick{Header: event.Header{Time: 3}},
	}
	if got := readAll(t, &file); !reflect.DeepEqual(got, want) {
		t.Errorf("read %v, want %v", got, want)
	}
	if len(passed) != 3 {
		t.Errorf("handed on %d events, want the 3 real ones", len(passed))
	}
}

const head = `{"format":"tenantrace-recording","v":1,"started":"2026-01-02T03:04:05Z"}` + "\n"

func TestReaderHeader(t *testing.T) {
	for name, text := range map[string]string{
		"empty":        "",
		"foreign JSON": "{\"format\":\"other\",\"v\":1}\n",
		"text":         "hello\n",
		"cut":          strings.TrimSuffix(head, "\n"),
		"newer":        strings.Replace(head, `"v":1`, `"v":2`, 1),
		"no time":      strings.Replace(head, "2026-01-02T03:04:05Z", "yesterday", 1),
		"binary":       "\x7fELF\x00\x00\n",
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := NewReader(strings.NewReader(text)); !errors.Is(err, ErrFormat) || !strings.HasPrefix(err.Error(), "line 1: ") {
				t.Errorf("error %v, want ErrFormat on line 1", err)
			}
		})
	}
	r, err := NewReader(strings.NewReader(head))
	if err != nil || !r.Started().Equal(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)) {
		t.Fatalf("started %v, error %v", r.Started(), err)
	}
}

func TestReaderLines(t *testing.T) {
	tick := `{"k":"tick","e":{"time":7}}` + "\n"
	for name, tc := range map[string]struct {
		text   string
		events int
		cut    bool
		want   string // part of the error, "" for io.EOF
	}{
		"whole":         {text: tick + tick, events: 2},
		"cut last line": {text: tick + tick[:9], events: 1, cut: true},
		"cut elsewhere": {text: tick + tick[:9] + "\n" + tick, events: 1, want: "line 3: "},
		"unknown kind":  {text: tick + `{"k":"quic_stream","e":{}}` + "\n", events: 1, want: `line 3: unknown kind "quic_stream" in a recording of version 1`},
		"unknown field": {text: `{"k":"tick","e":{"time":7,"zone":1}}` + "\n", want: `line 2: kind "tick"`},
		"no event":      {text: `{"k":"tick"}` + "\n", want: "line 2: kind \"tick\" without its event"},
		"null event":    {text: `{"k":"tick","e":null}` + "\n", want: "line 2: kind \"tick\" without its event"},
		"empty line":    {text: tick + "\n" + tick, events: 1, want: "line 3: "},
		"wrong type":    {text: `{"k":"tick","e":{"time":"x"}}` + "\n", want: "line 2: "},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := NewReader(strings.NewReader(head + tc.text))
			if err != nil {
				t.Fatal(err)
			}
			events := 0
			for err == nil {
				if _, err = r.Next(); err == nil {
					events++
				}
			}
			if events != tc.events || r.Cut() != tc.cut {
				t.Errorf("%d events, cut %v; want %d, %v", events, r.Cut(), tc.events, tc.cut)
			}
			if tc.want == "" && !errors.Is(err, io.EOF) {
				t.Errorf("ended with %v, want io.EOF", err)
			}
			if tc.want != "" && !strings.Contains(err.Error(), tc.want) {
				t.Errorf("ended with %v, want %q", err, tc.want)
			}
			if _, again := r.Next(); again != err { // the same value, not merely the same kind
				t.Errorf("then %v, want the same error again", again)
			}
		})
	}
}

// endless gives the letter a for ever.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	return len(p), nil
}

func TestReaderBoundsItsLines(t *testing.T) {
	r, err := NewReader(io.MultiReader(strings.NewReader(head), endless{}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Next(); err == nil || !strings.Contains(err.Error(), "line 2: longer than") {
		t.Fatalf("error %v, want a bound on the line", err)
	}
	if cap(r.buf) > 2*MaxLine {
		t.Errorf("holds %d bytes, want at most %d", cap(r.buf), 2*MaxLine)
	}
}

func FuzzReader(f *testing.F) {
	f.Add([]byte(head + `{"k":"tick","e":{"time":7}}` + "\n"))
	f.Add([]byte(head + `{"k":"statement","e":{"time":1,"pid":2,"tid":3,"conn":4,"seq":5,"text":"SELECT 1","params":[{"known":true,"value":"acme"}]}}` + "\n"))
	f.Add([]byte(head + `{"k":"result","e":{"time":1,"conn":4,"seq":5,"rows":[["a",null]]}}` + "\n{\"k\":"))
	f.Add([]byte(head + `{"k":"identity","e":{"certificate":{"sha256":"00","subject":[{"type":"O","value":"acme"}]}}}`))
	f.Add([]byte("{}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := NewReader(bytes.NewReader(data))
		if err != nil {
			return
		}
		// What was read is written and read again: the same events.
		var file sink
		var first collected
		w := NewWriter(&file, r.Started(), &first)
		for range data { // no recording has more events than bytes
			e, err := r.Next()
			if err != nil {
				break
			}
			w.Handle(e)
		}
		if len(first) == 0 {
			return // no event, no header
		}
		second := readAll(t, &file)
		if len(second) != len(first) {
			t.Fatalf("%d events came back as %d", len(first), len(second))
		}
		for i := range first {
			if kindOf(first[i]) != kindOf(second[i]) || first[i].Meta() != second[i].Meta() {
				t.Fatalf("event %d came back as another: %+v, %+v", i, first[i], second[i])
			}
		}
	})
}

type discard struct{}

func (discard) Handle(event.Event)          {}
func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) Lost() uint64                { return 0 }

func BenchmarkWriter(b *testing.B) {
	w := NewWriter(discard{}, time.Unix(1, 0), discard{})
	e := &event.Statement{Header: event.Header{Time: 1, PID: 2, TID: 3}, Conn: 4, Seq: 5,
		Text: "SELECT id, amount FROM invoices WHERE tenant_id = $1", Params: []event.Param{{Known: true, Value: "acme"}}}
	b.ReportAllocs()
	for b.Loop() {
		w.Handle(e)
	}
}
