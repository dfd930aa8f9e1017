package pgwire

import "strings"

// The kinds of token that the lexer tells apart. Punctuation is its own kind.
const (
	tokenEnd    = 0
	tokenWord   = 'w' // an identifier or keyword, folded
	tokenName   = 'n' // a quoted identifier
	tokenString = 's'
	tokenNumber = '0'
)

// token is a piece of SQL text. Its text is without quotes, and valid as long as the lexer's.
type token struct {
	kind byte
	text string
}

func (t token) word(s string) bool { return t.kind == tokenWord && t.text == s }

// named tells whether t can name a table or column.
func (t token) named() bool { return t.kind == tokenWord || t.kind == tokenName }

// lexer reads as much of SQL text as COPY and the plainest SELECT are made of. What it cannot read makes it bad, and ends the text.
type lexer struct {
	text string
	bad  bool
}

func (l *lexer) fail() token {
	l.text, l.bad = "", true
	return token{}
}

func (l *lexer) next() token {
	l.blank()
	if l.text == "" {
		return token{}
	}
	switch b := l.text[0]; {
	case b == '"':
		return l.quoted('"', tokenName, false)
	case b == '\'':
		return l.quoted('\'', tokenString, false)
	case (b == 'E' || b == 'e') && len(l.text) > 1 && l.text[1] == '\'':
		l.text = l.text[1:]
		return l.quoted('\'', tokenString, true)
	case b == '$':
		return l.fail() // a string in dollars, or a parameter: neither belongs where this is used
	case '0' <= b && b <= '9':
		return token{tokenNumber, l.name()}
	case nameByte(b):
		name := l.name()
		if l.text != "" && (l.text[0] == '\'' || strings.HasPrefix(l.text, `&'`) || strings.HasPrefix(l.text, `&"`)) && len(name) == 1 {
			return l.fail() // B'', X'', N'', U&''
		}
		return token{tokenWord, strings.ToLower(name)}
	default:
		l.text = l.text[1:]
		return token{kind: b}
	}
}

func (l *lexer) name() string {
	n := 0
	for n < len(l.text) && nameByte(l.text[n]) {
		n++
	}
	name := l.text[:n]
	l.text = l.text[n:]
	return name
}

// blank passes over spaces and comments.
func (l *lexer) blank() {
	for l.text != "" {
		switch b := l.text[0]; {
		case b == ' ' || '\t' <= b && b <= '\r':
			l.text = l.text[1:]
		case strings.HasPrefix(l.text, "--"):
			i := strings.IndexAny(l.text, "\r\n")
			if i < 0 {
				i = len(l.text)
			}
			l.text = l.text[i:]
		case strings.HasPrefix(l.text, "/*"):
			l.comment()
		default:
			return
		}
	}
}

// comment passes over a comment, which may hold others.
func (l *lexer) comment() {
	depth := 0
	for i := 0; i+1 < len(l.text); i++ {
		switch l.text[i : i+2] {
		case "/*":
			depth++
			i++
		case "*/":
			depth--
			i++
			if depth == 0 {
				l.text = l.text[i+1:]
				return
			}
		}
	}
	l.fail()
}

// quoted reads up to the quote that ends what the first one began. A doubled quote stands for one; escapes tells whether backslashes are escapes.
func (l *lexer) quoted(quote, kind byte, escapes bool) token {
	from := 1
	var text strings.Builder
	for i := 1; i < len(l.text); i++ {
		switch b := l.text[i]; {
		case escapes && b == '\\':
			if i+1 == len(l.text) {
				return l.fail()
			}
			text.WriteString(l.text[from:i])
			i++
			c, ok := simpleEscape(l.text[i])
			if !ok {
				return l.fail()
			}
			text.WriteByte(c)
			from = i + 1
		case b != quote:
		case i+1 < len(l.text) && l.text[i+1] == quote:
			text.WriteString(l.text[from : i+1])
			i++
			from = i + 1
		default:
			t := token{kind, l.text[from:i]}
			if text.Len() > 0 {
				text.WriteString(l.text[from:i])
				t.text = text.String()
			}
			l.text = l.text[i+1:]
			return t
		}
	}
	return l.fail()
}

// simpleEscape gives what a backslash and c stand for in strings with escapes. False: it is an escape of several digits.
func simpleEscape(c byte) (byte, bool) {
	switch c {
	case 'b':
		return '\b', true
	case 'f':
		return '\f', true
	case 'n':
		return '\n', true
	case 'r':
		return '\r', true
	case 't':
		return '\t', true
	case 'x', 'u', 'U', '0', '1', '2', '3', '4', '5', '6', '7':
		return 0, false
	}
	return c, true
}
