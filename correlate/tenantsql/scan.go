package tenantsql

import "strings"

// scanner cuts a text into tokens, in one pass: every byte is looked at a bounded number of times. The rules are those of PostgreSQL's
// scan.l with standard_conforming_strings on, and of MySQL with the dialect's part of sql_mode.
type scanner struct {
	sql    string
	pos    int
	mysql  bool
	names  bool  // MySQL, ANSI_QUOTES: "x" is a name
	plain  bool  // MySQL, NO_BACKSLASH_ESCAPES
	sure   bool  // PostgreSQL, standard_conforming_strings is on
	params int32 // ordinals given to "?"
	signs  int   // up to here each + and - is an operator of its own
	prev   token
	open   bool // the last token, or the last comment, has no end
	inExec bool // inside a MySQL /*! … */, whose content is code
	doubt  int  // offset behind which settings of the server decide how to read; -1 without one
}

func newScanner(d Dialect, sql string) scanner {
	return scanner{sql: sql, mysql: d.mysql(), names: d&ANSIQuotes != 0, plain: d&NoBackslashEscapes != 0, sure: d&StandardStrings != 0, doubt: -1}
}

// doubtAt remembers the first offset where the text can be read in two ways.
func (s *scanner) doubtAt(pos int) {
	if s.doubt < 0 {
		s.doubt = pos
	}
}

// next gives the next token; tEnd at the end of the text.
func (s *scanner) next() token {
	s.space()
	t := token{start: int32(s.pos), num: -1}
	if s.pos < len(s.sql) {
		s.token(&t)
	}
	t.end = int32(s.pos)
	s.prev = t
	return t
}

func (s *scanner) at(i int) byte {
	if i < len(s.sql) {
		return s.sql[i]
	}
	return 0
}

func (s *scanner) token(t *token) {
	c := s.sql[s.pos]
	switch {
	case c == '\'':
		s.text(t, '\'')
	case c == '"' && s.mysql && !s.names:
		s.text(t, '"')
	case c == '"', c == '`' && s.mysql:
		s.quoted(t, c, quotePlain)
	case isDigit(c), c == '.' && isDigit(s.at(s.pos+1)) && !s.afterName():
		s.number(t)
	case isNameStart(c):
		s.word(t)
	case c == '$' && !s.mysql:
		s.dollar(t)
	case c == '$':
		s.word(t)
	case c == '?' && s.mysql:
		s.params++
		t.kind, t.num = tParam, s.params
		s.pos++
	case c == '@' && s.mysql:
		s.variable(t)
	default:
		s.operator(t)
	}
}

// afterName tells whether the token before ends where this one starts and is a name: in MySQL, t.1 is a column.
func (s *scanner) afterName() bool {
	return s.mysql && s.prev.name() && int(s.prev.end) == s.pos
}

func (s *scanner) word(t *token) {
	start := s.pos
	for s.pos++; s.pos < len(s.sql) && isNamePart(s.sql[s.pos]); s.pos++ {
	}
	t.kind = tWord
	next := s.at(s.pos)
	if s.pos == start+1 && next == '\'' {
		switch s.sql[start] | 0x20 {
		case 'e':
			if !s.mysql {
				s.body(t, '\'', quoteEscape)
				return
			}
		case 'b', 'x':
			s.body(t, '\'', quoteBits)
			return
		case 'n':
			s.text(t, '\'')
			return
		}
	}
	if !s.mysql && s.pos == start+1 && s.sql[start]|0x20 == 'u' && next == '&' {
		switch s.at(s.pos + 1) {
		case '\'':
			s.pos++
			s.body(t, '\'', quoteUnicode)
			return
		case '"':
			s.pos++
			s.quoted(t, '"', quoteUnicode)
			return
		}
	}
	if !s.prev.op(opDot) { // behind a dot every keyword is a name
		t.sub = uint8(lookup(s.sql[start:s.pos]))
	}
}

func (s *scanner) number(t *token) {
	t.kind, t.sub = tNumber, 1
	start := s.pos
	s.digits()
	switch c := s.at(s.pos); {
	case s.pos == start+1 && s.sql[start] == '0' && isRadix(c) && isHex(s.at(s.pos+1)):
		t.sub = 0
		for s.pos++; isHex(s.at(s.pos)) || s.at(s.pos) == '_'; s.pos++ {
		}
	case c == '.' && s.at(s.pos+1) != '.':
		t.sub = 0
		s.pos++
		s.digits()
		s.exponent(t)
	case c == 'e' || c == 'E':
		s.exponent(t)
	}
	if s.mysql && t.sub == 1 && isNamePart(s.at(s.pos)) { // 2fa_codes is a name in MySQL
		for ; isNamePart(s.at(s.pos)); s.pos++ {
		}
		t.kind, t.sub = tWord, 0
	}
}

func (s *scanner) digits() {
	for isDigit(s.at(s.pos)) || !s.mysql && s.at(s.pos) == '_' && isDigit(s.at(s.pos+1)) {
		s.pos++
	}
}

func (s *scanner) exponent(t *token) {
	if s.at(s.pos)|0x20 != 'e' {
		return
	}
	p := s.pos + 1
	if c := s.at(p); c == '+' || c == '-' {
		p++
	}
	if isDigit(s.at(p)) {
		t.sub = 0
		s.pos = p
		s.digits()
	}
}

// dollar reads $n, $$…$$ or $tag$…$tag$.
func (s *scanner) dollar(t *token) {
	p := s.pos + 1
	if isDigit(s.at(p)) {
		n := int32(0)
		for ; isDigit(s.at(p)); p++ {
			if n < 1_000_000 { // beyond the protocol's 65,535 anyway
				n = n*10 + int32(s.sql[p]-'0')
			}
		}
		t.kind, t.num = tParam, n
		s.pos = p
		return
	}
	if isNameStart(s.at(p)) {
		for p++; isNamePart(s.at(p)) && s.sql[p] != '$'; p++ {
		}
	}
	if s.at(p) != '$' {
		t.kind = tOp
		s.pos++
		return
	}
	t.kind, t.sub = tString, quoteDollar
	tag := s.sql[s.pos : p+1]
	if n := strings.Index(s.sql[p+1:], tag); n >= 0 {
		s.pos = p + 1 + n + len(tag)
		return
	}
	s.pos = len(s.sql)
	s.open = true
}

func (s *scanner) variable(t *token) {
	t.kind = tVariable
	for s.pos++; s.at(s.pos) == '@'; s.pos++ {
	}
	switch c := s.at(s.pos); c {
	case '\'', '"', '`':
		s.close(c, false)
	default:
		for ; isNamePart(s.at(s.pos)) || s.at(s.pos) == '.'; s.pos++ {
		}
	}
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isHex(c byte) bool { return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'f' }

func isRadix(c byte) bool { c |= 0x20; return c == 'x' || c == 'o' || c == 'b' }

func isNameStart(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' || c >= 0x80 }

func isNamePart(c byte) bool { return isNameStart(c) || isDigit(c) || c == '$' }

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }
