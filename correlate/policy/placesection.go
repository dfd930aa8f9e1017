package policy

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

var placeKeys = keys{known: []string{"tenant", "shared"}}

// null tells whether a value is left open ("databases: ~").
func null(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// place reads which schemas, databases or roles are a tenant's: a template, a list of them, or { tenant: …, shared: … }.
func (d *decoder) place(n *yaml.Node, path string) (p Place) {
	if null(n) {
		return p
	}
	if n.Kind != yaml.MappingNode {
		p.templates = d.templates(n, path)
		return p
	}
	s, ok := d.section(n, path, placeKeys)
	if !ok {
		return p
	}
	before := len(d.problems)
	if n := s.values["tenant"]; n != nil && !null(n) {
		p.templates = d.templates(n, s.sub("tenant"))
	}
	if n := s.values["shared"]; n != nil && !null(n) {
		p.shared = d.globs(n, s.sub("shared"), 0, true)
	}
	if !p.Used() && len(d.problems) == before {
		d.missing(&s, "%s says nothing (add tenant or shared, or write ~)", path)
	}
	return p
}

// templates reads templates that capture, of names without segments.
func (d *decoder) templates(n *yaml.Node, path string) (out []pattern) {
	for _, w := range d.words(n, path) {
		p, ok := d.pattern(w, 0, true)
		switch {
		case !ok:
		case !p.captures:
			d.fail(w.node, "%s: %q has no %s (write it where the tenant stands; what is nobody's belongs under shared)", w.path, w.text, placeholder)
		default:
			out = append(out, p)
		}
	}
	return out
}

// maxKeys bounds the key columns of a database: each one is a further reading of every statement.
const maxKeys = 4

// keyPrefix reads the columns whose values hold a tenant: { order_key: "{tenant}:*" }.
func (d *decoder) keyPrefix(n *yaml.Node, path string) (out []KeyColumn) {
	if null(n) {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		d.fail(n, "%s is %s (write columns: { order_key: \"{tenant}:*\" })", path, describe(n))
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if !d.count(key) {
			break
		}
		name, ok := d.text(key, "a key of "+path)
		if !ok || !d.column(word{name, key, path}) {
			continue
		}
		name = strings.ToLower(name)
		at := path + "." + name
		text, ok := d.text(value, at)
		if !ok {
			continue
		}
		p, ok := d.pattern(word{text, value, at}, 0, true)
		switch {
		case !ok:
		case !p.captures:
			d.fail(value, "%s: %q has no %s (write it where the tenant stands)", at, text, placeholder)
		case len(out) == maxKeys:
			d.fail(key, "%s has more than %d columns (each costs a further reading of every statement)", path, maxKeys)
			return out
		case containsKey(out, name):
			d.fail(key, "column %q stands twice in %s (keep one)", name, path)
		default:
			out = append(out, KeyColumn{Name: name, template: p})
		}
	}
	if len(n.Content) == 0 {
		d.fail(n, "%s is empty (write columns: { order_key: \"{tenant}:*\" }, or ~)", path)
	}
	return out
}

func containsKey(all []KeyColumn, name string) bool {
	for i := range all {
		if all[i].Name == name {
			return true
		}
	}
	return false
}

// column tells whether a word can be the name of a column.
func (d *decoder) column(w word) bool {
	if strings.ContainsAny(w.text, `.*{}"`+"`") {
		d.fail(w.node, "%s: %q is no name of a column (write it without table, quotes and wildcards)", w.path, w.text)
		return false
	}
	return true
}
