package correlate

import (
	"net/netip"
	"slices"
	"strings"

	"tenantrace/collector/event"
	"tenantrace/correlate/policy"
	"tenantrace/correlate/verdict"
)

// veil hides the names of tenants in all that an engine says, where the policy wants it: names are pseudonyms, and what may hold a name without being
// one (paths, identifiers of SQL, certificates) is written so that none can stand in it.
type veil struct {
	*policy.Pseudonyms
	engine *Engine
	seen   map[nameKey]struct{} // names in certificates, before the map
}

// setVeil follows the policy. What is open was said under the old names: it is said to the end first, for an update must not tell a name that a newer
// policy hides, nor one that the key before wrote.
func (e *Engine) setVeil(p *policy.Policy) {
	var now *policy.Pseudonyms
	if !e.plain {
		now = p.Pseudonyms()
	}
	if e.veil == nil && now == nil {
		return
	}
	e.findings.flush(e.now, true)
	if now == nil {
		e.veil = nil
		return
	}
	e.veil = &veil{Pseudonyms: now, engine: e, seen: make(map[nameKey]struct{})}
}

// learn notes a name that stands in a verified certificate.
func (v *veil) learn(service, name string) {
	if v != nil && name != "" && len(v.seen) < v.engine.limits.Names {
		v.seen[nameKey{service, policy.Normalize(name)}] = struct{}{}
	}
}

// names returns what to call tenants.
func (v *veil) names(tenants []string) []string {
	if v == nil || tenants == nil {
		return tenants
	}
	out := make([]string, len(tenants))
	for i, t := range tenants {
		out[i] = v.Of(t)
	}
	return out
}

// quote writes names for a sentence.
func (e *Engine) quote(names []string) string { return quoteAll(e.veil.names(names)) }

// word returns what to call a text that is a name as a whole, like that of a host.
func (e *Engine) word(text string) string {
	if e.veil == nil {
		return text
	}
	return e.veil.Of(text)
}

// text writes a text in which tenants of a process's service may be named.
func (e *Engine) text(p *process, text string) string {
	if e.veil == nil {
		return text
	}
	return maskNames(text, e.veil.known(p, nil), e.veil.Of)
}

// known tells which normalised names are tenants': those of the process's service, and those of an identity.
func (v *veil) known(p *process, id *policy.Identity) func(string) bool {
	e := v.engine
	service, rules := e.service(p), e.policyOf(p)
	var own []string
	if id != nil {
		for name := range strings.SplitSeq(id.Name, ", ") {
			own = append(own, policy.Normalize(name))
		}
		own = append(append(own, id.Tenants...), id.Below...)
	}
	return func(name string) bool {
		key := nameKey{service, name}
		if _, ok := e.names.seen[key]; ok {
			return true
		}
		if _, ok := v.seen[key]; ok {
			return true
		}
		return rules.Mentions(name) || len(e.directory.ids[key]) > 0 || slices.Contains(own, name)
	}
}

// hide takes the names of tenants out of a line. u may be nil.
func (e *Engine) hide(line *verdict.Statement, p *process, s standing, u *unit) {
	v := e.veil
	if v == nil || line.Hidden {
		return
	}
	line.Hidden = true
	known := v.known(p, s.id)
	mask := func(text string) string { return maskNames(text, known, v.Of) }
	switch {
	case s.id != nil && line.IdentityTenant != "":
		line.IdentityTenant = strings.Join(v.names(s.id.Tenants), ",")
	default:
		line.IdentityTenant = v.Of(line.IdentityTenant)
	}
	shown := line.DatabaseTenants
	line.DatabaseTenants = v.names(shown)
	slices.Sort(line.DatabaseTenants)
	for i := range line.Candidates {
		c := &line.Candidates[i]
		c.ID, c.Tenant = v.Of(c.ID), v.Of(c.Tenant)
	}
	line.Label = line.Service
	line.Service, line.Process = mask(line.Service), mask(line.Process)
	if c := line.Connection; c != nil {
		c.Local, c.Remote = hideAddress(c.Local, mask), hideAddress(c.Remote, mask)
	}
	if r := line.Request; r != nil {
		r.Path, r.ID = e.policyOf(p).HiddenRoute(v.Pseudonyms, r.Path, known), v.Of(r.ID)
		if !slices.Contains(methods, r.Method) {
			r.Method = v.Of(r.Method)
		}
	}
	if line.Certificate != nil {
		line.Certificate = v.certificate(line.Certificate, s.peer)
	}
	if u == nil {
		return
	}
	named := func(name string) bool { return known(name) || slices.Contains(shown, name) }
	e.hideSQL(&line.SQL, u, named)
}

// hideTouched takes them out of the statement that a line about a request shows.
func (e *Engine) hideTouched(line *verdict.Statement, u *unit, s standing) {
	if e.veil != nil {
		e.hideSQL(&line.SQL, u, e.veil.known(u.proc, s.id))
	}
}

// hideCheck takes them out of the earlier statement that a line shows.
func (e *Engine) hideCheck(line *verdict.Statement, check *unit, o *outcome) {
	if e.veil == nil || check == nil {
		return
	}
	known := e.veil.known(check.proc, o.standing.id)
	line.Timeline.CheckSQL = hideShape(line.Timeline.CheckSQL, check, e.rulesOf(check.session), known)
}

// standingOf is the standing of a request that may be nil.
func (e *Engine) standingOf(r *request) standing {
	if r == nil {
		return standing{}
	}
	return e.standing(r)
}

// tableText names a table of a statement.
func (e *Engine) tableText(u *unit, t tableName) string {
	if e.veil == nil {
		return t.String()
	}
	if t.schema != "" && e.rulesOf(u.session).TenantOf(t.schema) != "" {
		t.schema = hiddenName
	}
	return maskNames(t.String(), e.veil.known(u.proc, nil), func(string) string { return hiddenName })
}

// methods are those of RFC 9110 section 9.3 and RFC 5789: what else stands in their place, a client made up.
var methods = []string{"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"}

// hideAddress masks the path of a socket; the address of a host names nobody.
func hideAddress(address string, mask func(string) string) string {
	if _, err := netip.ParseAddrPort(address); err == nil {
		return address
	}
	return mask(address)
}

// certificate returns a certificate without its names. Its digest, serial number and dates stay: with them, whoever has the certificate finds it.
func (v *veil) certificate(c *verdict.Certificate, p *peer) *verdict.Certificate {
	if p == nil || p.seen.Certificate == nil {
		return &verdict.Certificate{SHA256: c.SHA256}
	}
	if p.hiddenBy == v.Pseudonyms {
		return p.hidden
	}
	seen := p.seen.Certificate
	out := &verdict.Certificate{SHA256: c.SHA256, Details: &verdict.CertificateDetails{
		Subject: event.DNString(v.attributes(seen.Subject)), Issuer: event.DNString(v.attributes(seen.Issuer)), Serial: seen.Serial,
		NotBefore: seen.NotBefore, NotAfter: seen.NotAfter,
	}}
	for _, name := range alternativeNames(seen) {
		out.Details.SANs = append(out.Details.SANs, verdict.AlternativeName{Type: name.Type, Name: v.Of(name.Name)})
	}
	p.hidden, p.hiddenBy = out, v.Pseudonyms
	return out
}

func (v *veil) attributes(name []event.Attribute) []event.Attribute {
	out := slices.Clone(name)
	for i := range out {
		out[i].Value = v.Of(out[i].Value)
	}
	return out
}
