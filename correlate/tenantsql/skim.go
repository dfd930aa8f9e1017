package tenantsql

// skimmer reads one statement. It descends only into WITH, FROM, ON, WHERE, VALUES, SET and brackets; all else is walked over for sub-selects.
// Its slices are arenas, reused from statement to statement.
type skimmer struct {
	lexed
	columns  []string
	paths    []jsonColumn
	settings []string

	st      Statement
	scopes  []scope
	items   []item
	outs    []out
	ctes    []cte
	rels    []relation
	vals    []Value
	preds   []pred
	edges   []edge
	assigns []assign
	hits    []int32
	asks    []Ask
	buf     []byte

	depth   int
	looks   int
	broken  bool      // something was not read: a cap, or brackets and clauses that make no sense
	sure    bool      // a set_config() here is called once, for sure
	calls   bool      // a function called here may be there for what it does to the session
	aka     string    // the alias read last, as it is written
	via     Ownership // of the columns that valuesOf looked at
	truth   ternary   // of the condition read last
	merges  bool      // a join may have merged tenant columns
	mute    bool      // a name without a qualifier may be that of an output: ORDER BY
	natural bool      // a NATURAL join has been met
	whole   int32     // the relation that the output is all columns of, -1 none
	plain   bool      // the statement is one SELECT, and no set operator has been met

	given           []Ask // that answers are for
	answers         Answers
	chainFrom       int32 // the first item of the joins that are read
	onScope, onFrom int32 // the scope whose ON is read, and the first item in its sight; -1 none
}

// place is where names are looked up: the CTEs and the scope.
type place struct {
	env   int32 // index of the newest CTE in sight, -1 without one
	scope int32
}

// reset forgets the statement, literals first of all, and keeps the memory.
func (s *skimmer) reset() {
	clear(s.items)
	clear(s.outs)
	clear(s.ctes)
	clear(s.rels)
	clear(s.vals)
	clear(s.asks)
	s.asks, s.given, s.answers, s.onScope = s.asks[:0], nil, 0, -1
	s.whole, s.plain, s.natural, s.merges = -1, false, false, false
	s.sql, s.aka, s.st = "", "", Statement{}
	s.scopes, s.items, s.outs, s.ctes, s.rels = s.scopes[:0], s.items[:0], s.outs[:0], s.ctes[:0], s.rels[:0]
	s.vals, s.preds, s.edges, s.assigns = s.vals[:0], s.preds[:0], s.edges[:0], s.assigns[:0]
	s.depth, s.looks, s.broken, s.sure, s.calls = 0, 0, false, false, false
}

// enter goes one level down; false at the cap. Each true asks for a leave.
func (s *skimmer) enter() bool {
	if s.depth >= maxDepth {
		s.broken = true
		return false
	}
	s.depth++
	return true
}

func (s *skimmer) leave() { s.depth-- }

// look asks for the time to look at an item of a FROM list; false at the cap: a name would else be looked for in thousands of joined tables, as many times.
func (s *skimmer) look() bool {
	if s.looks >= maxLooks {
		s.broken = true
		return false
	}
	s.looks++
	return true
}

// complete tells whether the token before k is known to be followed by what stands at k: not so at the end of a cut text.
func (s *skimmer) complete(k int) bool { return k < s.n || !s.partial }

// element gives the end of the list element that begins at i: the comma, or end.
func (s *skimmer) element(i, end int) int {
	for i < end && !s.op(i, opComma) {
		i = s.skip(i, end)
	}
	return i
}

// path reads a dotted name; it gives the index of its last name and the one behind. A path ends in a name or is none (false).
func (s *skimmer) path(i, end int) (last, next int, ok bool) {
	if i >= end || !s.name(i) {
		return 0, i, false
	}
	for i+2 < end && s.op(i+1, opDot) && s.name(i+2) {
		i += 2
	}
	if i+1 < end && s.op(i+1, opDot) {
		return i, i + 2, false // a.* or a cut path
	}
	// Of a cut text, the token that was left out may be the dot of a longer path.
	return i, i + 1, s.complete(i+1) || s.toks[i].end < s.toks[s.n].start || int(s.toks[i].end) == len(s.sql)
}

// text gives the identifier at i.
func (s *skimmer) text(i int) string { return identifier(s.sql, s.toks[i]) }

// isQuery tells whether the bracket at i opens a sub-select rather than an expression or a join.
func (s *skimmer) isQuery(i int) bool {
	if !s.op(i, opLeft) {
		return false
	}
	i++
	for range maxDepth {
		if !s.op(i, opLeft) {
			switch s.keyword(i) {
			case kwSelect, kwWith, kwValues, kwTable:
				return true
			}
			return false
		}
		switch c := s.close(i) + 1; {
		case s.op(c, opRight), c > s.n:
			i++
		default:
			switch s.keyword(c) {
			case kwUnion, kwIntersect, kwExcept, kwOrder, kwLimit, kwOffset, kwFetch:
				return s.isQueryStart(i)
			}
			return false
		}
	}
	return false
}

// isQueryStart tells whether the innermost of the brackets from i on begins with a query.
func (s *skimmer) isQueryStart(i int) bool {
	for n := 0; s.op(i, opLeft) && n < maxDepth; n++ {
		i++
	}
	switch s.keyword(i) {
	case kwSelect, kwWith, kwValues, kwTable:
		return true
	}
	return false
}

// scan walks over what has no structure here, for the sub-selects and calls of set_config in it. Tenant columns that it meets are
// noted as Heuristic if mark is set.
func (s *skimmer) scan(i, end int, p place, mark bool) {
	for i < end {
		t := s.toks[i]
		switch {
		case t.op(opLeft) && s.isQuery(i):
			c := min(s.close(i), end)
			s.subquery(i+1, c, p, nil)
			i = c
		case t.kind == tWord && keyword(t.sub) == 0 && s.op(i+1, opLeft) && s.is(i, "set_config"):
			s.setConfig(i+1, end)
		case s.calls && t.name() && keyword(t.sub) == 0 && s.op(i+1, opLeft):
			s.called(i)
		case t.kind == tVariable && s.op(i+1, opAssign):
			s.assignedVariable(i, end)
		case t.word(kwInto) && s.mysql:
			s.intoVariables(i, 0, 0, end)
		case t.word(kwCase), t.word(kwCoalesce), t.word(kwAnd), t.word(kwOr):
			s.sure = false
		case mark && t.kind == tString && i > 1:
			s.jsonSign(i, p)
		case mark && t.name() && s.tenantColumn(i) && p.scope >= 0:
			from := i
			for from-2 >= 0 && s.op(from-1, opDot) && s.name(from-2) {
				from -= 2
			}
			if from == i && i > 0 && s.op(i-1, opDot) {
				break // a field of a composite value
			}
			s.mute = from == i
			r, ok := s.resolve(from, i, p.scope)
			s.mute = false
			if ok {
				s.doubtful(r)
			}
		}
		i++
	}
}
