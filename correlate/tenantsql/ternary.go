package tenantsql

import "strconv"

// ternary is what the text alone says about a condition, in three-valued logic.
type ternary uint8

const (
	mayHold     ternary = iota // it depends on the row
	alwaysHolds                // TRUE, 1 = 1
	isFalse                    // FALSE, 1 = 0
	isNull                     // NULL
	neverHolds                 // FALSE or NULL, by the row
)

// never tells whether a condition lets no row through.
func (t ternary) never() bool { return t >= isFalse }

func (t ternary) not() ternary {
	switch t {
	case alwaysHolds:
		return isFalse
	case isFalse:
		return alwaysHolds
	case neverHolds:
		return mayHold
	}
	return t
}

func (t ternary) and(u ternary) ternary {
	switch {
	case t == alwaysHolds, u == isFalse:
		return u
	case u == alwaysHolds, t == isFalse, t == u:
		return t
	}
	return neverHolds // what is left has a NULL or a neverHolds in it
}

func (t ternary) or(u ternary) ternary {
	switch {
	case t == isFalse, u == alwaysHolds:
		return u
	case u == isFalse, t == alwaysHolds, t == u:
		return t
	case t.never() && u.never():
		return neverHolds
	}
	return mayHold
}

// constant gives the truth of the operand of AND at i … next when it holds constants only, as ORMs write for "no row" and "every row": 1 = 0, FALSE. A string is
// none: what MySQL calls one may be a name, by sql_mode.
func (s *skimmer) constant(i, next, end int) ternary {
	if !s.done(next, end) {
		return mayHold
	}
	switch next - i {
	case 1:
		switch s.keyword(i) {
		case kwTrue:
			return alwaysHolds
		case kwFalse:
			return isFalse
		case kwNull:
			return isNull
		}
		if n, ok := s.integer(i); ok && s.mysql {
			return ternaryOf(n != 0)
		}
	case 3:
		a, okA := s.integer(i)
		b, okB := s.integer(i + 2)
		if okA && okB {
			return s.compared(a, b, i+1)
		}
	}
	return mayHold
}

func ternaryOf(b bool) ternary {
	if b {
		return alwaysHolds
	}
	return isFalse
}

// compared gives the truth of a comparison with the operator at i.
func (s *skimmer) compared(a, b int64, i int) ternary {
	t := s.toks[i]
	if t.kind != tOp {
		return mayHold
	}
	switch s.sql[t.start:t.end] {
	case "=", "<=>":
		return ternaryOf(a == b)
	case "<>", "!=":
		return ternaryOf(a != b)
	case "<":
		return ternaryOf(a < b)
	case "<=":
		return ternaryOf(a <= b)
	case ">":
		return ternaryOf(a > b)
	case ">=":
		return ternaryOf(a >= b)
	}
	return mayHold
}

// integer reads the whole number at i.
func (s *skimmer) integer(i int) (int64, bool) {
	t := s.toks[i]
	if t.kind != tNumber || t.sub == 0 {
		return 0, false
	}
	n, err := strconv.ParseInt(s.sql[t.start:t.end], 10, 64)
	return n, err == nil
}
