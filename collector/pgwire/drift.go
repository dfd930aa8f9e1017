package pgwire

import "tenantrace/collector/event"

// drift goes on after bytes of the server were not captured that held the headers of messages. While the server owes a single ReadyForQuery, and
// all that it answers came before, the end of its answer is where the session can be taken up again: what the client asked stays known, the rows
// seen so far stay evidence, and only outcomes are unseen. It reports false if the answers cannot be told apart: then the session is lost.
func (s *Session) drift() bool {
	if s.phase != running || s.queue.head() == nil || s.copying || s.front.open || s.front.have > 0 || s.owed() != 1 || !s.queue.at(s.queue.n-1).asksReady() {
		return false
	}
	s.adrift, s.framed = true, false
	s.back, s.tail, s.idle = stream{}, [6]byte{}, 0
	s.answer.cut = true
	if r := s.answer.copied; r != nil {
		r.stop()
	}
	return true
}

// asksReady tells whether the answer of p ends with ReadyForQuery.
func (p *pending) asksReady() bool {
	switch p.kind {
	case expectQuery, expectSync, expectFunction, expectStartup:
		return true
	}
	return false
}

// sql is the text of a statement, "" if it is not wholly known.
func (p *pending) sql() string {
	if p.kind != expectExecute {
		return p.text
	}
	if !p.portal.known || p.portal.cut {
		return ""
	}
	return p.portal.text
}

// owed counts the ReadyForQuery that are to come, up to 2.
func (s *Session) owed() int {
	n := 0
	for i := 0; i < s.queue.n && n < 2; i++ {
		if s.queue.at(i).asksReady() {
			n++
		}
	}
	return n
}

// driftOn looks for the end of the answer in what the server sends while adrift.
func (s *Session) driftOn(h event.Header, data []byte, gap int) {
	s.watch(data, gap)
	s.hidden = gap > 0
	if s.idle != 0 {
		s.land(h, event.TxStatus(statusText(s.idle)))
	}
}

// speaks acts on a write of the client while the server's bytes are adrift: if they ended in ones that were not captured, the answer's end was among
// them. Whether it was is proven only by the next ReadyForQuery: until then no row is kept.
func (s *Session) speaks(h event.Header, data []byte) {
	if !s.hidden || len(data) == 0 || !plausibleStart(data) {
		s.lose(h, FromServer)
		return
	}
	s.land(h, event.TxUnknown)
	s.unproven = true
}

// land ends the drift: what was in flight has run, or not.
func (s *Session) land(h event.Header, status event.TxStatus) {
	s.adrift, s.hidden, s.framed = false, false, true
	s.back, s.tail, s.idle = stream{}, [6]byte{}, 0
	for i := range s.queue.n {
		switch p := s.queue.at(i); p.kind {
		case expectParse:
			if p.statement.before != nil {
				s.prepared.release(p.statement) // the name may still be the other's
			}
			p.statement.confirmed = true
		case expectQuery, expectExecute:
			if text := p.sql(); text == "" || mentions(text, "prepare") {
				s.prepared.doubt()
			}
			s.tables.forgetRelations()
		}
	}
	s.abandon(h)
	s.skipping, s.early, s.unproven = false, nil, false
	if status == event.TxIdle || status == event.TxUnknown {
		s.prepared.dropPortals()
	}
	s.emit(&event.SessionReady{Header: h, Conn: s.conn, Status: status})
}

// copyAdrift goes on after bytes of the client were not captured that held the headers of messages, while it sends COPY data: no message but that and
// its end can have been among them. What the client sends further is passed over until the server is ready.
func (s *Session) copyAdrift() bool {
	if s.phase != running || !s.copying {
		return false
	}
	s.copyLost = true
	s.front = stream{}
	s.answer.cut = true
	if r := s.answer.copied; r != nil {
		r.stop()
	}
	return true
}
