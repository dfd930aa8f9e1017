package mysqlwire

import (
	"strconv"
	"strings"

	"tenantrace/collector/event"
)

// outcome is what OK and EOF say.
type outcome struct {
	ok        bool // OK in its own place, not at the end of rows
	affected  uint64
	flags     status
	suspended bool   // a cursor was opened, or has more rows: COM_STMT_FETCH asks for them
	changes   []byte // of the session's state
}

// okMin is the size of the smallest OK.
const okMin = 7

// readEOF reads EOF: warnings and flags.
func readEOF(body []byte) outcome {
	c := cursor{b: body}
	c.next(3)
	return outcome{flags: status(c.uint16())}
}

// readOK reads OK: affected rows, an id, flags, warnings, a text, and what session tracking reports. What else begins like OK has no text at its end.
func readOK(body []byte, cut bool) (o outcome, ok bool) {
	c := cursor{b: body}
	o.ok = c.uint8() == headOK
	o.affected = c.lenenc()
	c.lenenc()
	o.flags = status(c.uint16())
	c.uint16()
	if c.bad {
		return o, false
	}
	rest := c.b
	text := c.str()
	if o.flags&statusStateChanged != 0 {
		o.changes = c.str() // nil if it was not captured whole
	}
	return o, cut || len(rest) == 0 || !c.bad && len(c.b) == 0 && !hasControl(text) || !hasControl(rest)
}

// okay acts on OK.
func (s *Session) okay(h event.Header, p *pending, body []byte) bool {
	if s.back.size < okMin || s.back.kind != headOK && s.back.kind != headEOF {
		return false
	}
	o, ok := readOK(body, s.back.cut)
	if !ok {
		return s.back.cut && s.unreadOK(h, p)
	}
	if s.caps != 0 && s.caps&capSessionTrack == 0 {
		o.changes = nil
	}
	s.completed(h, p, o)
	return true
}

// unreadOK acts on OK whose flags were not captured. For a result it matters whether another one follows.
func (s *Session) unreadOK(h event.Header, p *pending) bool {
	if p.seq != 0 || p.kind == expectLogin {
		return false
	}
	s.completed(h, p, outcome{})
	return true
}

// completed ends one result, or whatever else p asked for.
func (s *Session) completed(h event.Header, p *pending, o outcome) {
	s.noBackslash = o.flags&statusNoBackslash != 0
	switch p.kind {
	case expectLogin:
		s.done()
		if s.caps&(capCompress|capZstd) != 0 {
			s.giveUp(h, event.UnreadableCompressed)
			return
		}
		s.track(h, o.changes)
		s.ready(h, o.flags)
	case expectUser, expectSession:
		s.anew(h, p)
		s.done()
		s.track(h, o.changes)
		s.ready(h, o.flags)
	case expectDB:
		if !p.unknown {
			s.defaultDatabase(h, p.database)
		}
		s.done()
	case expectQuery, expectExecute, expectFetch:
		s.endResult(h, p, o)
	default:
		s.done()
		s.track(h, o.changes)
	}
}

// anew begins the session again: with another user, or with its state reset.
func (s *Session) anew(h event.Header, p *pending) {
	s.prepared.forget()
	unknown := s.late
	if p.kind == expectUser {
		s.user, s.database = p.user, p.database
		unknown = p.unknown
		s.late = unknown
	}
	s.start(h, unknown)
}

// endResult ends a result. Another one may follow, of the same statement or of the next one of the text.
func (s *Session) endResult(h event.Header, p *pending, o outcome) {
	a := &s.answer
	switch p.kind {
	case expectFetch:
		o.suspended = o.flags&statusLastRow == 0
	case expectExecute:
		o.suspended = o.flags&statusCursor != 0 && a.count == 0
	}
	more := o.flags&statusMoreResults != 0
	a.changed += o.affected
	from := p.script.from
	if more && s.sameStatement(p, o) {
		a.endSet()
		a.step = stepFirst
		return
	}
	last := !more
	if p.seq != 0 {
		r := s.result(h, p)
		r.Last, r.Suspend = last, o.suspended
		if !a.set {
			r.Tag = s.okTag(a.changed)
		}
		s.emit(r)
		s.track(h, o.changes)
		if o.ok && o.changes == nil && p.kind == expectQuery && !p.cut {
			if database, ok := used(p.text[from:], s.noBackslash); ok {
				s.defaultDatabase(h, database)
			}
		}
	}
	if last {
		answered := p.seq != 0
		s.done()
		if answered {
			s.ready(h, o.flags)
		}
		return
	}
	p.index++
	a.reset()
}

// sameStatement tells whether the result that follows the one that o ends is of the same statement. A CALL ends with OK.
func (s *Session) sameStatement(p *pending, o outcome) bool {
	if p.kind != expectQuery {
		return true
	}
	if p.cut {
		return false
	}
	if p.index == 0 && p.script.at == 0 {
		p.script.step(p.text, s.noBackslash)
	}
	if p.script.last || p.script.word == "call" && !o.ok {
		return true
	}
	p.script.step(p.text, s.noBackslash)
	return false
}

// okTag gives the tag of a statement that returned no rows.
func (s *Session) okTag(affected uint64) string {
	var buf [24]byte
	tag := strconv.AppendUint(append(buf[:0], "OK "...), affected, 10)
	if string(tag) != s.tag {
		s.tag = string(tag)
	}
	return s.tag
}

// ready says that the server waits for the next command.
func (s *Session) ready(h event.Header, flags status) {
	now := event.TxIdle
	if flags&statusInTransaction != 0 {
		now = event.TxOpen
	}
	s.emit(&event.SessionReady{Header: h, Conn: s.conn, Status: now})
}

// defaultDatabase notes which database names without one mean.
func (s *Session) defaultDatabase(h event.Header, database string) {
	s.database = database
	s.emit(&event.SessionDatabase{Header: h, Conn: s.conn, Database: database})
}

// Kinds of changes that session tracking reports and that matter.
const (
	trackVariables = 0
	trackDatabase  = 1
)

// track reads what session tracking reports: kinds and what each holds.
func (s *Session) track(h event.Header, changes []byte) {
	c := cursor{b: changes}
	for len(c.b) > 0 {
		kind := c.uint8()
		entry := cursor{b: c.str()}
		if c.bad {
			return
		}
		switch kind {
		case trackVariables:
			for len(entry.b) > 0 {
				name, value := s.cfg.Names.name(entry.str()).lower, string(entry.str())
				if entry.bad {
					break
				}
				s.emit(&event.SessionSetting{Header: h, Conn: s.conn, Name: name, Value: value})
			}
		case trackDatabase:
			if database := string(entry.str()); !entry.bad {
				s.defaultDatabase(h, database)
			}
		}
	}
}

// progress is the number of an error that is none: the server tells how far it is (MariaDB).
const progress = 0xffff

// failure acts on an error.
func (s *Session) failure(h event.Header, p *pending, body []byte) {
	number, state := readError(body)
	if number == progress {
		return
	}
	switch {
	case p.kind == expectPrepare:
		s.prepared.drop(p.statement)
		s.done()
	case p.seq != 0:
		r := s.result(h, p)
		r.Error, r.Last = state, true
		s.emit(r)
		s.done()
		// Some errors end the transaction, which the next OK tells.
		s.emit(&event.SessionReady{Header: h, Conn: s.conn, Status: event.TxUnknown})
	default:
		s.done()
	}
}

// readError gives the number and the SQLSTATE of an error.
func readError(body []byte) (number uint16, state string) {
	c := cursor{b: body[1:]}
	number = c.uint16()
	if c.uint8() == '#' {
		state = strings.Clone(string(c.next(5)))
	}
	if state == "" {
		state = "HY000" // an error without a state, or whose state was not captured
	}
	return number, state
}
