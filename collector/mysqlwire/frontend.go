package mysqlwire

import "tenantrace/collector/event"

// Most bytes that are kept of a client's messages, beside SQL text.
const (
	keepLogin   = 16 << 10
	keepExecute = 64 << 10
	keepExtra   = 4 << 10 // attributes of a query, in front of its text
	keepName    = 1 + 4*maxName
	keepLong    = 7 + maxValue + 1
)

// Frontend takes bytes that the client sent: data, followed by gap bytes that were not captured. Calls are in the order of the bytes, and a call
// does not span two writes: a session that is late or lost begins with the first bytes of a call, unless Continues was called before. The server's answers come after
// what they answer.
func (s *Session) Frontend(h event.Header, data []byte, gap int) {
	if len(data) == 0 && gap <= 0 {
		return
	}
	within := s.within
	s.within = false
	switch {
	case s.phase == secured:
		s.giveUp(h, event.UnreadableTLS)
	case s.phase == lost:
		s.resync(data, len(data)+gap, within)
	}
	st := &s.front
	for len(data) > 0 && s.reading() {
		if st.due() {
			var complete, first bool
			before := st.seq
			if data, complete, first = st.header(data); !complete {
				break
			}
			if !s.numbered(before, first) {
				s.lose(h)
				return
			}
			if !first && st.left == 0 || first && st.size == 0 {
				s.clientMessage(h, st.buf)
			}
			continue
		}
		if !st.begun {
			st.begin(data[0], 0)
			if s.command() && !commandPlausible(st.kind, st.size) {
				s.lose(h)
				return
			}
			st.keep = s.keepOfClient()
		}
		body, rest, complete := st.take(data)
		data = rest
		if complete {
			s.clientMessage(h, body)
		}
	}
	if gap <= 0 || !s.reading() {
		return
	}
	if !st.begun || gap > st.left {
		s.lose(h)
		return
	}
	if body, complete := st.skip(gap); complete {
		s.clientMessage(h, body)
	}
}

// Continues says that the next call of Frontend does not begin with the beginning of a write.
func (s *Session) Continues() { s.within = true }

// reading tells whether the client's bytes are read.
func (s *Session) reading() bool { return s.phase == greeted || s.phase == running }

// numbered tells whether the number of the client's packet is what it must be. Those of a login follow the server's.
func (s *Session) numbered(before byte, first bool) bool {
	st := &s.front
	switch {
	case !first:
		return st.seq == before+1
	case s.command():
		return st.seq == 0
	case s.infile:
		return true
	}
	return st.seq > 0
}

// command tells whether the client's message is a command, and not part of an exchange.
func (s *Session) command() bool {
	return s.phase == running && !s.infile && !(s.inLogin() && s.front.seq > 0)
}

// inLogin tells whether what the server answers now is a login.
func (s *Session) inLogin() bool {
	p := s.commands.head()
	return p != nil && (p.kind == expectLogin || p.kind == expectUser)
}

// keepOfClient says how much of the client's message is kept.
func (s *Session) keepOfClient() int {
	if s.phase == greeted {
		return keepLogin
	}
	if !s.command() {
		return 0
	}
	switch s.front.kind {
	case comQuery:
		return 1 + keepExtra + s.cfg.MaxText + 1
	case comPrepare:
		return 1 + s.cfg.MaxText + 1
	case comExecute, comBulkExecute:
		return keepExecute
	case comChangeUser:
		return keepLogin
	case comInitDB:
		return keepName
	case comLongData:
		return keepLong
	case comClose, comReset, comFetch:
		return 5
	}
	return 0
}

// clientMessage acts on the message that s.front completed.
func (s *Session) clientMessage(h event.Header, body []byte) {
	st := &s.front
	switch {
	case s.phase == greeted:
		s.login(h, body, st.cut)
		clear(st.buf)
	case s.infile:
		s.infile = st.size > 0
		s.answeredBy()
	case !s.command():
		s.answeredBy()
	case st.size == 0:
		s.lose(h)
		return
	default:
		s.act(h, body, st.cut)
	}
	if s.phase != lost {
		st.end()
	}
}

// answeredBy notes what number the server's next packet has: it follows the client's.
func (s *Session) answeredBy() {
	if p := s.commands.head(); p != nil {
		p.next = s.front.seq + 1
	}
}

// act acts on a command. body is it, as far as it was kept.
func (s *Session) act(h event.Header, body []byte, cut bool) {
	switch s.front.kind {
	case comQuit:
		s.Close(h)
	case comQuery:
		s.query(h, body[1:], cut)
	case comPrepare:
		s.prepare(h, body[1:], cut)
	case comExecute:
		s.execute(h, body[1:], cut)
	case comBulkExecute:
		s.bulk(h, body[1:], cut)
	case comFetch:
		s.fetch(h, body[1:])
	case comLongData:
		s.longData(body[1:], cut)
	case comClose:
		if c := (cursor{b: body[1:]}); len(c.b) >= 4 {
			s.prepared.close(c.uint32())
		}
	case comReset:
		if c := (cursor{b: body[1:]}); len(c.b) >= 4 {
			st := s.prepared.statement(c.uint32())
			s.prepared.forgetLong(st)
			s.prepared.openCursor(st, nil)
		}
		s.expect(h, pending{kind: expectOK})
	case comInitDB:
		s.expect(h, pending{kind: expectDB, database: string(body[1:]), unknown: cut})
	case comChangeUser:
		s.changeUser(h, body)
		clear(s.front.buf)
	case comResetSession:
		s.expect(h, pending{kind: expectSession})
	case comFieldList:
		s.expect(h, pending{kind: expectFields})
	case comProcessInfo:
		s.expect(h, pending{kind: expectQuery})
	case comStatistics:
		s.expect(h, pending{kind: expectText})
	case comBinlogDump, comBinlogDumpGTID:
		s.giveUp(h, event.UnreadableReplication)
	default:
		s.expect(h, pending{kind: expectOK})
	}
}

// query acts on COM_QUERY: a text, behind attributes if the login agreed on them.
func (s *Session) query(h event.Header, body []byte, cut bool) {
	body, ok := s.behindAttributes(body)
	if !ok {
		body, cut = nil, true
	}
	if len(body) > s.cfg.MaxText {
		body, cut = body[:s.cfg.MaxText], true
	}
	text := string(body)
	s.seq++
	s.emit(&event.Statement{Header: h, Conn: s.conn, Seq: s.seq, Simple: true, Text: text, Cut: cut})
	p := pending{kind: expectQuery, seq: s.seq, cut: true}
	if !cut && s.prepared.spare(len(text)) {
		p.text, p.cut = text, false
	}
	s.expect(h, p)
}

// prepare acts on COM_STMT_PREPARE: a text.
func (s *Session) prepare(h event.Header, body []byte, cut bool) {
	if len(body) > s.cfg.MaxText {
		body, cut = body[:s.cfg.MaxText], true
	}
	st := &statement{text: string(body), cut: cut, known: true}
	if s.prepared.hold(len(st.text)) {
		st.held = len(st.text)
	} else {
		st.text, st.cut, st.known = "", false, false
	}
	s.prepared.last = st
	s.expect(h, pending{kind: expectPrepare, statement: st})
}

// fetch acts on COM_STMT_FETCH: a statement's number, and how many rows.
func (s *Session) fetch(h event.Header, body []byte) {
	c := cursor{b: body}
	st := &statement{gone: true}
	if id := c.uint32(); !c.bad {
		st = s.prepared.statement(id)
	}
	s.seq++
	s.emit(&event.Statement{Header: h, Conn: s.conn, Seq: s.seq, Text: st.text, Cut: st.cut, NoText: !st.known, Params: st.cursor, Resumed: true})
	s.expect(h, pending{kind: expectFetch, seq: s.seq, statement: st})
}

// longData acts on COM_STMT_SEND_LONG_DATA: a statement's number, a parameter's, and a part of its value.
func (s *Session) longData(body []byte, cut bool) {
	c := cursor{b: body}
	id, param := c.uint32(), int(c.uint16())
	if c.bad {
		return
	}
	s.prepared.addLong(s.prepared.statement(id), param, c.b, cut)
}
