package pgwire

import (
	"tenantrace/collector/event"
	"tenantrace/collector/rowset"
)

// answer is what came so far of the result that the server sends now.
type answer struct {
	columns *columns // nil: not described
	binding *formats // of an Execute: the result formats of its Bind; nil: the description's hold
	ready   bool     // columns and binding are those of this result
	tuples  rowset.Set
	last    []byte // the kept values of the row that was read last, as the server sent them; none if it is not kept
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
	a.tuples.Reset()
	*a = answer{tuples: a.tuples, last: a.last[:0], noKept: a.noKept}
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
	return a.columns != nil && len(a.columns.kept) > 0 && !(a.cut && a.tuples.Count() == event.MaxRows)
}

// describedAs sets the columns of the rows that follow.
func (a *answer) describedAs(d *columns) { a.columns, a.last = d, a.last[:0] }

// add keeps a row as a rowset.Set has it. It reports whether the row is kept.
func (a *answer) add(tuple []byte) bool {
	switch {
	case a.tuples.Has(tuple):
	case a.tuples.Count() == event.MaxRows:
		a.cut = true
		return false
	default:
		a.tuples.Add(tuple)
	}
	return true
}

// result makes the Result of p from what came, and begins the next one.
func (s *Session) result(h event.Header, p *pending) *event.Result {
	a := &s.answer
	a.of(p)
	r := &event.Result{
		Header: h, Conn: s.conn, Seq: p.seq, Index: p.index,
		Count: a.count, RowsCut: a.cut, Copy: a.copy,
	}
	switch {
	case a.columns != nil:
		r.Columns, r.Rows = a.columns.kept, a.tuples.Rows(len(a.columns.kept))
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
