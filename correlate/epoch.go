package correlate

import (
	"fmt"
	"slices"

	"tenantrace/collector/event"
	"tenantrace/correlate/verdict"
)

// epoch is an identity that a connection took on while a request was open, by renegotiation or by authentication after the handshake.
type epoch struct {
	from int64
	peer *peer
}

// maxEpochs bounds the identities of one request: a client may renegotiate without end.
const maxEpochs = 8

// noteChange notes an identity that comes while a request is open. Which of them the application asks about is not known: a statement is judged by
// the one in force when it was written, and none of them is accused of what is another's. An identity that is not verified gives no right to anything,
// and one with the same rights no others: the request keeps what it had.
func (e *Engine) noteChange(r *request, p *peer) {
	if !p.sure() {
		return
	}
	at := p.seen.Time
	if last := r.inForce(at); last != nil && last.sure() {
		had, has := e.identify(last, at), e.identify(p, at)
		if had.Privileged == nil && has.Privileged == nil && slices.Equal(had.Tenants, has.Tenants) {
			return
		}
	}
	if len(r.later) == maxEpochs {
		r.later = slices.Delete(r.later, 0, 1)
		r.restless = true
	}
	r.later = append(r.later, epoch{at, p})
}

// sure tells whether the library is known to have verified the certificate.
func (p *peer) sure() bool { return p.seen.Verified() && p.seen.Error == "" && p.seen.Source == "ssl" }

// inForce is the identity that the request's connection had at a moment.
func (r *request) inForce(at int64) *peer {
	for i := len(r.later) - 1; i >= 0; i-- {
		if r.later[i].from <= at {
			return r.later[i].peer
		}
	}
	return r.peer
}

// standingAt concludes from the identity that was in force at a moment.
func (e *Engine) standingAt(r *request, at int64) standing {
	if r.restless {
		return standing{reason: verdict.Conflict, peer: r.peer}
	}
	p := r.inForce(at)
	s := e.conclusion(r, p)
	s.peer = p
	return s
}

// sameCertificate tells whether two certificates are one. What has no digest is told by the names that its issuer must not give twice.
func sameCertificate(a, b *event.Certificate) bool {
	switch {
	case a == nil || b == nil:
		return a == b
	case a.SHA256 != "" && b.SHA256 != "":
		return a.SHA256 == b.SHA256
	}
	return a.Serial == b.Serial && a.NotAfter == b.NotAfter && slices.Equal(a.Issuer, b.Issuer) && slices.Equal(a.Subject, b.Subject)
}

// everOf tells whether a tenant is that of one of several identities which the request's connection had, up to a moment, while it was open.
func (e *Engine) everOf(r *request, tenant string, until int64) bool {
	if len(r.later) == 0 {
		return false
	}
	if r.restless {
		return true
	}
	has := func(p *peer) bool {
		return p != nil && p.sure() && slices.Contains(e.identify(p, r.start).Tenants, tenant)
	}
	return has(r.peer) || slices.ContainsFunc(r.later, func(x epoch) bool { return x.from <= until && has(x.peer) })
}

// checkChange reports a connection whose verified certificate came to name another tenant. One that names the same, or another one too, is a renewal.
func (e *Engine) checkChange(c *connection) {
	p, before := c.peer, c.named
	if !p.sure() || e.behindProxy(c.proc) {
		return
	}
	now := e.identify(p, e.now).Tenants
	if len(now) == 0 {
		return
	}
	c.named = p
	if before == nil || sameCertificate(before.seen.Certificate, p.seen.Certificate) {
		return
	}
	was := e.identify(before, e.now).Tenants // by the policy in force, which may not be the one of then
	if len(was) == 0 || slices.ContainsFunc(was, func(t string) bool { return slices.Contains(now, t) }) {
		return
	}
	line := e.connectionLine(c)
	e.findings.raise(e, occurrence{
		name: IdentityChanged, severity: severityOf(IdentityChanged), evidence: line, tenants: was, scope: connectionScope(c), anyRoute: true,
		detail: fmt.Sprintf("The client certificate of a connection changed from tenant %s to tenant %s.", e.quote(was), e.quote(now)),
	})
}

// connectionLine describes a connection as it is now, with its request if one is open.
func (e *Engine) connectionLine(c *connection) *verdict.Statement {
	r := &request{conn: c, proc: c.proc, peer: c.peer, start: c.peer.seen.Time}
	if len(c.requests) > 0 {
		first := c.requests[0]
		r.seen, r.start, r.response, r.status = first.seen, first.start, first.response, first.status
	}
	return e.requestLine(r)
}

func connectionScope(c *connection) string { return fmt.Sprintf("connection %d", c.id) }
