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

// joined reads an entry of a FROM list and all that is joined to it.
func (s *skimmer) joined(i, end int, p place) int {
	lo := int32(len(s.items))
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
	case i >= end, bare:
	case s.word(i, kwOn):
		i = s.or(i+1, end, p)
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

// using reads the columns of USING: each is in both sides. Of several items on a side one is taken as with unqualified columns.
func (s *skimmer) using(i, end int, sc, lo, mid int32) int {
	c := s.close(i)
	for j := i + 1; j < min(c, end); j++ {
		if !s.tenantColumn(j) {
			continue
		}
		left, okLeft := s.firstColumn(j, sc, lo, mid)
		right, okRight := s.firstColumn(j, sc, mid, int32(len(s.items)))
		if okLeft && okRight {
			s.preds = append(s.preds, pred{at: left, link: right})
		}
	}
	i = min(c+1, end)
	if s.word(i, kwAs) && i < end {
		i = min(i+2, end)
	}
	return i
}

func (s *skimmer) firstColumn(i int, sc, lo, hi int32) (ref, bool) {
	for k := lo; k < hi; k++ {
		if s.items[k].scope == sc && !s.items[k].absent {
			return s.column(k, i)
		}
	}
	return ref{}, false
}
