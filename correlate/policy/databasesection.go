package policy

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

var (
	databaseKeys       = keys{known: []string{"engine", "tenant", "tables", "unscoped"}, later: []string{"match", "pooler"}}
	databaseTenantKeys = keys{
		known: []string{"columns", "settings"},
		later: []string{"schemas", "databases", "roles", "key_prefix"},
	}
	tableKeys  = keys{known: []string{"shared", "owned"}}
	exemptKeys = keys{
		known: []string{"route", "identity", "db_role", "service", "statements", "tables", "tenants", "fingerprint", "until", "why"},
		later: []string{"application_name", "unit", "cgroup"},
	}
)

// databases reads the section "database". An empty list switches the database off.
func (d *decoder) databases(n *yaml.Node, r databaseRules) databaseRules {
	items := d.list(n, "database")
	if len(items) == 0 {
		return databaseRules{}
	}
	if len(items) > 1 {
		d.fail(items[1], "a second database is not supported by this version (keep one)")
		return r
	}
	s, ok := d.section(items[0], "database[1]", databaseKeys)
	if !ok {
		return r
	}
	if s.values["engine"] == nil {
		d.missing(&s, `database[1] has no "engine" (add: engine: postgres)`)
	}
	d.choice(&s, "engine", "postgres", "postgres", "", "mysql")
	d.choice(&s, "unscoped", "off", "off", "", "aggregate", "finding")
	if n := s.values["tenant"]; n != nil {
		if s, ok := d.section(n, "database[1].tenant", databaseTenantKeys); ok {
			r.columns, r.settings = nil, nil
			if n := s.values["columns"]; n != nil {
				r.columns = d.columns(n)
			}
			if n := s.values["settings"]; n != nil {
				r.settings = d.settings(n)
			}
		}
	}
	if n := s.values["tables"]; n != nil {
		r.tables = d.tables(n)
	}
	return r
}

func (d *decoder) columns(n *yaml.Node) (out []string) {
	for _, w := range d.words(n, "database[1].tenant.columns") {
		if strings.ContainsAny(w.text, `.*{}"`) {
			d.fail(w.node, "%s: %q is no name of a column (write it without table, quotes and wildcards)", w.path, w.text)
			continue
		}
		out = append(out, strings.ToLower(w.text))
	}
	return out
}

func (d *decoder) settings(n *yaml.Node) (out []string) {
	for _, w := range d.words(n, "database[1].tenant.settings") {
		switch {
		case strings.Contains(w.text, "#"):
			d.fail(w.node, "%s: %q names a member of a JSON setting, which is not supported by this version (name a plain setting)", w.path, w.text)
		case !strings.Contains(w.text, ".") || strings.ContainsAny(w.text, `*{}" `):
			d.fail(w.node, "%s: %q is no name of a custom setting (write it like app.tenant_id)", w.path, w.text)
		default:
			out = append(out, strings.ToLower(w.text))
		}
	}
	return out
}

func (d *decoder) tables(n *yaml.Node) tableRules {
	rules := tableRules{exact: map[string]TableClass{}}
	s, ok := d.section(n, "database[1].tables", tableKeys)
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

func (d *decoder) exempt(n *yaml.Node) (out []exemption) {
	for i, item := range d.list(n, "exempt") {
		if !d.count(item) {
			break
		}
		s, ok := d.section(item, index("exempt", i), exemptKeys)
		if !ok {
			continue
		}
		e := exemption{Exemption: Exemption{Index: i + 1, Until: d.until(&s), Why: d.why(&s)}}
		var text []string
		for _, key := range exemptKeys.known {
			n := s.values[key]
			if n == nil || key == "until" || key == "why" {
				continue
			}
			before := len(d.problems)
			d.condition(&e, &s, key, n)
			text = append(text, summary(key, n))
			if n.Kind == yaml.SequenceNode && len(n.Content) == 0 && len(d.problems) == before {
				d.fail(n, "%s is an empty list (remove the key, or name what is exempt)", s.sub(key))
			}
		}
		e.text = strings.Join(text, ", ")
		if len(text) == 0 || len(text) == 1 && s.values["statements"] != nil {
			d.missing(&s, "%s covers everything (say which route, identity, db_role, service, tables, tenants or fingerprint)", s.path)
		}
		out = append(out, e)
	}
	return out
}

func (d *decoder) condition(e *exemption, s *section, key string, n *yaml.Node) {
	at := s.sub(key)
	switch key {
	case "route":
		e.route = d.routes(n, at)
	case "identity":
		e.privileged = d.choice(s, key, "privileged", "privileged") != ""
	case "db_role":
		e.roles = d.globs(n, at, 0, false)
	case "service":
		e.services = d.globs(n, at, 0, false)
	case "statements":
		e.reads = d.choice(s, key, "any", "select", "any") == "select"
	case "tables":
		e.tables = d.tableGlobs(n, at)
	case "tenants":
		for _, w := range d.words(n, at) {
			e.tenants = append(e.tenants, Normalize(w.text))
		}
	case "fingerprint":
		for _, w := range d.words(n, at) {
			text := strings.ToLower(w.text)
			if len(text) != 16 || strings.ContainsFunc(text, func(r rune) bool { return r > 'f' || hexDigit(byte(r)) < 0 }) {
				d.fail(w.node, "%s is %s (write the 16 hex digits of a verdict line's statement.fingerprint)", w.path, shorten(w.text))
			}
			e.fingerprints = append(e.fingerprints, text)
		}
	}
}

// summary writes a condition for messages.
func summary(key string, n *yaml.Node) string {
	if n.Kind == yaml.ScalarNode {
		return key + " " + shorten(n.Value)
	}
	var values []string
	for _, c := range n.Content {
		values = append(values, c.Value)
	}
	return fmt.Sprintf("%s [%s]", key, quoted(values))
}
