package mysqlwire

import "tenantrace/collector/event"

// Most bytes that are kept of a server's messages.
const (
	keepOK    = 16 << 10 // with what session tracking reports
	keepError = 16       // number and SQLSTATE come first
	keepCount = 12
)

// rowByRow in stream.keep marks a row that the row reader takes instead of the stream.
const rowByRow = -1

// Backend takes bytes that the server sent: data, followed by gap bytes that were not captured.
func (s *Session) Backend(h event.Header, data []byte, gap int) {
	st := &s.back
	for len(data) > 0 && s.listening() {
		if st.due() {
			if data = s.wholeRows(s.wholeDefinitions(data)); len(data) == 0 {
				break
			}
			var complete, first bool
			if data, complete, first = st.header(data); !complete {
				break
			}
			if !s.serverNumbered(first) {
				s.lose(h)
				return
			}
			switch {
			case first && st.size == 0:
				st.begin(0, 0)
				s.serverMessage(h, nil)
			case !first && st.left == 0:
				s.serverMessage(h, st.buf)
			}
			continue
		}
		if !st.begun {
			st.begin(data[0], 0)
			s.beginAnswer()
		}
		if st.keep == rowByRow {
			n := min(st.left, len(data))
			s.row.feed(s.answer.columns, data[:n])
			data = data[n:]
			st.left -= n
			if st.left == 0 && !st.more {
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
	if gap <= 0 || !s.listening() {
		return
	}
	if !st.begun || gap > st.left {
		s.loseServer(h)
		return
	}
	if st.keep == rowByRow {
		s.row.gap(s.answer.columns, gap)
	}
	if body, complete := st.skip(gap); complete {
		s.serverMessage(h, body)
	}
}

// listening tells whether the server's bytes are read.
func (s *Session) listening() bool {
	return s.phase == starting || s.phase == greeted || s.phase == running
}

// serverNumbered tells whether the number of the server's packet is what it must be: the exchange's numbers go on from one side to the other. What
// the server says unasked, such as why it ends the connection, has any.
func (s *Session) serverNumbered(first bool) bool {
	p := s.commands.head()
	if s.trails {
		s.trails = false
		s.trailing = first && s.back.seq == s.trailer
		if s.trailing {
			return true
		}
	}
	if p == nil {
		return true
	}
	if s.back.seq != p.next {
		return false
	}
	p.next++
	return true
}

// beginAnswer says what is kept of the message whose first byte was read.
func (s *Session) beginAnswer() {
	st, a := &s.back, &s.answer
	p := s.commands.head()
	switch {
	case s.trailing:
	case p == nil:
		st.keep = greetingMax
	case st.kind == headError:
		st.keep = keepError
	case a.step == stepColumns, a.step == stepParamsEnd && !s.atEOF():
		st.keep = keepDefinition
	case a.step == stepFirst && st.kind == headOK && p.kind != expectFetch, a.step == stepInfileEnded, s.atEOF() && !s.inLogin():
		st.keep = keepOK
	case a.step == stepFirst && (p.kind == expectQuery || p.kind == expectExecute):
		st.keep = keepCount
	default:
		s.beginRow(p)
	}
}

// atEOF tells whether the message is EOF, or OK in its place. A row that begins with this byte has a value of 16 MiB or more.
func (s *Session) atEOF() bool { return s.back.kind == headEOF && s.back.size < maxPayload }

// beginRow begins a row, if the message is one.
func (s *Session) beginRow(p *pending) {
	a := &s.answer
	switch {
	case a.step == stepFirst && p.kind == expectFetch && p.statement.columns != nil:
		a.columns, a.binary = p.statement.columns, true
	case a.step != stepRows && a.step != stepColumnsEnd:
		return
	}
	if a.wantsRows() && !s.unproven {
		s.back.keep = rowByRow
		s.row.begin(a.binary)
	}
}

// serverMessage acts on the message that s.back completed.
func (s *Session) serverMessage(h event.Header, body []byte) {
	st := &s.back
	p := s.commands.head()
	switch {
	case s.trailing:
		s.trailing = false
		if !s.isEOF() {
			s.lose(h)
		}
	case s.phase == starting:
		s.greet(h, body)
		clear(st.buf)
	case p == nil:
		if st.kind != headError { // it says why it ends the connection
			s.lose(h)
		}
	case st.kind == headError:
		s.failure(h, p, body)
	default:
		s.answered(h, p, body)
	}
	if s.phase != lost {
		st.end()
	}
}

// greet acts on the server's first message: the greeting, or why there is none.
func (s *Session) greet(h event.Header, body []byte) {
	switch s.back.kind {
	case protocolVersion:
		s.greeting = readGreeting(body)
		s.phase = greeted
	case headError:
		s.phase = over
	default:
		s.lose(h)
	}
}

// isEOF tells whether the message is EOF as it was before OK took its place.
func (s *Session) isEOF() bool { return s.back.kind == headEOF && s.back.size == eofSize }
