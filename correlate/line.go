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

// stamp writes times of the same second again without working out its date.
type stamp struct {
	second int64
	text   string // up to the point; "" none yet
}

func (s *stamp) format(nanoseconds int64) string {
	second, rest := nanoseconds/1e9, nanoseconds%1e9
	if nanoseconds < 0 {
		return formatTime(nanoseconds)
	}
	if s.text == "" || s.second != second {
		s.second, s.text = second, formatTime(second * 1e9)[:len("2006-01-02T15:04:05.")]
	}
	var digits [10]byte
	digits[9] = 'Z'
	for i := 8; i >= 0; i-- {
		digits[i] = byte('0' + rest%10)
		rest /= 10
	}
	return s.text + string(digits[:])
}

// conclude counts a verdict, hands out its line, and raises its findings.
func (e *Engine) conclude(u *unit, o *outcome) {
	e.detect(u, o)
	line := e.line(u, o)
	service := e.service(u.proc)
	e.metrics.statement(service, line.Verdict, line.Link, line.Reason)
	if o.set != nil {
		e.measureSet(u, o, service)
	}
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
			set: o.set,
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
	parts := new(lineParts)
	line := &parts.line
	*line = verdict.Statement{
		Version: verdict.FormatVersion, Time: e.stamp.format(u.written),
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
	e.describeSet(line, o)
	line.Values = u.kept
	var check *unit
	if o.req != nil {
		e.describeIn(parts, o.req, o.standing)
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

// lineParts is a line and what it points to, made in one piece.
type lineParts struct {
	line       verdict.Statement
	connection verdict.Connection
	request    verdict.Request
}

// describe adds a request and its identity to a line.
func (e *Engine) describe(line *verdict.Statement, r *request, s standing) {
	parts := lineParts{line: *line}
	e.describeIn(&parts, r, s)
	*line = parts.line
}

func (e *Engine) describeIn(parts *lineParts, r *request, s standing) {
	line := &parts.line
	line.IdentityLevel, line.IdentityTenant = s.level, s.tenant
	parts.connection = verdict.Connection{Remote: r.conn.remote, Local: r.conn.local}
	line.Connection = &parts.connection
	if r.seen != nil {
		parts.request = verdict.Request{Method: r.seen.Method, Path: r.seen.Path, ID: r.seen.ID, Status: r.status}
		line.Request = &parts.request
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
