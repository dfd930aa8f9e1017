package mysqlwire

import (
	"slices"

	"tenantrace/collector/event"
)

// Flags of COM_STMT_EXECUTE and of MariaDB's COM_STMT_BULK_EXECUTE.
const (
	executeCursor  = 7 // a cursor is opened, of one kind or another
	executeCounted = 8 // the number of parameters is sent: attributes follow those of the statement
	bulkTypes      = 128
)

// maxParams is the most parameters that a statement can have: their number has two bytes.
const maxParams = 1<<16 - 1

// execute acts on COM_STMT_EXECUTE: a statement's number, flags, a count that is always 1, and the values.
func (s *Session) execute(h event.Header, body []byte, cut bool) {
	c := cursor{b: body}
	st := &statement{gone: true}
	id := c.uint32()
	flags := c.uint8()
	c.next(4)
	if !c.bad {
		st = s.prepared.statement(id)
	}
	params := s.params(&c, st, flags&executeCounted != 0, cut)
	s.prepared.forgetLong(st)
	if flags&executeCursor != 0 {
		s.prepared.openCursor(st, params)
	} else {
		s.prepared.openCursor(st, nil)
	}
	s.executed(h, st, &event.Statement{Params: params})
}

// executed emits an execution of st.
func (s *Session) executed(h event.Header, st *statement, e *event.Statement) {
	s.seq++
	e.Header, e.Conn, e.Seq = h, s.conn, s.seq
	e.Text, e.Cut, e.NoText = st.text, st.cut, !st.known
	s.emit(e)
	s.expect(h, pending{kind: expectExecute, seq: s.seq, statement: st})
}

// params reads the values that a statement is executed with. Those that were not captured are there, but not known.
func (s *Session) params(c *cursor, st *statement, counted, cut bool) []event.Param {
	n := st.params
	if !st.counted {
		// Sent together with the statement, before the server said how many there are (MariaDB).
		n = placeholders(st.text)
		if cut || st.cut || !st.known || !st.fits(*c, n) {
			return nil
		}
	}
	total := n
	if counted {
		if total = int(min(c.lenenc(), maxParams)); total < n {
			c.bad = true
		}
	}
	if n == 0 || (total+7)/8 > len(c.b) {
		return nil
	}
	out := make([]event.Param, n)
	nulls := c.next((total + 7) / 8)
	if fresh := c.uint8(); fresh == 1 {
		s.bindTypes(c, st, n, total, counted)
	} else if fresh != 0 {
		c.bad = true
	}
	if c.bad || st.lostLong || len(st.types) != 2*n {
		return out
	}
	for i := range out {
		if l := st.longValue(i); l != nil {
			out[i] = l.whole()
		} else if isNull(nulls, i, 0) {
			out[i] = event.Param{Null: true, Known: true}
		} else {
			out[i] = s.param(c, st.types[2*i], st.types[2*i+1])
		}
		if c.bad {
			break
		}
	}
	return out
}

// bindTypes reads the types of the values: of the statement's parameters, then of attributes, which have names as well.
func (s *Session) bindTypes(c *cursor, st *statement, n, total int, named bool) {
	types := make([]byte, 0, 2*min(n, len(c.b)/2))
	for i := range total {
		t := c.next(2)
		if named {
			c.str()
		}
		if c.bad {
			return
		}
		if i < n {
			types = append(types, t...)
		}
	}
	s.prepared.setTypes(st, types)
}

// setTypes keeps the types of a statement's parameters for executions that do not send them again.
func (p *prepared) setTypes(st *statement, types []byte) {
	if slices.Equal(types, st.types) {
		return
	}
	p.held -= len(st.types)
	st.held -= len(st.types)
	if st.types = nil; st.gone || p.holdFor(st, len(types)) {
		st.types = types
	}
}

// isNull reads a bit of a bitmap of NULLs.
func isNull(nulls []byte, i, offset int) bool {
	i += offset
	return i/8 < len(nulls) && nulls[i/8]>>(i%8)&1 != 0
}

// sendable tells whether a parameter can have a type. What servers make of the others differs: where the values behind such a one stand is not known.
func sendable(kind byte) bool {
	switch kind {
	case typeInt24, typeYear, typeBit, typeNewDate, typeBool:
		return false
	}
	return true
}

// param reads one value. flags has the bit for unsigned numbers.
func (s *Session) param(c *cursor, kind, flags byte) event.Param {
	if !sendable(kind) {
		c.b, c.bad = nil, true
		return event.Param{}
	}
	raw := c.value(kind)
	if c.bad {
		return event.Param{}
	}
	if kind == typeNull {
		return event.Param{Null: true, Known: true}
	}
	what := column{kind: kind, unsigned: flags&0x80 != 0, charset: charsetUnknown}
	if kind >= typeTinyBlob && kind <= typeBlob {
		what.charset = charsetBinary
	}
	var ok bool
	if s.scratch, ok = appendValue(s.scratch[:0], what, true, raw); !ok {
		return event.Param{}
	}
	return event.Param{Known: true, Value: string(s.scratch)}
}

// value reads the bytes of a value of the binary protocol.
func (c *cursor) value(kind byte) []byte {
	switch n := width(kind); n {
	case widthString:
		return c.str()
	case widthTime:
		return c.next(int(c.uint8()))
	default:
		return c.next(n)
	}
}

// stringParam gives a value that came as a string.
func stringParam(raw []byte) event.Param {
	text, ok := appendText(nil, column{kind: typeString, charset: charsetUnknown}, raw)
	if !ok {
		return event.Param{}
	}
	return event.Param{Known: true, Value: string(text)}
}

// fits tells whether c can be exactly the values of n parameters, with their types.
func (st *statement) fits(c cursor, n int) bool {
	if n == 0 {
		return len(c.b) == 0
	}
	nulls := c.next((n + 7) / 8)
	if c.uint8() != 1 {
		return false
	}
	types := c.next(2 * n)
	for i := range n {
		if c.bad {
			return false
		}
		if !isNull(nulls, i, 0) && st.longValue(i) == nil {
			c.value(types[2*i])
		}
	}
	return !c.bad && len(c.b) == 0
}

// behindAttributes gives the text of a query behind its attributes: their number, a number of sets that is always 1, and if there are any, values as
// in COM_STMT_EXECUTE. False: the text was not captured. While the login is not known, the first byte tells: no text begins with a small number.
func (s *Session) behindAttributes(body []byte) ([]byte, bool) {
	if s.caps != 0 && s.caps&capQueryAttributes == 0 {
		return body, true
	}
	if s.caps == 0 && !(len(body) >= 2 && body[0] < '\t' && body[1] == 1) {
		return body, true
	}
	c := cursor{b: body}
	n := int(min(c.lenenc(), maxParams))
	c.lenenc()
	if n > 0 {
		nulls := c.next((n + 7) / 8)
		if c.uint8() != 1 {
			c.bad = true
		}
		types := c.b
		for range n {
			c.next(2)
			c.str()
		}
		t := cursor{b: types}
		for i := 0; i < n && !c.bad; i++ {
			kind := t.next(2)
			t.str()
			if !isNull(nulls, i, 0) {
				c.value(kind[0])
			}
		}
	}
	return c.b, !c.bad
}
