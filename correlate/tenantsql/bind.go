package tenantsql

// span is a part of an arena.
type span struct{ from, to int32 }

func (s span) len() int { return int(s.to - s.from) }

// pred is what a condition guarantees: the column has one of vals, or equals another column.
type pred struct {
	at   ref
	link ref // item -1: none
	vals span
}

// relation is a Relation under construction.
type relation struct {
	Relation
	vals     span   // guaranteed by conditions
	every    []span // further guarantees, which only who knows the parameters can compare with vals
	inserted span   // of new rows
	assigned span   // of changed rows
	insert   bool   // rows are inserted
	upsert   bool   // and others are changed, which vals covers or not

	hidden    bool // no table: EXCLUDED, a column of VALUES
	untouched bool // the condition lets none of its rows through
}

const (
	maxValues = 128 // of one relation; Unknown stands for those beyond
	maxEvery  = 8   // guarantees of one relation that are kept apart
)

func (s *skimmer) value(v Value) span {
	n := int32(len(s.vals))
	s.vals = append(s.vals, v)
	return span{n, n + 1}
}

func (s *skimmer) values(r span) []Value { return s.vals[r.from:r.to] }

// known tells whether the set names tenants, in the text or through a parameter or setting.
func (s *skimmer) known(r span) bool {
	for _, v := range s.values(r) {
		if v.Kind == Unknown || v.Kind == Subquery {
			return false
		}
	}
	return r.len() > 0
}

func (s *skimmer) within(a, b span) bool {
	for _, v := range s.values(a) {
		if !s.contains(b, v) {
			return false
		}
	}
	return true
}

func (s *skimmer) contains(r span, v Value) bool {
	for _, w := range s.values(r) {
		if v == w {
			return true
		}
	}
	return false
}

// union makes a set of both.
func (s *skimmer) union(a, b span) span {
	if s.within(b, a) {
		return a
	}
	n := int32(len(s.vals))
	s.vals = append(s.vals, s.values(a)...)
	r := span{n, int32(len(s.vals))}
	for i := b.from; i < b.to; i++ {
		r = s.add(r, s.vals[i])
	}
	return r
}

// add appends to a set that is the last of the arena. A full set ends in an Unknown: to leave values out would be to guarantee more.
func (s *skimmer) add(r span, v Value) span {
	if r.len() > maxValues || s.contains(r, v) {
		return r
	}
	if r.len() == maxValues {
		v = Value{Kind: Unknown}
	}
	s.vals = append(s.vals, v)
	return span{r.from, r.to + 1}
}

// both gives the better of two sets that both hold; false if neither is: only who knows the parameters can tell what tenant_id = $1 AND tenant_id = $2
// lets through.
func (s *skimmer) both(a, b span) (span, bool) {
	ka, kb := s.known(a), s.known(b)
	switch {
	case !kb, ka && s.within(a, b):
		return a, true
	case !ka, s.within(b, a):
		return b, true
	}
	return a, false
}

// bind lets a guarantee hold for the relations behind a column.
func (s *skimmer) bind(at ref, vals span) {
	if s.items[at.item].shared {
		s.doubtful(at)
		return
	}
	rels, _ := s.behind(at)
	for _, r := range rels {
		s.guarantee(&s.rels[r], vals)
	}
}

func (s *skimmer) guarantee(r *relation, vals span) {
	if r.vals.len() == 0 {
		r.vals = vals
		return
	}
	best, ok := s.both(r.vals, vals)
	switch {
	case ok && len(r.every) == 0:
		r.vals = best
	case !ok && len(r.every) < maxEvery:
		r.every = append(r.every, vals)
	}
}

// doubtful marks the relations behind a column: a predicate names it and guarantees nothing.
func (s *skimmer) doubtful(at ref) {
	rels, _ := s.behind(at)
	for _, r := range rels {
		s.rels[r].Heuristic = true
	}
}

// discard drops the predicates from mark on.
func (s *skimmer) discard(mark int) {
	for _, p := range s.preds[mark:] {
		s.doubtful(p.at)
		if p.link.item >= 0 {
			s.doubtful(p.link)
		}
	}
	s.preds = s.preds[:mark]
}

// apply lets the predicates from mark on hold for the scope's own items. What they say of outer items is no guarantee for these, but the
// values of an outer item reach an inner one.
func (s *skimmer) apply(mark int, sc int32) {
	for _, p := range s.preds[mark:] {
		own := s.items[p.at.item].scope == sc
		switch {
		case p.link.item < 0 && own:
			s.bind(p.at, p.vals)
		case p.link.item < 0:
			s.doubtful(p.at)
		default:
			if own {
				s.edges = append(s.edges, edge{p.link, p.at})
			}
			if s.items[p.link.item].scope == sc {
				s.edges = append(s.edges, edge{p.at, p.link})
			}
		}
	}
	s.preds = s.preds[:mark]
}

// applyOuter lets the predicates of an outer join's ON hold for the side from lo to before hi, which is the one that may be missing: the rows of
// the other side come whether they hold or not.
func (s *skimmer) applyOuter(mark int, sc, lo, hi int32) {
	side := func(r ref) bool { return s.items[r.item].scope == sc && r.item >= lo && r.item < hi }
	for _, p := range s.preds[mark:] {
		s.sided(p.at)
		if p.link.item >= 0 {
			s.sided(p.link)
		}
		switch {
		case p.link.item < 0 && side(p.at):
			s.bind(p.at, p.vals)
		case p.link.item < 0:
			s.doubtful(p.at)
		default:
			if side(p.at) {
				s.edges = append(s.edges, edge{p.link, p.at})
			}
			if side(p.link) {
				s.edges = append(s.edges, edge{p.at, p.link})
			}
		}
	}
	s.preds = s.preds[:mark]
}
