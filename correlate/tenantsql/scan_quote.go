package tenantsql

import "strings"

// space skips white space and comments.
func (s *scanner) space() {
	for s.pos < len(s.sql) {
		c := s.sql[s.pos]
		switch {
		case isSpace(c):
			s.pos++
		case c == '-' && s.at(s.pos+1) == '-' && s.dashes():
			s.line()
		case c == '#' && s.mysql:
			s.line()
		case c == '/' && s.at(s.pos+1) == '*':
			s.comment()
		case c == '*' && s.inExec && s.at(s.pos+1) == '/':
			s.inExec = false
			s.pos += 2
		default:
			return
		}
	}
}

// dashes tells whether -- starts a comment here: MySQL asks for white space behind it, so that 5--1 stays a subtraction.
func (s *scanner) dashes() bool {
	return !s.mysql || s.pos+2 >= len(s.sql) || s.sql[s.pos+2] <= ' '
}

func (s *scanner) line() {
	for ; s.pos < len(s.sql); s.pos++ {
		if c := s.sql[s.pos]; c == '\n' || c == '\r' && !s.mysql {
			return
		}
	}
}

// comment skips a block comment. PostgreSQL's nest; MySQL's do not, and MySQL runs the content of /*! … */.
func (s *scanner) comment() {
	s.pos += 2
	if s.mysql {
		if s.at(s.pos) == '!' || s.at(s.pos) == 'M' && s.at(s.pos+1) == '!' {
			s.executable()
			return
		}
		if s.inExec {
			s.doubtAt(s.pos - 2) // whether it nests depends on the server
		}
		if n := strings.Index(s.sql[s.pos:], "*/"); n >= 0 {
			s.pos += n + 2
			return
		}
		s.pos, s.open = len(s.sql), true
		return
	}
	for depth := 1; s.pos < len(s.sql); {
		n := strings.IndexByte(s.sql[s.pos:], '*')
		if n < 0 {
			break
		}
		star := s.pos + n
		switch {
		case star > s.pos && s.sql[star-1] == '/': // before the end mark: /*/ opens
			s.pos = star + 1
			depth++
		case s.at(star+1) == '/':
			s.pos = star + 2
			if depth--; depth == 0 {
				return
			}
		default:
			s.pos = star + 1
		}
	}
	s.pos, s.open = len(s.sql), true
}

// everyServer is the version from which on some server in use may leave an executable comment out: 5.6.0.
const everyServer = 50600

// executable begins a comment whose content is code: MySQL runs that of /*! … */, with five digits in front only from that version on, MariaDB also that
// of /*M! … */. What every server runs is read as code; nobody outside knows what a statement says that some leave out (MySQL reference manual,
// 9.7; MariaDB skips 50700 to 50999 and counts from 100000 on).
func (s *scanner) executable() {
	start := s.pos - 2
	sure := s.at(s.pos) == '!'
	if !sure {
		s.pos++
	}
	s.pos++
	from, version := s.pos, 0
	for s.pos < from+6 && isDigit(s.at(s.pos)) {
		version = version*10 + int(s.sql[s.pos]-'0')
		s.pos++
	}
	if n := s.pos - from; !sure || n > 0 && n != 5 || version >= everyServer {
		s.doubtAt(start)
	}
	s.inExec = true
}

// text reads a string at its opening quote with the dialect's default rules. In PostgreSQL a string behind a string continues it, with the
// rules of the first.
func (s *scanner) text(t *token, quote byte) {
	sub := quotePlain
	switch {
	case s.mysql && s.plain: // no doubt about it, other than with a string of PostgreSQL that holds a backslash before its quote
	case s.mysql:
		sub = quoteEscape
	case s.prev.kind == tString && s.prev.sub != quoteDollar:
		sub = s.prev.sub
	}
	s.body(t, quote, sub)
}

// body reads a string at its opening quote.
func (s *scanner) body(t *token, quote byte, sub uint8) {
	t.kind, t.sub = tString, sub
	start := s.pos
	s.close(quote, sub == quoteEscape)
	if sub == quotePlain && !s.mysql && !s.sure && strings.Contains(s.sql[start:s.pos], `\'`) {
		s.doubtAt(start) // with standard_conforming_strings off the string is a longer one
	}
}

func (s *scanner) quoted(t *token, quote byte, sub uint8) {
	t.kind, t.sub = tQuoted, sub
	s.close(quote, false)
}

// close moves from an opening quote behind its closing one.
func (s *scanner) close(quote byte, escapes bool) {
	for s.pos++; s.pos < len(s.sql); {
		if !escapes {
			n := strings.IndexByte(s.sql[s.pos:], quote)
			if n < 0 {
				break
			}
			s.pos += n
		}
		switch c := s.sql[s.pos]; {
		case c == '\\' && escapes:
			s.pos += 2
		case c != quote:
			s.pos++
		case s.at(s.pos+1) == quote:
			s.pos += 2
		default:
			s.pos++
			return
		}
	}
	s.pos, s.open = len(s.sql), true
}
