package tenantsql

// remove reads a DELETE behind its keyword.
func (s *skimmer) remove(i, end int, p place) int {
	for s.mysql && i < end && (s.is(i, "low_priority") || s.is(i, "quick") || s.word(i, kwIgnore)) {
		i++
	}
	q := place{p.env, s.newScope(p.scope)}
	s.st.Write = true
	names := i // MySQL: DELETE a, b FROM …
	if s.word(i, kwFrom) {
		i++
		names = i
		if !s.mysql || !s.usingFollows(i, end) {
			i = s.past(i, kwOnly)
			_, i = s.target(i, end, q, true)
			if i < end && s.word(i, kwUsing) {
				i = s.from(i+1, end, q)
			}
			return s.condition(i, end, q)
		}
	}
	for i < end && !s.word(i, kwFrom) && !s.word(i, kwUsing) {
		i = s.skip(i, end)
	}
	namesEnd := i
	i = s.from(min(i+1, end), end, q)
	s.markDeleted(names, namesEnd, q)
	return s.condition(i, end, q)
}

func (s *skimmer) condition(i, end int, p place) int {
	if i < end && s.word(i, kwWhere) {
		i = s.where(i+1, end, p)
	}
	s.expectClause(i, end)
	return s.rest(i, end, p)
}

// usingFollows tells whether DELETE FROM a, b USING … stands at i: names and commas before USING.
func (s *skimmer) usingFollows(i, end int) bool {
	for i < end && (s.op(i, opComma) || s.op(i, opDot) || s.op(i, opStar) || s.name(i) && !reserved(s.keyword(i))) {
		i++
	}
	return i < end && s.word(i, kwUsing)
}

// markDeleted marks the items that a MySQL DELETE of several tables names.
func (s *skimmer) markDeleted(i, end int, p place) {
	for i < end {
		e := s.element(i, end)
		last := e - 1
		if s.op(last, opStar) { // a.*
			last -= 2
		}
		for k := s.scopes[p.scope].first; k >= 0 && last >= i; k = s.items[k].next {
			if s.items[k].rel >= 0 && s.name(last) && s.named(last, s.items[k].name) {
				s.rels[s.items[k].rel].Target = true
				break
			}
		}
		i = e + 1
	}
}
