package mysqlwire

import "strings"

// lineage is what a text says about where the server's word for a column's table and name comes from. MariaDB gives the alias of a derived table or of a
// common table expression as the table if it was merged into the query, and what a derived table calls the column as the column's name.
type lineage struct {
	derived bool // the text itself makes the table
	renamed bool // something else may bear the column's name inside a nested query
	hidden  bool // another text runs, which is not known here
}

// real tells whether table and column are what the server calls them.
func (l lineage) real() bool { return !l.derived && !l.renamed && !l.hidden }

// maxTraced is how much text is read for the columns of one command's results, in bytes: a text of many statements has as many results.
const maxTraced = 16 * DefaultMaxText

// real tells whether a column of p's result comes from where the server says.
func (s *Session) real(p *pending, table, column string) bool {
	text, known := p.sql()
	if p.traced += len(text); !known || p.traced > maxTraced {
		return false
	}
	return trace(text, table, column, s.noBackslash).real()
}

// maxFrames is how deep parentheses are followed.
const maxFrames = 32

// frame is an open parenthesis.
type frame struct {
	names   bool // it lists the columns of a derived table
	named   bool // it follows a word
	mention bool // the column is in it
}

// tracer reads a text once.
type tracer struct {
	lexer
	table, column string
	lineage
	selects int
	renames bool
	before  [3]string // the tokens before the current one, the last first; "" if there was none
	frames  [maxFrames]frame
	depth   int
	closed  frame // the parenthesis that the last token closed
}

// trace reads where a column may come from. Words in the text count whatever their case.
func trace(text, table, column string, noBackslash bool) lineage {
	t := tracer{lexer: lexer{text: text, noBackslash: noBackslash}, table: table, column: column}
	for t.next() {
		t.token(t.text[t.from:t.at])
	}
	t.renamed = t.renames && t.selects > 1
	return t.lineage
}

// token takes in the next token.
func (t *tracer) token(token string) {
	name := unquoted(token)
	switch token {
	case "(":
		if t.depth == maxFrames {
			t.hidden = true
			return
		}
		after := t.before[0]
		t.frames[t.depth] = frame{named: nameLike(after), names: nameLike(after) && t.afterDerived(1)}
		t.depth++
	case ")":
		t.closed = frame{}
		if t.depth > 0 {
			t.depth--
			t.closed = t.frames[t.depth]
		}
	default:
		t.word(token, name)
	}
	if token == "(" && strings.EqualFold(t.before[0], "as") && t.before[1] == ")" && t.closed.named && t.closed.mention {
		t.renames = true // the columns of a common table expression
	}
	if strings.EqualFold(name, t.table) && t.makes() {
		t.derived = true
	}
	t.before[2], t.before[1], t.before[0] = t.before[1], t.before[0], token
}

// word takes in a token that is no parenthesis.
func (t *tracer) word(token, name string) {
	switch len(token) { // of most words the length alone tells
	case 4, 5, 6, 7:
		switch {
		case strings.EqualFold(token, "select"), strings.EqualFold(token, "with"), strings.EqualFold(token, "values"):
			t.selects++
		case strings.EqualFold(token, "call"), strings.EqualFold(token, "execute"), strings.EqualFold(token, "fetch"), strings.EqualFold(token, "handler"):
			t.hidden = true
		}
	}
	if !strings.EqualFold(name, t.column) {
		return
	}
	if t.depth > 0 {
		within := &t.frames[t.depth-1]
		within.mention = true
		t.renames = t.renames || within.names
	}
	if !expressionAfter(t.before[0]) && !t.ownAlias() {
		t.renames = true
	}
}

// ownAlias tells whether the current token calls the column what it is called anyway: "x.name AS name", "name name".
func (t *tracer) ownAlias() bool {
	what := t.before[0]
	if strings.EqualFold(what, "as") {
		what = t.before[1]
	}
	return strings.EqualFold(unquoted(what), t.column)
}

// afterDerived tells whether the token i back follows a derived table, with or without AS.
func (t *tracer) afterDerived(i int) bool {
	return t.before[i] == ")" || strings.EqualFold(t.before[i], "as") && i+1 < len(t.before) && t.before[i+1] == ")"
}

// makes tells whether the current token is the name of a table that the text makes: behind a parenthesis, or in front of "AS (" or of columns and "AS (".
func (t *tracer) makes() bool {
	if t.afterDerived(0) {
		return true
	}
	ahead := t.lexer
	if !ahead.next() {
		return false
	}
	if ahead.is('(') {
		for ahead.next() && (ahead.is(',') || nameLike(ahead.text[ahead.from:ahead.at])) {
		}
		if ahead.from == ahead.at || !ahead.is(')') || !ahead.next() {
			return false
		}
	}
	return strings.EqualFold(ahead.text[ahead.from:ahead.at], "as") && ahead.next() && ahead.is('(')
}

// unquoted gives a name without its quotes. One with a quote inside is compared as it is written, which equals nothing.
func unquoted(token string) string {
	if n := len(token); n >= 2 && (token[0] == '`' || token[0] == '"' || token[0] == '\'') {
		return token[1 : n-1]
	}
	return token
}

// nameLike tells whether a token can be a name.
func nameLike(token string) bool {
	return token != "" && (wordByte(token[0]) || token[0] == '`' || token[0] == '"')
}

// expressionAfter tells whether what follows a token is an expression, and no alias.
func expressionAfter(token string) bool {
	switch token {
	case "", ".", ",", "(", "=", "<", ">", "+", "-", "*", "/", "%", "|", "&", "!", "~", "^", ":":
		return true
	}
	switch strings.ToLower(token) {
	case "select", "distinct", "distinctrow", "all", "returning", "where", "and", "or", "xor", "not", "on", "by", "set", "having", "when", "then", "else", "case", "using",
		"between", "like", "in", "binary", "interval", "straight_join", "sql_no_cache", "sql_calc_found_rows", "high_priority", "rlike", "regexp", "div", "mod", "is":
		return true
	}
	return false
}
