package policy

import (
	"fmt"
	"hash"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

var (
	identityKeys = keys{
		known: []string{"from", "trusted_proxies", "headers", "require", "tenant", "multi", "map", "hierarchy", "privileged"},
	}
	matcherNames  = []string{"san_uri", "san_dns", "san_email", "san_ip", "san_other", "subject", "issuer", "oid", "serial", "sha256"}
	ruleKeys      = keys{known: append(slices.Clone(matcherNames), "tenant")}
	privilegeKeys = keys{known: append(slices.Clone(matcherNames), "tenants", "until", "why")}
)

func index(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i+1) }

func (d *decoder) identity(n *yaml.Node, p *Policy, sum hash.Hash) {
	s, ok := d.section(n, "identity", identityKeys)
	if !ok {
		return
	}
	r := &p.identity
	before := len(d.problems)
	r.hop = d.hop(&s, r.hop)
	multi := "reject"
	if r.anyValue {
		multi = "any"
	}
	r.anyValue = d.choice(&s, "multi", multi, "reject", "any") == "any"
	if n := s.values["map"]; n != nil {
		r.names = d.names(n, p, sum)
	}
	if r.names != nil && r.names.by != nil && s.values["map"] == nil && s.values["tenant"] != nil {
		r.names = nil // the rules of a service take the place of the file's map
	}
	if r.names != nil && r.names.by != nil {
		r.rules = nil
		if n := s.values["tenant"]; n != nil {
			d.fail(n, "identity.tenant stands beside identity.map.by, and each says whose a certificate is (keep one)")
		}
	} else if n := s.values["tenant"]; n != nil {
		r.rules = nil
		for i, item := range d.list(n, "identity.tenant") {
			if !d.count(item) {
				break
			}
			if rule, ok := d.rule(item, index("identity.tenant", i), r.names != nil); ok {
				r.rules = append(r.rules, rule)
			}
		}
		if n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
			d.fail(n, "identity.tenant has no rules (remove the key for the default rules)")
		}
	}
	if n := s.values["hierarchy"]; n != nil {
		r.groups = d.hierarchy(n, p, sum)
	}
	if n := s.values["privileged"]; n != nil {
		r.privileges = nil
		for i, item := range d.list(n, "identity.privileged") {
			if !d.count(item) {
				break
			}
			if v, ok := d.privilege(item, index("identity.privileged", i)); ok {
				r.privileges = append(r.privileges, v)
			}
		}
	}
	if len(d.problems) == before && len(r.rules) == 0 && (r.names == nil || r.names.by == nil) {
		d.fail(n, "identity has no rule left that names a tenant (add tenant)")
	}
	r.know()
}

// know collects the database names that the section writes out.
func (r *identityRules) know() {
	if r.names != nil && len(r.groups) == 0 {
		r.known = r.names.known
		return
	}
	r.known = nil
	if r.names != nil {
		r.known = slices.Clone(r.names.known)
	} else {
		for i := range r.rules {
			if tenant := r.rules[i].tenant; tenant != "" {
				r.known = append(r.known, Normalize(tenant))
			}
		}
	}
	for parent, children := range r.groups {
		r.known = append(append(r.known, parent), children...)
	}
	slices.Sort(r.known)
	r.known = slices.Compact(r.known)
}

func (d *decoder) rule(n *yaml.Node, path string, mapped bool) (rule, bool) {
	s, ok := d.section(n, path, ruleKeys)
	if !ok {
		return rule{}, false
	}
	matchers, ok := d.matchers(&s)
	if !ok {
		return rule{}, false
	}
	tenant := ""
	if n := s.values["tenant"]; n != nil {
		if tenant, ok = d.text(n, s.sub("tenant")); !ok {
			return rule{}, false
		}
	}
	captures := 0
	for i := range matchers {
		m := &matchers[i]
		if !m.pattern.captures {
			continue
		}
		captures++
		if !mapped && (m.source == sourceSerial || m.source == sourceSHA256 || m.source == sourceIP) {
			d.fail(n, `%s: %s captures, but no map turns it into a tenant (add identity.map, or write the value and "tenant")`, path, m.label)
			return rule{}, false
		}
	}
	switch {
	case captures > 1:
		d.fail(n, "%s captures %s in several places (keep one)", path, placeholder)
	case captures == 1 && tenant != "":
		d.fail(n, `%s captures %s and has a "tenant" too (keep one)`, path, placeholder)
	case captures == 0 && tenant == "":
		d.missing(&s, `%s names no tenant (write %s in a template, or add "tenant")`, path, placeholder)
	default:
		return newRule(matchers, tenant), true
	}
	return rule{}, false
}

func (d *decoder) privilege(n *yaml.Node, path string) (v privilege, ok bool) {
	s, ok := d.section(n, path, privilegeKeys)
	if !ok {
		return v, false
	}
	before := len(d.problems)
	matchers, _ := d.matchers(&s)
	for i := range matchers {
		if m := &matchers[i]; m.pattern.captures {
			d.fail(n, "%s: %s captures, which nothing reads here (write * instead of %s)", path, m, placeholder)
		}
	}
	if tenants := s.values["tenants"]; tenants == nil {
		d.missing(&s, `%s has no "tenants" (write any, request for those that the request names, or the list of tenants as the database names them)`, path)
	} else {
		for _, w := range d.words(tenants, s.sub("tenants")) {
			switch {
			case w.text != "any" && w.text != "request":
				v.Tenants = append(v.Tenants, Normalize(w.text))
			case tenants.Kind != yaml.ScalarNode:
				d.fail(w.node, "%s is %s inside a list (write tenants: %s)", w.path, w.text, w.text)
			case w.text == "any":
				v.Any = true
			default:
				v.Request = true
			}
		}
		if !v.Any && !v.Request && len(v.Tenants) == 0 && len(d.problems) == before {
			d.fail(tenants, "%s is an empty list (remove the privilege)", s.sub("tenants"))
		}
	}
	v.Until, v.Why = d.until(&s), d.why(&s)
	v.rule = newRule(matchers, "")
	return v, len(d.problems) == before
}

// matchers reads the conditions of a rule, at least one.
func (d *decoder) matchers(s *section) (out []matcher, ok bool) {
	before := len(d.problems)
	for i, name := range matcherNames {
		n := s.values[name]
		if n == nil {
			continue
		}
		source := source(i)
		switch source {
		case sourceSubject, sourceIssuer, sourceOther, sourceExtension:
			out = append(out, d.attributes(n, source, name, s.sub(name))...)
			continue
		case sourceSerial, sourceSHA256, sourceIP:
			if m, ok := d.exact(n, source, name, s.sub(name)); ok {
				out = append(out, m)
			}
			continue
		}
		text, ok := d.text(n, s.sub(name))
		if !ok {
			continue
		}
		m := matcher{source: source, label: name}
		var sep byte
		switch source {
		case sourceURI:
			sep = '/'
			m.spiffe = len(text) >= 7 && strings.EqualFold(text[:7], "spiffe:")
		case sourceDNS:
			sep = '.'
		case sourceEmail:
			sep = '@'
		}
		if m.pattern, ok = d.pattern(word{text, n, s.sub(name)}, sep, true); ok {
			out = append(out, m)
		}
	}
	if len(out) == 0 && len(d.problems) == before {
		d.missing(s, "%s says nothing about the certificate (add one of %s)", s.path, strings.Join(matcherNames, ", "))
	}
	return out, len(out) > 0 && len(d.problems) == before
}
