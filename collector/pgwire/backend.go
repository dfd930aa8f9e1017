package pgwire

import (
	"strings"

	"tenantrace/collector/event"
)

// Most bytes that are kept of a server's message bodies.
const (
	keepDescription = 64 << 10
	keepSetting     = 4 << 10
	keepError       = 512 // severity and SQLSTATE come first
	keepTag         = 128
)

// Backend takes bytes that the server sent: data, followed by gap bytes that were not captured.
func (s *Session) Backend(h event.Header, data []byte, gap int) {
	if s.phase == starting && s.asked != 0 {
		data, gap = s.encryptionAnswer(h, data, gap)
	}
	s.quiet = false
	if s.phase == lost && !s.framed {
		s.watch(data, gap)
		return
	}
	if s.adrift {
		s.driftOn(h, data, gap)
		return
	}
	st := &s.back
	for len(data) > 0 && s.phase != over && s.framed {
		if !st.open {
			if data = s.wholeRows(data); len(data) == 0 {
				break
			}
			var complete bool
			if data, complete = st.header(data); !complete {
				break
			}
			if !backendPlausible(st.head[0], messageSize(st.head[:])) {
				s.lose(h, FromServer)
				return
			}
			s.beginAnswer()
		}
		if st.keep == byPiece {
			n := min(st.left, len(data))
			if st.kind == 'D' {
				s.row.feed(&s.answer, data[:n])
			} else {
				s.answer.copied.piece(data[:n], 0)
			}
			data = data[n:]
			st.left -= n
			if st.left == 0 {
				s.serverMessage(h, nil)
			}
			continue
		}
		body, rest, complete := st.take(data)
		data = rest
		if complete {
			s.serverMessage(h, body)
		}
	}
	if gap <= 0 || s.phase == over || !s.framed {
		return
	}
	if !st.open || gap > st.left {
		if s.drift() {
			s.hidden = true
		} else {
			s.lose(h, FromServer)
		}
		return
	}
	if st.keep == byPiece {
		if st.kind == 'D' {
			s.row.gap(&s.answer, gap)
		} else {
			s.answer.copied.piece(nil, gap)
		}
	}
	if body, complete := st.skip(gap); complete {
		s.serverMessage(h, body)
	}
}

// byPiece in stream.keep marks a DataRow or CopyData that a reader of rows takes instead of the stream.
const byPiece = -1

// beginAnswer opens the body of the message whose header was read.
func (s *Session) beginAnswer() {
	keep := 0
	kind := s.back.head[0]
	switch kind {
	case 'T', 't':
		keep = keepDescription
	case 'S':
		keep = keepSetting
	case 'E':
		keep = keepError
	case 'C':
		keep = keepTag
	case 'G', 'H', 'W':
		keep = keepCopy
	case 'd':
		if s.answer.copied != nil && s.answer.copy != event.CopyIn {
			keep = byPiece
		}
	case 'Z':
		keep = 1
	case 'D':
		if p := s.queue.head(); p != nil && (p.kind == expectQuery || p.kind == expectExecute) {
			s.answer.of(p)
			if s.unproven {
				s.answer.cut = true
			} else if s.answer.wantsRows() {
				keep = byPiece
				s.row.begin()
			}
		}
	}
	if s.phase == lost {
		keep = min(keep, 1)
		keep = max(keep, 0)
	}
	s.back.begin(keep)
}

// serverMessage acts on the message that s.back completed.
func (s *Session) serverMessage(h event.Header, body []byte) {
	kind := s.back.kind
	switch {
	case s.phase == lost:
		s.pastMessage(kind, body)
	case kind == 'S':
		s.setting(h, body)
	case kind == 'N' || kind == 'A':
	case kind == 'E':
		s.failure(h, body)
	case !s.fits(kind):
		s.lose(h, FromClient)
		s.pastMessage(kind, body)
	default:
		s.answered(h, kind, body)
	}
	s.back.end()
}

// pastMessage follows the server while the session is lost: idle after ReadyForQuery, until it sends something else that is no notice.
func (s *Session) pastMessage(kind byte, body []byte) {
	switch kind {
	case 'Z':
		s.idle = 0
		if len(body) == 1 && statusText(body[0]) != "" {
			s.idle = body[0]
		}
	case 'S', 'N', 'A':
	default:
		s.idle = 0
	}
}

// fits tells whether a message can be an answer to what the server answers now.
func (s *Session) fits(kind byte) bool {
	p := s.queue.head()
	if p == nil {
		return kind == 'Z' && s.copyLost // the Sync that it answers was not captured
	}
	switch kind {
	case 'R', 'K', 'v':
		return p.kind == expectStartup
	case '1':
		return p.kind == expectParse
	case '2':
		return p.kind == expectBind
	case '3':
		return p.kind == expectClose
	case 't':
		return p.kind == expectDescription
	case 'n':
		return p.kind == expectDescription || p.kind == expectPortalColumns
	case 'T':
		return p.kind == expectDescription || p.kind == expectPortalColumns || p.kind == expectQuery && !p.failed
	case 's':
		return p.kind == expectExecute
	case 'D', 'C', 'I', 'G', 'H', 'W', 'd', 'c':
		return p.kind == expectExecute || p.kind == expectQuery && !p.failed
	case 'V':
		return p.kind == expectFunction
	case 'Z':
		return p.kind == expectSync || p.kind == expectQuery || p.kind == expectFunction || p.kind == expectStartup
	}
	return false
}

// answered acts on a message that fits the head of the queue.
func (s *Session) answered(h event.Header, kind byte, body []byte) {
	p := s.queue.head()
	switch kind {
	case '1':
		s.prepared.confirm(p.statement)
		s.done()
	case '2', '3':
		s.done()
	case 't':
		s.parameters(p.statement, body)
	case 'n':
		s.described(p, s.answer.nothing())
	case 'T':
		s.rowDescription(p, body)
	case 'D':
		s.answer.count++
		if s.back.keep == byPiece {
			s.row.end(&s.answer)
		}
	case 'C', 'I', 's':
		s.completed(h, p, kind, body)
	case 'G':
		s.copying = !s.queue.dropIgnoredSyncs()
		s.beginCopy(s.queue.head(), false, body)
	case 'H':
		s.beginCopy(p, true, body)
	case 'W':
		s.answer.cut = true // a stream of replication
	case 'c':
		if s.answer.copied != nil {
			s.answer.copied.end()
		}
	case 'Z':
		s.ready(h, p, body)
	}
}

// setting emits a ParameterStatus.
func (s *Session) setting(h event.Header, body []byte) {
	c := cursor{b: body}
	name, value := string(c.text()), string(c.text())
	if !c.bad {
		switch name {
		case "client_encoding":
			s.wide = wide(value)
		case "standard_conforming_strings":
			s.backslashes = value != "on"
		}
		s.emit(&event.SessionSetting{Header: h, Conn: s.conn, Name: strings.ToLower(name), Value: value})
	}
}

// parameters takes the parameter types of a statement from its ParameterDescription.
func (s *Session) parameters(st *statement, body []byte) {
	c := cursor{b: body}
	n := int(c.uint16())
	if st.gone || n != len(c.b)/4 || n <= len(st.params) && !has(st.params, 0) {
		return
	}
	if more := 4 * (n - len(st.params)); more > 0 {
		if !s.prepared.hold(more) {
			return
		}
		st.held += more
	}
	st.params = make([]uint32, n)
	for i := range st.params {
		st.params[i] = c.uint32()
	}
}

func has(list []uint32, x uint32) bool {
	for _, y := range list {
		if y == x {
			return true
		}
	}
	return false
}

// rowDescription takes the columns of a Query's next result, or of the statement or portal that was described.
func (s *Session) rowDescription(p *pending, body []byte) {
	switch p.kind {
	case expectQuery:
		s.answer.describedAs(s.describe(body, s.back.cut, p.text))
	case expectDescription:
		s.described(p, s.describe(body, s.back.cut, p.statement.wholeText()))
	default:
		s.described(p, s.describe(body, s.back.cut, p.portal.of.wholeText()))
	}
}

// wholeText is the text of st, "" if it is not wholly known.
func (st *statement) wholeText() string {
	if st.cut || !st.known {
		return ""
	}
	return st.text
}

// described ends a Describe. What a portal gives, all portals of its statement give, with the formats of their own.
func (s *Session) described(p *pending, d *columns) {
	if p.kind == expectDescription {
		p.statement.columns = d
	} else {
		p.portal.columns = d
		if of := p.portal.of; of.columns == nil && of.known && of.text == p.portal.text && !varies(of.text) {
			of.columns = d
		}
	}
	s.done()
}

// varies tells whether what text gives may differ from one execution to the next: the rows of a cursor or of another statement that has the name then.
func varies(text string) bool {
	l := lexer{text: text}
	l.blank()
	verb := l.name()
	return l.bad || strings.EqualFold(verb, "fetch") || strings.EqualFold(verb, "execute")
}
