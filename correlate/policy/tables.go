package policy

import "strings"

// String returns the class as policy files and policy explain call it.
func (c TableClass) String() string {
	switch c {
	case TableShared:
		return "shared"
	case TableOwned:
		return "owned"
	}
	return "unknown"
}

// tableRules are the policy's section "database.tables". Names without a wildcard win over globs, and shared wins over owned.
type tableRules struct {
	exact map[string]TableClass // "table" or "schema.table", lower case
	globs []tableGlob           // shared ones first
}

type tableGlob struct {
	pattern
	class  TableClass
	schema bool // the glob names the schema too
}

// Table returns the class of a table. Names are compared without case. A rule without a dot holds in every schema; a rule with one holds also for
// a statement that names no schema, if its schema is "public". The catalogs of PostgreSQL are shared whatever the policy says.
func (p *Policy) Table(schema, name string) TableClass {
	class, _ := p.database.tables.find(schema, name)
	return class
}

// find also returns the name or glob that decided.
func (t *tableRules) find(schema, name string) (TableClass, string) {
	schema, name = strings.ToLower(schema), strings.ToLower(name)
	switch {
	case schema == "pg_catalog", schema == "information_schema", schema == "" && strings.HasPrefix(name, "pg_"):
		return TableShared, "catalog of PostgreSQL" // searched before every other schema
	case len(t.exact) == 0 && len(t.globs) == 0:
		return TableUnknown, ""
	}
	if schema == "" {
		schema = "public"
	}
	full := schema + "." + name
	for _, key := range [...]string{full, name} {
		if class, ok := t.exact[key]; ok {
			return class, key
		}
	}
	for i := range t.globs {
		g, text := &t.globs[i], name
		if g.schema {
			text = full
		}
		if g.match(text) {
			return g.class, g.text
		}
	}
	return TableUnknown, ""
}
