package tenantsql

const maxColumns = 16 // columns of VALUES or unnest() that are looked at

// outline gives a derived item the columns that its query brings, under the names of the list in brackets at columns (0: none).
func (s *skimmer) outline(it *item, c *collector, columns int, p place) {
	it.outs, it.arms = c.outs, c.arms
	it.hides = c.hides || c.arms == 0 // RETURNING is not read
	if c.rows.len() > 0 && c.arms == 1 {
		s.listed(it, int(c.rows.from), int(c.rows.to), columns, p)
		return
	}
	if columns == 0 {
		return
	}
	for o := it.outs; o >= 0; o = s.outs[o].next {
		if s.outs[o].pos < 0 { // behind a *: where it stands is not known
			it.opaque = true
			return
		}
		if k := s.listName(columns, s.outs[o].pos); k > 0 {
			s.outs[o].name = s.text(k)
		}
	}
	s.hidden(it, columns)
}

// hidden notes that a name of the list in brackets at columns is a tenant column's, but not that of one among the item's columns.
func (s *skimmer) hidden(it *item, columns int) {
	end := s.close(columns)
	for i := columns + 1; i < end && !it.hides; i = s.element(i, end) + 1 {
		column := s.columnAt(i)
		if column < 0 {
			continue
		}
		it.hides = true
		for o := it.outs; o >= 0; o = s.outs[o].next {
			if equalFold(s.outs[o].name, s.columns[column]) {
				it.hides = false
				break
			}
		}
	}
}

// listName gives the index of the name at a position of the list whose bracket is at i, 0 if there is none.
func (s *skimmer) listName(i int, pos int32) int {
	end := s.close(i)
	for i++; i < end; pos-- {
		if pos == 0 {
			if s.name(i) {
				return i
			}
			return 0
		}
		i = s.element(i, end) + 1
	}
	return 0
}

// listed gives an item the columns of the rows i … end of VALUES, whose names are in the list at columns.
func (s *skimmer) listed(it *item, i, end, columns int, p place) {
	it.outs, it.exact = -1, true
	for pos := range int32(maxColumns) {
		name := ""
		if columns > 0 {
			if k := s.listName(columns, pos); k > 0 {
				name = s.text(k)
			}
		}
		vals := s.listedValues(i, end, int(pos), p)
		if vals.len() == 0 {
			break
		}
		s.constantColumn(it, pos, name, vals)
	}
	if columns > 0 {
		s.hidden(it, columns)
	}
}

// listedValues makes a set of the expressions at a position of the rows of VALUES; the empty set if a row has none there.
func (s *skimmer) listedValues(i, end, pos int, p place) span {
	n := int32(len(s.vals))
	vals := span{n, n}
	for i < end {
		i = s.past(i, kwRow)
		if !s.op(i, opLeft) || s.close(i) >= end {
			return span{n, n}
		}
		c := s.close(i)
		k := i + 1
		e := s.element(k, c)
		for at := 0; at < pos; at++ {
			if e >= c {
				return span{n, n}
			}
			k = e + 1
			e = s.element(k, c)
		}
		vals = s.add(vals, s.expression(k, e, p))
		if i = c + 1; i < end && !s.op(i, opComma) {
			return span{n, n}
		}
		i++
	}
	return vals
}

// unnested gives an item the columns of unnest(array, …), whose arguments are at i … end.
func (s *skimmer) unnested(it *item, i, end, columns int, p place) {
	if end >= s.n {
		return
	}
	it.opaque, it.exact, it.arms = false, true, 1
	it.hides = columns == 0 // of an array of rows come their columns
	for pos := int32(0); i < end && pos < maxColumns; pos++ {
		e := s.element(i, end)
		name := ""
		switch {
		case columns > 0:
			if k := s.listName(columns, pos); k > 0 {
				name = s.text(k)
			}
		case pos == 0 && e == end:
			name = it.name
		}
		s.constantColumn(it, pos, name, s.arrayValues(i, e, p))
		i = e + 1
	}
}

// constantColumn gives an item a column with these values.
func (s *skimmer) constantColumn(it *item, pos int32, name string, vals span) {
	rel := s.addRelation(Relation{})
	s.rels[rel].hidden, s.rels[rel].vals = true, vals
	s.items = append(s.items, item{rel: rel, scope: -1, next: -1, outs: -1})
	s.outs = append(s.outs, out{pos: pos, name: name, from: ref{item: int32(len(s.items) - 1), pos: base}, next: it.outs})
	it.outs = int32(len(s.outs) - 1)
}
