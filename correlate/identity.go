package correlate

import (
	"strings"
	"time"

	"tenantrace/collector/event"
	"tenantrace/correlate/policy"
	"tenantrace/correlate/verdict"
)

// peer is one epoch of a connection's identity: from one Identity event to the next.
type peer struct {
	proc     *process // whose peer it is
	seen     *event.Identity
	asPart   *policy.Certificate // what the policy sees of the certificate
	line     *verdict.Certificate
	hidden   *verdict.Certificate // the same without names
	hiddenBy *policy.Pseudonyms   // that wrote it
	by       *policy.Policy       // that made id
	learned  uint64               // how much of the tenant directory made it
	id       policy.Identity
	first    string            // the database tenant, joined if the map gives several
	expired  bool              // counted by the gauge
	revoked  *event.Revocation // the last word of the revocation lists; nil: not on any
	listed   bool              // counted by the gauge of revoked ones
	reported bool              // its resumption has been
}

// standing is what the identity of a request allows to conclude.
type standing struct {
	level  verdict.IdentityLevel
	reason verdict.Reason // why there is no verified tenant; "" if there is one
	id     *policy.Identity
	tenant string
	peer   *peer // whose it is; nil unknown
}

func newPeer(proc *process, ev *event.Identity) *peer {
	p := &peer{proc: proc, seen: ev}
	c := ev.Certificate
	if c == nil {
		return p
	}
	p.asPart = PolicyCertificate(c)
	p.line = &verdict.Certificate{SHA256: c.SHA256, Details: &verdict.CertificateDetails{
		Subject: event.DNString(c.Subject), Issuer: event.DNString(c.Issuer), Serial: c.Serial,
		NotBefore: c.NotBefore, NotAfter: c.NotAfter, SANs: alternativeNames(c),
	}}
	return p
}

// identify returns what the policy in force makes of the certificate at a moment. Privileges end, so that a kept answer may have to be renewed.
func (e *Engine) identify(p *peer, at int64) *policy.Identity {
	rules := e.policyOf(p.proc)
	if p.by != rules || p.id.Privileged != nil && time.Unix(0, at).After(p.id.Privileged.Until) || rules.HasDirectory() && p.learned != e.directory.version {
		service := e.service(p.proc)
		p.id = rules.IdentifyBy(p.asPart, time.Unix(0, at).UTC(), func(name string) []string { return e.directory.find(service, name) })
		p.by, p.learned = rules, e.directory.version
		p.first = strings.Join(p.id.Tenants, ",")
	}
	return &p.id
}

// standing concludes from the identity that a request came with.
func (e *Engine) standing(r *request) standing {
	s := e.conclusion(r, r.peer)
	s.peer = r.peer
	return s
}

func (e *Engine) conclusion(r *request, p *peer) standing {
	if e.behindProxy(r.proc) {
		return standing{reason: verdict.IdentityUnknown}
	}
	switch {
	case p == nil && r.conn.opened && !r.conn.tls:
		return standing{reason: verdict.NoCertificate}
	case p == nil || p.seen.Error != "" || p.seen.Source == "unreadable":
		return standing{reason: verdict.IdentityUnknown}
	case p.seen.Certificate == nil && p.seen.Source == "ssl":
		return standing{reason: verdict.NoCertificate}
	case p.seen.Source != "ssl": // a certificate that was decoded: whether it was verified is not known, and a resumed handshake decodes none
		return standing{reason: verdict.IdentityUnknown}
	case !p.seen.Verified():
		return standing{level: verdict.LevelUntrusted, reason: verdict.Unverified}
	}
	id := e.identify(p, r.start)
	s := standing{level: verdict.LevelConnection, id: id, tenant: p.first}
	if len(id.Tenants) == 0 {
		s.reason = verdict.Unmapped
	}
	return s
}

func (e *Engine) identitySeen(ev *event.Identity) {
	if ev.Role != event.RoleServer {
		return
	}
	c := e.connection(ev.Conn, ev.PID)
	if !c.opened {
		c.role = ev.Role
	}
	c.tls = true
	e.uncountTLS(c)
	before := c.peer
	c.peer = newPeer(c.proc, ev)
	if before != nil { // what was shown on this very connection is not a resumed session's
		read := before.seen.Error == "" && before.seen.Source == "ssl"
		c.peer.reported = before.reported || read && !sameCertificate(before.seen.Certificate, ev.Certificate)
	}
	if c.met == 0 {
		c.met = ev.Time
	}
	e.countTLS(c)
	for _, r := range c.requests {
		// A handshake that asks for the certificate late, as after the request line: the answer begins when it is known.
		if r.response == 0 && (r.peer == nil || r.peer.seen.Certificate == nil) {
			r.peer = c.peer
			e.checkLife(r)
		} else {
			e.noteChange(r, c.peer)
		}
	}
	if ev.Certificate != nil {
		e.metrics.remaining(e.service(c.proc), time.Duration(ev.Certificate.NotAfter-ev.Time))
	}
	e.learnIdentity(c)
	e.checkChange(c)
}

// behindProxy tells whether the certificates of a process's connections are a proxy's, which stand for no tenant.
func (e *Engine) behindProxy(p *process) bool {
	return e.policyOf(p).Hop().From != policy.FromConnection
}

// learnIdentity makes the tenants of a connection's certificate known for its service. Only a verified certificate counts: whoever presents
// another could make any value in the database pass for a tenant's name.
func (e *Engine) learnIdentity(c *connection) {
	if c.peer == nil || !c.peer.seen.Verified() || c.peer.seen.Error != "" || e.behindProxy(c.proc) {
		return
	}
	service := e.service(c.proc)
	id := e.identify(c.peer, e.now)
	for name := range strings.SplitSeq(id.Name, ", ") {
		e.veil.learn(service, name)
	}
	for _, tenant := range id.Tenants {
		if e.names.learn(service, tenant) {
			e.release(service, tenant)
		}
	}
}
