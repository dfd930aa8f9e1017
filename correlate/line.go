package correlate

import (
	"cmp"
	"time"

	"tenantrace/correlate/verdict"
)

// timeFormat is RFC 3339 with nanoseconds, all nine digits.
const timeFormat = "2006-01-02T15:04:05.000000000Z07:00"

func formatTime(nanoseconds int64) string {
	return time.Unix(0, nanoseconds).UTC().Format(timeFormat)
}

// conclude counts a verdict, hands out its line, and raises its findings.
func (e *Engine) conclude(u *unit, o *outcome) {
	e.detect(u, o)
	line := e.line(u, o)
	service := e.service(u.proc)
	e.metrics.statement(service, line.Verdict, line.Link, line.Reason)
	if o.verdict == verdict.Exempt {
		e.metrics.exempt(service, o.by)
	}
	if u.lapsed || e.privilegeLapsed(o) {
		e.metrics.lapsed(service)
	}
	e.metrics.lag(time.Duration(e.now - u.ready))
	if e.explain != nil {
		e.explain(u, *o, line) // a copy: the outcome itself stays off the heap
	}
	if e.verdict != nil {
		e.verdict(line)
	}
	for _, f := range o.findings {
		detail := f.detail
		if f.name == PrivilegedAccess {
			detail = "A privileged certificate used data beyond its own tenant: " + e.text(u.proc, o.exempt)
		}
		x := occurrence{
			name: f.name, detail: detail, severity: cmp.Or(f.severity, severityOf(f.name)), evidence: line,
			tenants: tenants(o.shown), fingerprint: line.SQL.Fingerprint, anyTenant: f.anyTenant, by: e.policyOf(u.proc),
		}
		if f.scope != "" {
			x.tenants, x.fingerprint, x.scope, x.anyRoute = nil, "", f.scope, true
		}
		if f.name == PrivilegedAccess || f.name == UnscopedLookup && f.anyTenant {
			x.tenants = nil // an operator who goes through all tenants is one finding, and so is a look-up, whose rows it returns
		}
		e.findings.raise(e, x)
	}
}

func severityOf(name string) verdict.Severity {
	for _, c := range classes() {
		if c.name == name {
			return c.severity
		}
	}
	return verdict.SeverityInfo
}

// line writes down a verdict.
func (e *Engine) line(u *unit, o *outcome) *verdict.Statement {
	if o.decides == nil {
		o.decides = o.shown
	}
	line := &verdict.Statement{
		Version: verdict.FormatVersion, Time: formatTime(u.written),
		Verdict: o.verdict, Findings: make([]string, len(o.findings)), Reason: o.reason, Link: u.link.rule,
		EvidenceLevel: strongest(o.decides), DatabaseTenants: tenants(o.shown), Candidates: []verdict.Candidate{},
		Service: e.service(u.proc), PID: u.proc.pid, TID: u.tid, Process: u.proc.name,
		SQL:    u.sql(),
		Policy: e.policy.Hash(),
	}
	for i, f := range o.findings {
		line.Findings[i] = f.name
	}
	line.Timeline.Use = u.written
	line.Values = u.kept
	var check *unit
	if o.req != nil {
		e.describe(line, o.req, o.standing)
		if u.link.shared {
			line.Request = nil
		}
		if c := o.req.check; c != nil && c != u && !u.link.shared {
			line.Timeline.Check, line.Timeline.CheckSQL = c.written, c.shape
			check = c
		}
	}
	e.hide(line, u.proc, o.standing, u)
	e.hideCheck(line, check, o)
	return line
}

// sql describes the statement itself.
func (u *unit) sql() verdict.SQL {
	return verdict.SQL{
		Engine: string(u.session.engine), Server: u.session.conn.server(), Database: u.session.database,
		Shape: u.shape, Fingerprint: u.fingerprint, Rows: u.rows,
	}
}

// describe adds a request and its identity to a line.
func (e *Engine) describe(line *verdict.Statement, r *request, s standing) {
	line.IdentityLevel, line.IdentityTenant = s.level, s.tenant
	line.Connection = &verdict.Connection{Remote: r.conn.remote, Local: r.conn.local}
	if r.seen != nil {
		line.Request = &verdict.Request{Method: r.seen.Method, Path: r.seen.Path, ID: r.seen.ID, Status: r.status}
		if p := e.policyOf(r.proc); p.EvidenceRules().PathTemplate {
			line.Request.Path = p.Route(r.seen.Path)
		}
		line.Timeline.Request, line.Timeline.Response = r.start, r.response
	}
	if s.peer != nil {
		line.Connection.TLS = s.peer.seen.Version
		line.Certificate = s.peer.line
		line.Timeline.Handshake = r.conn.met
	}
}
