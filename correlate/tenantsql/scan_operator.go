package tenantsql

import "strings"

// operator reads an operator or a punctuation mark.
func (s *scanner) operator(t *token) {
	t.kind = tOp
	c := s.sql[s.pos]
	s.pos++
	switch c {
	case '(':
		t.sub = opLeft
	case ')':
		t.sub = opRight
	case '[':
		t.sub = opOpen
	case ']':
		t.sub = opClose
	case ',':
		t.sub = opComma
	case '.':
		t.sub = opDot
	case ';':
		t.sub = opSemicolon
	case ':':
		switch s.at(s.pos) {
		case ':':
			t.sub = opCast
			s.pos++
		case '=':
			t.sub = opAssign
			s.pos++
		}
	default:
		s.pos--
		if s.mysql {
			s.operatorMySQL()
		} else {
			s.operatorPostgreSQL()
		}
		t.sub = operatorCode(s.sql[t.start:s.pos], s.mysql)
	}
}

const (
	operatorBytes = "+-*/<>=~!@#%^&|`?"
	operatorFree  = "~!@#%^&|`?" // with one of these an operator may end in + or -
)

// operatorPostgreSQL takes the longest run of operator bytes, except that a comment ends it, and that it ends in + or - only if it holds a
// byte of operatorFree: tenant_id=-1 is a comparison with minus one.
func (s *scanner) operatorPostgreSQL() {
	start := s.pos
	if start < s.signs {
		s.pos++
		return
	}
	free := false
	for ; s.pos < len(s.sql); s.pos++ {
		c := s.sql[s.pos]
		if strings.IndexByte(operatorBytes, c) < 0 {
			break
		}
		if next := s.at(s.pos + 1); s.pos > start && (c == '-' && next == '-' || c == '/' && next == '*') {
			break
		}
		free = free || strings.IndexByte(operatorFree, c) >= 0
	}
	end := s.pos
	for !free && s.pos > start+1 && (s.sql[s.pos-1] == '+' || s.sql[s.pos-1] == '-') {
		s.pos--
	}
	// What was given back is + and - only, and each is an operator of its own: reading the run again for each would be quadratic.
	s.signs = end
	if s.pos == start {
		s.pos++ // a byte that no rule knows
	}
}

func (s *scanner) operatorMySQL() {
	rest := s.sql[s.pos:]
	for _, op := range [...]string{"<=>", "->>", "||", "&&", "<=", ">=", "<>", "!=", "<<", ">>", "->"} {
		if strings.HasPrefix(rest, op) {
			s.pos += len(op)
			return
		}
	}
	s.pos++
}

func operatorCode(op string, mysql bool) uint8 {
	switch op {
	case "=":
		return opEqual
	case "*":
		return opStar
	case "+":
		return opPlus
	case "-":
		return opMinus
	case "/":
		return opSlash
	case "->", "->>", "#>", "#>>":
		return opPath
	case "<>", "!=", "<", ">", "<=", ">=":
		return opOrder
	}
	if mysql {
		switch op {
		case "<=>":
			return opSafeEqual
		case "&&":
			return opBothAnd
		case "||":
			return opBothOr
		case "!":
			return opBang
		}
	}
	return opOther
}
