package correlate

import (
	"strings"

	"tenantrace/collector/event"
	"tenantrace/correlate/tenantsql"
)

// temps are the temporary tables of a session, which hide others of their name.
type temps struct {
	names []string
	all   bool // any name may be one
}

// maxTemps bounds the names that are kept.
const maxTemps = 16

func (t *temps) has(name string) bool {
	for _, n := range t.names {
		if strings.EqualFold(n, name) {
			return true
		}
	}
	return t.all
}

func (t *temps) add(name string) {
	switch {
	case t.has(name):
	case name == "" || len(t.names) == maxTemps:
		t.all = true
	default:
		t.names = append(t.names, name)
	}
}

// applyTables follows what a statement does to the database's tables.
func (e *Engine) applyTables(s *session, r *reading, result *event.Result) {
	if result != nil && result.Error != "" {
		return
	}
	text := ""
	switch {
	case r.said != nil && r.said.sql.Kind == tenantsql.Discard && result != nil && s.engine != event.MySQL:
		if len(r.said.sql.Changes) > 0 { // DISCARD ALL
			s.temps = temps{}
		}
		return
	case r.does != nil && r.does.Into:
		s.temps.all = true
		e.alter(s)
		return
	case r.does != nil && r.does.Kind == tenantsql.Other:
		text = r.does.Shape
	case r.said == nil && result != nil:
		text = result.Tag
	}
	switch change := changeOf(text); {
	case change.temp:
		s.temps.add(change.name)
	case change.tables:
		e.alter(s)
	}
}

// alter forgets what is known of tables, here and, should the change be made again or undone, at the end of the transaction. Whose tables they are may have more
// names than one, a server's address at that: no catalogue keeps anything.
func (e *Engine) alter(s *session) {
	s.altered = s.engine != event.MySQL // there, it commits at once
	for _, d := range e.databases.All() {
		d.catalogue.forget()
	}
}

// tableChange is what a statement does to tables.
type tableChange struct {
	tables bool
	temp   bool   // it makes a temporary one
	name   string // of it; "" if it could not be read
}

// changeOf reads the shape or the command tag of a statement.
func changeOf(text string) (c tableChange) {
	word := func() string {
		text = strings.TrimLeft(text, " \t\r\n\f\v")
		i := strings.IndexAny(text, " \t\r\n\f\v(;")
		switch {
		case i < 0:
			i = len(text)
		case i == 0:
			i = 1
		}
		one := text[:i]
		text = text[i:]
		return strings.ToLower(one)
	}
	switch word() {
	case "alter", "drop":
		switch word() {
		case "index", "sequence", "function", "procedure", "trigger", "policy", "statistics":
			return c
		}
		return tableChange{tables: true}
	case "rename", "import", "do":
		return tableChange{tables: true}
	case "create":
	default:
		return c
	}
	what := word()
	for what == "or" || what == "replace" || what == "local" || what == "global" || what == "unlogged" {
		what = word()
	}
	switch what {
	case "temp", "temporary":
		c.temp = true
		what = word()
		if what != "table" {
			return c
		}
		name := word()
		if name == "if" {
			word()
			word()
			name = word()
		}
		if !strings.ContainsAny(name, "\".`?") {
			c.name = name
		}
	case "table", "view", "materialized", "recursive", "schema", "foreign", "extension", "algorithm", "definer", "sql", "database":
		c.tables = true
	}
	return c
}
