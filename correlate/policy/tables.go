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

// tableRules are a database's section "tables". Names without a wildcard win over globs, and shared wins over owned.
type tableRules struct {
	exact map[string]TableClass // "table" or "schema.table", lower case
	globs []tableGlob           // shared ones first
}

type tableGlob struct {
	pattern
	class  TableClass
	schema bool // the glob names the schema too
}

// find returns the class of a table, and the name or glob that decided.
func (t *tableRules) find(schema, name string) (TableClass, string) {
	if len(t.exact) == 0 && len(t.globs) == 0 {
		return TableUnknown, ""
	}
	schema, name = strings.ToLower(schema), strings.ToLower(name)
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
