package pgwire

import "strings"

// copyText is what the text of a COPY says of its data (PostgreSQL documentation, COPY).
type copyText struct {
	out     bool     // TO STDOUT; else FROM STDIN
	table   string   // as relationName writes it; "" if the rows are a query's
	columns []string // nil: all of the table, or the query's
	format  byte     // 't' text, 'c' CSV, 'b' binary
	header  bool     // the first line is no row
	match   bool     // and the server checks that it holds the columns' names
	// partly: the server may pass over rows (WHERE, ON_ERROR): what was sent need not have been written.
	partly bool

	delimiter, quote, escape byte
	null                     string
	defaults                 bool
	defaultMark              string // stands for the column's default; in force if defaults is set
	encoding                 string // of the data; "" the client's
}

// maxColumns is the most columns that a table has (MaxHeapAttributeNumber).
const maxColumns = 1600

// readCopy finds the one COPY between server and client in text, which may hold other statements too.
func readCopy(text string) (c copyText, ok bool) {
	l := lexer{text: text}
	found := 0
	for t := l.next(); t.kind != tokenEnd; t = l.next() {
		if t.word("copy") {
			if found++; !c.read(&l) || found > 1 {
				return c, false
			}
			continue
		}
		for t.kind != tokenEnd && t.kind != ';' {
			t = l.next()
		}
	}
	return c, found == 1 && !l.bad
}

// read reads a COPY behind its first word, up to the end of the statement.
func (c *copyText) read(l *lexer) bool {
	c.format = 't'
	t := l.next()
	if t.word("binary") {
		c.format = 'b'
		t = l.next()
	}
	if t.kind == '(' {
		if !passBrackets(l) {
			return false
		}
		t = l.next()
	} else if t = c.source(l, t); c.table == "" {
		return false
	}
	c.out = t.word("to")
	if !c.out && !t.word("from") {
		return false
	}
	if t = l.next(); !t.word("stdin") && !t.word("stdout") {
		return false
	}
	o := copyOptions{copyText: c}
	if !o.read(l) || l.bad {
		return false
	}
	return o.settle()
}

// source reads [schema.]table [(columns)] and returns the token that follows.
func (c *copyText) source(l *lexer, t token) token {
	table, t := relationName(l, t)
	if table == "" {
		return t
	}
	if t.kind == '(' {
		c.columns = []string{}
		for {
			name := l.next()
			if !name.named() || len(c.columns) == maxColumns {
				return t
			}
			c.columns = append(c.columns, name.text)
			if t = l.next(); t.kind == ')' {
				break
			}
			if t.kind != ',' {
				return t
			}
		}
		t = l.next()
	}
	c.table = table
	return t
}

// relationName reads the name of a table, of which t is the first token, and returns the token that follows. The name is the table's with its
// schema, if there is one, and "" if this is no name.
func relationName(l *lexer, t token) (name string, next token) {
	var parts []string
	for t.named() && len(t.text) <= maxName {
		parts = append(parts, strings.ReplaceAll(t.text, ".", ".."))
		if t = l.next(); t.kind != '.' {
			if len(parts) > 3 {
				return "", t
			}
			return strings.Join(parts[max(0, len(parts)-2):], "."), t // of database.schema.table the database is the session's
		}
		t = l.next()
	}
	return "", t
}

// passBrackets passes over what stands between an opened bracket and its closing one.
func passBrackets(l *lexer) bool {
	for depth := 1; ; {
		switch t := l.next(); t.kind {
		case tokenEnd:
			return false
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return true
			}
		}
	}
}

// copyOptions reads the options of a COPY, in either syntax.
type copyOptions struct {
	*copyText
	hasDelimiter, hasNull, hasQuote, hasEscape bool
}

func (o *copyOptions) read(l *lexer) bool {
	t := l.next()
	if t.word("with") {
		t = l.next()
	}
	if t.kind == '(' {
		for {
			name := l.next()
			if name.kind != tokenWord {
				return false
			}
			value := l.next()
			switch value.kind {
			case ',', ')':
				t, value = value, token{}
			case '(':
				if !passBrackets(l) {
					return false
				}
				t, value = l.next(), token{}
			default:
				t = l.next()
			}
			if !o.set(name.text, value) {
				return false
			}
			if t.kind == ')' {
				t = l.next()
				break
			}
			if t.kind != ',' {
				return false
			}
		}
	} else if !o.readOld(l, &t) {
		return false
	}
	if t.word("where") {
		o.partly = true
		for t.kind != tokenEnd && t.kind != ';' {
			t = l.next()
		}
	}
	return t.kind == tokenEnd || t.kind == ';'
}

// readOld reads options as they were written before version 9.0, from *t, and leaves in it the token that follows.
func (o *copyOptions) readOld(l *lexer, t *token) bool {
	for t.kind == tokenWord && !t.word("where") {
		name := t.text
		*t = l.next()
		var value token
		switch name {
		case "using": // USING DELIMITERS
			continue
		case "binary", "csv":
			name, value = "format", token{tokenWord, name}
		case "header", "freeze":
		case "force":
			if !passForce(l, t) {
				return false
			}
			continue
		case "delimiter", "delimiters", "null", "quote", "escape", "encoding":
			name = strings.TrimSuffix(name, "s")
			if t.word("as") {
				*t = l.next()
			}
			if t.kind != tokenString {
				return false
			}
			value = *t
			*t = l.next()
		default:
			return false
		}
		if !o.set(name, value) {
			return false
		}
	}
	return true
}

// passForce passes over FORCE QUOTE, FORCE NOT NULL and FORCE NULL with their columns: they tell an empty string from NULL, and neither is a tenant.
func passForce(l *lexer, t *token) bool {
	for t.word("not") || t.word("quote") || t.word("null") {
		*t = l.next()
	}
	for {
		if !t.named() && t.kind != '*' {
			return false
		}
		if *t = l.next(); t.kind != ',' {
			return true
		}
		*t = l.next()
	}
}

// set takes an option. An unknown one makes the data unreadable.
func (o *copyOptions) set(name string, value token) bool {
	switch name {
	case "format":
		switch strings.ToLower(value.text) {
		case "text":
			o.format = 't'
		case "csv":
			o.format = 'c'
		case "binary":
			o.format = 'b'
		default:
			return false
		}
	case "header":
		switch strings.ToLower(value.text) {
		case "", "true", "on", "1":
			o.header = true
		case "match":
			o.header, o.match = true, true
		case "false", "off", "0":
			o.header = false
		default:
			return false
		}
	case "delimiter":
		o.hasDelimiter = true
		return oneByte(value.text, &o.delimiter)
	case "quote":
		o.hasQuote = true
		return oneByte(value.text, &o.quote)
	case "escape":
		o.hasEscape = true
		return oneByte(value.text, &o.escape)
	case "null":
		o.null, o.hasNull = value.text, true
	case "default":
		o.defaults, o.defaultMark = true, value.text
	case "encoding":
		o.encoding = value.text
	case "on_error":
		o.partly = o.partly || !strings.EqualFold(value.text, "stop")
	case "freeze", "force_quote", "force_not_null", "force_null", "log_verbosity", "reject_limit":
	default:
		return false
	}
	return true
}

func oneByte(text string, to *byte) bool {
	if len(text) != 1 {
		return false
	}
	*to = text[0]
	return true
}

// settle fills in the defaults.
func (o *copyOptions) settle() bool {
	csv := o.format == 'c'
	if !o.hasDelimiter {
		o.delimiter = '\t'
		if csv {
			o.delimiter = ','
		}
	}
	if !o.hasNull && !csv {
		o.null = `\N`
	}
	if !o.hasQuote {
		o.quote = '"'
	}
	if !o.hasEscape {
		o.escape = o.quote
	}
	if o.format == 'b' {
		o.header = false
	}
	switch {
	case o.delimiter == '\n' || o.delimiter == '\r', csv && (o.delimiter == o.quote || o.quote == '\n' || o.quote == '\r'), !csv && o.delimiter == '\\':
		return false // the server refuses it
	}
	return true
}

// wideEncodings are the encodings of clients in which the second byte of a character may look like a delimiter, a quote or a backslash.
var wideEncodings = []string{"sjis", "shift_jis", "shift_jis_2004", "big5", "gbk", "uhc", "gb18030", "johab", "mskanji", "shiftjis", "win932", "windows932", "win936", "windows936", "win949", "windows949", "win950", "windows950"}

// wide tells whether text in an encoding cannot be split at bytes.
func wide(encoding string) bool {
	for _, name := range wideEncodings {
		if strings.EqualFold(strings.ReplaceAll(encoding, "-", "_"), name) {
			return true
		}
	}
	return false
}
