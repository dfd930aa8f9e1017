package policy

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// Explain writes, one line each, how the policy reads a certificate (rules tried, capture, map, privileges), which columns and settings are a
// tenant's, the class of tables ("table" or "schema.table") and what has ended. c may be nil.
func (p *Policy) Explain(w io.Writer, c *Certificate, now time.Time, tables ...string) error {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("policy: %s", p.hash)
	if c != nil {
		line("certificate: sha256 %s, serial %s", c.SHA256, c.Serial)
		c.describe(line)
		id := p.identity.identify(c, now, func(step string) { line("%s", step) })
		tenants := "unmapped"
		if len(id.Tenants) > 0 {
			tenants = quoted(id.Tenants)
		}
		line("identity: %s by %s", tenants, id.Rule)
	}
	line("tenant columns: %s", orNone(p.database.columns))
	line("tenant settings: %s", orNone(p.database.settings))
	for _, table := range tables {
		schema, name := "", table
		if i := strings.LastIndexByte(table, '.'); i >= 0 {
			schema, name = table[:i], table[i+1:]
		}
		class, rule := p.database.tables.find(schema, name)
		if class == TableUnknown {
			line("table %q: unknown: a tenant's once one of the tenant columns is seen in it", table)
			continue
		}
		line("table %q: %s by %q", table, class, rule)
	}
	for _, past := range p.Expired(now) {
		line("ended: %s", past)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}
