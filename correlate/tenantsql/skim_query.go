package tenantsql

// subquery reads a query that stands in brackets, all of i … end.
func (s *skimmer) subquery(i, end int, p place, c *collector) {
	sure := s.sure
	s.sure = false
	if j := s.query(i, end, p, c); j < end {
		s.broken = true
		s.scan(j, end, p, false)
	}
	s.sure = sure
}

// query reads [WITH …] SELECT … [UNION …] and gives the index behind it. The scope of p is the one that its outer references go to.
func (s *skimmer) query(i, end int, p place, c *collector) int {
	if !s.enter() {
		return end
	}
	defer s.leave()
	if s.word(i, kwWith) {
		i, p.env = s.with(i+1, end, p)
	}
	for {
		s.whole = -1
		i = s.term(i, end, p, c)
		rest := i
		i = s.queryTail(i, end)
		s.scan(rest, i, p, false)
		if i >= end || !isSetOperator(s.keyword(i)) {
			return i
		}
		s.whole, s.plain = -1, false
		i = s.past(s.past(i+1, kwAll), kwDistinct)
	}
}

func isSetOperator(k keyword) bool { return k == kwUnion || k == kwIntersect || k == kwExcept }

// queryTail gives the end of what follows a WHERE: a set operator, the clauses of the statement around, a bracket too many, or end.
func (s *skimmer) queryTail(i, end int) int {
	for i < end {
		switch k := s.keyword(i); {
		case isSetOperator(k), k == kwReturning, k == kwOn, s.op(i, opRight):
			return i
		}
		i = s.skip(i, end)
	}
	return i
}

// term reads one arm of a set operation.
func (s *skimmer) term(i, end int, p place, c *collector) int {
	switch {
	case i >= end:
	case s.op(i, opLeft):
		e := min(s.close(i), end)
		s.subquery(i+1, e, p, c)
		return min(e+1, end)
	case s.word(i, kwSelect):
		return s.selection(i+1, end, p, c)
	case s.word(i, kwTable):
		q := place{p.env, s.newScope(p.scope)}
		i = s.table(s.past(i+1, kwOnly), end, q)
		c.arm(s)
		c.star(s, q.scope, -1)
	case s.word(i, kwValues):
		c.arm(s)
		e := s.queryTail(i, end)
		s.scan(i, e, p, false)
		c.values(s, i+1, s.clause(i+1, e))
		return e
	default:
		s.broken = true
	}
	return i
}

// selection reads a SELECT behind its keyword. FROM is read before the select list, whose sub-selects may refer to it.
func (s *skimmer) selection(i, end int, p place, c *collector) int {
	q := place{p.env, s.newScope(p.scope)}
	calls := s.calls
	s.calls = false
	defer func() { s.calls = calls }()
	i = s.past(i, kwAll)
	if s.word(i, kwDistinct) {
		i = s.past(i+1, kwOn)
		if s.op(i, opLeft) && s.word(i-1, kwOn) {
			i = s.skip(i, end)
		}
	}
	list := i
	i = s.clause(i, end)
	listEnd, into := i, i
	if s.word(i, kwInto) {
		i = s.clause(i+1, end)
	}
	sure := s.sure
	if i < end && s.word(i, kwFrom) {
		s.sure = false
		i = s.from(i+1, end, q)
		s.expectClause(i, end)
	}
	if i < end && s.word(i, kwInto) {
		into = i
		i = s.clause(i+1, end)
	}
	if i < end && s.word(i, kwWhere) {
		s.sure = false
		i = s.where(i+1, end, q)
		s.expectClause(i, end)
	}
	rest := i
	i = s.queryTail(i, end)
	for k := rest; k < i; k = s.skip(k, i) {
		if s.word(k, kwFrom) && !s.word(k-1, kwDistinct) && !s.word(k-1, kwAs) {
			s.broken = true // some name in the list was taken for a clause
		}
	}
	s.sure = s.sure && rest == i && s.complete(i)
	s.list(list, listEnd, q, c)
	if s.word(into, kwInto) {
		s.st.Into = s.st.Into || !s.mysql
		s.intoVariables(into, list, listEnd, end)
	}
	s.sure = false
	s.scan(rest, i, q, true)
	s.sure = sure
	s.wholeTable(list, listEnd, q)
	return i
}

// topDepth is how deep a query is that is no other's part.
const topDepth = 2

// wholeTable notes that the result has all columns of one table and no other: SELECT * or t.* of it. In MySQL there may be invisible ones.
func (s *skimmer) wholeTable(i, end int, p place) {
	k := s.scopes[p.scope].first
	if !s.plain || s.depth != topDepth || k < 0 || s.items[k].next >= 0 || s.items[k].rel < 0 || s.items[k].opaque || !s.complete(end) {
		return
	}
	if s.op(i, opStar) && i+1 == end || s.name(i) && s.op(i+1, opDot) && s.op(i+2, opStar) && i+3 == end {
		s.whole = s.items[k].rel
	}
}

// clause gives the index of the next clause's keyword behind a list of expressions.
func (s *skimmer) clause(i, end int) int {
	for i < end {
		switch s.keyword(i) {
		case kwFrom:
			// a IS [NOT] DISTINCT FROM b is an expression.
			if !s.word(i-1, kwAs) && (!s.word(i-1, kwDistinct) || !s.word(i-2, kwIs) && !s.word(i-2, kwNot)) {
				return i
			}
		case kwWhere, kwGroup, kwHaving, kwOrder, kwLimit, kwOffset, kwFetch, kwFor, kwWindow, kwUnion, kwIntersect, kwExcept, kwInto, kwReturning:
			// AS makes a name of any word; WITHIN GROUP is part of an aggregate's call.
			// MySQL does not reserve OFFSET.
			if !s.word(i-1, kwAs) && !s.is(i-1, "within") && !(s.mysql && s.word(i, kwOffset) && s.toks[i+1].kind != tNumber && s.toks[i+1].kind != tParam) {
				return i
			}
		}
		if s.op(i, opRight) {
			return i
		}
		i = s.skip(i, end)
	}
	return i
}

// expectClause notes as not read what stands where only the end of FROM or WHERE is expected, such as FOR SYSTEM_TIME: tables may follow it.
func (s *skimmer) expectClause(i, end int) {
	if i >= end {
		return
	}
	switch s.keyword(i) {
	case kwWhere, kwGroup, kwHaving, kwOrder, kwLimit, kwOffset, kwFetch, kwWindow, kwUnion, kwIntersect, kwExcept, kwInto, kwReturning, kwOn, kwLock, kwProcedure:
		return
	case kwFor:
		if s.word(i+1, kwUpdate) || s.is(i+1, "share") || s.word(i+1, kwNo) || s.is(i+1, "key") || !s.complete(i+1) {
			return
		}
	}
	s.broken = true
}

// list reads a select list.
func (s *skimmer) list(i, end int, p place, c *collector) {
	c.arm(s)
	sure := s.sure
	pos := int32(0)
	for ; i < end; pos++ {
		e := s.element(i, end)
		s.sure, s.calls = sure, true
		s.scan(i, e, p, false)
		c.item(s, pos, i, e, p)
		i = e + 1
	}
	s.calls = false
	c.done(s, pos)
}

// where reads a condition that all rows pass.
func (s *skimmer) where(i, end int, p place) int {
	mark := len(s.preds)
	i = s.or(i, end, p)
	if s.truth.never() && s.complete(i) {
		for k := s.scopes[p.scope].first; k >= 0; k = s.items[k].next {
			s.untouched(k)
		}
	}
	s.apply(mark, p.scope)
	return i
}

// untouched marks the relations behind an item that no row of is used.
func (s *skimmer) untouched(k int32) {
	it := &s.items[k]
	if it.rel >= 0 {
		s.rels[it.rel].untouched = true
	}
	for r := it.lo; r < it.hi; r++ {
		s.rels[r].untouched = true
	}
}
