package policy

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Explain writes, one line each, how the policy reads a certificate (rules tried, capture, map, hierarchy, privileges), what of a database is a
// tenant's, the class of tables ("table" or "schema.table") and what has ended. c and db may be nil.
func (p *Policy) Explain(w io.Writer, c *Certificate, db *Database, now time.Time, tables ...string) error {
	return p.ExplainBy(w, nil, c, db, now, tables...)
}

// ExplainBy is Explain with what the application has looked up in its tenant directory (see IdentifyBy).
func (p *Policy) ExplainBy(w io.Writer, look func(name string) []string, c *Certificate, db *Database, now time.Time, tables ...string) error {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("policy: %s", p.hash)
	if p.service != "" {
		line("service: %s", p.service)
	}
	if from := p.identity.hop.From; from != FromConnection {
		line("identity: from %s: the certificate is what the proxy hands over, not the connection's own", from)
	}
	if c != nil {
		line("certificate: sha256 %s, serial %s", c.SHA256, c.Serial)
		c.describe(line)
		id := p.identity.identify(c, now, look, func(step string) { line("%s", step) })
		tenants := "unmapped"
		if len(id.Tenants) > 0 {
			tenants = quoted(id.Tenants)
		}
		line("identity: %s by %s", tenants, id.Rule)
	}
	if db != nil {
		db.explain(line, slices.Index(p.databases, db)+1)
		for _, table := range tables {
			db.explainTable(line, table)
		}
	} else if len(tables) > 0 {
		line("database: the policy says nothing about it")
	}
	for _, past := range p.Expired(now) {
		line("ended: %s", past)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (d *Database) explain(line func(string, ...any), number int) {
	line("database: entry %d, %s", number, d.Engine)
	line("tenant columns: %s", orNone(d.Columns))
	var settings []string
	for i := range d.Settings {
		settings = append(settings, d.Settings[i].String())
	}
	line("tenant settings: %s", orNone(settings))
	for i := range d.Keys {
		line("tenant in values of: %s, as %q", d.Keys[i].Name, d.Keys[i].template.text)
	}
	for _, place := range [...]struct {
		name string
		of   *Place
	}{{"schemas", &d.Schemas}, {"databases", &d.Databases}, {"roles", &d.Roles}} {
		if place.of.Used() {
			line("tenant %s: %s; shared: %s", place.name, orNone(texts(place.of.templates)), orNone(texts(place.of.shared)))
		}
	}
	if d.Directory != nil {
		line("tenant directory: %s, name in %s, id in %s", d.Directory.Table, d.Directory.Key, d.Directory.ID)
	}
	if d.Unscoped != UnscopedOff {
		line("unscoped: %s: a look-up that no tenant limits is a finding", d.Unscoped)
	}
	if d.Pooler == PoolerTransaction {
		line("pooler: transaction: what a session is set to proves nothing beyond its transaction")
	}
}

func (d *Database) explainTable(line func(string, ...any), table string) {
	schema, name := "", table
	if i := strings.LastIndexByte(table, '.'); i >= 0 {
		schema, name = table[:i], table[i+1:]
	}
	class, rule := d.find(schema, name)
	if class == TableUnknown {
		line("table %q: unknown: a tenant's once one of the tenant columns is seen in it", table)
		return
	}
	line("table %q: %s by %q", table, class, rule)
}

func texts(all []pattern) (out []string) {
	for i := range all {
		out = append(out, all[i].text)
	}
	return out
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}
