package mysqlwire

import "strings"

// script walks over the statements of a query's text, far enough to tell where each ends and with which word it begins. The server says only that
// another result follows, not whether it is the next statement's or another one of a CALL.
type script struct {
	from int    // where the current statement begins
	at   int    // where the next one does
	word string // the first of the current one, in lower case; "" before the first
	last bool   // nothing follows the current one
}

// step goes on to the next statement.
func (c *script) step(text string, noBackslash bool) {
	c.word, c.last, c.from = "", true, c.at
	l := lexer{text: text, at: c.at, noBackslash: noBackslash}
	for l.next() {
		if l.is(';') {
			rest := lexer{text: text, at: l.at, noBackslash: noBackslash}
			c.last = !rest.next()
			break
		}
		if c.word == "" {
			c.word = strings.ToLower(text[l.from:l.at])
		}
	}
	c.at = l.at
}

// used gives the database that the first statement of a text changes to, if it is USE. Without session tracking nothing else tells.
func used(text string, noBackslash bool) (string, bool) {
	l := lexer{text: text, noBackslash: noBackslash}
	if !l.next() || !strings.EqualFold(text[l.from:l.at], "use") || !l.next() {
		return "", false
	}
	database := text[l.from:l.at]
	if more := l.next(); more && !l.is(';') || !nameLike(database) {
		return "", false
	}
	return unquoted(database), true
}

// placeholders counts the parameters of a prepared statement's text.
func placeholders(text string) int {
	n := 0
	l := lexer{text: text}
	for l.next() {
		if l.is('?') {
			n++
		}
	}
	return n
}

// lexer finds words, quoted strings and single characters; comments are left out, but what only the server is to run is not.
type lexer struct {
	text        string
	from, at    int // the current token
	noBackslash bool
}

func (l *lexer) is(c byte) bool { return l.at == l.from+1 && l.text[l.from] == c }

// next goes on to the next token; false at the end.
func (l *lexer) next() bool {
	for l.at < len(l.text) {
		l.from = l.at
		rest := l.text[l.at:]
		switch c := rest[0]; {
		case c <= ' ':
			l.at++
		case c == '#' || strings.HasPrefix(rest, "--") && (len(rest) == 2 || rest[2] <= ' '):
			l.skip(rest, "\n")
		case strings.HasPrefix(rest, "/*!") || strings.HasPrefix(rest, "/*M!"):
			l.at += strings.IndexByte(rest, '!') + 1
			for l.at < len(l.text) && l.text[l.at] >= '0' && l.text[l.at] <= '9' {
				l.at++
			}
		case strings.HasPrefix(rest, "*/"):
			l.at += 2
		case strings.HasPrefix(rest, "/*"):
			l.at += 2
			l.skip(rest[2:], "*/")
		case c == '\'' || c == '"' || c == '`':
			l.quoted(c)
			return true
		case wordByte(c):
			for l.at < len(l.text) && wordByte(l.text[l.at]) {
				l.at++
			}
			return true
		default:
			l.at++
			return true
		}
	}
	l.from = l.at
	return false
}

// skip goes on behind end, or to the end of the text.
func (l *lexer) skip(rest, end string) {
	i := strings.Index(rest, end)
	if i < 0 {
		l.at = len(l.text)
		return
	}
	l.at += i + len(end)
}

// quoted goes on behind a string in quotes. A quote that is doubled begins the next string, which makes no difference here.
func (l *lexer) quoted(quote byte) {
	for l.at++; l.at < len(l.text); l.at++ {
		switch c := l.text[l.at]; {
		case c == quote:
			l.at++
			return
		case c == '\\' && quote != '`' && !l.noBackslash:
			l.at++
		}
	}
	l.at = len(l.text)
}

func wordByte(c byte) bool {
	return c == '_' || c == '$' || c >= 0x80 || '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}
