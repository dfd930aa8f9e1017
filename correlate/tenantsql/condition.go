package tenantsql

import (
	"slices"
	"strconv"
)

// Condition is what a simple statement says of the rows that it is about: they are those of its one table for which all of the equalities hold.
type Condition struct {
	Equal []Equality
	Limit int64    // rows that a SELECT gives at most; -1 as many as there are
	Sets  []string // columns that an UPDATE changes, without their table
}

// Equality is column = value.
type Equality struct {
	Column string // without its table
	Value  string // as it is written, with the cast; of a parameter only the cast
	Param  int    // number of the parameter, 1-based; 0 a literal
}

// ReadCondition reads SELECT … FROM t WHERE a = x AND b = y, UPDATE t SET … WHERE …, and DELETE FROM t WHERE …. It gives false for whatever is not as plain.
func ReadCondition(d Dialect, sql string) (c Condition, ok bool) {
	s := condition{skimmer: &skimmer{}, c: Condition{Limit: -1}}
	s.lex(d, sql, false)
	if s.partial || s.capped || s.uneven || s.more || s.doubt >= 0 {
		return c, false
	}
	i := -1
	switch s.keyword(0) {
	case kwSelect:
		if i = s.find(1, kwFrom); i >= 0 && s.plainList(1, i) {
			i = s.table(i + 1)
		} else {
			i = -1
		}
	case kwUpdate:
		if i = s.table(1); s.word(max(i, 0), kwSet) {
			set := i + 1
			if i = s.find(i, kwWhere); i >= 0 && !s.sets(set, i) {
				i = -1
			}
		} else {
			i = -1
		}
	case kwDelete:
		if s.word(1, kwFrom) {
			i = s.table(2)
		}
	}
	if i < 0 || !s.word(i, kwWhere) {
		return c, false
	}
	if i = s.all(i+1, s.n); i < 0 || !s.rest(i) || len(s.c.Equal) == 0 {
		return c, false
	}
	return s.c, true
}

// Implies tells whether every row for which c holds is one for which d holds. same tells whether two parameters have one value.
func (c *Condition) Implies(d *Condition, same func(ofC, ofD int) bool) bool {
next:
	for _, want := range d.Equal {
		for _, have := range c.Equal {
			if have.Column == want.Column && have.Value == want.Value && (have.Param == 0) == (want.Param == 0) &&
				(have.Param == 0 || same(have.Param, want.Param)) {
				continue next
			}
		}
		return false
	}
	return true
}

// Moves tells whether the UPDATE that c is of may bring rows to those for which d holds, or change what is asked of them.
func (c *Condition) Moves(d *Condition) bool {
	return slices.ContainsFunc(d.Equal, func(e Equality) bool { return slices.Contains(c.Sets, e.Column) })
}

// condition reads a Condition. Its methods give the index behind what they have read, -1 if it is not as plain as it must be.
type condition struct {
	*skimmer
	c      Condition
	called string // by which columns call the table
}

const maxEqualities = 16

// find gives the index of a keyword outside of brackets, before which no other part of a query begins.
func (s *condition) find(i int, k keyword) int {
	for ; i < s.n; i = s.skip(i, s.n) {
		switch at := s.keyword(i); at {
		case k:
			return i
		case kwFrom, kwUnion, kwIntersect, kwExcept, kwInto, kwSelect:
			return -1
		}
	}
	return -1
}

// plainList tells whether a select list gives a row for each that is found.
func (s *condition) plainList(i, end int) bool {
	for ; i < end; i++ {
		if s.word(i, kwDistinct) {
			return false
		}
	}
	return true
}

// table reads the name of a table with its alias.
func (s *condition) table(i int) int {
	only := s.word(i, kwOnly) // it leaves out the rows of partitions
	last, i, ok := s.path(i, s.n)
	switch {
	case !ok, only:
		return -1
	case s.word(i, kwAs) && s.name(i+1):
		i += 2
		last = i - 1
	case s.name(i) && s.keyword(i) == 0:
		i++
		last = i - 1
	}
	s.called = s.text(last)
	return i
}

// sets reads column = …, …; false if it is not as plain.
func (s *condition) sets(i, end int) bool {
	for i < end {
		last, next, ok := s.path(i, end)
		if !ok || !s.op(next, opEqual) {
			return false
		}
		s.c.Sets = append(s.c.Sets, s.column(last))
		i = s.element(i, end) + 1
	}
	return true
}

// column gives the column at i as it is compared.
func (s *condition) column(i int) string {
	if s.mysql {
		return fold(s.text(i))
	}
	return s.text(i)
}

// all reads equalities that AND ties.
func (s *condition) all(i, end int) int {
	for {
		if s.op(i, opLeft) {
			c := s.close(i)
			if c >= end || !s.enter() {
				return -1
			}
			if s.all(i+1, c) != c {
				return -1
			}
			s.leave()
			i = c + 1
		} else if i = s.equality(i, end); i < 0 {
			return -1
		}
		if i >= end || !s.word(i, kwAnd) {
			return i
		}
		i++
	}
}

func (s *condition) equality(i, end int) int {
	from := i
	last, i, ok := s.path(i, end)
	if ok && last > from && !s.named(last-2, s.called) {
		return -1
	}
	if !ok || !s.op(i, opEqual) || i+1 >= end || len(s.c.Equal) == maxEqualities {
		return -1
	}
	i++
	e := Equality{Column: s.column(last)}
	from = i
	signed := s.op(i, opMinus) || s.op(i, opPlus)
	if signed {
		i++
	}
	switch t := s.toks[min(i, s.n)]; {
	case t.kind == tParam && !signed:
		e.Param, from = int(t.num), i+1
	case t.kind == tNumber, t.kind == tString && !signed:
	default:
		return -1
	}
	if i++; i < end && s.op(i, opCast) {
		if i++; !s.name(i) {
			return -1
		}
		i++
	}
	for k := from; k < i; k++ {
		e.Value += s.sql[s.toks[k].start:s.toks[k].end] + " "
	}
	s.c.Equal = append(s.c.Equal, e)
	return i
}

// rest reads what may follow the condition.
func (s *condition) rest(i int) bool {
	if s.word(0, kwSelect) {
		return s.restOfSelect(i)
	}
	switch s.keyword(i) {
	case kwReturning, kwOrder, kwLimit: // fewer rows are none that the condition leaves out
		return true
	}
	return i == s.n
}

func (s *condition) restOfSelect(i int) bool {
	if s.word(i, kwOrder) {
		for i < s.n && !s.word(i, kwLimit) && !s.word(i, kwFor) && !s.word(i, kwLock) {
			switch s.keyword(i) {
			case kwOffset, kwFetch, kwUnion, kwIntersect, kwExcept, kwInto, kwSelect:
				return false
			}
			i = s.skip(i, s.n)
		}
	}
	if s.word(i, kwLimit) {
		t := s.toks[min(i+1, s.n)]
		n, err := strconv.ParseInt(s.sql[t.start:t.end], 10, 64)
		if t.kind != tNumber || err != nil {
			return false
		}
		s.c.Limit = n
		i += 2
	}
	if s.word(i, kwFor) || s.word(i, kwLock) {
		for ; i < s.n; i++ {
			if s.is(i, "skip") || s.is(i, "limit") { // SKIP LOCKED leaves rows out
				return false
			}
		}
	}
	return i == s.n
}
