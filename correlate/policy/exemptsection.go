package policy

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

var exemptKeys = keys{known: []string{
	"route", "identity", "db_role", "application_name", "service", "unit", "cgroup", "statements", "tables", "tenants", "fingerprint", "until", "why",
}}

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
			d.missing(&s, "%s covers everything (say which route, identity, db_role, application_name, service, unit, cgroup, tables, tenants or fingerprint)", s.path)
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
	case "application_name":
		e.applications = d.globs(n, at, 0, false)
	case "service":
		e.services = d.globs(n, at, 0, false)
	case "unit":
		e.process.units = d.globs(n, at, 0, false)
	case "cgroup":
		e.process.cgroups = d.globs(n, at, '/', false)
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
