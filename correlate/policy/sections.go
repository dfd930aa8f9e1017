package policy

import (
	"hash"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

var (
	policyKeys = keys{
		known: []string{"version", "service", "select", "services", "identity", "request", "database", "exempt", "certificates", "verdict", "evidence", "privacy"},
	}
	requestKeys     = keys{known: []string{"tenant", "ignore"}}
	requestRuleKeys = keys{known: []string{"path", "header"}}
	certificateKeys = keys{known: []string{"expired", "grace", "revocation", "max_connection_age"}}
	revocationKeys  = keys{known: []string{"crl", "ca", "max_age", "ocsp"}}
)

// policy reads the whole file. sum takes the bytes of the files that it names.
func (d *decoder) policy(root *yaml.Node, base *Policy, sum hash.Hash) *Policy {
	p := &Policy{verdict: VerdictRules{MinIdentity: "verified", Linger: 2 * time.Second}, identity: identityRules{hop: Hop{From: FromConnection}}}
	if base != nil {
		p.identity, p.databases, p.certificates = base.identity, base.databases, base.certificates
	}
	s, ok := d.section(root, "", policyKeys)
	if !ok {
		return p
	}
	if n := s.values["version"]; n == nil {
		d.fail(root, `has no key "version" (add: version: 1)`)
	} else if text, ok := d.text(n, "version"); ok && text != "1" {
		d.fail(n, "version %s is not supported by this version (write 1)", shorten(text))
	}
	if n := s.values["service"]; n != nil {
		p.service, _ = d.text(n, "service")
	}
	if base == nil {
		for _, key := range [...]string{"identity", "database", "certificates"} {
			if s.values[key] == nil {
				d.fail(root, "has no key %q", key)
			}
		}
	}
	d.sections(&s, p, sum)
	switch one, more := s.values["select"], s.values["services"]; {
	case one != nil && more != nil:
		d.fail(one, "select stands beside services, whose entries have one each (move it into an entry)")
	case more != nil && p.service != "":
		d.fail(s.values["service"], "service stands beside services, whose entries have one each (move it into an entry)")
	case one != nil:
		d.selected(one, p, base)
	case more != nil:
		d.services(more, p, sum)
	}
	d.privacy(s.values["privacy"], p)
	p.want()
	d.notes(&s, p)
	return p
}

// selected makes the sections of the file those of the processes that select names; the embedded policy holds for all others.
func (d *decoder) selected(n *yaml.Node, p, base *Policy) {
	match := d.selector(n, "select")
	if p.service == "" {
		d.fail(n, `select needs a name for what it selects (add: service: NAME)`)
		return
	}
	if base == nil {
		return
	}
	one := *p
	one.want()
	revocation := p.certificates.Revocation
	p.service, p.identity, p.request, p.databases, p.exemptions = "", base.identity, base.request, base.databases, base.exemptions
	p.certificates, p.verdict, p.evidence = base.certificates, base.verdict, base.evidence
	p.certificates.Revocation = revocation
	p.services = []service{{match, &one}}
}

// sections reads those sections that a service may have of its own.
func (d *decoder) sections(s *section, p *Policy, sum hash.Hash) {
	if n := s.values["identity"]; n != nil {
		d.identity(n, p, sum)
	}
	if n := s.values["request"]; n != nil {
		p.request = d.request(n)
	}
	if n := s.values["database"]; n != nil {
		p.databases = d.databases(n, p.databases)
	}
	if n := s.values["exempt"]; n != nil {
		p.exemptions = d.exempt(n)
	}
	if n := s.values["certificates"]; n != nil {
		p.certificates = d.certificates(n, p.certificates)
	}
	if n := s.values["verdict"]; n != nil {
		p.verdict = d.verdict(n, p.verdict)
	}
	if n := s.values["evidence"]; n != nil {
		p.evidence = d.evidence(n, p.evidence)
	}
	p.identity.directory = slices.ContainsFunc(p.databases, func(db *Database) bool { return db.Directory != nil })
	if p.identity.directory && p.identity.names != nil {
		d.fail(s.node, "a directory of database stands beside identity.map, and each says what a tenant is called in the database (keep one)")
	}
}

func (d *decoder) request(n *yaml.Node) requestRules {
	var r requestRules
	s, ok := d.section(n, "request", requestKeys)
	if !ok {
		return r
	}
	if n := s.values["tenant"]; n != nil {
		for i, item := range d.list(n, "request.tenant") {
			if !d.count(item) {
				break
			}
			if rule, ok := d.requestRule(item, index("request.tenant", i)); ok {
				r.tenants = append(r.tenants, rule)
				if rule.header != "" {
					r.headers = append(r.headers, rule.field)
				}
			}
		}
	}
	slices.Sort(r.headers)
	r.headers = slices.Compact(r.headers)
	if n := s.values["ignore"]; n != nil {
		r.ignored = d.routes(n, "request.ignore")
	}
	return r
}

func (d *decoder) requestRule(n *yaml.Node, path string) (rule requestRule, ok bool) {
	s, ok := d.section(n, path, requestRuleKeys)
	if !ok {
		return rule, false
	}
	template, header := s.values["path"], s.values["header"]
	switch {
	case (template == nil) == (header == nil):
		d.missing(&s, "%s needs one of path and header (write one entry for each)", path)
		return rule, false
	case header != nil:
		rule.header, ok = d.text(header, s.sub("header"))
		rule.field = strings.ToLower(rule.header)
		if ok && strings.ContainsFunc(rule.header, func(r rune) bool { return !isToken(r) }) {
			d.fail(header, "%s: %q is no name of a request field (write it like X-Tenant-Id)", s.sub("header"), rule.header)
			ok = false
		}
		return rule, ok
	}
	text, ok := d.text(template, s.sub("path"))
	if !ok {
		return rule, false
	}
	w := word{text, template, s.sub("path")}
	if rule.template, ok = d.pattern(w, '/', false); ok {
		ok = d.absolute(w)
		if ok && !rule.template.captures {
			d.fail(template, "%s: %q has no %s (write it where the tenant stands)", w.path, text, placeholder)
			ok = false
		}
	}
	return rule, ok
}

// isToken tells the characters of field names (RFC 9110 section 5.6.2).
func isToken(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("!#$%&'*+-.^_`|~", r)
}

// routes reads globs of request paths.
func (d *decoder) routes(n *yaml.Node, path string) []pattern {
	globs := d.globs(n, path, '/', false)
	for i := range globs {
		d.absolute(word{globs[i].text, n, path})
		if text := globs[i].text; len(text) > 1 && strings.HasSuffix(text, "/") {
			d.fail(n, "%s: %q ends in a slash (leave it out: it matches with and without one)", path, text)
		}
	}
	return globs
}

func (d *decoder) absolute(w word) bool {
	if strings.HasPrefix(w.text, "/") || strings.HasPrefix(w.text, "**") {
		return true
	}
	d.fail(w.node, "%s: %q does not begin with a slash (write %q)", w.path, w.text, "/"+w.text)
	return false
}
