package tenantsql

// ref is a tenant column: of an item of a FROM list, and for a derived item its output column.
type ref struct {
	item int32
	pos  int32 // position in the select list, 0-based; star: any that * brings; base: the item is a table
}

const (
	base int32 = -1
	star int32 = -2
)

// item is an entry of a FROM list.
type item struct {
	rel      int32 // index of the relation; -1 for sub-selects, CTEs and functions
	scope    int32
	next     int32  // of the same scope; -1 ends
	schema   string // "" if not written, or hidden by an alias
	name     string // the alias, else the table's name
	outs     int32  // output columns of a derived item that are tenant columns: index into outs, -1 ends
	arms     int32  // SELECTs that make up the derived item (UNION)
	lo, hi   int32  // relations from lo to before hi are those of the derived item's inside
	opaque   bool   // no column of it is known: functions
	excluded bool   // the row that an INSERT could not insert
	exact    bool   // its columns are known by position: VALUES, unnest()
	absent   bool   // an outer join can make all columns NULL
	shared   bool   // what a reader demands of it does not hold for its inside: CTEs, which may have other readers, and window functions
	hides    bool   // a column of it that is not among outs may be named as a tenant column is

	has, lacks, asked uint32 // columns of a table, by their index: see owns
}

// out is a tenant column in the output of a sub-select.
type out struct {
	pos  int32
	name string
	from ref
	next int32
	// later: of an arm of a UNION behind the first, whose names do not count.
	later bool
}

// scope holds the items that the names of a SELECT, UPDATE … refer to.
type scope struct {
	parent      int32 // -1 for the outermost
	first, last int32
}

func (s *skimmer) newScope(parent int32) int32 {
	s.scopes = append(s.scopes, scope{parent: parent, first: -1, last: -1})
	return int32(len(s.scopes) - 1)
}

func (s *skimmer) addItem(sc int32, it item) int32 {
	k := int32(len(s.items))
	it.scope, it.next = sc, -1
	s.items = append(s.items, it)
	if p := &s.scopes[sc]; p.last < 0 {
		p.first, p.last = k, k
	} else {
		s.items[p.last].next = k
		p.last = k
	}
	return k
}

// tenantColumn tells whether the name at i is that of a tenant column.
func (s *skimmer) tenantColumn(i int) bool { return s.columnAt(i) >= 0 }

// columnAt gives the index of the tenant column that the name at i is, -1 if it is none.
func (s *skimmer) columnAt(i int) int {
	t := s.toks[i]
	if !t.name() {
		return -1
	}
	text := s.sql[t.start:t.end]
	if t.kind == tQuoted {
		if t.sub != quotePlain {
			text = identifier(s.sql, t)
		} else {
			text = text[1 : len(text)-1]
		}
	}
	return s.tenantName(text)
}

func (s *skimmer) tenantName(name string) int {
	for i, c := range s.columns {
		if equalFold(c, name) {
			return i
		}
	}
	return -1
}

// resolve finds the tenant column that the names at from … to (each two apart: the dots between) refer to, seen from a scope.
func (s *skimmer) resolve(from, to int, sc int32) (ref, bool) {
	column := s.columnAt(to)
	if column < 0 {
		return ref{}, false
	}
	k, sure, ok := int32(-1), Sure, true
	if from == to {
		k, sure, ok = s.unqualified(column, sc)
	} else if k = s.qualified(from, to, sc); k >= 0 {
		s.owned(k, column)
	}
	if !ok || k < 0 {
		return ref{}, false
	}
	r, ok := s.columnOf(k, column)
	if ok {
		if r.pos == star && s.items[k].hides { // what the * brings is perhaps not what bears the name
			if answer, _ := s.derivedOwns(k, column); answer != Has {
				sure = Foreign
			}
		}
		s.contest(r, sure)
	}
	return r, ok
}

// qualified finds the item that the names before the last one of from … to name; -1 if none. MySQL compares aliases with or without their case, by its
// settings: the name that is written alike wins, and where a nearer one differs in case only, nothing is sure.
func (s *skimmer) qualified(from, to int, sc int32) int32 {
	loose, near := int32(-1), int32(-1)
	for ; sc >= 0; sc = s.scopes[sc].parent {
		for k := s.scopes[sc].first; k >= 0; k = s.items[k].next {
			if !s.look() {
				return -1
			}
			it := &s.items[k]
			if !s.named(to-2, it.name) || to-4 >= from && it.schema != "" && !s.named(to-4, it.schema) {
				continue
			}
			switch {
			case !s.mysql || s.writtenAs(to-2, it.name):
				if loose >= 0 && near != sc {
					s.unsure(loose)
					s.unsure(k)
					return -1
				}
				return k
			case loose < 0:
				loose, near = k, sc
			}
		}
	}
	return loose
}

// writtenAs compares the identifier at i with a name of MySQL, with its case.
func (s *skimmer) writtenAs(i int, name string) bool {
	t := s.toks[i]
	text := s.sql[t.start:t.end]
	if t.kind == tQuoted {
		return text[1:len(text)-1] == name || identifier(s.sql, t) == name
	}
	return text == name
}

// unsure marks the table of an item: a predicate may be about it.
func (s *skimmer) unsure(k int32) {
	if r := s.items[k].rel; r >= 0 {
		s.rels[r].Heuristic = true
	}
}

// derivedColumn finds the tenant column, or the column of VALUES, to which a sub-select gives another name. Without a qualifier it is looked
// for where no other item can have a column of that name.
func (s *skimmer) derivedColumn(from, to int, sc int32) (ref, bool) {
	if sc < 0 {
		return ref{}, false
	}
	k := s.scopes[sc].first
	if from == to {
		if k < 0 || s.items[k].next >= 0 {
			return ref{}, false
		}
	} else {
		for k < 0 || !s.named(to-2, s.items[k].name) {
			if !s.look() {
				return ref{}, false
			}
			if k >= 0 {
				k = s.items[k].next
			}
			for k < 0 {
				if sc = s.scopes[sc].parent; sc < 0 {
					return ref{}, false
				}
				k = s.scopes[sc].first
			}
		}
	}
	it := &s.items[k]
	if it.rel >= 0 || it.opaque {
		return ref{}, false
	}
	for o := it.outs; o >= 0; o = s.outs[o].next {
		if out := &s.outs[o]; out.pos != star && s.named(to, out.name) {
			return ref{item: k, pos: out.pos}, true
		}
	}
	return ref{}, false
}

// columnOf finds a tenant column in an item.
func (s *skimmer) columnOf(k int32, column int) (ref, bool) {
	it := &s.items[k]
	if it.rel >= 0 {
		return ref{item: k, pos: base}, !it.opaque
	}
	for o := it.outs; o >= 0; o = s.outs[o].next {
		out := &s.outs[o]
		if out.pos != star && !equalFold(out.name, s.columns[column]) {
			continue
		}
		if out.pos == star {
			if answer, _ := s.owns(out.from.item, column); answer == Lacks {
				continue
			}
		}
		return ref{item: k, pos: out.pos}, !it.opaque
	}
	return ref{}, false
}

// behind gives the relations behind a column: one for a table, one for each SELECT of a derived item. It tells whether these are all. The slice holds
// until the next call.
func (s *skimmer) behind(at ref) ([]int32, bool) {
	s.hits = s.hits[:0]
	whole := s.hit(at)
	return s.hits, whole
}

func (s *skimmer) hit(at ref) bool {
	it := &s.items[at.item]
	if it.rel >= 0 {
		s.hits = append(s.hits, it.rel)
		return true
	}
	arms, whole := int32(0), true
	for o := it.outs; o >= 0; o = s.outs[o].next {
		if s.outs[o].pos == at.pos {
			arms++
			whole = s.hit(s.outs[o].from) && whole
		}
	}
	return whole && arms == it.arms
}

// absent tells whether a column can be NULL although every value of it is bound: an outer join is between.
func (s *skimmer) absent(at ref) bool {
	it := &s.items[at.item]
	if it.absent || it.rel >= 0 {
		return it.absent
	}
	for o := it.outs; o >= 0; o = s.outs[o].next {
		if s.outs[o].pos == at.pos && s.absent(s.outs[o].from) {
			return true
		}
	}
	return false
}
