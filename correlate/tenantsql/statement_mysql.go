package tenantsql

// setStatement gives the index of the statement in MariaDB's SET STATEMENT name = value, … FOR statement; 0 if this is another SET.
func (s *skimmer) setStatement() int {
	if !s.mysql || !s.is(1, "statement") {
		return 0
	}
	for i := 2; i < s.n; i = s.skip(i, s.n) {
		switch {
		case s.is(i, modeSetting): // for the statement alone, which was read without it
			s.broken = true
		case s.word(i, kwFor):
			return i + 1
		}
	}
	return 0
}

// analyzed reads MariaDB's ANALYZE [FORMAT = x] of a statement, which runs it.
func (s *skimmer) analyzed() {
	i := 1
	if s.is(i, "format") && s.op(i+1, opEqual) {
		i += 3
	}
	switch s.keyword(i) {
	case kwSelect, kwInsert, kwReplace, kwUpdate, kwDelete, kwWith:
		if s.mysql {
			s.st.Kind, s.st.Analyze, s.st.Body = Explain, true, s.bodyFrom(i)
		}
	}
}

// fileOrHandler reads LOAD DATA … INTO TABLE t … [(columns)] [SET assignments] and HANDLER t READ … [WHERE condition].
func (s *skimmer) fileOrHandler(end int, p place) int {
	q := place{p.env, s.newScope(p.scope)}
	if s.is(0, "handler") {
		for i := 1; i < end; i = s.skip(i, end) {
			if s.is(i, "read") {
				s.table(1, i, q)
			} else if s.word(i, kwWhere) {
				s.where(i+1, end, q)
				break
			}
		}
		return end
	}
	i, replace := 1, false
	for i < end && !(s.word(i, kwInto) && s.word(i+1, kwTable)) {
		replace = replace || s.word(i, kwReplace)
		i++
	}
	if i+2 >= end {
		return end
	}
	rel, i := s.target(i+2, end, q, false)
	if rel < 0 {
		return end
	}
	s.rels[rel].insert, s.rels[rel].upsert = true, replace
	for i < end && !s.word(i, kwSet) {
		i = s.skip(i, end)
	}
	s.assignments(min(i+1, end), end, q, rel, true)
	return end
}

// systemTime gives the index behind MariaDB's FOR SYSTEM_TIME ALL, AS OF x, BETWEEN x AND y or FROM x TO y.
func (s *skimmer) systemTime(i, end int, p place) int {
	if !s.mysql || !s.word(i, kwFor) || !s.is(i+1, "system_time") {
		return i
	}
	moment := func(i int) int {
		if s.is(i, "timestamp") || s.word(i, kwTransaction) {
			if i+1 < end && s.toks[i+1].kind != tString {
				i++
			}
		}
		_, j := s.operand(i, end, place{p.env, -1})
		return min(j, end)
	}
	switch i += 2; {
	case s.word(i, kwAll):
		return min(i+1, end)
	case s.word(i, kwAs) && s.is(i+1, "of"):
		return moment(i + 2)
	case s.word(i, kwBetween), s.word(i, kwFrom):
		i = moment(i + 1)
		if s.word(i, kwAnd) || s.word(i, kwTo) {
			return moment(i + 1)
		}
	}
	return min(i, end)
}

// variableName gives the name of the variable token at i: "@v" of a user's, without quotes; of @@v and @@session.v the bare "v". A value of the whole server (global)
// is not the session's.
func (s *skimmer) variableName(i int) (name string, global bool) {
	t := s.toks[i]
	text := s.sql[t.start:t.end]
	if len(text) > 1 && text[1] == '@' {
		name = fold(text[2:])
		for _, scope := range [...]string{"session.", "local."} {
			if len(name) > len(scope) && name[:len(scope)] == scope {
				return name[len(scope):], false
			}
		}
		for _, scope := range [...]string{"global.", "persist.", "persist_only."} {
			if len(name) > len(scope) && name[:len(scope)] == scope {
				return name[len(scope):], true
			}
		}
		return name, false
	}
	if len(text) > 2 && (text[1] == '\'' || text[1] == '"' || text[1] == '`') {
		return "@" + fold(unquote(text[1:])), false
	}
	return fold(text), false
}

// assignedVariable reads @v := x at the variable inside an expression that ends at end.
func (s *skimmer) assignedVariable(i, end int) {
	name, _ := s.variableName(i)
	v := Value{Kind: Unknown}
	if o, j := s.operand(i+2, end, place{-1, -1}); s.sure && s.outputName(j, s.element(j, end)) {
		v = o.known()
	}
	s.change(name, v, false)
}

// intoVariables reads INTO @a, @b at its keyword. The values are those of the select list list … listEnd where that is all the query says.
func (s *skimmer) intoVariables(i, list, listEnd, end int) {
	if !s.mysql {
		return
	}
	for i++; i < end && s.toks[i].kind == tVariable; i += 2 {
		v := Value{Kind: Unknown}
		if e := s.element(list, listEnd); list < listEnd {
			if s.sure && s.complete(end) {
				v = s.expression(list, e, place{-1, -1})
			}
			list = e + 1
		}
		name, _ := s.variableName(i)
		s.change(name, v, false)
		if !s.op(i+1, opComma) {
			return
		}
	}
}
