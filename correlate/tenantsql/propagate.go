package tenantsql

const (
	maxPasses = 16 // over the equalities; a longer chain of them carries nothing
	maxArms   = 16 // SELECTs of a derived item whose values are looked through
)

// edge lets the values of a column reach another one.
type edge struct{ from, to ref }

// assign is a column whose values are written into the tenant column of a relation: of new rows, or of changed ones.
type assign struct {
	from    ref
	rel     int32
	changed bool
}

// valuesOf gives what is guaranteed for a column; the empty span if nothing.
func (s *skimmer) valuesOf(at ref) span {
	rels, whole := s.behind(at)
	s.via = Sure
	if !whole || len(rels) > maxArms {
		return span{}
	}
	var all span
	for _, r := range rels {
		s.via = max(s.via, s.rels[r].Ownership)
		rel := &s.rels[r]
		vals := rel.vals
		if len(rel.every) > 0 {
			vals = s.value(Value{Kind: Unknown})
		}
		switch {
		case vals.len() == 0:
			return span{}
		case all.len() == 0:
			all = vals
		default:
			all = s.union(all, vals)
		}
	}
	return all
}

// propagate carries values over the equalities of columns, to relations that no predicate of their own binds.
func (s *skimmer) propagate() {
	for range maxPasses {
		changed := false
		for _, e := range s.edges {
			if s.items[e.to.item].shared {
				continue
			}
			vals := s.valuesOf(e.from)
			if vals.len() == 0 {
				continue
			}
			rels, _ := s.behind(e.to)
			for _, k := range rels {
				r := &s.rels[k]
				if r.vals.len() == 0 || len(r.every) == 0 && !s.known(r.vals) && s.known(vals) {
					r.vals, changed = vals, true
					r.Ownership = max(r.Ownership, s.via)
				}
			}
		}
		if !changed {
			return
		}
	}
}

// settle gives the statements that write the values of the columns that they copy.
func (s *skimmer) settle() {
	for _, a := range s.assigns {
		vals := s.valuesOf(a.from)
		s.rels[a.rel].Ownership = max(s.rels[a.rel].Ownership, s.via)
		if vals.len() == 0 {
			vals = s.value(Value{Kind: Unknown})
		} else if s.absent(a.from) {
			vals = s.union(vals, s.value(Value{Kind: Null}))
		}
		r := &s.rels[a.rel]
		if a.changed {
			r.assigned = s.union(r.assigned, vals)
		} else {
			r.inserted = s.union(r.inserted, vals)
		}
	}
}
