package policy

import (
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

var (
	databaseKeys       = keys{known: []string{"engine", "match", "pooler", "tenant", "tables", "unscoped", "directory"}}
	matchKeys          = keys{known: []string{"port", "server", "database"}}
	databaseTenantKeys = keys{known: []string{"columns", "settings", "schemas", "databases", "roles", "key_prefix"}}
	tableKeys          = keys{known: []string{"shared", "owned"}}
	directoryKeys      = keys{known: []string{"table", "key", "id"}}
)

// databases reads the section "database". An empty list switches it off; of an engine that the list does not name, the entries of base hold.
func (d *decoder) databases(n *yaml.Node, base []*Database) []*Database {
	items := d.list(n, "database")
	var out []*Database
	open := map[string]bool{} // engines with an entry for every database
	for i, item := range items {
		if !d.count(item) {
			break
		}
		r := d.database(item, index("database", i), base)
		if r == nil {
			continue
		}
		if open[r.Engine] {
			d.fail(item, "database[%d] comes behind an entry for every database of engine %s (give that one a match, or put it last)", i+1, r.Engine)
		}
		open[r.Engine] = open[r.Engine] || r.match.empty()
		out = append(out, r)
	}
	if len(items) == 0 {
		return nil
	}
	named := slices.Clone(out)
	for _, b := range base {
		if !slices.ContainsFunc(named, func(r *Database) bool { return r.Engine == b.Engine }) {
			out = append(out, b)
		}
	}
	return out
}

// database reads one entry; what it leaves out is taken from the first one of base with the same engine.
func (d *decoder) database(n *yaml.Node, path string, base []*Database) *Database {
	s, ok := d.section(n, path, databaseKeys)
	if !ok {
		return nil
	}
	if s.values["engine"] == nil {
		d.missing(&s, `%s has no "engine" (add: engine: postgres)`, path)
	}
	r := &Database{Engine: d.choice(&s, "engine", Postgres, Postgres, MySQL), Pooler: PoolerNone, Unscoped: UnscopedOff}
	for _, b := range base {
		if b.Engine == r.Engine {
			*r = *b
			break
		}
	}
	r.match = databaseMatch{}
	r.Pooler = d.choice(&s, "pooler", r.Pooler, PoolerNone, PoolerSession, PoolerTransaction)
	r.Unscoped = d.choice(&s, "unscoped", r.Unscoped, UnscopedOff, UnscopedAggregate, UnscopedFinding)
	if n := s.values["match"]; n != nil {
		r.match = d.match(n, s.sub("match"))
	}
	if n := s.values["tenant"]; n != nil {
		d.databaseTenant(n, s.sub("tenant"), r)
	}
	if n := s.values["tables"]; n != nil {
		r.tables = d.tables(n, s.sub("tables"))
	}
	if n := s.values["directory"]; n != nil {
		r.Directory = d.directory(n, s.sub("directory"))
	}
	return r
}

func (d *decoder) match(n *yaml.Node, path string) (m databaseMatch) {
	s, ok := d.section(n, path, matchKeys)
	if !ok {
		return m
	}
	before := len(d.problems)
	if n := s.values["port"]; n != nil {
		m.ports = d.ports(n, s.sub("port"))
	}
	if n := s.values["server"]; n != nil {
		m.servers = d.globs(n, s.sub("server"), 0, true)
	}
	if n := s.values["database"]; n != nil {
		m.databases = d.globs(n, s.sub("database"), 0, true)
	}
	if m.empty() && len(d.problems) == before {
		d.missing(&s, "%s says nothing (add port, server or database, or leave match out)", path)
	}
	return m
}

func (d *decoder) ports(n *yaml.Node, path string) (out []uint16) {
	for _, w := range d.words(n, path) {
		port, err := strconv.ParseUint(w.text, 10, 16)
		if err != nil || port == 0 {
			d.fail(w.node, "%s is %s (write a port from 1 to 65535)", w.path, shorten(w.text))
			continue
		}
		out = append(out, uint16(port))
	}
	return out
}

// databaseTenant reads what shows a tenant. Only what the file itself writes holds.
func (d *decoder) databaseTenant(n *yaml.Node, path string, r *Database) {
	s, ok := d.section(n, path, databaseTenantKeys)
	if !ok {
		return
	}
	r.Columns, r.Settings, r.Keys, r.Schemas, r.Databases, r.Roles = nil, nil, nil, Place{}, Place{}, Place{}
	if n := s.values["columns"]; n != nil && !null(n) {
		r.Columns = d.columns(n, s.sub("columns"))
	}
	if n := s.values["settings"]; n != nil && !null(n) {
		r.Settings = d.settings(n, s.sub("settings"), r.Engine)
	}
	for _, p := range [...]struct {
		key string
		to  *Place
	}{{"schemas", &r.Schemas}, {"databases", &r.Databases}, {"roles", &r.Roles}} {
		if n := s.values[p.key]; n != nil {
			*p.to = d.place(n, s.sub(p.key))
		}
	}
	if n := s.values["schemas"]; n != nil && r.Engine == MySQL && r.Schemas.Used() {
		d.fail(n, "%s: a schema of mysql is a database (write databases)", s.sub("schemas"))
	}
	if n := s.values["key_prefix"]; n != nil {
		r.Keys = d.keyPrefix(n, s.sub("key_prefix"))
		for i := range r.Keys {
			if slices.Contains(r.Columns, r.Keys[i].Name) {
				d.fail(n, "%s: %q is one of the tenant columns (keep one)", s.sub("key_prefix"), r.Keys[i].Name)
			}
		}
	}
}

func (d *decoder) columns(n *yaml.Node, path string) (out []string) {
	for _, w := range d.words(n, path) {
		if name := strings.ToLower(w.text); d.column(w) && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

func (d *decoder) settings(n *yaml.Node, path, engine string) (out []Setting) {
	for _, w := range d.words(n, path) {
		name, rest, inside := strings.Cut(w.text, "#")
		plain := name != "" && !strings.ContainsAny(name, `*{}" `)
		switch {
		case engine == MySQL && (!plain || name[0] != '@' || len(name) < 2 || name[1] == '@'):
			d.fail(w.node, "%s: %q is no user variable (write it like @tenant_id)", w.path, w.text)
			continue
		case engine != MySQL && (!plain || !strings.Contains(name, ".")):
			d.fail(w.node, "%s: %q is no name of a custom setting (write it like app.tenant_id)", w.path, w.text)
			continue
		}
		setting := Setting{Name: strings.ToLower(name)}
		if inside {
			setting.Member = strings.Split(rest, ".")
			if slices.Contains(setting.Member, "") || len(setting.Member) > maxDepth {
				d.fail(w.node, "%s: %q names no member of the setting's JSON (write it like request.jwt.claims#app_metadata.tenant)", w.path, w.text)
				continue
			}
		}
		out = append(out, setting)
	}
	return out
}

func (d *decoder) directory(n *yaml.Node, path string) *Directory {
	if null(n) {
		return nil
	}
	s, ok := d.section(n, path, directoryKeys)
	if !ok {
		return nil
	}
	r := &Directory{}
	for _, key := range directoryKeys.known {
		n := s.values[key]
		if n == nil {
			d.missing(&s, `%s has no %q (write { table: tenants, key: slug, id: id }: key as certificates name a tenant, id as other tables do)`, path, key)
			continue
		}
		text, ok := d.text(n, s.sub(key))
		if !ok {
			continue
		}
		text = strings.ToLower(text)
		switch w := (word{text, n, s.sub(key)}); key {
		case "table":
			name := text
			if r.Schema, r.Table, ok = strings.Cut(name, "."); !ok {
				r.Schema, r.Table = "", name
			}
			if r.Table == "" || strings.ContainsAny(r.Table, `.*{}"`) {
				d.fail(n, "%s: %q is no name of a table (write table or schema.table)", s.sub(key), text)
			}
		case "key":
			d.column(w)
			r.Key = text
		case "id":
			d.column(w)
			r.ID = text
		}
	}
	if r.Key != "" && r.Key == r.ID {
		d.fail(n, "%s: key and id are the same column (leave the directory out: names are what the tables hold)", path)
	}
	return r
}

func (d *decoder) tables(n *yaml.Node, path string) tableRules {
	rules := tableRules{exact: map[string]TableClass{}}
	s, ok := d.section(n, path, tableKeys)
	if !ok {
		return rules
	}
	for _, class := range [...]TableClass{TableShared, TableOwned} {
		n := s.values[class.String()]
		if n == nil {
			continue
		}
		for _, g := range d.tableGlobs(n, s.sub(class.String())) {
			g.class = class
			if !g.exact() {
				rules.globs = append(rules.globs, g)
				continue
			}
			if other, ok := rules.exact[g.before[0].text]; ok && other != class {
				d.fail(n, "table %q is both shared and owned (keep one)", g.text)
			}
			rules.exact[g.before[0].text] = class
		}
	}
	return rules
}

// tableGlobs reads names and globs of tables, with or without a schema.
func (d *decoder) tableGlobs(n *yaml.Node, path string) (out []tableGlob) {
	for _, p := range d.globs(n, path, '.', true) {
		if strings.Count(p.text, ".") > 1 {
			d.fail(n, "%s: %q has more than a schema and a table (leave the database out)", path, p.text)
			continue
		}
		out = append(out, tableGlob{pattern: p, schema: strings.Contains(p.text, ".")})
	}
	return out
}
