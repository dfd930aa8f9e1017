package pgwire

import "strings"

// relation is what descriptions of plain SELECTs taught of a table that statements call by a certain name. COPY names no type and, without a list,
// no column.
type relation struct {
	oid    uint32
	unsure bool // the name stood for several tables
	total  int  // columns; 0: SELECT * has not been seen
	wanted []relationColumn
}

// relationColumn is a wanted column.
type relationColumn struct {
	name string // lower case
	at   int    // place among the columns; -1 unknown
	oid  uint32 // type
}

// Limits of what is learned of relations.
const (
	maxRelations = 1024
	maxLessons   = 32  // descriptions of a table that are looked at
	maxStars     = 250 // and those of SELECT *, which say more
)

// relation gives what is known under a name, nil if nothing is.
func (t *tables) relation(name string) *relation {
	if r := t.relations[name]; r != nil && !r.unsure {
		return r
	}
	return nil
}

// forgetRelations notes a change of tables: names and columns may be others'.
func (t *tables) forgetRelations() {
	clear(t.relations)
	clear(t.lessons)
}

// curious tells whether the description of what text asks for of a table is still looked at.
func (t *tables) curious(table uint32, text string) bool {
	const all = "select *"
	n, most := t.lessons[table], uint8(maxLessons)
	if len(text) > len(all) && strings.EqualFold(text[:len(all)], all) {
		most = maxStars
	}
	return table != 0 && text != "" && n < most && (n > 0 || len(t.lessons) < maxRelations)
}

// learnRelation learns from the description of what text asks for. All n columns of it belong to table; found are the wanted ones.
func (t *tables) learnRelation(text string, table uint32, n int, found []relationColumn) {
	if t.lessons == nil {
		t.lessons, t.relations = make(map[uint32]uint8), make(map[string]*relation)
	}
	t.lessons[table]++
	name, star := plainSelect(text)
	if name == "" || n == 0 {
		return
	}
	r := t.relations[name]
	switch {
	case r == nil && len(t.relations) >= maxRelations:
		return
	case r == nil:
		r = &relation{oid: table}
		t.relations[name] = r
	case r.oid != table:
		r.unsure = true
		return
	}
	if star {
		r.total, r.wanted = n, found
		return
	}
	for _, c := range found {
		if c.at = -1; !r.has(c.name) && plainName(text, c.name) {
			r.wanted = append(r.wanted, c)
		}
	}
}

func (r *relation) has(name string) bool {
	for i := range r.wanted {
		if r.wanted[i].name == name {
			return true
		}
	}
	return false
}

// typeOf gives the type of a column, 0 if it is not known.
func (r *relation) typeOf(name string) uint32 {
	if r == nil {
		return 0
	}
	for i := range r.wanted {
		if r.wanted[i].name == name {
			return r.wanted[i].oid
		}
	}
	return 0
}

// plainSelect reads SELECT ... FROM table, with or without a condition and an order, and gives the table's name; "" if the text is anything else. star
// tells whether it asks for all columns and no other.
func plainSelect(text string) (name string, star bool) {
	l := lexer{text: text}
	if !l.next().word("select") {
		return "", false
	}
	t := l.next()
	if t.kind == '*' {
		star = true
	}
	for n := 0; !t.word("from"); n++ {
		if star && n > 0 || t.kind == tokenEnd || t.kind == '(' || t.kind == ';' || n == 8*maxColumns {
			return "", false
		}
		t = l.next()
	}
	name, t = relationName(&l, l.next())
	switch {
	case t.kind == tokenEnd && !l.bad:
	case t.kind == ';':
		if l.next().kind != tokenEnd || l.bad {
			return "", false
		}
	case t.word("where"), t.word("order"), t.word("limit"), t.word("offset"), t.word("fetch"), t.word("for"):
		if mentions(l.text, "union") || mentions(l.text, "intersect") || mentions(l.text, "except") || mentions(l.text, ";") {
			return "", false
		}
	default:
		return "", false
	}
	return name, star
}
