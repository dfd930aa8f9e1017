package pgwire

import (
	"bytes"
	"strings"

	"tenantrace/collector/event"
)

// completed ends one result: CommandComplete, EmptyQueryResponse or PortalSuspended.
func (s *Session) completed(h event.Header, p *pending, kind byte, body []byte) {
	r := s.result(h, p)
	switch kind {
	case 'C':
		c := cursor{b: body}
		tag := c.text()
		if c.bad { // the end was not captured: half a count would be a wrong one
			tag = tag[:max(bytes.LastIndexByte(tag, ' '), 0)]
		}
		if string(tag) != s.tag {
			s.tag = string(tag)
		}
		r.Tag = s.tag
		switch r.Tag {
		case "PREPARE":
			s.prepared.doubt()
		case "DECLARE CURSOR":
			s.prepared.doubtPortals()
		}
		switch verb, _, _ := strings.Cut(r.Tag, " "); verb {
		case "CREATE", "ALTER", "DROP", "DISCARD":
			s.tables.forgetRelations()
		}
	case 'I':
		r.Empty = true
	case 's':
		r.Suspend = true
	}
	s.copying = false
	s.finish(p, r)
}

// finish emits a result of p. It is the last of an Execute; of a Query others may follow.
func (s *Session) finish(p *pending, r *event.Result) {
	if p.kind == expectExecute {
		r.Last = true
		// Should the portal be resumed, its first Execute is the one that is judged.
		s.prepared.spend(p.portal)
		s.emit(r)
		s.done()
		return
	}
	p.index++
	s.emit(r)
}

// failure acts on ErrorResponse.
func (s *Session) failure(h event.Header, body []byte) {
	state, fatal := readError(body)
	p := s.queue.head()
	if p == nil {
		return
	}
	s.copying = false
	switch p.kind {
	case expectQuery:
		r := s.result(h, p)
		r.Error = state
		p.failed = true
		s.finish(p, r)
		return
	case expectExecute:
		r := s.result(h, p)
		r.Error = state
		s.finish(p, r)
	case expectParse:
		s.prepared.fail(p.statement)
		s.done()
	case expectBind:
		s.prepared.drop(p.portal)
		s.done()
	case expectDescription, expectPortalColumns, expectClose:
		s.done()
	default: // of Sync, of FunctionCall or of the start-up: nothing is discarded
		return
	}
	if !fatal {
		s.discard(h)
	}
}

// readError gives the SQLSTATE of an ErrorResponse, and whether the server ends the session with it.
func readError(body []byte) (state string, fatal bool) {
	c := cursor{b: body}
	for len(c.b) > 0 && c.b[0] != 0 {
		field, value := c.uint8(), c.text()
		if c.bad {
			break
		}
		switch field {
		case 'C':
			state = string(value)
		case 'S', 'V': // V is not translated, but not sent by servers before 9.6
			fatal = fatal || string(value) == "FATAL" || string(value) == "PANIC"
		}
	}
	if state == "" {
		state = "XX000" // internal error: an error without a state, or whose state was not captured
	}
	return state, fatal
}

// discard ends what the server discards after an error in the extended protocol: everything up to the next Sync, be it already sent or not.
func (s *Session) discard(h event.Header) {
	for p := s.queue.head(); p != nil; p = s.queue.head() {
		switch p.kind {
		case expectSync:
			return
		case expectQuery, expectExecute:
			s.skip(h, p)
		case expectParse:
			s.prepared.fail(p.statement)
		case expectBind:
			s.prepared.drop(p.portal)
		}
		s.done()
	}
	s.skipping = true
}

// skip ends a statement that the server discarded.
func (s *Session) skip(h event.Header, p *pending) {
	s.emit(&event.Result{Header: h, Conn: s.conn, Seq: p.seq, Last: true, Skipped: true})
}

// ready acts on ReadyForQuery: it ends the Query, the Sync or whatever it answers.
func (s *Session) ready(h event.Header, p *pending, body []byte) {
	if p != nil {
		if p.kind == expectQuery {
			r := s.result(h, p)
			r.Last, r.None = true, true
			s.emit(r)
		}
		s.done()
	}
	if s.copyLost {
		s.copyLost, s.copying, s.skipping = false, false, false
	}
	var status event.TxStatus
	if len(body) == 1 {
		status = event.TxStatus(statusText(body[0]))
	}
	if status == event.TxIdle && s.queue.n == 0 {
		s.prepared.dropPortals()
	}
	s.unproven, s.early = s.unproven && s.queue.n > 0, nil
	s.emit(&event.SessionReady{Header: h, Conn: s.conn, Status: status})
}
