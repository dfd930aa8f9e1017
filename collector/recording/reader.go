package recording

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"tenantrace/collector/event"
)

// ErrFormat says that a file is not a recording, or one of another version.
var ErrFormat = errors.New("not a recording of this version")

// Reader gives the events of a recording.
type Reader struct {
	in      *bufio.Reader
	started time.Time
	line    int // number of the line last read, from 1
	buf     []byte
	cut     bool
	err     error
}

// NewReader reads the header line of a recording. Its error wraps ErrFormat when in is something else.
func NewReader(in io.Reader) (*Reader, error) {
	r := &Reader{in: bufio.NewReaderSize(in, 64<<10)}
	line, whole, err := r.next()
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	var h header
	if jsonErr := json.Unmarshal(line, &h); !whole || jsonErr != nil || h.Format != Format {
		return nil, fmt.Errorf("line 1: no header with \"format\":%q: %w", Format, ErrFormat)
	}
	if h.Version != Version {
		return nil, fmt.Errorf("line 1: recording has version %d and this program reads version %d: %w", h.Version, Version, ErrFormat)
	}
	if r.started, err = time.Parse(time.RFC3339Nano, h.Started); err != nil {
		return nil, fmt.Errorf("line 1: \"started\" is no RFC 3339 time: %w", ErrFormat)
	}
	return r, nil
}

// Started is when the recording began.
func (r *Reader) Started() time.Time { return r.started }

// Cut tells whether the last line was incomplete, as a writer that was killed leaves it. That line is no event.
func (r *Reader) Cut() bool { return r.cut }

// Next gives the next event, or io.EOF after the last. Any other error names its line and comes again on each further call.
func (r *Reader) Next() (event.Event, error) {
	if r.err != nil {
		return nil, r.err
	}
	e, err := r.read()
	r.err = err
	return e, err
}

func (r *Reader) read() (event.Event, error) {
	line, whole, err := r.next()
	if err != nil {
		return nil, err
	}
	if !whole {
		r.cut = true
		return nil, io.EOF
	}
	var l struct {
		Kind  string          `json:"k"`
		Event json.RawMessage `json:"e"`
	}
	if err := json.Unmarshal(line, &l); err != nil {
		return nil, fmt.Errorf("line %d: %w", r.line, err)
	}
	e := newEvent(l.Kind)
	if e == nil {
		return nil, fmt.Errorf("line %d: unknown kind %q in a recording of version %d [was it written by a newer tenantrace?]", r.line, l.Kind, Version)
	}
	if len(l.Event) == 0 || l.Event[0] != '{' {
		return nil, fmt.Errorf("line %d: kind %q without its event", r.line, l.Kind)
	}
	decoder := json.NewDecoder(bytes.NewReader(l.Event))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(e); err != nil {
		return nil, fmt.Errorf("line %d: kind %q: %w", r.line, l.Kind, err)
	}
	return e, nil
}

// next reads one line without its newline, at most MaxLine long; whole is false for a last line that no newline ends.
func (r *Reader) next() (line []byte, whole bool, err error) {
	r.line++
	r.buf = r.buf[:0]
	for {
		part, err := r.in.ReadSlice('\n')
		if len(r.buf)+len(part) > MaxLine+1 {
			return nil, false, fmt.Errorf("line %d: longer than %d bytes", r.line, MaxLine)
		}
		r.buf = append(r.buf, part...)
		switch {
		case err == nil:
			return r.buf[:len(r.buf)-1], true, nil
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && len(r.buf) > 0:
			return r.buf, false, nil
		case errors.Is(err, io.EOF):
			return nil, false, io.EOF
		default:
			return nil, false, fmt.Errorf("line %d: %w", r.line, err)
		}
	}
}
