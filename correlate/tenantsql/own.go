package tenantsql

// Ownership says how sure it is that the tenant columns which a statement names belong to the relation that they are given to. An unqualified column among
// several tables is that of the one which has such a column: only who knows the tables can tell.
type Ownership uint8

// The grades of ownership.
const (
	Sure      Ownership = iota // the text says so, the answers say so, or there is no other
	Contested                  // another table of the same list may be the one that has the column
	Foreign                    // what the statement guarantees may be of no table: the column may be that of a function, a query within or around this one, or a join's other side
)

// Answer is what is known of a table and a column.
type Answer uint8

// The answers.
const (
	Unsaid Answer = iota
	Has
	Lacks
)

// Table names a table as catalogues tell tables apart: in PostgreSQL names are in lower case unless quoted; of MySQL they are as written, because it depends on
// the server (lower_case_table_names) whether case matters.
type Table struct{ Schema, Name string }

// Ask is a table of which it matters to the reading of a statement whether it has a column.
type Ask struct {
	Table
	Column int // index into Analyzer.Names
}

// MaxAsks bounds the questions of a statement. What is not asked stays unsaid.
const MaxAsks = 32

// Answers are those to the asks of a statement.
type Answers uint64

// With gives the answers with that to the i-th ask.
func (a Answers) With(i int, x Answer) Answers { return a | Answers(x)<<(2*i) }

// Of gives the answer to the i-th ask.
func (a Answers) Of(i int) Answer {
	if i >= MaxAsks {
		return Unsaid
	}
	return Answer(a >> (2 * i) & 3)
}

// From gives the answers from the n-th ask on.
func (a Answers) From(n int) Answers { return a >> (2 * min(n, MaxAsks)) }

// maxColumnBits is how many of the configured columns are told apart here.
const maxColumnBits = 32

// maxRivals is how many items an unqualified column is looked for in. Where there are more, nothing is sure.
const maxRivals = 32

// Names are the columns that can stand in an Ask and in Relation.Owns: the tenant columns, then those of documents; in lower case.
func (a *Analyzer) Names() []string { return a.names }

// Columns are the tenant columns among Names.
func (a *Analyzer) Columns() []string { return a.columns }

// Teaches tells whether the statement says of a table that it has a column.
func (st *Statement) Teaches() bool {
	for i := range st.Relations {
		if st.Relations[i].Owns != 0 {
			return true
		}
	}
	return false
}

// TableOf gives a relation's table.
func (r *Relation) TableOf() Table {
	if r.spelled.Name != "" {
		return r.spelled
	}
	return Table{r.Schema, r.Name}
}

// spell notes how the text writes the name of a relation whose last part stands at last.
func (s *skimmer) spell(r *Relation, first, last int) {
	if !s.mysql {
		return
	}
	r.spelled.Name = s.written(last)
	if last > first {
		r.spelled.Schema = s.written(last - 2)
	}
}

// written gives the identifier at i in its own case.
func (s *skimmer) written(i int) string {
	if t := s.toks[i]; t.kind == tWord {
		return s.sql[t.start:t.end]
	}
	return s.text(i)
}

// owned notes that the text itself gives a column to an item.
func (s *skimmer) owned(k int32, column int) {
	it := &s.items[k]
	if column < 0 || column >= maxColumnBits || it.rel < 0 || it.opaque || it.excluded || s.mute {
		return
	}
	it.has |= 1 << column
	s.rels[it.rel].Owns |= 1 << column
}

// owns tells whether an item has a column, and asks if that is not known; foreign tells that it is no table, so that nobody can say.
func (s *skimmer) owns(k int32, column int) (answer Answer, foreign bool) {
	it := &s.items[k]
	if column >= maxColumnBits {
		return Unsaid, it.rel < 0
	}
	bit := uint32(1) << column
	switch {
	case it.has&bit != 0:
		return Has, false
	case it.lacks&bit != 0:
		return Lacks, false
	case it.opaque:
		return Unsaid, true
	case it.rel < 0:
		return s.derivedOwns(k, column)
	case s.rels[it.rel].hidden || it.asked&bit != 0:
		return Unsaid, false
	}
	it.asked |= bit
	switch answer = s.answer(Ask{s.rels[it.rel].TableOf(), column}); answer {
	case Has:
		it.has |= bit
	case Lacks:
		it.lacks |= bit
	}
	return answer, false
}

// answer looks an ask up in what was given, or puts it down.
func (s *skimmer) answer(q Ask) Answer {
	for i := range s.given {
		if s.given[i] == q {
			return s.answers.Of(i)
		}
	}
	for i := range s.asks {
		if s.asks[i] == q {
			return Unsaid
		}
	}
	if len(s.asks) < MaxAsks {
		s.asks = append(s.asks, q)
	}
	return Unsaid
}

// derivedOwns is owns for the item of a sub-select, CTE or function.
func (s *skimmer) derivedOwns(k int32, column int) (answer Answer, foreign bool) {
	it := &s.items[k]
	if column >= len(s.columns) {
		return Unsaid, true // where documents go is not followed
	}
	answer = Lacks
	if it.hides {
		answer, foreign = Unsaid, true
	}
	for o := it.outs; o >= 0; o = s.outs[o].next {
		out := &s.outs[o]
		switch {
		case !s.look():
			return Unsaid, true
		case out.pos != star && equalFold(out.name, s.columns[column]):
			if out.later {
				return Unsaid, true
			}
			return Has, false
		case out.pos != star:
			continue
		}
		switch inner, _ := s.owns(out.from.item, column); inner {
		case Has:
			return Has, false
		case Unsaid:
			answer, foreign = Unsaid, true
		}
	}
	return answer, foreign
}

// rivals are the items that an unqualified column may belong to.
type rivals struct {
	owner, absentOwner     int32 // items that have it: the first one, and the first one that an outer join can make absent; -1 none
	owners, absentOwners   int
	unknown, absentUnknown int32 // tables of which nothing is known
	unknowns               int
	foreign                bool  // something that is no table may have it
	derived                int32 // the first sub-select that may have it; -1 none
	looked                 int
	table                  int32 // the first one that no outer join can make absent; -1 none
	limit                  int32 // the items from here on do not count; 0: all do
}

// among looks through the items of a scope from k on.
func (s *skimmer) among(k int32, column int, v *rivals) bool {
	v.owner, v.absentOwner, v.unknown, v.absentUnknown = -1, -1, -1, -1
	v.owners, v.absentOwners, v.unknowns, v.foreign, v.derived, v.table = 0, 0, 0, false, -1, -1
	for ; k >= 0 && (v.limit == 0 || k < v.limit); k = s.items[k].next {
		it := &s.items[k]
		if it.excluded {
			continue
		}
		if v.looked++; v.looked > maxRivals || !s.look() {
			v.foreign = true
			return v.owner >= 0 || v.unknowns > 0
		}
		answer, foreign := s.owns(k, column)
		if v.table < 0 && it.rel >= 0 && !it.absent && !it.opaque {
			v.table = k
		}
		switch {
		case answer == Has && !it.absent:
			if v.owners++; v.owner < 0 {
				v.owner = k
			}
		case answer == Has:
			if v.absentOwners++; v.absentOwner < 0 {
				v.absentOwner = k
			}
		case answer == Unsaid && foreign:
			v.foreign = true
			if v.derived < 0 && !it.absent && it.rel < 0 && column < len(s.columns) {
				if _, ok := s.columnOf(k, column); ok {
					v.derived = k
				}
			}
		case answer == Unsaid:
			v.unknowns++
			switch {
			case !it.absent && v.unknown < 0:
				v.unknown = k
			case it.absent && v.absentUnknown < 0:
				v.absentUnknown = k
			}
		}
	}
	return v.owner >= 0 || v.absentOwners > 0 || v.unknowns > 0 || v.foreign
}

// firstIn gives the first item of a scope that is in sight: in the ON of a join, only what is joined there is.
func (s *skimmer) firstIn(sc int32) int32 {
	k := s.scopes[sc].first
	if sc != s.onScope || k < 0 {
		return k
	}
	for k = s.onFrom; int(k) < len(s.items) && s.items[k].scope != sc; k++ {
		if !s.look() {
			return -1
		}
	}
	if int(k) == len(s.items) {
		return -1
	}
	return k
}

// unqualified finds the item whose column a name without a qualifier is, seen from a scope, and how sure that is. The server has taken the statement, so that
// one item of the innermost scope that has any must have the column, and no other of it, unless a join has merged theirs. Where USING or NATURAL does so, the
// column comes from the side that no outer join makes absent; of a FULL JOIN from neither.
func (s *skimmer) unqualified(column int, sc int32) (k int32, sure Ownership, ok bool) {
	if k := s.alone(sc); k >= 0 {
		s.owned(k, column)
		return k, Sure, true
	}
	var v rivals
	fallback := int32(-1)
	for ; sc >= 0; sc = s.scopes[sc].parent {
		first := s.firstIn(sc)
		if first < 0 {
			continue
		}
		if !s.among(first, column, &v) {
			if fallback < 0 {
				fallback = v.table
			}
			continue
		}
		switch {
		case v.owners+v.absentOwners > 1 && !s.merges: // not in the eyes of the server, which took the statement: what is known is old
			if v.owner < 0 {
				v.owner = v.absentOwner
			}
			return v.owner, Foreign, true
		case v.owner >= 0:
			return v.owner, Sure, true
		case v.absentOwners == 1 && (!s.natural || v.absentUnknown < 0):
			return v.absentOwner, Sure, true
		case v.absentOwners > 0:
			return -1, Sure, false
		}
		if k = v.likeliest(s.natural); k < 0 {
			return -1, Sure, false
		}
		outer := s.around(sc, column, &v)
		switch {
		case outer || v.foreign && (v.looked > 1 || s.items[k].hides), v.unknowns > 1 && s.natural: // a NATURAL FULL JOIN merges what it does not tie
			sure = Foreign
		case v.unknowns > 1:
			sure = Contested
		}
		return k, sure, true
	}
	return fallback, Foreign, fallback >= 0 // none has it, say the answers, but the server took the statement: they are old
}

// alone gives the table that is all there is in sight, -1 if it is not so: then nobody needs to be asked.
func (s *skimmer) alone(sc int32) int32 {
	if sc < 0 {
		return -1
	}
	k := s.firstIn(sc)
	if k < 0 || s.items[k].next >= 0 || s.items[k].rel < 0 || s.items[k].opaque || s.items[k].excluded {
		return -1
	}
	for sc = s.scopes[sc].parent; sc >= 0; sc = s.scopes[sc].parent {
		if s.scopes[sc].first >= 0 {
			return -1
		}
	}
	return k
}

// likeliest gives the item that is taken for the owner where none is known: the first one.
func (v *rivals) likeliest(natural bool) int32 {
	k := v.unknown
	if v.derived >= 0 && (k < 0 || v.derived < k) {
		k = v.derived
	}
	if k < 0 && (!natural || v.unknowns == 1) {
		k = v.absentUnknown
	}
	return k
}

// around tells whether a query around a scope may have the column. It asks about all of them: with other answers, theirs may count.
func (s *skimmer) around(sc int32, column int, v *rivals) (may bool) {
	w := *v
	for sc = s.scopes[sc].parent; sc >= 0 && w.looked <= maxRivals; sc = s.scopes[sc].parent {
		if k := s.firstIn(sc); k >= 0 {
			may = s.among(k, column, &w) || may
		}
	}
	return may || sc >= 0
}

// sided notes that it matters on which side of an outer join a column is: of one side the predicate says nothing.
func (s *skimmer) sided(at ref) {
	rels, _ := s.behind(at)
	for _, r := range rels {
		if s.rels[r].Ownership == Contested {
			s.rels[r].Ownership = Foreign
		}
	}
}

// contest notes that what is said of a column may be said of another one.
func (s *skimmer) contest(at ref, how Ownership) {
	if how == Sure {
		return
	}
	rels, _ := s.behind(at)
	for _, r := range rels {
		if s.mute && s.rels[r].vals.len() > 0 {
			continue // of which the rest of the statement speaks
		}
		s.rels[r].Ownership = max(s.rels[r].Ownership, how)
	}
}
