package tenantsql

// or reads a condition and leaves on the stack of predicates what it guarantees. It gives the index of what ends the condition.
func (s *skimmer) or(i, end int, p place) int {
	mark := len(s.preds)
	i = s.and(i, end, p)
	if i >= end || !s.isOr(i) {
		return i
	}
	s.foldArm(mark)
	all := s.truth
	for i < end && s.isOr(i) {
		arm := len(s.preds)
		exclusive := s.word(i, kwXor)
		i = s.and(i+1, end, p)
		s.foldArm(arm)
		switch {
		case exclusive:
			s.discard(mark)
			all = mayHold
			continue
		case s.truth.never(): // and binds nothing: and has left no predicate
		case all.never(): // so the arms before have left none
		default:
			s.either(mark, arm)
		}
		all = all.or(s.truth)
	}
	s.truth = all
	return i
}

// isOr tells whether the token at i separates the arms of an alternative. MySQL's || is one unless PIPES_AS_CONCAT is set, and then what
// follows makes another value: in both cases the arm before guarantees nothing alone.
func (s *skimmer) isOr(i int) bool {
	return s.word(i, kwOr) || s.word(i, kwXor) || s.op(i, opBothOr)
}

func (s *skimmer) isAnd(i int) bool { return s.word(i, kwAnd) || s.op(i, opBothAnd) }

func (s *skimmer) and(i, end int, p place) int {
	mark, all := len(s.preds), alwaysHolds
	for {
		i = s.leaf(i, end, p)
		all = all.and(s.truth)
		if i >= end || !s.isAnd(i) {
			break
		}
		i++
	}
	if s.truth = all; all.never() {
		s.preds = s.preds[:mark] // of no row
	}
	return i
}

// foldArm makes of the predicates from mark on at most one for each column; equalities between columns do not get out of an OR.
func (s *skimmer) foldArm(mark int) {
	n := mark
next:
	for _, q := range s.preds[mark:] {
		if q.link.item >= 0 {
			s.doubtful(q.at)
			s.doubtful(q.link)
			continue
		}
		if n-mark >= maxArmColumns {
			s.doubtful(q.at)
			continue
		}
		for k := mark; k < n; k++ {
			if o := &s.preds[k]; o.at == q.at {
				best, ok := s.both(o.vals, q.vals)
				if !ok {
					best = s.value(Value{Kind: Unknown})
				}
				o.vals = best
				continue next
			}
		}
		s.preds[n] = q
		n++
	}
	s.preds = s.preds[:n]
}

const maxArmColumns = 64 // columns that one arm of an OR can bind

// either keeps of the arms mark … arm and arm … what both bind: a column has then one of the values of both.
func (s *skimmer) either(mark, arm int) {
	n := mark
	for k := mark; k < arm; k++ {
		a, found := s.preds[k], false
		for _, b := range s.preds[arm:] {
			if a.at == b.at {
				a.vals, found = s.union(a.vals, b.vals), true
				break
			}
		}
		if !found {
			s.doubtful(a.at)
			continue
		}
		s.preds[n] = a
		n++
	}
	for _, b := range s.preds[arm:] {
		if !s.bound(mark, n, b.at) {
			s.doubtful(b.at)
		}
	}
	s.preds = s.preds[:n]
}

func (s *skimmer) bound(from, to int, at ref) bool {
	for _, p := range s.preds[from:to] {
		if p.at == at {
			return true
		}
	}
	return false
}

// leaf reads an operand of AND: a comparison, or a condition in brackets, with or without NOT.
func (s *skimmer) leaf(i, end int, p place) int {
	negated, odd := false, false
	for i < end && (s.word(i, kwNot) || s.op(i, opBang)) {
		negated, odd = true, !odd
		i++
	}
	mark := len(s.preds)
	if i+2 < end && s.is(i, "current") && s.is(i+1, "of") && p.scope >= 0 && s.scopes[p.scope].first >= 0 { // the row that a cursor is at
		s.truth = mayHold
		s.preds = append(s.preds, pred{at: ref{item: s.scopes[p.scope].first, pos: base}, link: ref{item: -1}, vals: s.value(Value{Kind: Unknown})})
		return i + 3
	}
	next, ok := s.group(i, end, p)
	if !ok {
		t := mayHold
		if next, ok = s.compare(i, end, p); !ok {
			next = s.leafEnd(i, end)
			if !negated || !s.mysql { // there, NOT may bind tighter than the comparison
				t = s.constant(i, next, end)
			}
		}
		s.scan(i, next, p, !ok)
		s.truth = t
	}
	if negated {
		s.discard(mark)
		if odd {
			s.truth = s.truth.not()
		}
	}
	return next
}

// group reads a condition in brackets; false if the bracket at i is none of that kind. What follows the closing bracket decides: (a, b) = (1, 2) and
// (a) = 1 are comparisons.
func (s *skimmer) group(i, end int, p place) (int, bool) {
	if i >= end || !s.op(i, opLeft) || s.isQuery(i) {
		return i, false
	}
	c := s.close(i)
	after := min(c+1, end)
	if !s.ends(after, end) {
		return i, false
	}
	closed := c < end
	c = min(c, end)
	s.truth = mayHold
	if !s.enter() {
		return after, true
	}
	mark := len(s.preds)
	if j := s.or(i+1, c, p); j < c {
		s.discard(mark)
		s.scan(j, c, p, true)
		s.truth = mayHold
	}
	s.leave()
	if !closed {
		s.truth = mayHold
	} else if !s.done(after, end) { // the cut may have taken an IS FALSE
		s.discard(mark)
		s.truth = mayHold
	}
	return after, true
}

// ends tells whether an operand of AND ends before the token at i.
func (s *skimmer) ends(i, end int) bool {
	if i >= end {
		return true
	}
	switch k := s.keyword(i); k {
	case 0:
	case kwLeft, kwRight: // functions as well
		return !s.op(i+1, opLeft)
	case kwSet, kwLock, kwProcedure, kwStraightJoin:
		return s.mysql
	case kwAnd, kwOr, kwXor, kwGroup, kwHaving, kwOrder, kwLimit, kwOffset, kwFetch, kwFor, kwUnion, kwIntersect, kwExcept, kwReturning, kwWindow, kwOn,
		kwWhere, kwUsing, kwWhen, kwThen, kwInto, kwJoin, kwInner, kwFull, kwCross, kwNatural:
		return true
	}
	t := s.toks[i]
	return t.kind == tOp && (t.sub == opComma || t.sub == opRight || t.sub == opBothAnd || t.sub == opBothOr)
}

// done tells whether an operand of AND ends before i for sure: what follows was not cut off.
func (s *skimmer) done(i, end int) bool { return s.ends(i, end) && s.complete(i) }

// leafEnd gives the end of an operand of AND whose inside is not understood.
func (s *skimmer) leafEnd(i, end int) int {
	between, cases := 0, 0
	for i < end {
		switch s.keyword(i) {
		case kwCase:
			cases++
		case kwEnd:
			cases--
		case kwBetween:
			between++
		case kwAnd:
			if between > 0 && cases <= 0 {
				between--
				i++
				continue
			}
		}
		if cases <= 0 && s.ends(i, end) {
			return i
		}
		i = s.skip(i, end)
	}
	return end
}
