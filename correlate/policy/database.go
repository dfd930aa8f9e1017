package policy

import (
	"slices"
	"strconv"
	"strings"
)

// The values of Database.Engine.
const (
	Postgres = "postgres"
	MySQL    = "mysql"
)

// The values of Database.Pooler.
const (
	PoolerNone        = "none"
	PoolerSession     = "session"
	PoolerTransaction = "transaction"
)

// The values of Database.Unscoped.
const (
	UnscopedOff       = "off"
	UnscopedAggregate = "aggregate"
	UnscopedFinding   = "finding"
)

// Database is an entry of the policy's section "database": what belongs to a tenant in the databases that it matches. It must not be changed.
type Database struct {
	Engine    string
	Columns   []string    // tenant columns, unqualified, lower case
	Settings  []Setting   // that hold the session's tenant
	Keys      []KeyColumn // columns whose values begin with, or hold, a tenant
	Schemas   Place
	Databases Place
	Roles     Place
	Pooler    string
	Unscoped  string
	Directory *Directory // nil: none

	match  databaseMatch
	tables tableRules
}

// Setting is a setting of a session (a GUC, a user variable) that holds a tenant: its value, or a member of it as JSON.
type Setting struct {
	Name   string   // lower case; a user variable with its "@"
	Member []string // path of the member; nil: the value itself
}

// KeyColumn is a column whose values hold a tenant as a template says: "{tenant}:*".
type KeyColumn struct {
	Name     string // lower case
	template pattern
}

// Tenant returns the tenant that a value names, normalised, or "".
func (k *KeyColumn) Tenant(value string) string { return capture(&k.template, value) }

// Directory is the table in which the application looks up its tenants: each row ties a name, as certificates have it, to an id, as other
// tables have it.
type Directory struct {
	Schema, Table string // lower case; Schema "" for the default one
	Key, ID       string // columns, lower case
}

// Is tells whether a table is the directory.
func (d *Directory) Is(schema, table string) bool {
	if d == nil || !strings.EqualFold(table, d.Table) {
		return false
	}
	named := func(s string) string {
		if s == "" {
			return "public"
		}
		return s
	}
	return d.Schema == "" || strings.EqualFold(named(schema), named(d.Schema))
}

// Place says which databases, schemas or roles are a tenant's, by their names.
type Place struct {
	templates []pattern
	shared    []pattern
}

// Used tells whether the policy says anything about such places.
func (p *Place) Used() bool { return len(p.templates) > 0 || len(p.shared) > 0 }

// Shared tells whether the place of that name is said to be shared.
func (p *Place) Shared(name string) bool { return matchesAny(p.shared, name) }

// Tenant returns the tenant whose place has that name, normalised, or "". The first template that matches decides; a name that it could
// take apart in several ways is nobody's.
func (p *Place) Tenant(name string) string {
	if name == "" || p.Shared(name) {
		return ""
	}
	for i := range p.templates {
		if _, _, n := p.templates[i].find(name); n > 0 {
			return capture(&p.templates[i], name)
		}
	}
	return ""
}

// capture returns what a template captures in a text, normalised; "" if it does not match or could capture several parts.
func capture(t *pattern, text string) string {
	if len(text) > maxValue {
		return ""
	}
	from, to, n := t.find(text)
	if n != 1 {
		return ""
	}
	return cleanName(text[from:to])
}

// databaseMatch says which database sessions an entry is for: every condition that is set must hold.
type databaseMatch struct {
	ports     []uint16
	servers   []pattern // host, host:port or path of a socket
	databases []pattern
}

func (m *databaseMatch) empty() bool {
	return len(m.ports) == 0 && len(m.servers) == 0 && len(m.databases) == 0
}

// Database returns the entry for a session of an engine with a server (host:port, or the path of a socket) and a database: the first one that
// matches. nil: the policy says nothing about it.
func (p *Policy) Database(engine, server, name string) *Database {
	for i := range p.databases {
		if d := p.databases[i]; d.Engine == engine && d.match.covers(server, name) {
			return d
		}
	}
	return nil
}

// Databases returns the entries of the section. The result must not be changed.
func (p *Policy) Databases() []*Database { return p.databases }

func (m *databaseMatch) covers(server, name string) bool {
	host, port := server, ""
	if i := strings.LastIndexByte(server, ':'); i >= 0 {
		host, port = strings.Trim(server[:i], "[]"), server[i+1:]
	} else if i := strings.LastIndex(server, ".s.PGSQL."); i >= 0 { // the name of PostgreSQL's socket holds its port
		port = server[i+len(".s.PGSQL."):]
	}
	if len(m.ports) > 0 {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || !slices.Contains(m.ports, uint16(n)) {
			return false
		}
	}
	if len(m.servers) > 0 && !matchesAny(m.servers, server) && !matchesAny(m.servers, host) {
		return false
	}
	return len(m.databases) == 0 || matchesAny(m.databases, name)
}

// Table returns the class of a table. Names are compared without case. A rule without a dot holds in every schema; a rule with one holds also for
// a statement that names no schema, if its schema is "public". The catalogs of the server and the tenant directory are shared whatever the
// policy says.
func (d *Database) Table(schema, name string) TableClass {
	class, _ := d.find(schema, name)
	return class
}

// find also returns the name or glob that decided.
func (d *Database) find(schema, name string) (TableClass, string) {
	if Catalog(d.Engine, schema, name) {
		return TableShared, "catalog of the server"
	}
	if d.Directory.Is(schema, name) {
		return TableShared, "the tenant directory"
	}
	if schema == "" && d.Engine != MySQL {
		schema = "public"
	}
	if d.places().Shared(schema) {
		return TableShared, "shared place " + schema
	}
	if class, rule := d.tables.find(schema, name); class != TableUnknown {
		return class, rule
	}
	if tenant := d.TenantOf(schema); tenant != "" {
		return TableOwned, "place of " + tenant
	}
	return TableUnknown, ""
}

// places are those that qualifiers of tables name: schemas, in MySQL databases.
func (d *Database) places() *Place {
	if d.Engine == MySQL {
		return &d.Databases
	}
	return &d.Schemas
}

// TenantOf returns the tenant whose place a qualifier of tables names, "" if it is nobody's: one whose tables are all shared is not.
func (d *Database) TenantOf(schema string) string {
	tenant := d.places().Tenant(schema)
	if tenant == "" || Catalog(d.Engine, schema, "") {
		return ""
	}
	if class, _ := d.tables.find(schema, "\x00"); class == TableShared {
		return ""
	}
	return tenant
}

// Catalog tells whether a table is one of the server's own, which are searched before every other schema.
func Catalog(engine, schema, name string) bool {
	switch strings.ToLower(schema) {
	case "information_schema":
		return true
	case "mysql", "performance_schema", "sys":
		return engine == MySQL
	case "pg_catalog":
		return engine != MySQL
	case "":
		return engine != MySQL && len(name) >= 3 && strings.EqualFold(name[:3], "pg_")
	}
	return false
}

// Named returns the class that the policy gives a table by its name, whatever the place that it is in. "" is no schema in particular.
func (d *Database) Named(schema, name string) TableClass {
	if d.Directory.Is(schema, name) || schema == "" && d.Directory != nil && d.Directory.Is(d.Directory.Schema, name) {
		return TableShared
	}
	if schema == "" {
		schema = "\x00"
	}
	class, _ := d.tables.find(schema, name)
	return class
}
