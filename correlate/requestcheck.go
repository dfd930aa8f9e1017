package correlate

import (
	"fmt"
	"math"
	"slices"
	"time"

	"tenantrace/correlate/policy"
	"tenantrace/correlate/verdict"
)

// checkRequest reports what is wrong with a request as a whole, at its end.
func (e *Engine) checkRequest(r *request) {
	s := e.standing(r)
	served := r.status >= 100 && r.status < 400
	switch s.reason {
	case "":
		e.checkNamed(r, s)
	case verdict.NoCertificate:
		if served && r.touched != nil && r.conn.tls {
			e.raiseRequest(r, CertNotRequested, "",
				"A request on a TLS connection without a client certificate was served with tenant data.")
		}
	case verdict.Unverified:
		// A result that is good says that nobody checked, not that a check failed.
		if served && r.peer.seen.VerifyResult != 0 && (r.touched != nil || len(r.later) == 0 && e.namesKnown(r)) {
			e.raiseRequest(r, CertVerifyIgnored, r.peer.seen.Certificate.SHA256, fmt.Sprintf(
				"A request with a client certificate that failed verification (X.509 result %d) was served.", r.peer.seen.VerifyResult))
		}
	}
}

// named returns the tenants that a request names.
func (e *Engine) named(r *request) []policy.RequestTenant {
	rules := e.policyOf(r.proc)
	if rules.Ignored(r.seen.Path) {
		return nil
	}
	return rules.RequestTenants(r.seen.Path, func(name string) []string {
		var values []string
		for _, f := range r.seen.Fields {
			if f.Name == name {
				values = append(values, f.Value)
			}
		}
		return values
	})
}

// namesOf returns the names in the database that a name in a request may stand for: itself, or what the map or the directory makes of it.
func (e *Engine) namesOf(p *process, tenant string) []string {
	names := append([]string{tenant}, e.policyOf(p).Mapped(tenant)...)
	return append(names, e.directory.find(e.service(p), tenant)...)
}

// namedBy returns the tenants that a request names, as the database may have them.
func (e *Engine) namedBy(r *request) []string {
	var all []string
	for _, t := range e.named(r) {
		all = append(all, e.namesOf(r.proc, t.Tenant)...)
	}
	return all
}

func (e *Engine) namesKnown(r *request) bool {
	return slices.ContainsFunc(e.named(r), func(t policy.RequestTenant) bool {
		return slices.ContainsFunc(e.namesOf(r.proc, t.Tenant), func(n string) bool { return e.knows(r.proc, n) })
	})
}

// checkNamed compares the tenants that a request names with its certificate's. The request may use the name of the database or that of the
// certificate.
func (e *Engine) checkNamed(r *request, s standing) {
	var foreign []string
	var where string
	for _, t := range e.named(r) {
		names := e.namesOf(r.proc, t.Tenant)
		own := func(n string) bool {
			return slices.Contains(s.id.Tenants, n) || slices.Contains(s.id.Below, n) || e.everOf(r, n, math.MaxInt64)
		}
		known := func(n string) bool { return e.knows(r.proc, n) }
		if t.Tenant == policy.Normalize(s.id.Name) || slices.ContainsFunc(names, own) || !slices.ContainsFunc(names, known) {
			continue
		}
		if p := s.id.Privileged; p != nil && (p.Any || p.Request || slices.ContainsFunc(names, func(n string) bool { return slices.Contains(p.Tenants, n) })) {
			continue
		}
		if !slices.Contains(foreign, t.Tenant) {
			foreign = append(foreign, t.Tenant)
			where = t.Source
		}
	}
	if len(foreign) == 0 || e.requestExempt(r, s) {
		return
	}
	slices.Sort(foreign)
	x := occurrence{
		name: RequestTenantMismatch, severity: verdict.SeverityHigh, evidence: e.requestLine(r), tenants: foreign, by: e.policyOf(r.proc),
		detail: fmt.Sprintf("A request with the certificate of tenant %s names tenant %s in its %s.", e.quote(s.id.Tenants), e.quote(foreign), where),
	}
	denied := r.status == 401 || r.status == 403 || r.status == 404
	switch {
	case denied && !r.disagreed:
		x.name, x.severity = DeniedAttempt, verdict.SeverityInfo
		x.detail += " The application refused it."
	case (r.status == 0 || r.status >= 400) && !r.sql:
		x.severity = verdict.SeverityMedium
	}
	e.findings.raise(e, x)
}

func (e *Engine) requestExempt(r *request, s standing) bool {
	x, lapsed := e.exempting(r.proc, policy.Use{
		Time: time.Unix(0, r.start).UTC(), Route: r.seen.Path, Privileged: s.id.Privileged != nil, Service: e.service(r.proc),
		IdentityTenant: s.tenant, Process: r.proc.asPart(),
	})
	if lapsed {
		e.metrics.lapsed(e.service(r.proc))
	}
	return x != nil
}

func (e *Engine) raiseRequest(r *request, name, scope, detail string) {
	line := e.requestLine(r)
	if u := r.touched; u != nil {
		line.SQL, line.TID, line.Timeline.Use = u.sql(), u.tid, u.written
		e.hideTouched(line, u, e.standing(r))
	}
	e.findings.raise(e, occurrence{name: name, severity: severityOf(name), evidence: line, scope: scope, detail: detail, by: e.policyOf(r.proc)})
}

// requestLine describes a request, or a connection without one, where no statement is judged.
func (e *Engine) requestLine(r *request) *verdict.Statement {
	line := &verdict.Statement{
		Version: verdict.FormatVersion, Time: formatTime(r.start), Findings: []string{}, Link: verdict.LinkNone, DatabaseTenants: []string{}, Candidates: []verdict.Candidate{},
		Service: e.service(r.proc), PID: r.proc.pid, Process: r.proc.name, Policy: e.policy.Hash(),
	}
	line.SQL.Rows = -1
	if r.seen != nil {
		line.TID = r.seen.TID
	}
	s := e.standing(r)
	e.describe(line, r, s)
	e.hide(line, r.proc, s, nil)
	return line
}
