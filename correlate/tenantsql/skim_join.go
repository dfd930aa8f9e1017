package tenantsql

// joinKind says which side's rows may be missing from the result of a join.
type joinKind uint8

const (
	joinNone  joinKind = iota
	joinInner          // also STRAIGHT_JOIN
	joinBare           // CROSS and NATURAL: no condition that the text shows
	joinLeft
	joinRight
	joinFull
)

// joinAt reads the keywords of a join; joinNone if there is none. next is behind them.
func (s *skimmer) joinAt(i, end int) (kind joinKind, next int) {
	natural := s.word(i, kwNatural)
	if natural {
		i++
	}
	kind = joinInner
	switch s.keyword(i) {
	case kwStraightJoin:
		return kind, min(i+1, end)
	case kwInner:
		i++
	case kwCross:
		kind = joinBare
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
		return joinNone, i
	}
	if natural {
		kind = joinBare
	}
	return kind, i + 1
}

// joined reads an entry of a FROM list and all that is joined to it.
func (s *skimmer) joined(i, end int, p place) int {
	lo := int32(len(s.items))
	i = s.fromItem(i, end, p)
	for i < end {
		kind, j := s.joinAt(i, end)
		if kind == joinNone {
			return i
		}
		i = s.join(j, end, p, kind, lo)
	}
	return i
}

// join reads the right side and the condition of a join whose left side are the items from lo on.
func (s *skimmer) join(i, end int, p place, kind joinKind, lo int32) int {
	mid := int32(len(s.items))
	i = s.fromItem(i, end, p)
	if kind == joinBare {
		return i
	}
	// In a JOIN b JOIN c ON … ON … the right side of the first join is the second one.
	for i < end {
		inner, j := s.joinAt(i, end)
		if inner == joinNone {
			break
		}
		if !s.enter() {
			return end
		}
		i = s.join(j, end, p, inner, mid)
		s.leave()
	}
	mark := len(s.preds)
	switch {
	case i >= end:
		return i
	case s.word(i, kwOn):
		i = s.or(i+1, end, p)
	case s.word(i, kwUsing) && s.op(i+1, opLeft):
		i = s.using(i+1, end, p.scope, lo, mid)
	}
	switch kind {
	case joinInner:
		s.apply(mark, p.scope)
	case joinLeft:
		s.applyOuter(mark, p.scope, mid, int32(len(s.items)))
	case joinRight:
		s.applyOuter(mark, p.scope, lo, mid)
	default:
		s.discard(mark)
	}
	return i
}

// using reads the columns of USING: each is in both sides. As with unqualified columns, of several items on a side the first is taken.
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
		if s.items[k].scope == sc {
			return s.column(k, i)
		}
	}
	return ref{}, false
}
