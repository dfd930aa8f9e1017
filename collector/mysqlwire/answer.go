package mysqlwire

import (
	"tenantrace/collector/event"
	"tenantrace/collector/rowset"
)

// step is what the server sends next.
type step uint8

const (
	stepFirst       step = iota // the first message of an answer or of a further result
	stepParams                  // definitions of parameters
	stepParamsEnd               // EOF behind them, unless it is left out
	stepColumns                 // definitions of columns
	stepColumnsEnd              // EOF behind them, unless it is left out
	stepRows                    // rows, and EOF or OK at their end
	stepInfileEnded             // OK, once the client has sent a file
)

// answer is what came so far of the answer that the server sends now.
type answer struct {
	step   step
	todo   int  // definitions to come
	after  int  // of Prepare: definitions of columns behind those of parameters
	set    bool // it has rows
	binary bool

	// The definitions read so far.
	defined int
	types   []byte
	kept    []event.Column
	at      []uint16
	as      []column
	partial bool
	broken  bool

	from    described // what the definitions that are being read are; the zero one: that was not looked at
	columns *columns  // of the result being read
	sets    []set     // results before it of the same statement
	tuples  rowset.Set
	last    []byte // the kept values of the row that was read last, as appendSpans has them; none if it is not kept
	total   int    // rows of all sets
	count   uint64
	changed uint64 // affected rows
	cut     bool
	noKept  columns // a description of nothing
}

// set is a result of a statement that has several.
type set struct {
	columns []event.Column
	rows    [][]*string
}

func (a *answer) reset() {
	a.tuples.Reset()
	*a = answer{tuples: a.tuples, last: a.last[:0], types: a.types[:0]}
}

// wantsRows tells whether there is something to keep in the next row.
func (a *answer) wantsRows() bool {
	return a.columns != nil && len(a.columns.kept) > 0 && !(a.cut && a.total == event.MaxRows)
}

// add keeps a row as a rowset.Set has it. It reports whether the row is kept.
func (a *answer) add(tuple []byte) bool {
	switch {
	case a.tuples.Has(tuple):
	case a.total == event.MaxRows:
		a.cut = true
		return false
	default:
		a.total++
		a.tuples.Add(tuple)
	}
	return true
}

// endSet ends a result. Another one of the same statement may follow.
func (a *answer) endSet() {
	if d := a.columns; d != nil {
		a.cut = a.cut || d.partial && a.count > 0
		if len(d.kept) > 0 {
			if len(a.sets) < maxKept {
				a.sets = append(a.sets, set{d.kept, a.tuples.Rows(len(d.kept))})
			} else {
				a.cut = a.cut || a.tuples.Count() > 0
			}
		}
	}
	a.columns, a.from = nil, described{}
	a.tuples.Reset()
	a.last = a.last[:0]
}

// result makes the Result of p from what came.
func (s *Session) result(h event.Header, p *pending) *event.Result {
	a := &s.answer
	if p == s.commands.head() {
		a.endSet()
	} else {
		a = &answer{}
	}
	r := &event.Result{Header: h, Conn: s.conn, Seq: p.seq, Index: p.index, Count: a.count, RowsCut: a.cut}
	switch len(a.sets) {
	case 0:
	case 1:
		r.Columns, r.Rows = a.sets[0].columns, a.sets[0].rows
	default:
		r.Columns, r.Rows = join(a.sets)
	}
	return r
}

// join puts results side by side: each has its columns, and its rows are NULL in those of the others.
func join(sets []set) (columns []event.Column, rows [][]*string) {
	for _, one := range sets {
		columns = append(columns, one.columns...)
	}
	at := 0
	for _, one := range sets {
		for _, row := range one.rows {
			wide := make([]*string, len(columns))
			copy(wide[at:], row)
			rows = append(rows, wide)
		}
		at += len(one.columns)
	}
	return columns, rows
}
