package pgwire

import (
	"bytes"

	"tenantrace/collector/event"
)

// Most bytes that are kept of a client's message bodies.
const (
	keepBind  = 64 << 10
	keepNames = 2*maxName + 16
)

// Frontend takes bytes that the client sent: data, followed by gap bytes that were not captured. Calls are in the order of the bytes, and a call
// does not span two writes: a session that is late or lost begins with the first bytes of a call. The server's answers come after what they answer.
func (s *Session) Frontend(h event.Header, data []byte, gap int) {
	if len(data) == 0 && gap <= 0 {
		return
	}
	if s.phase == lost && !s.beginQuiet(data, gap) && !s.resync(h, data) {
		return
	}
	if s.phase == starting {
		data, gap = s.startup(h, data, gap)
	}
	if s.adrift {
		s.speaks(h, data)
	}
	st := &s.front
	for len(data) > 0 && s.phase == running && !s.copyLost {
		if !st.open {
			var complete bool
			if data, complete = st.header(data); !complete {
				break
			}
			if !frontendPlausible(st.head[0], messageSize(st.head[:])) {
				s.lose(h, FromClient)
				return
			}
			st.begin(s.keepOfClient(st.head[0]))
		}
		if st.keep == byPiece {
			n := min(st.left, len(data))
			s.copyReader().piece(data[:n], 0)
			data = data[n:]
			if st.left -= n; st.left == 0 {
				s.clientMessage(h, nil)
			}
			continue
		}
		body, rest, complete := st.take(data)
		data = rest
		if complete {
			s.clientMessage(h, body)
		}
	}
	if gap <= 0 || s.phase != running || s.copyLost {
		return
	}
	if !st.open || gap > st.left {
		if !s.copyAdrift() {
			s.lose(h, FromClient)
		}
		return
	}
	if st.keep == byPiece {
		s.copyReader().piece(nil, gap)
	}
	if body, complete := st.skip(gap); complete {
		s.clientMessage(h, body)
	}
}

// keepOfClient says how much of a message's body is kept.
func (s *Session) keepOfClient(kind byte) int {
	switch kind {
	case 'Q':
		return s.cfg.MaxText + 1
	case 'P':
		return s.cfg.MaxText + keepNames
	case 'B':
		return keepBind
	case 'D', 'E', 'C':
		return keepNames
	case 'd':
		if s.copying && s.answer.copied != nil || !s.copying && s.copyEarly() {
			return byPiece
		}
	}
	return 0
}

// clientMessage acts on the message that s.front completed.
func (s *Session) clientMessage(h event.Header, body []byte) {
	kind, cut := s.front.kind, s.front.cut
	switch {
	case kind == 'S':
		s.sync(h)
	case kind == 'Q':
		s.query(h, body, cut)
	case kind == 'E':
		s.execute(h, body)
	case kind == 'X':
		s.Close(h)
	case kind == 'c' || kind == 'f':
		if r := s.copyReader(); r != nil {
			r.end()
		}
		if s.copying {
			s.copying = false
		} else {
			s.expect(h, pending{kind: expectNothing})
		}
	case s.skipping: // the server does not look at it
	case kind == 'P':
		s.parse(h, body)
	case kind == 'B':
		s.bind(h, body, cut)
	case kind == 'D':
		s.describeTarget(h, body)
	case kind == 'C':
		s.closeTarget(h, body)
	case kind == 'F':
		s.expect(h, pending{kind: expectFunction})
	}
	s.front.end()
}

func (s *Session) sync(h event.Header) {
	s.skipping = false
	if !s.copying {
		s.expect(h, pending{kind: expectSync})
	}
}

// query acts on Query: a text.
func (s *Session) query(h event.Header, body []byte, cut bool) {
	if i := bytes.IndexByte(body, 0); i >= 0 {
		body, cut = body[:i], false
	}
	if len(body) > s.cfg.MaxText {
		body, cut = body[:s.cfg.MaxText], true
	}
	text := s.sameText(body)
	s.seq++
	s.emit(&event.Statement{Header: h, Conn: s.conn, Seq: s.seq, Simple: true, Text: text, Cut: cut})
	p := pending{kind: expectQuery, seq: s.seq}
	if s.skipping {
		s.skip(h, &p)
		return
	}
	if !cut && s.prepared.spare(len(text)) {
		p.text = text
	}
	s.expect(h, p)
}

// maxSame is the longest text that is kept in case it comes again.
const maxSame = 2 << 10

// sameText gives b as a string. That of the last text is not made again.
func (s *Session) sameText(b []byte) string {
	if string(b) == s.text {
		return s.text
	}
	text := string(b)
	if len(text) <= maxSame {
		s.text = text
	}
	return text
}

// parse acts on Parse: the statement's name, its text, and the types of its parameters.
func (s *Session) parse(h event.Header, body []byte) {
	c := cursor{b: body}
	name := c.text()
	st := &statement{name: string(name), known: !c.bad}
	text := c.text()
	st.cut = c.bad
	if len(text) > s.cfg.MaxText {
		text, st.cut = text[:s.cfg.MaxText], true
	}
	st.text = s.sameText(text)
	if n := int(c.uint16()); n > 0 && 4*n <= len(c.b) {
		st.params = make([]uint32, n)
		for i := range st.params {
			st.params[i] = c.uint32()
		}
	}
	if !st.known {
		// The name was not captured: it may be that of any statement.
		s.prepared.forgetStatements()
		s.expect(h, pending{kind: expectParse, statement: &statement{gone: true}})
		return
	}
	s.prepared.define(st)
	s.expect(h, pending{kind: expectParse, statement: st})
}

// bind acts on Bind: names of portal and statement, parameter formats and values, result formats.
func (s *Session) bind(h event.Header, body []byte, cut bool) {
	c := cursor{b: body}
	po := &portal{name: string(c.text())}
	if c.bad {
		// The name was not captured: it may be that of any portal.
		s.prepared.dropPortals()
		po.of = &statement{}
		s.expect(h, pending{kind: expectBind, portal: po})
		return
	}
	if of := c.text(); !c.bad {
		po.of = s.prepared.statement(of)
	} else {
		po.of = &statement{}
	}
	if po.of.known {
		po.text, po.cut, po.known = po.of.text, po.of.cut, true
	}
	codes := readFormats(&c)
	po.params = s.params(&c, po.of.params, &codes, cut)
	po.formats = readFormats(&c)
	s.prepared.bind(po)
	s.expect(h, pending{kind: expectBind, portal: po})
}

// params reads the bind values. Those that were not captured are there, but not known.
func (s *Session) params(c *cursor, types []uint32, codes *formats, cut bool) []event.Param {
	n := int(c.uint16())
	size := n
	if !cut {
		size = min(n, len(c.b)/4) // each value takes four bytes or more
	}
	if size == 0 {
		return nil
	}
	params := make([]event.Param, size)
	for i := range params {
		p := &params[i]
		if i < len(types) {
			p.OID = types[i]
		}
		length := int32(c.uint32())
		if c.bad {
			continue
		}
		if length == -1 {
			p.Null, p.Known = true, true
			continue
		}
		raw := c.next(int(length))
		if c.bad {
			continue
		}
		if s.scratch, p.Known = appendParam(s.scratch[:0], p.OID, codes.at(i), raw); p.Known {
			p.Value = string(s.scratch)
		}
	}
	return params
}

// execute acts on Execute: the portal's name and a limit of rows.
func (s *Session) execute(h event.Header, body []byte) {
	c := cursor{b: body}
	name := c.text()
	var po *portal
	if c.bad {
		po = &portal{of: &statement{}, formats: formats{all: unreadable}}
	} else {
		po = s.prepared.portal(name)
	}
	s.seq++
	st := &event.Statement{
		Header: h, Conn: s.conn, Seq: s.seq, Portal: po.name, Resumed: po.executed,
		Text: po.text, Cut: po.cut, NoText: !po.known, Params: po.params,
	}
	s.emit(st)
	p := pending{kind: expectExecute, seq: s.seq, portal: po}
	if s.skipping {
		s.skip(h, &p)
		return
	}
	po.executed = true
	s.expect(h, p)
}

// describeTarget acts on Describe: 'S' and a statement's name, or 'P' and a portal's.
func (s *Session) describeTarget(h event.Header, body []byte) {
	c := cursor{b: body}
	what, name := c.uint8(), c.text()
	p := pending{kind: expectDescription}
	switch {
	case c.bad:
		// Of what was not captured; with expectDescription either kind of answer fits.
		p.statement = &statement{gone: true}
	case what == 'S':
		p.statement = s.prepared.statement(name)
	default:
		p.kind, p.portal = expectPortalColumns, s.prepared.portal(name)
	}
	s.expect(h, p)
}

// closeTarget acts on Close: as Describe.
func (s *Session) closeTarget(h event.Header, body []byte) {
	c := cursor{b: body}
	switch what, name := c.uint8(), c.text(); {
	case c.bad:
	case what == 'S':
		s.prepared.close(name)
	case what == 'P':
		s.prepared.closePortal(name)
	}
	s.expect(h, pending{kind: expectClose})
}
