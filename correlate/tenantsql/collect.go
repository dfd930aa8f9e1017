package tenantsql

// collector looks at the select lists of a query for who reads its output: an INSERT (rel, at), or the query around a derived item (outs). A nil
// collector looks at nothing.
type collector struct {
	insert bool
	rel    int32
	at     []int32 // positions of the tenant columns in the INSERT's column list

	outs    int32 // first of the tenant columns in the output, -1 none
	last    int32
	arms    int32
	starred bool // a * came before: positions are not known any more
	hides   bool // a column that is not among outs may be named as a tenant column is
	shared  bool // a window function reads rows that a condition on the output does not choose
	rows    span // tokens of the last VALUES list, if it is the only arm
}

func outputs() collector { return collector{outs: -1, last: -1} }

// arm begins a select list.
func (c *collector) arm(s *skimmer) {
	if c == nil {
		return
	}
	c.arms++
	c.starred = false
}

// done ends a select list of n items. An INSERT's columns that it did not reach have an unknown value.
func (c *collector) done(s *skimmer, n int32) {
	if c == nil || !c.insert {
		return
	}
	for _, pos := range c.at {
		if c.starred || pos >= n {
			s.insertValue(c.rel, Value{Kind: Unknown})
		}
	}
}

// values takes note of the VALUES list i … end as an arm.
func (c *collector) values(s *skimmer, i, end int) {
	switch {
	case c == nil:
	case c.insert:
		c.starred = true
		c.done(s, 0)
	default:
		c.rows = span{int32(i), int32(end)}
	}
}

// item looks at the item i … end of a select list.
func (c *collector) item(s *skimmer, pos int32, i, end int, p place) {
	switch {
	case c == nil || i >= end:
	case c.starred:
		c.unread(s, i, end)
	case s.op(end-1, opStar) && (end == i+1 || s.op(end-2, opDot)):
		if c.insert && s.starExact(c, pos, end-i, p) {
			return
		}
		c.star(s, p.scope, i)
		c.starred = true
	case c.insert:
		for _, at := range c.at {
			if at == pos {
				c.insertItem(s, i, end, p)
			}
		}
	default:
		c.output(s, pos, i, end, p)
	}
}

func (c *collector) insertItem(s *skimmer, i, end int, p place) {
	o, j := s.operand(i, end, p)
	if !s.outputName(j, end) {
		o = operand{}
	}
	if o.kind == isColumn {
		s.assigns = append(s.assigns, assign{from: o.ref, rel: c.rel})
		return
	}
	s.insertValue(c.rel, o.known())
}

// outputName tells whether i … end is an output name or nothing: the expression ends at i.
func (s *skimmer) outputName(i, end int) bool {
	if s.word(i, kwAs) {
		i += 2
	} else if i < end && s.name(i) && s.keyword(i) == 0 {
		i++
	}
	return i == end && s.complete(end)
}

// starExact gives an INSERT the columns behind a lone * that come from one item whose columns are known by position; false if they do not.
func (s *skimmer) starExact(c *collector, pos int32, tokens int, p place) bool {
	k := s.scopes[p.scope].first
	if pos > 0 || tokens > 1 || k < 0 || s.items[k].next >= 0 || !s.items[k].exact {
		return false
	}
	for _, at := range c.at {
		found := false
		for o := s.items[k].outs; o >= 0; o = s.outs[o].next {
			if s.outs[o].pos == at {
				s.assigns = append(s.assigns, assign{from: ref{item: k, pos: at}, rel: c.rel})
				found = true
			}
		}
		if !found {
			s.insertValue(c.rel, Value{Kind: Unknown})
		}
	}
	c.at = nil
	return true
}

// output notes a tenant column among the output columns.
func (c *collector) output(s *skimmer, pos int32, i, end int, p place) {
	for k := i; k < end && !c.shared; k++ {
		c.shared = s.word(k, kwOver)
	}
	o, j := s.operand(i, end, p)
	if o.kind != isColumn || !s.outputName(j, end) {
		c.unread(s, i, end)
		return
	}
	c.add(s, out{pos: pos, name: s.text(end - 1), from: o.ref, later: c.arms > 1})
	if c.arms == 1 && (end-1 > i && s.op(end-2, opCast)) { // the name is not the type's
		c.hides = true
	}
}

// unread takes note that an item of a select list is not known by position or not a column: its name may be any of its words.
func (c *collector) unread(s *skimmer, i, end int) {
	if c.insert {
		return
	}
	for ; i < end && !c.hides; i++ {
		c.hides = s.tenantColumn(i) || s.op(i, opStar) && i == end-1
	}
}

// star notes the tenant columns behind * or, with the name at i, behind name.*; only those of a table.
func (c *collector) star(s *skimmer, sc int32, i int) {
	if c == nil || c.insert {
		return
	}
	k := s.scopes[sc].first
	if i >= 0 && !s.op(i, opStar) {
		for k >= 0 && !s.named(i, s.items[k].name) {
			k = s.items[k].next
		}
	} else if k >= 0 && s.items[k].next >= 0 {
		c.hides = true
		return // one of several: which one, only a catalog could tell
	}
	if k >= 0 && s.items[k].rel >= 0 && !s.items[k].opaque {
		c.add(s, out{pos: star, from: ref{item: k, pos: base}, later: c.arms > 1})
	} else {
		c.hides = true
	}
}

func (c *collector) add(s *skimmer, o out) {
	k := int32(len(s.outs))
	o.next = -1
	s.outs = append(s.outs, o)
	if c.last < 0 {
		c.outs = k
	} else {
		s.outs[c.last].next = k
	}
	c.last = k
}
