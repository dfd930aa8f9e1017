package pgwire

import (
	"encoding/binary"

	"tenantrace/collector/event"
)

// answer is what came so far of the result that the server sends now.
type answer struct {
	columns *columns // nil: not described
	binding *formats // of an Execute: the result formats of its Bind; nil: the description's hold
	ready   bool     // columns and binding are those of this result
	rows    [][]*string
	tuples  []string // the rows, encoded
	count   uint64
	cut     bool
	copy    event.CopyDirection
	copied  *copyRows // reads COPY data; nil: nothing of it is wanted, or it cannot be read
	noKept  *columns
}

// nothing is the description of a result without kept columns.
func (a *answer) nothing() *columns {
	if a.noKept == nil {
		a.noKept = &columns{told: true}
	}
	return a.noKept
}

func (a *answer) reset() {
	clear(a.tuples)
	*a = answer{tuples: a.tuples[:0], noKept: a.noKept}
}

// of sets the columns of an Execute's result from its portal, once for each result.
func (a *answer) of(p *pending) {
	if a.ready || p.kind != expectExecute {
		return
	}
	a.ready = true
	a.columns = p.portal.columns
	if a.columns == nil {
		a.columns = p.portal.of.columns
		a.binding = &p.portal.formats
	}
}

// format gives the format of the i-th kept column.
func (a *answer) format(i int) byte {
	if a.binding != nil {
		return a.binding.at(int(a.columns.at[i]))
	}
	return a.columns.formats[i]
}

// wantsRows tells whether there is something to keep in the next row.
func (a *answer) wantsRows() bool {
	return a.columns != nil && len(a.columns.kept) > 0 && !(a.cut && len(a.rows) == event.MaxRows)
}

// add keeps a row: for each kept column a byte that is 0 for NULL, else 1 and the length and bytes of the value.
func (a *answer) add(tuple []byte) {
	for i := len(a.tuples) - 1; i >= 0; i-- {
		if a.tuples[i] == string(tuple) {
			return
		}
	}
	if len(a.rows) == event.MaxRows {
		a.cut = true
		return
	}
	text := string(tuple)
	a.tuples = append(a.tuples, text)
	row := make([]*string, len(a.columns.kept))
	values := make([]string, len(row))
	for i := range row {
		if text[0] == 0 {
			text = text[1:]
			continue
		}
		n := int(binary.BigEndian.Uint16([]byte(text[1:3])))
		values[i] = text[3 : 3+n]
		row[i] = &values[i]
		text = text[3+n:]
	}
	a.rows = append(a.rows, row)
}

// result makes the Result of p from what came, and begins the next one.
func (s *Session) result(h event.Header, p *pending) *event.Result {
	a := &s.answer
	a.of(p)
	r := &event.Result{
		Header: h, Conn: s.conn, Seq: p.seq, Index: p.index,
		Rows: a.rows, Count: a.count, RowsCut: a.cut, Copy: a.copy,
	}
	switch {
	case a.columns != nil:
		r.Columns = a.columns.kept
		if a.copy == "" && !a.columns.told && !a.columns.partial {
			r.Described, a.columns.told = true, true
		}
		r.RowsCut = r.RowsCut || a.columns.partial && a.count > 0
	case a.count > 0:
		r.RowsCut = true
	}
	a.reset()
	return r
}
