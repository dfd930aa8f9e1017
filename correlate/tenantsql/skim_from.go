package tenantsql

// from reads a FROM list.
func (s *skimmer) from(i, end int, p place) int {
	for {
		i = s.joined(i, end, p)
		if i >= end || !s.op(i, opComma) {
			return i
		}
		i++
	}
}

// fromItem reads one entry of a FROM list without its joins. What it does not know it leaves where it is.
func (s *skimmer) fromItem(i, end int, p place) int {
	lateral := s.word(i, kwLateral)
	if lateral {
		i++
	}
	only := s.past(i, kwOnly)
	if only > i && s.op(only, opLeft) { // ONLY (t)
		c := min(s.close(only), end)
		s.table(only+1, c, p)
		return min(c+1, end)
	}
	i = only
	switch {
	case i >= end:
		return end
	case s.isQuery(i):
		return s.derived(i, end, p, lateral)
	case s.op(i, opLeft):
		c := min(s.close(i), end)
		if !s.enter() {
			return end
		}
		if j := s.from(i+1, c, p); j < c {
			s.broken = true
		}
		s.leave()
		_, _, i = s.alias(min(c+1, end), end)
		return i
	case s.word(i, kwRows) && s.word(i+1, kwFrom):
		return s.function(i+2, end, p)
	}
	return s.table(i, end, p)
}

// derived reads a sub-select with its alias. Only LATERAL lets it see its neighbours.
func (s *skimmer) derived(i, end int, p place, lateral bool) int {
	q := p
	if !lateral {
		q.scope = s.scopes[p.scope].parent
	}
	c := outputs()
	e := min(s.close(i), end)
	lo := int32(len(s.rels))
	s.subquery(i+1, e, q, &c)
	hi := int32(len(s.rels))
	name, columns, i := s.alias(min(e+1, end), end)
	it := item{rel: -1, name: s.aliased(name), lo: lo, hi: hi, shared: c.shared}
	s.outline(&it, &c, columns, p)
	s.addItem(p.scope, it)
	return i
}

// function reads the arguments and the alias of a function in FROM.
func (s *skimmer) function(i, end int, p place) int {
	args, argsEnd := 0, 0
	if s.op(i, opLeft) {
		calls := s.calls
		s.calls = true
		if s.name(i-1) && !s.is(i-1, "set_config") { // no name: ROWS FROM, whose functions are within
			s.called(i - 1)
		}
		if s.is(i-1, "unnest") {
			args, argsEnd = i+1, min(s.close(i), end)
		}
		e := s.skip(i, end)
		s.scan(i+1, e, p, false)
		s.calls = calls
		i = e
	}
	if s.word(i, kwWith) && s.is(i+1, "ordinality") {
		i += 2
	}
	name, columns, i := s.alias(min(i, end), end)
	it := item{rel: -1, name: s.aliased(name), outs: -1, opaque: true}
	if args > 0 {
		s.unnested(&it, args, argsEnd, columns, p)
	}
	s.addItem(p.scope, it)
	return i
}

// table reads the name of a table, CTE or function and what follows it.
func (s *skimmer) table(i, end int, p place) int {
	first := i
	last, i, ok := s.path(i, end)
	if !ok || s.toks[first].kind == tWord && reserved(s.keyword(first)) {
		s.broken = s.broken || s.complete(i)
		return i
	}
	if s.op(i, opLeft) && i < end {
		if s.is(last, "set_config") {
			s.setConfig(i, end)
		}
		return s.function(i, end, p)
	}
	it := item{rel: -1, name: s.itemName(last), outs: -1}
	k := int32(-1)
	at := last
	if last == first {
		k = s.cte(last, p.env)
	}
	table, schema := s.text(last), ""
	if last > first {
		schema = s.text(last - 2)
	}
	it.schema = schema
	if s.op(i, opStar) && i < end {
		i++
	}
	if s.word(i, kwPartition) && s.op(i+1, opLeft) {
		i = s.skip(i+1, end)
	}
	i = s.systemTime(i, end, p)
	name, columns, i := s.alias(min(i, end), end)
	if name != "" {
		it.name, it.schema = s.aliased(name), ""
	}
	it.opaque = columns > 0
	if k >= 0 {
		c := &s.ctes[k]
		it.outs, it.arms, it.shared = c.outs, c.arms, true
		it.opaque, it.hides = columns > 0 || c.opaque, c.hides
		it.exact = c.exact && !it.opaque
	} else if s.mysql && last == first && s.toks[first].kind == tWord && s.is(first, "dual") {
		return s.tableTail(i, end) // no table
	} else {
		r := Relation{Schema: schema, Name: table, Alias: name}
		s.spell(&r, first, at)
		it.rel = s.addRelation(r)
	}
	s.addItem(p.scope, it)
	return s.tableTail(i, end)
}

func (s *skimmer) addRelation(r Relation) int32 {
	s.rels = append(s.rels, relation{Relation: r})
	return int32(len(s.rels) - 1)
}

// tableTail skips TABLESAMPLE and MySQL's index hints.
func (s *skimmer) tableTail(i, end int) int {
	for i < end {
		switch {
		case s.word(i, kwTablesample):
			i += 2
		case s.is(i, "repeatable") && s.op(i+1, opLeft):
			i++
		case s.mysql && (s.word(i, kwUse) || s.word(i, kwForce) || s.word(i, kwIgnore)):
			for i++; i < end && !s.op(i, opLeft); i++ {
			}
		default:
			return i
		}
		if s.op(i, opLeft) {
			i = s.skip(i, end)
		}
	}
	return min(i, end)
}

// alias reads [AS] name [(columns)]; columns is the index of the bracket, 0 without one.
func (s *skimmer) alias(i, end int) (name string, columns, next int) {
	if s.word(i, kwAs) && i < end {
		i++
	} else if i >= end || !s.name(i) || reserved(s.keyword(i)) {
		return "", 0, i
	}
	if i < end && s.name(i) {
		name = s.text(i)
		s.aka = s.written(i)
		i++
	}
	if i < end && s.op(i, opLeft) {
		return name, i, s.skip(i, end)
	}
	return name, 0, i
}

// itemName gives the name at i as one of an item: in MySQL as it is written, because case may tell aliases apart (lower_case_table_names).
func (s *skimmer) itemName(i int) string {
	if s.mysql {
		return s.written(i)
	}
	return s.text(i)
}

// aliased is itemName for the alias that was read last, name.
func (s *skimmer) aliased(name string) string {
	if s.mysql && name != "" {
		return s.aka
	}
	return name
}

// reserved tells whether a word behind a table goes on with the statement rather than being an alias.
func reserved(k keyword) bool {
	switch k {
	case kwJoin, kwInner, kwLeft, kwRight, kwFull, kwCross, kwNatural, kwStraightJoin, kwOn, kwUsing, kwWhere, kwGroup, kwHaving, kwOrder, kwLimit,
		kwOffset, kwFetch, kwFor, kwWindow, kwUnion, kwIntersect, kwExcept, kwReturning, kwSet, kwAs, kwTablesample, kwPartition, kwUse,
		kwForce, kwIgnore, kwValues, kwSelect, kwWhen, kwDefault, kwInto, kwLock, kwWith, kwAnd, kwOr, kwNot, kwFrom, kwTo, kwTable, kwOuter:
		return true
	}
	return false
}
