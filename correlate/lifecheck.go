package correlate

import (
	"fmt"
	"strings"
	"time"

	"tenantrace/collector/event"
	"tenantrace/correlate/verdict"
)

// checkLife reports what is wrong, as a request begins, with the life of the certificate, the session and the connection that it came on. Only
// verified certificates count: what is wrong with others is another finding.
func (e *Engine) checkLife(r *request) {
	p := r.peer
	if p == nil || !p.sure() {
		return
	}
	e.checkExpiry(r)
	e.checkRevoked(r)
	e.checkAge(r)
	e.checkResumed(r)
}

// checkExpiry reports a request that came after its certificate had ended.
func (e *Engine) checkExpiry(r *request) {
	rules := e.policyOf(r.proc).CertificateRules()
	if !rules.Expired {
		return
	}
	late := time.Duration(r.start - r.peer.seen.Certificate.NotAfter)
	if late <= rules.Grace {
		return
	}
	severity := verdict.SeverityMedium
	if late > 24*time.Hour {
		severity = verdict.SeverityHigh
	}
	line := e.requestLine(r)
	e.findings.raise(e, occurrence{
		name: ExpiredCertInUse, severity: severity, evidence: line, scope: connectionScope(r.conn), anyRoute: true,
		detail: fmt.Sprintf("A request came %s after the end of the certificate of its connection.", late.Truncate(time.Second)),
	})
}

// checkRevoked reports a request with a certificate that is on a revocation list.
func (e *Engine) checkRevoked(r *request) {
	revoked := r.peer.revoked
	if revoked == nil || e.policy.CertificateRules().Revocation == nil {
		return
	}
	why, how := "", "an established connection"
	if revoked.Reason != "" {
		why = " (" + revoked.Reason + ")"
	}
	if r.peer.seen.Resumed {
		how = "a connection that resumed a session"
	}
	e.findings.raise(e, occurrence{
		name: RevokedCertInUse, severity: severityOf(RevokedCertInUse), evidence: e.requestLine(r), scope: connectionScope(r.conn), anyRoute: true,
		detail: fmt.Sprintf("A request came on %s with a certificate that its issuer revoked at %s%s.",
			how, time.Unix(0, revoked.Since).UTC().Format(time.RFC3339), why),
	})
}

// checkAge reports a request on a connection that is older than the policy allows. One that existed before it was traced is older than is known.
func (e *Engine) checkAge(r *request) {
	most, age := e.policyOf(r.proc).CertificateRules().MaxConnectionAge, time.Duration(r.start-r.conn.since)
	if most == 0 || age <= most {
		return
	}
	e.findings.raise(e, occurrence{
		name: ConnectionTooOld, severity: severityOf(ConnectionTooOld), evidence: e.requestLine(r), scope: connectionScope(r.conn), anyRoute: true,
		detail: fmt.Sprintf("A request came on a connection that was %s old; the policy allows %s.", age.Truncate(time.Second), most),
	})
}

// checkResumed reports, once for each connection, that a certificate was not shown on it, but on the connection whose session it resumed. That is
// what sessions are for, unless the server had another name then: the check of the certificate may have been another one too.
func (e *Engine) checkResumed(r *request) {
	seen := r.peer.seen
	if !seen.Resumed || r.peer.reported {
		return
	}
	r.peer.reported = true
	x := occurrence{
		name: IdentityFromResumed, severity: severityOf(IdentityFromResumed), evidence: e.requestLine(r), anyRoute: true,
		detail: "The client certificate is that of a resumed session" + madeBefore(seen) + ".",
	}
	if now, then := serverName(seen.ServerName), serverName(seen.SessionName); now != "" && then != "" && now != then {
		then, now = e.word(then), e.word(now)
		x.severity, x.scope = verdict.SeverityHigh, "server name "+then+" "+now
		x.detail = fmt.Sprintf("The client certificate is that of a resumed session%s, for the server name %q; this connection asked for %q.", madeBefore(seen), then, now)
	}
	e.findings.raise(e, x)
}

func madeBefore(seen *event.Identity) string {
	if seen.SessionTime == 0 || seen.SessionTime > seen.Time {
		return ""
	}
	return fmt.Sprintf(" made %s before", time.Duration(seen.Time-seen.SessionTime).Truncate(time.Second))
}

// serverName brings a host name into the form in which names are compared.
func serverName(s string) string { return strings.ToLower(strings.TrimSuffix(s, ".")) }

// revocationSeen takes in what the revocation lists say of a connection's certificate.
func (e *Engine) revocationSeen(ev *event.Revocation) {
	c, ok := e.conns.Peek(ev.Conn)
	if !ok || c.peer == nil {
		return
	}
	c.peer.revoked = ev
	if ev.Lifted {
		c.peer.revoked = nil
	}
	e.countRevoked(c, true)
	if ev.Lifted || ev.Time != c.peer.seen.Time {
		return
	}
	// It was on a list as it was met: requests that have it already had begun without one.
	for _, r := range c.requests {
		if r.peer == c.peer {
			e.checkRevoked(r)
		}
	}
}
