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
		if !expressionFollows(before) && !ownAlias(before, name) || listed(text, before) {
			return false
		}
		i = end - 1
	}
	return true
}

// maxListed is how many names of a list are looked at.
const maxListed = 256

// listed tells whether the name that follows before, a part of text, stands in a list that gives the columns of a query or table other names: WITH x (a, name) AS (…),
// FROM y AS z (name). What is in doubt is one.
func listed(text, before string) bool {
	at := before
	for range maxListed { // back over the names before it
		at = strings.TrimRight(at, " \t\r\n\f")
		if at == "" || at[len(at)-1] != ',' {
			break
		}
		at = strings.TrimRight(at[:len(at)-1], " \t\r\n\f")
		at = strings.TrimRight(at, "\"")
		for at != "" && (nameByte(at[len(at)-1]) || at[len(at)-1] == '.') {
			at = at[:len(at)-1]
		}
		at = strings.TrimRight(at, "\"")
	}
	if !strings.HasSuffix(at, "(") {
		return strings.HasSuffix(at, ",")
	}
	l := lexer{text: text[len(at):]}
	for t := l.next(); ; t = l.next() {
		if t.kind == tokenEnd {
			break
		}
		if t.kind == ')' {
			if t = l.next(); t.word("as") {
				return true
			}
			break
		}
		if t.kind == '(' {
			break // no list of names
		}
	}
	// Not the arguments of a function, nor a list behind a keyword: a name behind a table's name, AS or a closing bracket.
	at = strings.TrimRight(at[:len(at)-1], " \t\r\n\f")
	at, quoted := strings.CutSuffix(at, "\"")
	end := len(at)
	for at != "" && (nameByte(at[len(at)-1]) || quoted && at[len(at)-1] != '"') {
		at = at[:len(at)-1]
	}
	if len(at) == end {
		return false
	}
	word := strings.ToLower(text[len(at):end])
	if quoted {
		at = strings.TrimSuffix(at, "\"")
	} else if keywordBeforeList(word) {
		return false
	}
	at = strings.TrimRight(at, " \t\r\n\f")
	if at == "" {
		return false
	}
	switch last := at[len(at)-1]; {
	case last == ')', last == '"':
		return true
	case !nameByte(last):
		return false // an operator, a comma, a dot
	}
	i := len(at)
	for i > 0 && nameByte(at[i-1]) {
		i--
	}
	if strings.EqualFold(at[i:], "as") {
		return true
	}
	return !keywordBeforeName(strings.ToLower(at[i:]))
}

// keywordBeforeList tells whether a word before a bracket is no name.
func keywordBeforeList(word string) bool {
	switch word {
	case "in", "using", "values", "conflict", "any", "all", "some", "and", "or", "not", "by", "on", "exists", "distinct", "over", "filter", "where", "when", "then",
		"else", "select", "returning", "having", "from", "join", "set", "is", "like", "ilike", "between", "array", "row", "key", "union", "except", "intersect":
		return true
	}
	return false
}

// keywordBeforeName tells whether a word before a name and a bracket is one that no alias follows.
func keywordBeforeName(word string) bool {
	return word == "into" || word == "case" || word == "limit" || word == "offset" || word == "end" || word == "lateral" || word == "only" || word == "update" || keywordBeforeList(word)
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
