package tenantsql

// merge reads a MERGE behind its keyword.
func (s *skimmer) merge(i, end int, p place) int {
	q := place{p.env, s.newScope(p.scope)}
	item := int32(len(s.items))
	rel, i := s.target(s.past(s.past(i, kwInto), kwOnly), end, q, true)
	if rel < 0 {
		return s.rest(i, end, q)
	}
	if i < end && s.word(i, kwUsing) {
		i = s.from(i+1, end, q)
	}
	mark := len(s.preds)
	if i < end && s.word(i, kwOn) {
		i = s.or(i+1, end, q)
	}
	unmatched := false // rows of the target that ON does not choose are changed
	for i < end && s.word(i, kwWhen) {
		w := s.when(i+1, end, rel, q)
		unmatched = unmatched || w.bySource
		s.rels[rel].insert = s.rels[rel].insert || w.inserts
		s.rels[rel].upsert = s.rels[rel].upsert || w.changes
		i = w.next
	}
	switch {
	case unmatched:
		s.discard(mark)
	case s.rels[rel].insert: // then each row of the source is used, whether ON holds or not
		s.applyOuter(mark, q.scope, item, item+1)
	default:
		s.apply(mark, q.scope)
	}
	return s.rest(i, end, q)
}

// action is what a WHEN clause does.
type action struct {
	changes  bool // updates or deletes rows
	bySource bool // rows that no row of the source matches
	inserts  bool
	next     int
}

// when reads a clause behind its WHEN.
func (s *skimmer) when(i, end int, rel int32, p place) action {
	var a action
	not := s.word(i, kwNot)
	from := i
	for cases := 0; i < end && (cases > 0 || !s.word(i, kwThen)); i = s.skip(i, end) {
		switch s.keyword(i) {
		case kwCase:
			cases++
		case kwEnd:
			cases--
		}
	}
	s.scan(from, i, p, true)
	bySource := not && s.is(from+2, "by") && s.word(from+3, kwSource)
	i = min(i+1, end)
	act := i
	i = s.whenEnd(i, end)
	switch s.keyword(act) {
	case kwInsert:
		a.inserts = true
		s.mergeInsert(act+1, i, rel, p)
	case kwUpdate:
		a.changes, a.bySource = true, bySource
		s.assignments(min(act+2, i), i, p, rel, false)
	case kwDelete:
		a.changes, a.bySource = true, bySource
	}
	a.next = i
	return a
}

// whenEnd gives the index of the next WHEN clause, of RETURNING, or end.
func (s *skimmer) whenEnd(i, end int) int {
	for cases := 0; i < end; i = s.skip(i, end) {
		switch s.keyword(i) {
		case kwCase:
			cases++
		case kwEnd:
			cases--
		case kwWhen:
			if cases <= 0 {
				return i
			}
		case kwReturning:
			return i
		}
		if s.op(i, opRight) {
			return i
		}
	}
	return i
}

func (s *skimmer) mergeInsert(i, end int, rel int32, p place) {
	c := collector{insert: true, rel: rel}
	if i < end && s.op(i, opLeft) {
		e := min(s.close(i), end)
		c.at = s.columnList(i+1, e, rel)
		i = min(e+1, end)
	}
	if s.word(i, kwOverriding) {
		i = min(i+3, end)
	}
	if i >= end || !s.word(i, kwValues) || !s.op(i+1, opLeft) {
		return
	}
	i++
	e := min(s.close(i), end)
	s.scan(i+1, e, p, false)
	for k, pos := i+1, int32(0); k < e; pos++ {
		ke := s.element(k, e)
		for _, at := range c.at {
			if at == pos {
				c.insertItem(s, k, ke, p)
			}
		}
		k = ke + 1
	}
}
