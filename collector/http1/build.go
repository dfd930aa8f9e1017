package http1

import (
	"bytes"
	"unicode/utf8"

	"tenantrace/collector/event"
)

// place is a part of Conn.scratch.
type place struct{ from, to int }

func (p place) of(text string) string { return text[p.from:p.to] }

// kept is a kept field line.
type kept struct{ name, value place }

// marks is a set of anomalies.
type marks uint8

const (
	duplicateField marks = 1 << iota
	obsFold
	spaceBeforeColon
	teAndCL
	bareLF
	headerTooLarge
	headerCut
)

// names gives the anomalies as event.HTTPRequest spells them.
func (m marks) names() []string {
	var out []string
	for i, name := range [...]string{"duplicate_field", "obs_fold", "space_before_colon", "te_and_cl", "bare_lf", "header_too_large", "header_cut"} {
		if m&(1<<i) != 0 {
			out = append(out, name)
		}
	}
	return out
}

// build makes the event of a request from its request line and its field lines. The texts of the event are parts of one string.
func (c *Conn) build(h event.Header, line *requestLine, rest *lines, seen marks) (*event.HTTPRequest, framing) {
	var (
		frame                    framing
		host, id, trace          place
		hasHost, hasID, hasTrace bool
	)
	c.scratch, c.kept = c.scratch[:0], c.kept[:0]
	e := &event.HTTPRequest{Header: h, Version: line.version, Method: methodOf(line.method)}
	var method place
	if e.Method == "" {
		method = c.put(line.method)
	}
	path := c.put(line.path)
	if len(line.authority) > 0 { // it replaces the Host field: RFC 9112, section 3.2.2
		host = c.put(line.authority)
	}
	for {
		if rest.folds() { // the request line, or something that is no field line
			seen |= obsFold
		}
		f, ok := rest.field(&c.name)
		if !ok {
			break
		}
		if f.spaced {
			seen |= spaceBeforeColon
		}
		if f.folded {
			seen |= obsFold
		}
		if frame.hasCL && string(f.name) == "content-length" {
			seen |= duplicateField
		}
		frame.field(&f)
		var value place
		if c.cfg.Fields(f.name) {
			value, seen = c.keep(&f, rest, seen)
		}
		switch string(f.name) {
		case "host":
			if hasHost {
				seen |= duplicateField
			} else if hasHost = true; len(line.authority) == 0 {
				host = c.once(value, &f, rest)
			}
		case "x-request-id":
			if !hasID {
				hasID, id = true, c.once(value, &f, rest)
			}
		case "traceparent":
			if !hasTrace {
				hasTrace, trace = true, c.once(value, &f, rest)
			}
		}
	}
	if frame.hasTE && frame.hasCL {
		seen |= teAndCL
	}
	if rest.bareLF {
		seen |= bareLF
	}
	text := string(c.scratch)
	if method.to > 0 {
		e.Method = method.of(text)
	}
	e.Path, e.Host, e.ID, e.Traceparent = path.of(text), host.of(text), id.of(text), trace.of(text)
	if len(c.kept) > 0 {
		e.Fields = make([]event.HTTPField, len(c.kept))
		for i, k := range c.kept {
			e.Fields[i] = event.HTTPField{Name: k.name.of(text), Value: k.value.of(text)}
		}
	}
	e.Anomalies = seen.names()
	if cap(c.scratch) > keptBuffer {
		c.scratch = nil
	}
	return e, frame
}

// put copies b into the text of the event. Octets that are no UTF-8 become U+FFFD here, as they would in a recording, so that a replay judges
// what the live run judged.
func (c *Conn) put(b []byte) place {
	from := len(c.scratch)
	if !utf8.Valid(b) {
		b = bytes.ToValidUTF8(b, []byte(string(utf8.RuneError)))
	}
	c.scratch = append(c.scratch, b...)
	return place{from, len(c.scratch)}
}

// value copies a field's value, continuation lines joined by one space (RFC 9112, section 5.2).
func (c *Conn) value(f *field, rest *lines) place {
	p := c.put(f.value)
	for line, ok := rest.fold(); ok; line, ok = rest.fold() {
		if p.to > p.from && len(line) > 0 {
			c.scratch = append(c.scratch, ' ')
		}
		p.to = c.put(line).to
	}
	return p
}

// once gives a field's value, which may have been copied already.
func (c *Conn) once(value place, f *field, rest *lines) place {
	if value.to > 0 {
		return value
	}
	return c.value(f, rest)
}

// keep adds a field line to the kept ones.
func (c *Conn) keep(f *field, rest *lines, seen marks) (place, marks) {
	for _, k := range c.kept {
		if string(c.scratch[k.name.from:k.name.to]) == string(f.name) {
			seen |= duplicateField
			break
		}
	}
	if len(c.kept) >= c.cfg.MaxFields {
		return place{}, seen | headerTooLarge
	}
	name := c.put(f.name)
	value := c.value(f, rest)
	c.kept = append(c.kept, kept{name, value})
	return value, seen
}
