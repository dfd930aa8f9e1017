package tenantsql

// cte is a name that WITH gives to a query.
type cte struct {
	name   string
	prev   int32 // the next older one in sight, -1 ends
	outs   int32
	arms   int32
	opaque bool
	exact  bool
	hides  bool
}

// with reads the list behind WITH; it gives the index behind it and the newest CTE.
func (s *skimmer) with(i, end int, p place) (int, int32) {
	sure := s.sure
	s.sure = false
	defer func() { s.sure = sure }()
	recursive := s.word(i, kwRecursive)
	if recursive {
		i++
		p.env = s.announce(i, end, p.env)
	}
	for i < end {
		head, body, ok := s.cteHead(i, end)
		if !ok {
			s.broken = true
			return i, p.env
		}
		c := outputs()
		e := min(s.close(body), end)
		_, j := s.dml(body+1, e, place{p.env, p.scope}, &c)
		if j < e {
			s.broken = true
			s.scan(j, e, p, false)
		}
		it, columns := item{rel: -1}, 0
		if s.op(head+1, opLeft) {
			columns = head + 1
		}
		s.outline(&it, &c, columns, p)
		one := cte{outs: it.outs, arms: it.arms, opaque: it.opaque, exact: it.exact, hides: it.hides}
		if recursive {
			k := s.cte(head, p.env)
			one.name, one.prev = s.ctes[k].name, s.ctes[k].prev
			s.ctes[k] = one
		} else {
			one.name, one.prev = s.text(head), p.env
			s.ctes = append(s.ctes, one)
			p.env = int32(len(s.ctes) - 1)
		}
		i = s.cteEnd(min(e+1, end), end)
		if !s.op(i, opComma) {
			break
		}
		i++
	}
	return i, p.env
}

// announce makes the names of a recursive list known: each query of it may refer to each.
func (s *skimmer) announce(i, end int, env int32) int32 {
	for i < end {
		head, body, ok := s.cteHead(i, end)
		if !ok {
			return env
		}
		s.ctes = append(s.ctes, cte{name: s.text(head), prev: env, outs: -1, hides: true})
		env = int32(len(s.ctes) - 1)
		if i = s.cteEnd(s.skip(body, end), end); !s.op(i, opComma) {
			return env
		}
		i++
	}
	return env
}

// cteHead reads name [(columns)] AS [[NOT] MATERIALIZED] (; it gives the indices of the name and of the bracket.
func (s *skimmer) cteHead(i, end int) (head, body int, ok bool) {
	head = i
	if !s.name(i) {
		return 0, 0, false
	}
	i++
	if s.op(i, opLeft) {
		i = s.skip(i, end)
	}
	if !s.word(i, kwAs) {
		return 0, 0, false
	}
	i = s.past(s.past(i+1, kwNot), kwMaterialized)
	return head, i, i < end && s.op(i, opLeft)
}

// cteEnd skips SEARCH and CYCLE clauses.
func (s *skimmer) cteEnd(i, end int) int {
	if !s.is(i, "search") && !s.is(i, "cycle") {
		return i
	}
	for i < end {
		switch s.keyword(i) {
		case kwSelect, kwInsert, kwUpdate, kwDelete, kwMerge, kwValues, kwTable:
			return i
		case kwAs:
			s.broken = true // another CTE, not read
		}
		i = s.skip(i, end)
	}
	return i
}

// cte finds the CTE that the name at i refers to, -1 if none.
func (s *skimmer) cte(i int, env int32) int32 {
	for ; env >= 0; env = s.ctes[env].prev {
		if s.named(i, s.ctes[env].name) {
			return env
		}
	}
	return -1
}

// dml reads [WITH …] and a query or a statement that changes rows.
func (s *skimmer) dml(i, end int, p place, c *collector) (Kind, int) {
	if !s.enter() {
		return Other, end
	}
	defer s.leave()
	if s.word(i, kwWith) {
		i, p.env = s.with(i+1, end, p)
	}
	switch s.keyword(i) {
	case kwInsert, kwReplace:
		return Insert, s.insert(i+1, end, p)
	case kwUpdate:
		return Update, s.update(i+1, end, p)
	case kwDelete:
		return Delete, s.remove(i+1, end, p)
	case kwMerge:
		return Merge, s.merge(i+1, end, p)
	}
	return Select, s.query(i, end, p, c)
}
