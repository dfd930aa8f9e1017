package tenantsql

// statement reads the statement by its first keyword.
func (s *skimmer) statement() {
	out := place{env: -1, scope: -1}
	st := &s.st
	if s.n == 0 {
		if s.partial {
			st.Kind = Other
		}
		return
	}
	st.Kind = Other
	i, end := 0, s.n
	switch s.keyword(0) {
	case kwSelect, kwValues, kwTable, kwWith, kwInsert, kwReplace, kwUpdate, kwDelete, kwMerge:
		i = s.topLevel(out)
	case kwCopy:
		i = s.copy(1, end, out)
	case kwTruncate:
		i = s.truncate(1, end, out)
	case kwCreate:
		i = s.create(1, end, out)
	case kwSet:
		if k := s.setStatement(); k > 0 {
			s.st.Kind, i = s.dml(k, end, out, nil)
			break
		}
		st.Kind = Set
		s.set(1, end)
		return
	case kwReset:
		st.Kind = Reset
		s.resetSetting(1)
		return
	case kwDiscard:
		st.Kind = Discard
		s.discardAll(1)
		return
	case kwUse:
		if s.mysql && s.n == 2 && s.complete(2) {
			st.Kind, st.Name = Use, s.nameAt(1)
		}
		return
	case kwAnalyze:
		s.analyzed()
		return
	case kwPrepare, kwExecute, kwDeallocate, kwDeclare, kwFetch, kwExplain, kwDesc, kwDescribe, kwShow:
		s.prepared()
		return
	default:
		if s.op(0, opLeft) && s.isQuery(0) {
			i = s.topLevel(out)
			break
		}
		if s.is(0, "do") || s.is(0, "call") { // code that is not seen: it may touch any row and set any setting
			s.broken = true
			return
		}
		if s.mysql && (s.is(0, "load") || s.is(0, "handler")) {
			i = s.fileOrHandler(end, out)
			break
		}
		s.transaction()
		return
	}
	if i < end {
		s.broken = true
	}
}

func (s *skimmer) topLevel(p place) int {
	s.sure = s.word(0, kwSelect)
	s.plain = s.sure && !s.mysql
	var i int
	s.st.Kind, i = s.dml(0, s.n, p, nil)
	return i
}

// copy reads COPY t [(columns)] FROM … and COPY t or (query) TO …
func (s *skimmer) copy(i, end int, p place) int {
	s.st.Kind = Copy
	if s.op(i, opLeft) { // a query, or a statement with RETURNING
		e := min(s.close(i), end)
		if _, j := s.dml(i+1, e, p, nil); j < e {
			s.broken = true
		}
		return end
	}
	if s.is(i, "binary") {
		i++
	}
	last, next, ok := s.path(i, end)
	if !ok {
		return end
	}
	r := Relation{Name: s.text(last)}
	if last > i {
		r.Schema = s.text(last - 2)
	}
	list := next
	if s.op(next, opLeft) {
		next = s.skip(next, end)
	}
	r.Target = s.word(next, kwFrom)
	s.st.Write = r.Target
	rel := s.addRelation(r)
	if s.op(list, opLeft) {
		s.columnList(list+1, min(s.close(list), end), rel)
	}
	return end
}

// truncate reads TRUNCATE [TABLE] [ONLY] t, … as a change of all rows.
func (s *skimmer) truncate(i, end int, p place) int {
	i = s.past(i, kwTable)
	q := place{p.env, s.newScope(p.scope)}
	for i < end {
		_, next := s.target(s.past(i, kwOnly), end, q, false)
		if next >= end || !s.op(next, opComma) {
			break
		}
		i = next + 1
	}
	return end
}

// create reads the query of CREATE TABLE … AS and CREATE MATERIALIZED VIEW … AS, which runs at once; that of a view does not.
func (s *skimmer) create(i, end int, p place) int {
	if s.word(i, kwOr) && s.word(i+1, kwReplace) {
		i += 2
	}
	for i < end && (s.word(i, kwTemp) || s.word(i, kwTemporary) || s.word(i, kwUnlogged) || s.is(i, "local") || s.is(i, "global")) {
		i++
	}
	if !s.word(i, kwTable) && !s.word(i, kwMaterialized) {
		return end
	}
	body := end
	if s.word(body-1, kwData) { // WITH [NO] DATA
		for body--; body > i && (s.word(body, kwData) || s.word(body, kwNo)); body-- {
		}
	}
	for ; i < end; i = s.skip(i, end) {
		switch {
		case s.word(i, kwAs):
			i++
		case s.mysql && (s.word(i, kwSelect) || s.word(i, kwWith) || s.isQuery(i)):
		default:
			continue
		}
		if _, j := s.dml(i, body, p, nil); j < body {
			s.broken = true // EXECUTE, say
		}
		return end
	}
	return end
}
