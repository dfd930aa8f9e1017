package pgwire

import "strings"

// plainName tells whether text, one SQL statement or several, gives the name (lower case) to no column that is called otherwise: each place
// where it stands is one where an expression must stand, not an alias. A text that does not mention the name (SELECT *) qualifies too; one
// that runs another text (FETCH, EXECUTE), or has a line comment, which could hold anything, does not. Nor does "", the unknown text.
func plainName(text, name string) bool {
	if text == "" || name == "" || strings.Contains(text, "--") || mentions(text, "fetch") || mentions(text, "execute") {
		return false
	}
	for i := 0; i+len(name) <= len(text); i++ {
		if text[i]|0x20 != name[0]|0x20 || !strings.EqualFold(text[i:i+len(name)], name) {
			continue
		}
		end := i + len(name)
		if i > 0 && nameByte(text[i-1]) || end < len(text) && nameByte(text[end]) {
			continue
		}
		before := text[:i]
		if end < len(text) && text[end] == '"' {
			before = strings.TrimSuffix(before, `"`)
		}
		if !expressionFollows(before) && !ownAlias(before, name) {
			return false
		}
		i = end - 1
	}
	return true
}

// ownAlias tells whether what follows before is an alias that calls the column name what it is called anyway: "x.name AS name".
func ownAlias(before, name string) bool {
	const space = " \t\r\n\f"
	at := strings.TrimRight(before, space)
	if n := len(at) - len("as"); n > 0 && strings.EqualFold(at[n:], "as") && !nameByte(at[n-1]) {
		at = strings.TrimRight(at[:n], space)
	}
	quoted := strings.HasSuffix(at, `"`)
	at = strings.TrimSuffix(at, `"`)
	n := len(at) - len(name)
	if n <= 0 || len(at) == len(before) || !strings.EqualFold(at[n:], name) {
		return false
	}
	at = at[:n]
	if quoted {
		if !strings.HasSuffix(at, `"`) {
			return false
		}
		at = strings.TrimSuffix(at, `"`)
	}
	return expressionFollows(at)
}

// expressionFollows tells whether what follows before, SQL text, is an expression.
func expressionFollows(before string) bool {
	before = withoutComments(before)
	if before == "" {
		return false
	}
	switch before[len(before)-1] {
	case '.', ',', '(', '=', '<', '>', '+', '|':
		return true
	}
	i := len(before)
	for i > 0 && nameByte(before[i-1]) {
		i--
	}
	if i > 0 && before[i-1] == '"' {
		return false
	}
	switch strings.ToLower(before[i:]) {
	case "select", "distinct", "all", "returning", "where", "and", "or", "not", "on", "by", "set", "having", "when", "then", "else", "using":
		return true
	}
	return false
}

// withoutComments takes blanks and comments from the end of text. The last "/*" begins the comment that ends there, unless that holds another one.
func withoutComments(text string) string {
	for {
		text = strings.TrimRight(text, " \t\r\n\f")
		if !strings.HasSuffix(text, "*/") {
			return text
		}
		begin := strings.LastIndex(text, "/*")
		if begin < 0 || strings.Index(text[begin+2:], "*/") != len(text)-begin-4 {
			return text
		}
		text = text[:begin]
	}
}

// mentions tells whether word (lower case) occurs in text.
func mentions(text, word string) bool {
	for i := 0; i+len(word) <= len(text); i++ {
		if text[i]|0x20 == word[0] && strings.EqualFold(text[i:i+len(word)], word) {
			return true
		}
	}
	return false
}

// nameByte tells whether b is part of an unquoted identifier.
func nameByte(b byte) bool {
	return b == '_' || b == '$' || b >= 0x80 || '0' <= b && b <= '9' || 'a' <= b|0x20 && b|0x20 <= 'z'
}
