package mysqlwire

import "tenantrace/collector/event"

// answered acts on a message that is no error. What does not fit loses the session.
func (s *Session) answered(h event.Header, p *pending, body []byte) {
	fits := true
	switch a := &s.answer; a.step {
	case stepFirst:
		fits = s.first(h, p, body)
	case stepParams:
		if a.todo--; a.todo == 0 {
			s.parametersEnd(p)
		}
	case stepParamsEnd:
		a.step, a.todo = stepColumns, a.after
		if !s.isEOF() { // left out
			fits = s.definition(p, body)
		}
	case stepColumns:
		fits = s.definition(p, body)
	case stepColumnsEnd:
		a.step = stepRows
		if !s.isEOF() {
			fits = s.rows(h, p, body)
		} else if o := readEOF(body); o.flags&statusCursor != 0 {
			s.completed(h, p, o)
		}
	case stepRows:
		fits = s.rows(h, p, body)
	case stepInfileEnded:
		fits = s.okay(h, p, body)
	}
	if !fits {
		s.lose(h)
	}
}

// first acts on the first message of an answer.
func (s *Session) first(h event.Header, p *pending, body []byte) bool {
	kind := s.back.kind
	switch p.kind {
	case expectLogin, expectUser:
		return kind != headOK || s.okay(h, p, body) // anything else is part of the authentication
	case expectSession, expectDB:
		return s.okay(h, p, body)
	case expectOK:
		if s.isEOF() {
			s.done()
			return true
		}
		return s.okay(h, p, body)
	case expectText:
		s.done()
	case expectFields:
		if s.atEOF() {
			s.done()
		}
	case expectPrepare:
		return s.preparedOK(p, body)
	case expectFetch:
		s.answer.step, s.answer.set = stepRows, true
		return s.rows(h, p, body)
	default:
		return s.firstOfResult(h, p, body)
	}
	return true
}

// firstOfResult acts on OK, on a request for a file, and on a number of columns.
func (s *Session) firstOfResult(h event.Header, p *pending, body []byte) bool {
	a := &s.answer
	switch size := s.back.size; {
	case s.back.kind == headInfile && (p.kind == expectQuery || p.kind == expectExecute): // MariaDB prepares such statements, too
		a.step, a.cut = stepInfileEnded, true // rows come as a file, which is not read
		s.infile = true
		return true
	case s.back.kind == headOK && size >= okMin:
		return s.okay(h, p, body)
	case size > keepCount-1:
		return false
	}
	n, follow, ok := readCount(body)
	if !ok || n > maxColumns || s.back.cut {
		return false
	}
	a.set, a.binary = true, p.kind == expectExecute
	if follow {
		a.step, a.todo = stepColumns, n
		return true
	}
	a.step = stepColumnsEnd
	if a.columns = &(columns{n: n, partial: true}); p.statement != nil && p.statement.columns != nil && !s.unproven {
		if d := p.statement.columns; d.n == n {
			a.columns = d
		}
	}
	return true
}

// readCount reads a number of columns. With it, in the same message, it may be said whether their definitions follow: by MySQL in front of the number, by
// MariaDB behind it, if the login agreed that they may be left out.
func readCount(body []byte) (n int, follow, ok bool) {
	c := cursor{b: body}
	if len(body) >= 2 && (body[0] == 0 || body[0] == 1 && body[1] > 1) {
		follow = c.uint8() == 1
		n = int(min(c.lenenc(), maxColumns+1))
		return n, follow, !c.bad && len(c.b) == 0 && n > 0
	}
	n = int(min(c.lenenc(), maxColumns+1))
	follow = len(c.b) == 0 || c.uint8() == 1
	return n, follow, !c.bad && len(c.b) == 0 && n > 0
}

// definition acts on the definition of a column.
func (s *Session) definition(p *pending, body []byte) bool {
	a := &s.answer
	s.define(p, body, s.back.cut)
	if a.broken {
		return false
	}
	if a.todo--; a.todo > 0 {
		return true
	}
	d := s.described()
	if p.statement != nil && !s.unproven {
		s.prepared.setColumns(p.statement, d)
	}
	if p.kind == expectPrepare {
		s.endPrepare(p)
		return true
	}
	if a.from.size > 0 && p.traced <= maxTraced {
		s.descriptions.add(a.from, d)
	}
	a.columns, a.step = d, stepColumnsEnd
	return true
}

// rows acts on a row, or on the end of the rows.
func (s *Session) rows(h event.Header, p *pending, body []byte) bool {
	a := &s.answer
	switch {
	case s.isEOF():
		s.completed(h, p, readEOF(body))
		return true
	case s.atEOF():
		return s.okay(h, p, body)
	case a.binary && s.back.kind != headOK:
		return false
	}
	a.step = stepRows
	a.count++
	if s.back.keep == rowByRow {
		if s.row.bad || s.row.kept < len(a.columns.at) {
			a.cut = true
		} else {
			a.add(s.row.row)
		}
	} else if a.columns == nil {
		a.cut = true // its columns are not known
	}
	return true
}

// preparedOK acts on the first message of the answer to a Prepare: the statement's number, how many columns and parameters it has.
func (s *Session) preparedOK(p *pending, body []byte) bool {
	if size := s.back.size; s.back.kind != headOK || size != 12 && size != 13 {
		return false
	}
	c := cursor{b: body[1:]}
	st := p.statement
	st.id = c.uint32()
	fields, params := int(c.uint16()), int(c.uint16())
	follow := true
	if c.next(3); len(c.b) > 0 {
		follow = c.uint8() == 1
	}
	if c.bad || fields > maxColumns {
		return false
	}
	st.params, st.counted = params, true
	if len(st.types) != 2*params {
		s.prepared.setTypes(st, nil)
	}
	s.prepared.insert(st)
	a := &s.answer
	if !follow {
		params, fields = 0, 0
	}
	a.after = fields
	switch {
	case params > 0:
		a.step, a.todo = stepParams, params
	case fields > 0:
		a.step, a.todo = stepColumns, fields
	default:
		s.done()
	}
	return true
}

// parametersEnd acts on the last definition of a parameter.
func (s *Session) parametersEnd(p *pending) {
	if s.answer.step = stepParamsEnd; s.answer.after == 0 {
		s.endPrepare(p)
	}
}

// endPrepare ends the answer to a Prepare with its last definition.
func (s *Session) endPrepare(p *pending) {
	s.trails, s.trailer = s.caps&capDeprecateEOF == 0, p.next
	s.done()
}

// setColumns keeps the description of a statement's result, for executions whose answer leaves it out.
func (p *prepared) setColumns(st *statement, d *columns) {
	if st.columns == d {
		return
	}
	if st.columns != nil {
		p.held -= st.columns.size()
		st.held -= st.columns.size()
	}
	if st.columns = nil; p.holdFor(st, d.size()) {
		st.columns = d
	}
}
