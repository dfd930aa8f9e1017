package tenantsql

// lexed is a statement's text in tokens.
type lexed struct {
	sql     string
	mysql   bool
	toks    []token // with a tEnd behind the last
	n       int     // tokens before the tEnd
	partial bool    // tokens are missing behind the last
	capped  bool    // there were more than maxTokens
	uneven  bool    // brackets do not pair
	doubt   int     // see scanner
	more    bool    // another statement follows
	open    []int32 // brackets not yet closed
}

// lex reads the text. Of a cut text the last token goes if it reaches the end: 'ac may be 'acme', and 'acme' may be 'acme”s'. A token without
// its end goes as well.
func (l *lexed) lex(d Dialect, sql string, cut bool) {
	l.sql, l.mysql = sql, d.mysql()
	l.toks, l.open = l.toks[:0], l.open[:0]
	l.partial, l.capped, l.uneven, l.more = cut, false, false, false
	s := newScanner(d, sql)
	var t token
	for {
		if t = s.next(); t.kind == tEnd || t.op(opSemicolon) {
			break
		}
		if s.open {
			l.partial = true
			break
		}
		if cut && int(t.end) == len(sql) {
			break
		}
		if len(l.toks) == maxTokens {
			l.partial, l.capped = true, true
			break
		}
		l.toks = append(l.toks, t)
		l.pair(t)
	}
	l.partial = l.partial || s.open
	if t.op(opSemicolon) {
		l.partial = false
		l.more = s.next().kind != tEnd
	}
	if len(l.open) > 0 && !l.partial {
		l.uneven = true
	}
	l.n, l.doubt = len(l.toks), s.doubt
	l.toks = append(l.toks, token{start: t.start, end: t.start, num: -1})
}

// pair ties a closing bracket to its opening one.
func (l *lexed) pair(t token) {
	if t.kind != tOp {
		return
	}
	i, k := int32(len(l.toks)-1), len(l.open)-1
	switch t.sub {
	case opLeft, opOpen:
		l.open = append(l.open, i)
	case opRight, opClose:
		if k < 0 || l.toks[l.open[k]].sub != t.sub-1 { // each closing code is behind its opening one
			l.uneven = true
			return
		}
		l.toks[l.open[k]].num = i
		l.open = l.open[:k]
	}
}

// close gives the index of the bracket that closes the one at i; n if none does.
func (l *lexed) close(i int) int {
	if c := l.toks[i].num; c >= 0 {
		return int(c)
	}
	return l.n
}

// skip gives the index behind the token at i, or behind the brackets that open there; at most end.
func (l *lexed) skip(i, end int) int {
	if t := l.toks[i]; t.kind == tOp && (t.sub == opLeft || t.sub == opOpen) {
		i = l.close(i)
	}
	return min(i+1, end)
}

func (l *lexed) op(i int, op uint8) bool { return l.toks[min(i, l.n)].op(op) }

func (l *lexed) word(i int, k keyword) bool { return l.toks[min(i, l.n)].word(k) }

// keyword gives the keyword at i, 0 if there is none.
func (l *lexed) keyword(i int) keyword {
	if t := l.toks[min(i, l.n)]; t.kind == tWord {
		return keyword(t.sub)
	}
	return 0
}

// name tells whether the token at i can be an identifier.
func (l *lexed) name(i int) bool { return l.toks[min(i, l.n)].name() }

// is compares the unquoted word at i without case; low must be in lower case.
func (l *lexed) is(i int, low string) bool {
	t := l.toks[min(i, l.n)]
	return t.kind == tWord && equalFold(l.sql[t.start:t.end], low)
}

// past gives i, or i+1 if the keyword k stands at i.
func (l *lexed) past(i int, k keyword) int {
	if l.word(i, k) {
		return i + 1
	}
	return i
}

// named compares the identifier at i with a name as identifier gives it; MySQL compares without case.
func (l *lexed) named(i int, name string) bool {
	t := l.toks[i]
	text := l.sql[t.start:t.end]
	switch {
	case t.kind == tQuoted && t.sub == quotePlain:
		if inner := text[1 : len(text)-1]; len(inner) == len(name) {
			return inner == name || l.mysql && equalFold(inner, name)
		}
		fallthrough
	case t.kind == tQuoted:
		return identifier(l.sql, t) == name
	case l.mysql:
		return equalFold(text, name)
	}
	if len(text) != len(name) {
		return false
	}
	for i := range len(text) {
		if lower(text[i]) != name[i] {
			return false
		}
	}
	return true
}
