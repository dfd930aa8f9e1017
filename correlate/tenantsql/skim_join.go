package tenantsql

// joinKind says which side's rows may be missing from the result of a join.
type joinKind uint8

const (
	joinNone  joinKind = iota
	joinInner          // also STRAIGHT_JOIN
	joinLeft
	joinRight
	joinFull
)

// joinAt reads the keywords of a join; joinNone if there is none. bare tells that no condition follows (CROSS, NATURAL); next is behind the
// keywords.
func (s *skimmer) joinAt(i, end int) (kind joinKind, bare bool, next int) {
	if s.word(i, kwNatural) {
		bare = true
		i++
	}
	kind = joinInner
	switch s.keyword(i) {
	case kwStraightJoin:
		return kind, bare, min(i+1, end)
	case kwInner:
		i++
	case kwCross:
		bare = !s.mysql // there, it is INNER JOIN
		i++
	case kwLeft:
		kind = joinLeft
		i = s.past(i+1, kwOuter)
	case kwRight:
		kind = joinRight
		i = s.past(i+1, kwOuter)
	case kwFull:
		kind = joinFull
		i = s.past(i+1, kwOuter)
	}
	if i >= end || !s.word(i, kwJoin) {
		return joinNone, false, i
	}
	return kind, bare, i + 1
}

// isNatural tells whether the keywords of a join that end before i begin with NATURAL.
func (s *skimmer) isNatural(i int) bool {
	for i -= 2; i > 0; i-- {
		switch s.keyword(i) {
		case kwNatural:
			return true
		case kwInner, kwLeft, kwRight, kwFull, kwOuter:
		default:
			return false
		}
	}
	return false
}

// joined reads an entry of a FROM list and all that is joined to it.
func (s *skimmer) joined(i, end int, p place) int {
	lo := int32(len(s.items))
	chain := s.chainFrom
	s.chainFrom = lo
	defer func() { s.chainFrom = chain }()
	i = s.fromItem(i, end, p)
	for i < end {
		kind, bare, j := s.joinAt(i, end)
		if kind == joinNone {
			return i
		}
		i = s.join(j, end, p, kind, bare, lo)
	}
	return i
}

// join reads the right side and the condition of a join whose left side are the items from lo on.
func (s *skimmer) join(i, end int, p place, kind joinKind, bare bool, lo int32) int {
	mid := int32(len(s.items))
	natural := bare && s.isNatural(i)
	i = s.fromItem(i, end, p)
	// In a JOIN b JOIN c ON … ON … the right side of the first join is the second one.
	for i < end && !bare {
		inner, cross, j := s.joinAt(i, end)
		if inner == joinNone {
			break
		}
		if !s.enter() {
			return end
		}
		i = s.join(j, end, p, inner, cross, mid)
		s.leave()
	}
	mark, never := len(s.preds), false
	switch {
	case natural:
		s.naturally(p.scope, lo, mid)
	case i >= end, bare:
	case s.word(i, kwOn):
		scope, from := s.onScope, s.onFrom
		s.onScope, s.onFrom = p.scope, lo
		if s.mysql { // where a join without a condition comes before, lo is behind it
			s.onFrom = s.chainFrom
		}
		i = s.or(i+1, end, p)
		s.onScope, s.onFrom = scope, from
		never = s.truth.never() && s.complete(i)
	case s.word(i, kwUsing) && s.op(i+1, opLeft):
		i = s.using(i+1, end, p.scope, lo, mid)
	}
	hi := int32(len(s.items))
	switch kind {
	case joinInner:
		s.apply(mark, p.scope)
		s.unjoined(never, p.scope, lo, hi)
	case joinLeft:
		s.applyOuter(mark, p.scope, mid, hi)
		s.mayBeAbsent(p.scope, mid, hi)
		s.unjoined(never, p.scope, mid, hi)
	case joinRight:
		s.applyOuter(mark, p.scope, lo, mid)
		s.mayBeAbsent(p.scope, lo, mid)
		s.unjoined(never, p.scope, lo, mid)
	default:
		s.discard(mark)
		s.mayBeAbsent(p.scope, lo, hi)
	}
	return i
}

// unjoined marks the items of a side of which a condition that never holds lets no row through.
func (s *skimmer) unjoined(never bool, sc, lo, hi int32) {
	for k := lo; never && k < hi; k++ {
		if s.items[k].scope == sc {
			s.untouched(k)
		}
	}
}

// mayBeAbsent marks the items of a side that an outer join fills with NULL.
func (s *skimmer) mayBeAbsent(sc, lo, hi int32) {
	for k := lo; k < hi; k++ {
		if s.items[k].scope == sc {
			s.items[k].absent = true
		}
	}
}

// using reads the columns of USING: each is in both sides.
func (s *skimmer) using(i, end int, sc, lo, mid int32) int {
	c := s.close(i)
	for j := i + 1; j < min(c, end); j++ {
		if column := s.columnAt(j); column >= 0 {
			left, okLeft := s.side(column, sc, lo, mid, true)
			right, okRight := s.side(column, sc, mid, int32(len(s.items)), true)
			s.tie(left, right, okLeft && okRight)
		}
	}
	i = min(c+1, end)
	if s.word(i, kwAs) && i < end {
		i = min(i+2, end)
	}
	return i
}

// naturally ties the tenant columns that both sides of a NATURAL join are known to have. MySQL leaves invisible columns out, which nobody sees: there, none is known.
func (s *skimmer) naturally(sc, lo, mid int32) {
	s.natural = true
	for column := range s.columns {
		left, okLeft := s.side(column, sc, lo, mid, false)
		right, okRight := s.side(column, sc, mid, int32(len(s.items)), false)
		s.tie(left, right, okLeft && okRight && !s.mysql)
	}
}

func (s *skimmer) tie(left, right ref, ok bool) {
	s.merges = true
	if ok {
		s.preds = append(s.preds, pred{at: left, link: right})
	}
}

// side finds the column among the items from lo to before hi, one side of a join. must tells that one of them has it; else that has to be known.
func (s *skimmer) side(column int, sc, lo, hi int32, must bool) (ref, bool) {
	for lo < hi && s.items[lo].scope != sc {
		lo++
	}
	if lo >= hi {
		return ref{}, false
	}
	v := rivals{limit: hi}
	s.among(lo, column, &v)
	k, sure := v.owner, Sure
	switch {
	case k >= 0:
	case v.absentOwners == 1 && (!s.natural || v.absentUnknown < 0):
		k = v.absentOwner
	case v.absentOwners > 0 || !must:
		return ref{}, false
	default:
		k = v.likeliest(s.natural)
		switch {
		case v.foreign && (v.looked > 1 || k >= 0 && s.items[k].hides):
			sure = Foreign
		case v.unknowns > 1:
			sure = Contested
		}
	}
	if k < 0 {
		return ref{}, false
	}
	if must && sure == Sure && v.looked == 1 {
		s.owned(k, column)
	}
	r, ok := s.columnOf(k, column)
	if ok {
		s.contest(r, sure)
	}
	return r, ok
}
