package correlate

import (
	"strings"

	"tenantrace/collector/event"
	"tenantrace/correlate/bounded"
	"tenantrace/correlate/policy"
	"tenantrace/correlate/settings"
	"tenantrace/correlate/tenantsql"
)

// catalogue is what passing statements have taught of a database's tables: which of them have the columns that matter. It decides whose an unqualified
// column is. What is not known there stays unknown: nothing is ever asked of a server.
type catalogue struct {
	tables *bounded.Map[tableKey, *knownTable]
	// version changes with whatever is forgotten: who remembers that it has taught something must teach it again.
	version uint64
	// state changes with whatever is learned or forgotten.
	state uint64
}

// tableKey names a table as the statements of sessions do that look names up in the same places.
type tableKey struct {
	at lookup // the zero value where the name has its schema
	tenantsql.Table
}

// lookup is where a PostgreSQL session looks up names without a schema: the setting as it is, and the role that "$user" stands for.
type lookup struct{ path, role string }

// knownTable is what is known of a table.
type knownTable struct {
	oid     uint32 // 0 not known
	columns []knownColumn
	changes uint8 // how often it contradicted what was known
}

type knownColumn struct {
	name string // lower case
	has  bool
}

// maxChanges bounds how often a table may contradict what is known of it, for want of a change of tables that was seen. One that does so more often is perhaps
// several that cannot be told apart: nothing is known of it any more.
const maxChanges = 3

func newCatalogue(limit int, evicted func()) *catalogue {
	c := &catalogue{}
	c.tables = bounded.New(limit, func(tableKey, *knownTable) {
		c.changed()
		evicted()
	})
	return c
}

// forget forgets all tables: they were changed.
func (c *catalogue) forget() {
	if c.tables.Len() == 0 {
		return
	}
	for key := range c.tables.All() {
		c.tables.Delete(key)
	}
	c.changed()
}

func (c *catalogue) changed() {
	c.version++
	c.state++
}

// table finds or makes the entry of a table whose OID, if it is not 0, is that of the one that statements mean now.
func (c *catalogue) table(key tableKey, oid uint32) *knownTable {
	t, ok := c.tables.Get(key)
	if !ok {
		t = &knownTable{}
		c.tables.Put(key, t)
	}
	if oid != 0 && t.oid != oid {
		if t.oid != 0 { // another table has the name now
			c.contradicted(t)
		}
		t.oid = oid
	}
	return t
}

func (c *catalogue) contradicted(t *knownTable) {
	t.columns = nil
	t.changes = min(t.changes+1, maxChanges+1)
	c.changed()
}

// learn notes that a table has a column, or has not, and tells whether that is new.
func (c *catalogue) learn(key tableKey, oid uint32, name string, has bool) bool {
	t := c.table(key, oid)
	for _, col := range t.columns {
		if col.name != name {
			continue
		}
		if col.has == has {
			return false
		}
		c.contradicted(t)
		break
	}
	if t.changes > maxChanges {
		return false
	}
	t.columns = append(t.columns, knownColumn{name, has})
	c.state++
	return true
}

// answer tells whether a table has a column.
func (c *catalogue) answer(key tableKey, name string) tenantsql.Answer {
	t, ok := c.tables.Get(key)
	if !ok {
		return tenantsql.Unsaid
	}
	for _, col := range t.columns {
		switch {
		case col.name != name:
		case col.has:
			return tenantsql.Has
		default:
			return tenantsql.Lacks
		}
	}
	return tenantsql.Unsaid
}

// view is the catalogue as a session sees it.
type view struct {
	session *session
	rules   *rules
	at      lookup
	whole   bool // names without a schema can be told
	none    bool // nothing can
}

// viewOf gives the view of a session. A session that has changed tables in its open transaction sees other ones than the rest.
func (e *Engine) viewOf(s *session, by *rules) view {
	v := view{session: s, rules: by, none: s.void || s.altered}
	if s.engine == event.MySQL { // whose temporary tables hide others whether or not their database is named
		v.none = v.none || s.temps.all
		v.at.path = s.now()
		v.whole = v.at.path != ""
		return v
	}
	if v.none || s.temps.all {
		return v
	}
	u := unit{session: s}
	path := u.ask(by, pathSetting)
	if path.State == settings.Unknown {
		return v
	}
	role, known := u.role(by)
	v.at, v.whole = lookup{path.Text, role}, known
	return v
}

// key names a table as the view's session would find it; ok is false if it cannot be told which one that is.
func (v *view) key(t tenantsql.Table) (key tableKey, ok bool) {
	switch {
	case v.none || t.Name == "", v.session.engine == event.MySQL && v.session.temps.has(t.Name):
		return key, false
	case t.Schema != "" && !strings.HasPrefix(t.Schema, "pg_temp"):
		return tableKey{Table: t}, true
	case t.Schema != "" || !v.whole || v.session.temps.has(t.Name):
		return key, false
	case v.session.engine == event.MySQL: // a database is what a schema is elsewhere
		return tableKey{Table: tenantsql.Table{Schema: v.at.path, Name: t.Name}}, true
	}
	return tableKey{v.at, t}, true
}

// standpoint is all that the answers to an analysis' asks depend on.
type standpoint struct {
	of    *catalogue
	state uint64
	at    lookup
	whole bool
}

// standpoint gives the view's; false if it cannot be compared.
func (v *view) standpoint() (standpoint, bool) {
	c := v.session.tables.catalogue
	return standpoint{c, c.state, v.at, v.whole}, !v.none && len(v.session.temps.names) == 0
}

// answers looks up the asks of an analysis: those about its own columns, then those about key columns.
func (v *view) answers(by *reader, a *analysis) (out tenantsql.Answers) {
	n := 0
	ask := func(of *tenantsql.Analyzer, asks []tenantsql.Ask) {
		for _, q := range asks {
			if n == tenantsql.MaxAsks {
				return
			}
			if key, ok := v.key(q.Table); ok {
				out = out.With(n, v.session.tables.catalogue.answer(key, of.Names()[q.Column]))
			}
			n++
		}
	}
	ask(by.analyzer, a.sql.Asks)
	for i := range a.keys {
		ask(by.keys[i], a.keys[i].Asks)
	}
	return out
}

// lesson is what an analysis has taught last, and whom: most statements come again and again.
type lesson struct {
	of      *catalogue
	version uint64
	at      lookup
}

// teach takes in what a statement that the server took says of its tables, and tells whether that is news.
func (e *Engine) teach(s *session, r *reading, result *event.Result) (news bool) {
	if r.ran == nil || result == nil || result.Error != "" || result.Skipped || result.Unseen || r.does == nil || r.does.Cut || r.does.Unparsed {
		return false
	}
	a, by := r.ran, e.rulesOf(s)
	whole := result.Described && r.said == a && a.sql.Kind == tenantsql.Select
	if !a.teaches && !whole && len(result.Columns) == 0 {
		return false
	}
	v := e.viewOf(s, by)
	c := s.tables.catalogue
	if now := (lesson{c, c.version, v.at}); !whole && a.taught == now && v.whole {
		return false
	}
	news = e.teachColumns(&v, by.reader.analyzer, &a.sql, result, whole)
	for i := range a.keys {
		news = e.teachColumns(&v, by.reader.keys[i], &a.keys[i], result, whole) || news
	}
	news = v.teachRows(r, result) || news
	a.taught = lesson{c, c.version, v.at}
	return news
}

// teachRows takes in what the description of a result says of where its columns come from: MySQL names the table; in PostgreSQL it is the only one there is.
func (v *view) teachRows(r *reading, result *event.Result) (news bool) {
	c := v.session.tables.catalogue
	for i := range result.Columns {
		col := &result.Columns[i]
		table := tenantsql.Table{Schema: col.Database, Name: col.OrgTable}
		name := strings.ToLower(col.OrgName)
		if v.session.engine != event.MySQL {
			if col.Table == 0 || col.Attr <= 0 || len(r.does.Relations) != 1 {
				continue
			}
			table, name = r.does.Relations[0].TableOf(), col.Owner
		}
		if key, ok := v.key(table); ok && col.Owner == name && (col.Name == name || v.session.engine == event.MySQL) {
			news = c.learn(key, col.Table, name, true) || news
		}
	}
	return news
}

func (e *Engine) teachColumns(v *view, by *tenantsql.Analyzer, st *tenantsql.Statement, result *event.Result, whole bool) (news bool) {
	c := v.session.tables.catalogue
	for i := range st.Relations {
		rel := &st.Relations[i]
		all := whole && st.Whole == i+1
		if rel.Owns == 0 && !all {
			continue
		}
		if policy.Catalog(v.rules.Engine, rel.Schema, rel.Name) {
			continue
		}
		key, ok := v.key(rel.TableOf())
		if !ok {
			continue
		}
		if all {
			news = v.teachWhole(by, key, result) || news
		}
		for n, name := range by.Names() {
			if rel.Owns&(1<<n) != 0 {
				news = c.learn(key, 0, name, true) || news
			}
		}
	}
	return news
}

// teachWhole takes in the description of all columns of a table. Of a column whose name is not in lower case a plain name is not the name.
func (v *view) teachWhole(by *tenantsql.Analyzer, key tableKey, result *event.Result) (news bool) {
	c := v.session.tables.catalogue
	for _, name := range by.Columns() {
		oid, has, odd := uint32(0), false, false
		for i := range result.Columns {
			switch col := &result.Columns[i]; {
			case col.Name == name:
				has, oid = true, col.Table
			case strings.EqualFold(col.Name, name):
				odd = true
			}
		}
		if !odd {
			news = c.learn(key, oid, name, has) || news
		}
	}
	return news
}
