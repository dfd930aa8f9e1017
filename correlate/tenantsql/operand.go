package tenantsql

// operandKind is what an expression turned out to be.
type operandKind uint8

const (
	isOther       operandKind = iota // an expression
	isColumn                         // a tenant column of a relation in sight
	isOtherColumn                    // another column
	isValue                          // a value that the text shows, or a sub-select
	isRow                            // a list in brackets
)

type operand struct {
	kind     operandKind
	ref      ref   // isColumn
	value    Value // isValue
	from, to int   // isRow: the elements
}

// known gives the operand's value, Unknown if it is none.
func (o operand) known() Value {
	if o.kind == isValue {
		return o.value
	}
	return Value{Kind: Unknown}
}

// expression gives the value of the expression that is all of i … end.
func (s *skimmer) expression(i, end int, p place) Value {
	o, j := s.operand(i, end, p)
	if j != end || !s.complete(end) {
		return Value{Kind: Unknown}
	}
	return o.known()
}

// operand reads one operand with its casts and gives the index behind it. It only looks: sub-selects inside are read by scan.
func (s *skimmer) operand(i, end int, p place) (operand, int) {
	if i >= end {
		return operand{}, i
	}
	o, j := s.primary(i, end, p)
	if j >= end || !s.op(j, opCast) && !s.word(j, kwCollate) {
		return o, j
	}
	j, plain := s.casts(j, end)
	return o.cast(plain), j
}

// cast gives the operand behind a cast. A cast that is not plain can make equal what differs, and another value of a literal.
func (o operand) cast(plain bool) operand {
	switch {
	case plain, o.kind == isValue && o.value.Kind != Literal:
		return o
	case o.kind == isValue:
		o.value = Value{Kind: Unknown}
		return o
	}
	return operand{}
}

func (s *skimmer) primary(i, end int, p place) (operand, int) {
	t := s.toks[i]
	switch t.kind {
	case tString:
		return s.stringValue(i, end)
	case tNumber:
		return s.number(i, ""), i + 1
	case tParam:
		return operand{kind: isValue, value: Value{Kind: Param, Index: int(t.num)}}, i + 1
	case tVariable:
		name, global := s.variableName(i)
		if global {
			return operand{kind: isValue, value: Value{Kind: Unknown}}, i + 1
		}
		return operand{kind: isValue, value: Value{Kind: Setting, Text: name}}, i + 1
	case tOp:
		switch {
		case t.sub == opLeft:
			return s.bracket(i, end, p)
		case t.sub == opMinus && i+1 < end && s.toks[i+1].kind == tNumber:
			return s.number(i+1, "-"), i + 2
		case t.sub == opPlus && i+1 < end && s.toks[i+1].kind == tNumber:
			return s.number(i+1, ""), i + 2
		}
		return operand{}, i + 1
	}
	switch keyword(t.sub) {
	case kwNull:
		if t.kind == tWord {
			return operand{kind: isValue, value: Value{Kind: Null}}, i + 1
		}
	case kwDefault:
		if t.kind == tWord {
			return operand{kind: isValue, value: Value{Kind: Default}}, i + 1
		}
	case kwTrue, kwFalse:
		if t.kind == tWord {
			return operand{kind: isValue, value: Value{Text: s.truthText(keyword(t.sub) == kwTrue)}}, i + 1
		}
	case kwCase:
		if t.kind == tWord {
			return operand{}, s.caseEnd(i, end)
		}
	}
	return s.namedOperand(i, end, p)
}

// truthText gives what TRUE and FALSE are: numbers in MySQL.
func (s *skimmer) truthText(b bool) string {
	switch {
	case s.mysql && b:
		return "1"
	case s.mysql:
		return "0"
	case b:
		return "true"
	}
	return "false"
}

// caseEnd gives the index behind the END of the CASE at i.
func (s *skimmer) caseEnd(i, end int) int {
	for open := 0; i < end; i = s.skip(i, end) {
		switch s.keyword(i) {
		case kwCase:
			open++
		case kwEnd:
			if open--; open == 0 {
				return i + 1
			}
		}
	}
	return end
}

// namedOperand reads what begins with a name: a column, a function, a typed literal, CAST, ROW.
func (s *skimmer) namedOperand(i, end int, p place) (operand, int) {
	t := s.toks[i]
	if t.kind == tWord && i+1 < end && s.op(i+1, opLeft) {
		switch keyword(t.sub) {
		case kwCast:
			return s.castCall(i+1, end, p)
		case kwRow:
			c := s.close(i + 1)
			if c >= end {
				return operand{}, end
			}
			return operand{kind: isRow, from: i + 2, to: c}, c + 1
		}
	}
	if t.kind == tWord && !columnWord(keyword(t.sub)) {
		return operand{}, i + 1
	}
	if s.mysql && i+1 < end && s.is(i, "binary") && !s.op(i+1, opDot) && !s.op(i+1, opEqual) && !s.op(i+1, opLeft) && s.enter() {
		o, j := s.operand(i+1, end, p) // BINARY x: x, compared byte by byte
		s.leave()
		return o, j
	}
	last, next, ok := s.path(i, end)
	switch {
	case !ok:
		return operand{}, next
	case next < end && s.op(next, opLeft):
		return s.call(last, end, p)
	case next < end && s.toks[next].kind == tString:
		o, j := s.stringValue(next, end)
		_, plain := s.typeName(i, next)
		return o.cast(plain || s.mysql), j // uuid '…', _utf8mb4'…'
	}
	if o, j, ok := s.jsonOperand(i, last, next, end, p); ok {
		return o, j
	}
	if r, ok := s.resolve(i, last, p.scope); ok {
		return operand{kind: isColumn, ref: r}, next
	}
	if r, ok := s.derivedColumn(i, last, p.scope); ok {
		return operand{kind: isColumn, ref: r}, next
	}
	return operand{kind: isOtherColumn}, next
}

// columnWord tells whether a keyword can be the name of a column, table or function. What is not, begins an expression: = ALL ($1) lets
// every row through if the array is empty.
func columnWord(k keyword) bool {
	switch k {
	case kwCase, kwNot, kwArray, kwSelect, kwExists, kwAny, kwAll, kwSome:
		return false
	}
	return true
}

// call reads a function's call; the name stands at i. What it gives back is known of current_setting('x'), also inside nullif(…, …), which leaves
// the value or makes it NULL.
func (s *skimmer) call(i, end int, p place) (operand, int) {
	c := s.close(i + 1)
	if c >= end {
		return operand{}, end
	}
	switch {
	case s.is(i, "current_setting") && s.toks[i+2].kind == tString:
		if e := s.element(i+2, c); e == i+3 {
			if name, ok := stringText(s.sql, s.toks[i+2], s.mysql); ok {
				return operand{kind: isValue, value: Value{Kind: Setting, Text: fold(name)}}, c + 1
			}
		}
	case s.word(i, kwNullif) && s.enter():
		e := s.element(i+2, c)
		o, j := s.operand(i+2, e, p)
		s.leave()
		if j == e && o.kind == isValue && o.value.Kind == Setting {
			return o, c + 1
		}
	case s.is(i, "unnest") && s.element(i+2, c) == c: // one row for each element
		if vals := s.arrayValues(i+2, c, p); vals.len() == 1 {
			return operand{kind: isValue, value: s.vals[vals.from]}, c + 1
		}
	case s.mysql && s.is(i, "convert"): // (x USING charset)
		if !s.enter() {
			break
		}
		o, j := s.operand(i+2, c, p)
		s.leave()
		if s.word(j, kwUsing) && j+2 == c {
			return o, c + 1
		}
	case s.mysql && (s.is(i, "json_unquote") || s.is(i, "json_extract") || s.is(i, "json_value")):
		if o, ok := s.jsonCall(i, c, p); ok {
			return o, c + 1
		}
	}
	return operand{}, c + 1
}

// castCall reads CAST (x AS type) at its bracket.
func (s *skimmer) castCall(i, end int, p place) (operand, int) {
	c := s.close(i)
	if c >= end || !s.enter() {
		return operand{}, end
	}
	o, j := s.operand(i+1, c, p)
	s.leave()
	if !s.word(j, kwAs) || j >= c {
		return operand{}, c + 1
	}
	next, plain := s.typeName(j+1, c)
	return o.cast(plain && next == c), c + 1
}

// bracket reads what a bracket encloses where an operand is expected.
func (s *skimmer) bracket(i, end int, p place) (operand, int) {
	c := s.close(i)
	if c >= end {
		return operand{}, end
	}
	if s.isQuery(i) {
		return s.scalar(i, c, p), c + 1
	}
	if e := s.element(i+1, c); e < c {
		return operand{kind: isRow, from: i + 1, to: c}, c + 1
	}
	if !s.enter() {
		return operand{}, c + 1
	}
	o, j := s.operand(i+1, c, p)
	s.leave()
	if j != c {
		o = operand{}
	}
	return o, c + 1
}

// scalar gives the value of a sub-select: Subquery, whatever literals it holds. The form (SELECT current_setting('x')), which row security policies use
// so that it is computed once, is that setting.
func (s *skimmer) scalar(i, c int, p place) operand {
	sub := operand{kind: isValue, value: Value{Kind: Subquery}}
	for s.op(i+1, opLeft) && s.close(i+1) == c-1 {
		i, c = i+1, c-1
	}
	if !s.word(i+1, kwSelect) || !s.enter() {
		return sub
	}
	o, j := s.operand(i+2, c, place{p.env, -1})
	s.leave()
	if s.word(j, kwAs) {
		j += 2
	}
	if j == c && o.kind == isValue && o.value.Kind == Setting {
		return o
	}
	return sub
}

// stringValue reads a string and those that continue it.
func (s *skimmer) stringValue(i, end int) (operand, int) {
	text, ok := stringText(s.sql, s.toks[i], s.mysql)
	var all []byte
	for i++; i < end && s.toks[i].kind == tString; i++ {
		if all == nil {
			all = append(all, text...)
		}
		more, okMore := stringText(s.sql, s.toks[i], s.mysql)
		if ok = ok && okMore && len(all) < 1<<16; ok {
			all = append(all, more...)
		}
	}
	if all != nil {
		text = string(all)
	}
	if !ok || i < end && s.is(i, "uescape") {
		return operand{}, i
	}
	return operand{kind: isValue, value: Value{Text: text}}, i
}

// number gives the value of the number at i. Only whole decimal numbers are read: 1e1 and 10 are the same tenant, and nobody writes the first.
func (s *skimmer) number(i int, sign string) operand {
	t := s.toks[i]
	text := s.sql[t.start:t.end]
	if t.sub == 0 {
		return operand{}
	}
	for len(text) > 1 && text[0] == '0' {
		text = text[1:]
	}
	for k := range len(text) {
		if text[k] == '_' {
			return operand{}
		}
	}
	if sign != "" {
		text = sign + text
	}
	return operand{kind: isValue, value: Value{Text: text}}
}
