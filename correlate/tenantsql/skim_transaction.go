package tenantsql

// transaction reads the statements that begin and end transactions and set marks in them. Those of two-phase commit and XA are Other: they name a
// transaction that is no longer the session's.
func (s *skimmer) transaction() {
	st := &s.st
	i := 1
	switch s.keyword(0) {
	case kwBegin:
		st.Kind = Begin
	case kwStart:
		if s.word(1, kwTransaction) {
			st.Kind = Begin
		}
	case kwCommit, kwEnd:
		if !s.word(1, kwPrepared) {
			st.Kind = Commit
		}
	case kwRollback, kwAbort:
		if s.word(1, kwPrepared) {
			return
		}
		st.Kind = Rollback
		i = s.past(s.past(i, kwWork), kwTransaction)
		if s.word(i, kwTo) {
			st.Kind = RollbackTo
			st.Name = s.nameAt(s.past(i+1, kwSavepoint))
		}
	case kwSavepoint:
		st.Kind, st.Name = Savepoint, s.nameAt(1)
	case kwRelease:
		st.Kind, st.Name = Release, s.nameAt(s.past(1, kwSavepoint))
	}
}

// nameAt gives the identifier at i, "" if there is none.
func (s *skimmer) nameAt(i int) string {
	if i < s.n && s.name(i) {
		return s.text(i)
	}
	return ""
}

// prepared reads the statements about other statements.
func (s *skimmer) prepared() {
	st := &s.st
	switch s.keyword(0) {
	case kwPrepare:
		if s.word(1, kwTransaction) && s.n > 2 && s.toks[2].kind == tString {
			return
		}
		st.Kind, st.Name = Prepare, s.nameAt(1)
		s.preparedBody(2)
	case kwExecute:
		st.Kind, st.Name = Execute, s.nameAt(1)
		s.executeArgs(2)
	case kwDeallocate: // ALL has no name
		st.Kind = Deallocate
		if i := s.past(1, kwPrepare); !s.word(i, kwAll) {
			st.Name = s.nameAt(i)
		}
	case kwDeclare:
		st.Kind, st.Name = Declare, s.nameAt(1)
		for i := 2; i < s.n; i++ {
			if s.word(i, kwFor) {
				st.Body = s.bodyFrom(i + 1)
				break
			}
		}
	case kwFetch:
		st.Kind = Fetch
		if s.complete(s.n) {
			st.Name = s.nameAt(s.n - 1)
		}
	case kwShow:
		st.Kind = Show
	default:
		s.explain()
	}
}

// preparedBody reads [(types)] AS body, or MySQL's FROM 'body'.
func (s *skimmer) preparedBody(i int) {
	if s.op(i, opLeft) {
		i = s.skip(i, s.n)
	}
	switch {
	case s.word(i, kwAs):
		s.st.Body = s.bodyFrom(i + 1)
	case s.mysql && s.word(i, kwFrom):
		if v := s.expression(i+1, s.n, place{-1, -1}); v.Kind == Literal {
			s.st.Body = v.Text
		}
	}
}

// executeArgs reads (arguments), or MySQL's USING @a, @b. Of a cut list the arguments that are whole are kept.
func (s *skimmer) executeArgs(i int) {
	end := s.n
	switch {
	case s.op(i, opLeft):
		end = s.close(i)
	case !s.word(i, kwUsing):
		return
	}
	for i++; i < end; {
		e := s.element(i, end)
		if s.complete(e) {
			s.st.Args = append(s.st.Args, s.expression(i, e, place{-1, -1}))
		}
		i = e + 1
	}
}

// bodyFrom gives the text from the token at i to the statement's end.
func (s *skimmer) bodyFrom(i int) string {
	if i >= s.n {
		return ""
	}
	end := len(s.sql)
	if !s.partial {
		end = int(s.toks[s.n].start)
	}
	return trim(s.sql[s.toks[i].start:end])
}

// explain reads EXPLAIN and its options. MySQL's EXPLAIN of a table is a Show.
func (s *skimmer) explain() {
	s.st.Kind = Explain
	i := 1
	if s.op(i, opLeft) && !s.isQuery(i) {
		c := s.close(i)
		for i++; i < c; i++ {
			if s.isAnalyze(i) {
				s.st.Analyze = !s.is(i+1, "off") && !s.word(i+1, kwFalse) && !(s.toks[i+1].kind == tNumber && s.toks[i+1].end-s.toks[i+1].start == 1 &&
					s.sql[s.toks[i+1].start] == '0')
			}
		}
	}
	for ; i < s.n; i++ {
		switch s.keyword(i) {
		case kwSelect, kwInsert, kwUpdate, kwDelete, kwMerge, kwReplace, kwWith, kwValues, kwTable, kwExecute, kwDeclare, kwCreate, kwRefresh:
			s.st.Body = s.bodyFrom(i)
			return
		case kwAnalyze, kwAnalyse:
			s.st.Analyze = true
		}
		if s.isQuery(i) {
			s.st.Body = s.bodyFrom(i)
			return
		}
	}
	if s.mysql && s.complete(s.n) {
		s.st.Kind, s.st.Analyze = Show, false
	}
}

func (s *skimmer) isAnalyze(i int) bool { return s.word(i, kwAnalyze) || s.word(i, kwAnalyse) }
