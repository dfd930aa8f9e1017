package tenantsql

// target reads the table whose rows are changed, as the first item of the scope. PostgreSQL's INSERT wants AS before an alias; a word behind
// the name is then no alias (bare false).
func (s *skimmer) target(i, end int, p place, bare bool) (rel int32, next int) {
	last, next, ok := s.path(i, end)
	if !ok {
		return -1, next
	}
	r := Relation{Name: s.text(last), Target: true}
	if last > i {
		r.Schema = s.text(last - 2)
	}
	s.spell(&r, i, last)
	it := item{name: s.itemName(last), schema: r.Schema, outs: -1}
	if next < end && s.op(next, opStar) {
		next++
	}
	switch {
	case bare:
		r.Alias, _, next = s.alias(next, end)
	case next < end && s.word(next, kwAs):
		r.Alias = s.nameAt(next + 1)
		if r.Alias != "" {
			s.aka = s.written(next + 1)
		}
		next = min(next+2, end)
	}
	if r.Alias != "" {
		it.name, it.schema = s.aliased(r.Alias), ""
	}
	s.st.Write = true
	it.rel = s.addRelation(r)
	s.addItem(p.scope, it)
	return it.rel, next
}

// insert reads an INSERT or REPLACE behind its keyword.
func (s *skimmer) insert(i, end int, p place) int {
	replace := s.word(i-1, kwReplace)
	for s.mysql && i < end && (s.is(i, "low_priority") || s.is(i, "delayed") || s.is(i, "high_priority") || s.word(i, kwIgnore)) {
		i++
	}
	q := place{p.env, s.newScope(p.scope)}
	rel, i := s.target(s.past(i, kwInto), end, q, false)
	if rel < 0 {
		return s.rest(i, end, q)
	}
	s.rels[rel].insert = true
	s.rels[rel].upsert = replace // deletes rows that conflict
	if s.word(i, kwPartition) {
		i = s.skip(min(i+1, end), end)
	}
	c := collector{insert: true, rel: rel}
	if i < end && s.op(i, opLeft) && !s.isQuery(i) {
		e := min(s.close(i), end)
		c.at = s.columnList(i+1, e, rel)
		i = min(e+1, end)
	}
	if s.word(i, kwOverriding) {
		i = min(i+3, end)
	}
	switch {
	case i >= end:
	case s.word(i, kwDefault):
		i = min(i+2, end)
	case s.word(i, kwValues), s.word(i, kwValue):
		i = s.rows(i+1, end, &c, place{p.env, p.scope})
	case s.word(i, kwSet) && s.mysql:
		e := s.setEnd(i+1, end)
		s.assignments(i+1, e, q, rel, true)
		i = e
	default:
		i = s.query(i, end, place{p.env, p.scope}, &c)
	}
	return s.upsert(i, end, q, rel, c.at)
}

// columnList gives the positions of the tenant columns in the list of columns of a relation.
func (s *skimmer) columnList(i, end int, rel int32) []int32 {
	var at []int32
	for pos := int32(0); i < end; pos++ {
		e := s.element(i, end)
		if last, _, ok := s.path(i, e); ok && s.tenantColumn(last) && len(at) < 4 {
			at = append(at, pos)
			s.listedIn(rel, last)
		}
		i = e + 1
	}
	return at
}

// listedIn notes that a relation has the tenant column named at i.
func (s *skimmer) listedIn(rel int32, i int) {
	if column := s.columnAt(i); rel >= 0 && column >= 0 && column < maxColumnBits {
		s.rels[rel].Owns |= 1 << column
	}
}

// rows reads the rows of VALUES.
func (s *skimmer) rows(i, end int, c *collector, p place) int {
	for {
		i = s.past(i, kwRow)
		if i >= end || !s.op(i, opLeft) {
			return min(i, end)
		}
		e := min(s.close(i), end)
		s.scan(i+1, e, p, false)
		if len(c.at) > 0 {
			s.row(i+1, e, c, p)
		}
		if i = min(e+1, end); i >= end || !s.op(i, opComma) {
			return i
		}
		i++
	}
}

func (s *skimmer) row(i, end int, c *collector, p place) {
	for pos := int32(0); i < end; pos++ {
		e := s.element(i, end)
		for _, at := range c.at {
			if at == pos && s.complete(e) {
				s.insertValue(c.rel, s.expression(i, e, p))
			}
		}
		i = e + 1
	}
}

func (s *skimmer) insertValue(rel int32, v Value) {
	r := &s.rels[rel]
	if !s.contains(r.inserted, v) {
		r.inserted = s.union(r.inserted, s.value(v))
	}
}

// upsert reads what follows the rows: ON CONFLICT, ON DUPLICATE KEY UPDATE, RETURNING. The row that a conflict changes has the tenant of the new
// one only if the tenant column is part of what conflicts.
func (s *skimmer) upsert(i, end int, p place, rel int32, at []int32) int {
	name, columns := "excluded", 0
	if s.mysql && i < end && s.word(i, kwAs) {
		name, columns, i = s.alias(i, end)
	}
	if i >= end || !s.word(i, kwOn) {
		return s.rest(i, end, p)
	}
	s.excluded(name, columns, rel, at, p)
	same := false
	for i < end && !s.word(i, kwUpdate) && !s.word(i, kwReturning) {
		if s.op(i, opLeft) && s.word(i-1, kwConflict) {
			for e, k := s.close(i), i+1; k < min(e, end); k++ {
				same = same || s.tenantColumn(k) && !s.op(k+1, opLeft)
			}
		}
		i = s.skip(i, end)
	}
	if i < end && s.word(i, kwUpdate) {
		s.rels[rel].upsert = !same
		i = s.past(i+1, kwSet)
		e := s.setEnd(i, end)
		set := i
		if i = e; i < end && s.word(i, kwWhere) {
			i = s.where(i+1, end, p)
		}
		s.assignments(set, e, p, rel, false)
	}
	return s.rest(i, end, p)
}

// excluded adds the row that an INSERT could not insert to the scope of what it does instead: EXCLUDED, or in MySQL the alias behind the rows, with the
// names of its columns at columns if they have other ones.
func (s *skimmer) excluded(name string, columns int, rel int32, at []int32, p place) {
	it := item{rel: -1, name: name, outs: -1, arms: 1, excluded: true}
	vals := s.rels[rel].inserted
	for _, a := range s.assigns {
		if a.rel == rel {
			vals = span{} // some of it is known only when the whole statement has been read
		}
	}
	if columns == 0 {
		it.rel = s.addRelation(Relation{})
		s.rels[it.rel].hidden, s.rels[it.rel].vals = true, vals
	} else {
		for _, pos := range at {
			if k := s.listName(columns, pos); k > 0 {
				s.constantColumn(&it, pos, s.text(k), vals)
			}
		}
	}
	s.addItem(p.scope, it)
}

func (s *skimmer) isExcluded(at ref) bool { return s.items[at.item].excluded }

// rest walks over what follows a statement's parts.
func (s *skimmer) rest(i, end int, p place) int {
	for i < end && !s.op(i, opRight) {
		from := i
		for i < end && !s.op(i, opRight) {
			i = s.skip(i, end)
		}
		s.scan(from, i, p, false)
	}
	return i
}
