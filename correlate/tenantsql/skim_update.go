package tenantsql

// update reads an UPDATE behind its keyword. SET is read last: its sub-selects may refer to what FROM brings.
func (s *skimmer) update(i, end int, p place) int {
	for s.mysql && i < end && (s.is(i, "low_priority") || s.word(i, kwIgnore)) {
		i++
	}
	q := place{p.env, s.newScope(p.scope)}
	s.st.Write = true
	rel := int32(-1)
	if s.mysql {
		i = s.from(i, end, q)
	} else {
		i = s.past(i, kwOnly)
		if s.op(i, opLeft) && s.word(i-1, kwOnly) {
			e := min(s.close(i), end)
			rel, _ = s.target(i+1, e, q, true)
			i = min(e+1, end)
		} else {
			rel, i = s.target(i, end, q, true)
		}
	}
	if i >= end || !s.word(i, kwSet) {
		s.broken = s.broken || s.complete(i)
		return s.rest(i, end, q)
	}
	set := i + 1
	i = s.setEnd(set, end)
	e := i
	if i < end && s.word(i, kwFrom) {
		i = s.from(i+1, end, q)
	}
	if i < end && s.word(i, kwWhere) {
		i = s.where(i+1, end, q)
	}
	if rel < 0 {
		s.markUpdated(set, e, q)
	}
	s.assignments(set, e, q, rel, false)
	return s.rest(i, end, q)
}

// setEnd gives the end of the assignments from i on.
func (s *skimmer) setEnd(i, end int) int {
	end = s.clause(i, end)
	for i < end && !s.word(i, kwOn) { // of INSERT … SET … ON DUPLICATE KEY UPDATE
		i = s.skip(i, end)
	}
	return i
}

// assignments reads column = expression, … and (columns) = (expressions), … of a relation, -1 for the one that each column belongs to.
func (s *skimmer) assignments(i, end int, p place, rel int32, inserted bool) {
	for i < end {
		e := s.element(i, end)
		s.scan(i, e, p, false)
		if s.op(i, opLeft) {
			s.assignRow(i, e, p, rel)
		} else if last, j, ok := s.path(i, e); ok && (s.op(j, opEqual) || s.op(j, opAssign)) && s.tenantColumn(last) {
			of := s.owner(i, last, p, rel)
			if rel >= 0 {
				s.listedIn(rel, last)
			}
			s.assign(of, j+1, e, p, inserted)
		}
		i = e + 1
	}
}

// assignRow reads (a, b) = (1, 2), = ROW (1, 2) and = (SELECT …).
func (s *skimmer) assignRow(i, end int, p place, rel int32) {
	c := s.close(i)
	if c+1 >= end || !s.op(c+1, opEqual) {
		return
	}
	r, j := s.operand(c+2, end, p)
	k := r.from
	for i++; i < c; {
		e := s.element(i, c)
		ke := e
		if r.kind == isRow && j == end {
			ke = s.element(k, max(r.to, k))
		}
		if last, _, ok := s.path(i, e); ok && s.tenantColumn(last) {
			switch {
			case r.kind == isRow && j == end && k < r.to:
				s.assign(rel, k, ke, p, false)
			case s.isQuery(c + 2):
				s.assigned(rel, Value{Kind: Subquery}, false)
			default:
				s.assigned(rel, Value{Kind: Unknown}, false)
			}
		}
		i, k = e+1, ke+1
	}
}

// assign notes the expression i … end. The new row's own value (EXCLUDED.tenant_id, VALUES(tenant_id)) is one already noted.
func (s *skimmer) assign(rel int32, i, end int, p place, inserted bool) {
	if rel < 0 || !s.complete(end) {
		return
	}
	if s.rels[rel].insert && !inserted && s.word(i, kwValues) && s.op(i+1, opLeft) {
		return
	}
	o, j := s.operand(i, end, p)
	switch {
	case j != end || !s.complete(end):
		s.assigned(rel, Value{Kind: Unknown}, inserted)
	case o.kind != isColumn || inserted:
		s.assigned(rel, o.known(), inserted)
	case s.items[o.ref.item].rel != rel && !s.isExcluded(o.ref): // else the value stays, or is the new row's, which is known
		s.assigns = append(s.assigns, assign{from: o.ref, rel: rel, changed: true})
	}
}

func (s *skimmer) assigned(rel int32, v Value, inserted bool) {
	switch {
	case rel < 0:
	case inserted:
		s.insertValue(rel, v)
	default:
		r := &s.rels[rel]
		r.assigned = s.union(r.assigned, s.value(v))
	}
}

// owner gives the relation that an assigned tenant column belongs to.
func (s *skimmer) owner(i, last int, p place, rel int32) int32 {
	if rel >= 0 {
		return rel
	}
	if at, ok := s.resolve(i, last, p.scope); ok && s.items[at.item].rel >= 0 {
		return s.items[at.item].rel
	}
	if k := s.ownerItem(i, last, p); k >= 0 {
		return s.items[k].rel
	}
	return -1
}

// ownerItem finds the item of a MySQL UPDATE that the column at i … last belongs to; an unqualified one is taken as the first item's.
func (s *skimmer) ownerItem(i, last int, p place) int32 {
	k := s.scopes[p.scope].first
	for last > i && k >= 0 && !s.named(last-2, s.items[k].name) {
		k = s.items[k].next
	}
	return k
}

// markUpdated marks the targets of a MySQL UPDATE: the tables whose columns are assigned.
func (s *skimmer) markUpdated(i, end int, p place) {
	for i < end {
		e := s.element(i, end)
		if last, _, ok := s.path(i, e); ok {
			if k := s.ownerItem(i, last, p); k >= 0 && s.items[k].rel >= 0 {
				s.rels[s.items[k].rel].Target = true
			}
		}
		i = e + 1
	}
}
