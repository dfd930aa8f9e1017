package tenantsql

// compare reads a comparison that binds a tenant column or ties two; false if it does neither. It gives the index behind it.
func (s *skimmer) compare(i, end int, p place) (int, bool) {
	l, j := s.computed(i, end, p)
	if j >= end {
		return j, false
	}
	if k := s.spelledEqual(j); k > j {
		return s.equal(l, k, end, p)
	}
	switch {
	case s.op(j, opEqual) && (s.word(j+1, kwAny) || s.word(j+1, kwSome)) && s.op(j+2, opLeft):
		return s.anyOf(l, j+2, end, p)
	case s.op(j, opEqual), s.op(j, opSafeEqual):
		return s.equal(l, j+1, end, p)
	case s.word(j, kwIs) && s.word(j+1, kwNot) && s.word(j+2, kwDistinct) && s.word(j+3, kwFrom):
		return s.equal(l, j+4, end, p)
	case s.word(j, kwIn) && s.op(j+1, opLeft):
		return s.in(l, j+1, end, p)
	}
	return j, false
}

// computed reads operands and the arithmetic between them: what that makes is not read.
func (s *skimmer) computed(i, end int, p place) (operand, int) {
	o, j := s.operand(i, end, p)
	for j < end {
		switch t := s.toks[j]; {
		case t.op(opOpen):
			j = s.skip(j, end)
		case t.op(opPlus), t.op(opMinus), t.op(opStar), t.op(opSlash), t.op(opPath), t.op(opOther) && s.sql[t.start:t.end] == "||":
			_, j = s.operand(j+1, end, p)
		default:
			return o, j
		}
		o = operand{}
	}
	return o, j
}

// spelledEqual gives the index behind OPERATOR(pg_catalog.=) at i, else i.
func (s *skimmer) spelledEqual(i int) int {
	if s.mysql || !s.is(i, "operator") || !s.op(i+1, opLeft) {
		return i
	}
	k := i + 2
	if s.is(k, "pg_catalog") && s.op(k+1, opDot) {
		k += 2
	}
	if s.op(k, opEqual) && s.op(k+1, opRight) {
		return k + 2
	}
	return i
}

func (s *skimmer) equal(l operand, i, end int, p place) (int, bool) {
	r, j := s.computed(i, end, p)
	if !s.done(j, end) {
		return j, false
	}
	if l.kind == isRow && r.kind == isRow {
		return j, s.equalRows(l, r, p)
	}
	if l.kind == isRow && s.isQuery(i) {
		return j, s.rowIs(l, s.value(Value{Kind: Subquery}), p)
	}
	return j, s.equate(l, r)
}

// equate notes that two operands are equal; false if none is a tenant column.
func (s *skimmer) equate(l, r operand) bool {
	if l.kind != isColumn {
		l, r = r, l
	}
	switch {
	case l.kind != isColumn:
		return false
	case r.kind == isColumn:
		s.preds = append(s.preds, pred{at: l.ref, link: r.ref})
	case r.kind == isOtherColumn:
		return false // a join: the other column's value is no tenant that the text shows
	default:
		s.preds = append(s.preds, pred{at: l.ref, link: ref{item: -1}, vals: s.value(r.known())})
	}
	return true
}

// equalRows compares (a, b) = (c, d) pair by pair.
func (s *skimmer) equalRows(l, r operand, p place) bool {
	some := false
	for i, j := l.from, r.from; i < l.to && j < r.to; {
		ei, ej := s.element(i, l.to), s.element(j, r.to)
		a, ai := s.computed(i, ei, p)
		b, bj := s.computed(j, ej, p)
		if ai == ei && bj == ej && s.equate(a, b) {
			some = true
		}
		i, j = ei+1, ej+1
	}
	return some
}

// rowIs binds each tenant column of a row to vals.
func (s *skimmer) rowIs(l operand, vals span, p place) bool {
	some := false
	for i := l.from; i < l.to; {
		e := s.element(i, l.to)
		if a, j := s.operand(i, e, p); j == e && a.kind == isColumn {
			s.preds = append(s.preds, pred{at: a.ref, link: ref{item: -1}, vals: vals})
			some = true
		}
		i = e + 1
	}
	return some
}

// in reads the list of IN at its bracket.
func (s *skimmer) in(l operand, i, end int, p place) (int, bool) {
	c := s.close(i)
	if c >= end || !s.done(c+1, end) {
		return i, false
	}
	switch {
	case s.isQuery(i) && l.kind == isColumn:
		return c + 1, s.equate(l, operand{kind: isValue, value: Value{Kind: Subquery}})
	case s.isQuery(i) && l.kind == isRow:
		return c + 1, s.rowIs(l, s.value(Value{Kind: Subquery}), p)
	case l.kind == isColumn:
		vals := s.listValues(i+1, c, p)
		if vals.len() == 0 {
			return c + 1, false
		}
		s.preds = append(s.preds, pred{at: l.ref, link: ref{item: -1}, vals: vals})
		return c + 1, true
	case l.kind == isRow:
		return c + 1, s.inRows(l, i+1, c, p)
	}
	return i, false
}

// listValues makes a set of the expressions of a list.
func (s *skimmer) listValues(i, end int, p place) span {
	n := int32(len(s.vals))
	vals := span{n, n}
	for i < end {
		e := s.element(i, end)
		vals = s.add(vals, s.expression(i, e, p))
		i = e + 1
	}
	return vals
}

const maxRow = 64 // columns of a row that are looked at

// inRows reads (a, b) IN ((1, 2), (3, 4)): each tenant column has one of the values at its position.
func (s *skimmer) inRows(l operand, from, to int, p place) bool {
	some := false
	for i, pos := l.from, 0; i < l.to && pos < maxRow; pos++ {
		e := s.element(i, l.to)
		if a, j := s.operand(i, e, p); j == e && a.kind == isColumn {
			if vals := s.columnValues(from, to, pos, p); vals.len() > 0 {
				s.preds = append(s.preds, pred{at: a.ref, link: ref{item: -1}, vals: vals})
				some = true
			}
		}
		i = e + 1
	}
	return some
}

// columnValues makes a set of the expressions at a position of each row in a list of rows.
func (s *skimmer) columnValues(i, end, pos int, p place) span {
	n := int32(len(s.vals))
	vals := span{n, n}
	for i < end {
		e := s.element(i, end)
		v := Value{Kind: Unknown}
		if r, j := s.operand(i, e, p); j == e && r.kind == isRow {
			k, ke := r.from, s.element(r.from, r.to)
			for at := 0; at < pos && ke < r.to; at++ {
				k, ke = ke+1, s.element(ke+1, r.to)
			}
			v = s.expression(k, ke, p)
		}
		vals = s.add(vals, v)
		i = e + 1
	}
	return vals
}

// anyOf reads = ANY (…) at its bracket: a sub-select, an ARRAY[…], an array's literal or an array parameter.
func (s *skimmer) anyOf(l operand, i, end int, p place) (int, bool) {
	c := s.close(i)
	if l.kind != isColumn || c >= end || !s.done(c+1, end) {
		return i, false
	}
	var vals span
	switch j := i + 1; {
	case s.isQuery(i):
		vals = s.value(Value{Kind: Subquery})
	case s.word(j, kwArray) && s.op(j+1, opOpen):
		b := min(s.close(j+1), c)
		if next, _ := s.casts(min(b+1, c), c); next == c {
			vals = s.listValues(j+2, b, p)
		}
	default:
		vals = s.arrayValues(j, c, p)
	}
	if vals.len() == 0 {
		return i, false
	}
	s.preds = append(s.preds, pred{at: l.ref, link: ref{item: -1}, vals: vals})
	return c + 1, true
}

// arrayValues reads an array that is one value: $1 or '{a,b}'. Of literals only the plain form is read, of one dimension and without escapes.
func (s *skimmer) arrayValues(i, end int, p place) span {
	v := s.expression(i, end, p)
	if v.Kind == Param {
		v.Array = true
	}
	if v.Kind != Literal {
		if v.Kind == Setting {
			v = Value{Kind: Unknown}
		}
		return s.value(v)
	}
	n := int32(len(s.vals))
	vals := span{n, n}
	text := trim(v.Text)
	if len(text) < 2 || text[0] != '{' || text[len(text)-1] != '}' {
		return s.value(Value{Kind: Unknown})
	}
	for rest := text[1 : len(text)-1]; rest != ""; {
		one, k := arrayElement(rest)
		if k < 0 {
			return s.value(Value{Kind: Unknown})
		}
		vals = s.add(vals, one)
		rest = rest[min(k+1, len(rest)):]
	}
	return vals
}

// arrayElement reads the first element of an array's text, and says where it ends: before a comma or at the end; -1 if it is not of the plain form.
func arrayElement(text string) (Value, int) {
	k := 0
	for k < len(text) && isSpace(text[k]) {
		k++
	}
	if k < len(text) && text[k] == '"' {
		from := k + 1
		for k = from; k < len(text) && text[k] != '"'; k++ {
			if text[k] == '\\' {
				return Value{}, -1
			}
		}
		if k == len(text) {
			return Value{}, -1
		}
		one := Value{Text: text[from:k]}
		if k++; k < len(text) && text[k] != ',' {
			return Value{}, -1
		}
		return one, k
	}
	for k < len(text) && text[k] != ',' {
		if c := text[k]; c == '"' || c == '\\' || c == '{' || c == '}' {
			return Value{}, -1
		}
		k++
	}
	one := Value{Text: trim(text[:k])}
	if equalFold(one.Text, "null") {
		one = Value{Kind: Null}
	}
	return one, k
}
