package tenantsql

// finish makes the Statement out of what was found.
func (s *skimmer) finish() Statement {
	st := &s.st
	st.Unparsed = s.capped || s.broken || s.uneven || s.more || s.doubt >= 0
	s.buf, st.Shape = s.shape(s.buf, st.Kind == Set)
	n := 0
	for i := range s.rels {
		r := &s.rels[i]
		r.settle(s)
		n += r.vals.len() + r.assigned.len()
	}
	if len(s.rels) > 0 {
		st.Relations = make([]Relation, 0, len(s.rels))
	}
	room := make([]Value, 0, n)
	for i := range s.rels {
		r := &s.rels[i]
		if r.hidden {
			continue
		}
		if int32(i) == s.whole {
			st.Whole = len(st.Relations) + 1
		}
		if r.untouched && !r.insert {
			r.Untouched, r.Heuristic = true, false
			st.Relations = append(st.Relations, r.Relation)
			continue
		}
		room = s.take(&r.Values, room, r.vals)
		room = s.take(&r.Assigned, room, r.assigned)
		for _, e := range r.every {
			r.Every = append(r.Every, append([]Value(nil), s.values(e)...))
		}
		st.Relations = append(st.Relations, r.Relation)
	}
	if len(s.asks) > 0 {
		st.Asks = append([]Ask(nil), s.asks...)
	}
	if s.doubt >= 0 {
		st.blur()
	}
	return *st
}

// settle decides on the values of a relation.
func (r *relation) settle(s *skimmer) {
	if len(r.every) > 0 {
		r.every = append([]span{r.vals}, r.every...)
		r.vals = s.value(Value{Kind: Unknown})
	}
	if r.insert {
		r.every = nil // said of the changed rows only
		switch {
		case !r.upsert:
			r.vals = r.inserted
		case r.vals.len() > 0 && r.inserted.len() > 0:
			r.vals = s.union(r.inserted, r.vals)
		default:
			r.Heuristic = r.Heuristic || r.inserted.len() > 0
			r.vals = span{}
		}
	}
	switch {
	case r.assigned.len() == 0:
		r.assigned = r.inserted
	case r.inserted.len() > 0:
		r.assigned = s.union(r.inserted, r.assigned)
	}
}

// take copies a set out of the arena.
func (s *skimmer) take(to *[]Value, room []Value, r span) []Value {
	if r.len() == 0 {
		return room
	}
	k := len(room)
	room = append(room, s.values(r)...)
	*to = room[k:len(room):len(room)]
	return room
}

// blur makes every value Unknown: the text can be read in two ways.
func (st *Statement) blur() {
	unknown := func(vals []Value) {
		for i := range vals {
			vals[i] = Value{Kind: Unknown}
		}
	}
	for i := range st.Relations {
		unknown(st.Relations[i].Values)
		unknown(st.Relations[i].Assigned)
		st.Relations[i].Every = nil
	}
	unknown(st.Args)
	for i := range st.Changes {
		st.Changes[i].Value = Value{Kind: Unknown}
	}
}
