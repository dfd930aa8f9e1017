package correlate

import (
	"testing"
	"time"

	"tenantrace/collector/event"
	"tenantrace/correlate/verdict"
)

func processStarted(tr *trace, pid uint32, service string) event.Event {
	return &event.ProcessStarted{Header: tr.head(pid, pid), Exe: "/usr/bin/" + service, Name: service, Service: service}
}

func opened(tr *trace, pid uint32, c event.ConnID) event.Event {
	return &event.ConnectionOpened{Header: tr.head(pid, pid), Conn: c, Role: event.RoleServer, TLS: true, Net: "tcp"}
}

func identity(tr *trace, pid uint32, c event.ConnID, cert *event.Certificate) event.Event {
	return &event.Identity{Header: tr.head(pid, pid), Conn: c, Role: event.RoleServer, Certificate: cert, VerifyMode: 3, Source: "ssl"}
}

const pathPolicy = `
request:
  tenant: [{path: "/t/{tenant}/**"}, {header: X-Tenant-Id}]
  ignore: ["/t/*/health"]
`

func TestRequestTenant(t *testing.T) {
	for _, test := range []struct {
		name, path string
		fields     []string
		sql        string
		status     int
		findings   []string
		severity   verdict.Severity
	}{
		{"own", "/t/acme/x", nil, "", 200, nil, 0},
		{"another", "/t/beta/x", nil, "", 200, []string{"REQUEST_TENANT_MISMATCH"}, verdict.SeverityHigh},
		{"another, own data", "/t/beta/x", nil, selectScoped, 200, []string{"REQUEST_TENANT_MISMATCH"}, verdict.SeverityHigh},
		{"another, its data", "/t/beta/x", nil, selectBeta, 200, []string{"CROSS_TENANT_READ", "REQUEST_TENANT_MISMATCH"}, verdict.SeverityHigh},
		{"header", "/x", []string{"x-tenant-id: beta"}, "", 200, []string{"REQUEST_TENANT_MISMATCH"}, verdict.SeverityHigh},
		{"own header twice", "/x", []string{"x-tenant-id: acme", "x-tenant-id: beta"}, "", 200, []string{"REQUEST_TENANT_MISMATCH"}, verdict.SeverityHigh},
		{"refused", "/t/beta/x", nil, "", 403, []string{"DENIED_ATTEMPT"}, verdict.SeverityInfo},
		{"refused after own look-up", "/t/beta/x", nil, selectScoped, 404, []string{"DENIED_ATTEMPT"}, verdict.SeverityInfo},
		{"refused after its data", "/t/beta/x", nil, selectBeta, 403, []string{"CROSS_TENANT_READ", "REQUEST_TENANT_MISMATCH"}, verdict.SeverityHigh},
		{"failed", "/t/beta/x", nil, "", 500, []string{"REQUEST_TENANT_MISMATCH"}, verdict.SeverityMedium},
		{"unknown tenant", "/t/nobody/x", nil, "", 200, nil, 0},
		{"ignored", "/t/beta/health", nil, "", 200, nil, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			tr := newTrace(t, pathPolicy)
			tr.known("beta")
			c, db := tr.client("acme"), tr.database()
			r := tr.request(c, 7, test.path, test.fields...)
			if test.sql != "" {
				tr.sql(db, 7, test.sql)
			}
			tr.respond(c, r, 7, test.status)
			if n := len(tr.findings); n > 0 {
				f := tr.findings[n-1]
				if f.Severity != test.severity || f.Evidence.Request.Path != test.path || f.Evidence.Verdict != "" || f.Detail == "" {
					t.Errorf("finding is %+v", f)
				}
			}
			tr.expectFindings(test.findings...)
		})
	}
}

func TestIdentityLevels(t *testing.T) {
	for _, test := range []struct {
		name     string
		connect  func(*trace) event.ConnID
		status   int
		want     string
		findings []string
	}{
		{"no identity seen", (*trace).open, 200, "unattributed/identity_unknown thread literal acme", nil},
		{"no certificate", func(tr *trace) event.ConnID {
			c := tr.open()
			tr.identify(c, nil, 0)
			return c
		}, 200, "unattributed/no_certificate thread literal acme", []string{"CERT_NOT_REQUESTED"}},
		{"no certificate, refused", func(tr *trace) event.ConnID {
			c := tr.open()
			tr.identify(c, nil, 0)
			return c
		}, 401, "unattributed/no_certificate thread literal acme", nil},
		{"plain", func(tr *trace) event.ConnID {
			tr.conns++
			tr.play(&event.ConnectionOpened{Header: tr.head(web, web), Conn: tr.conns, Role: event.RoleServer, Net: "unix", Local: "/run/app.sock"})
			return tr.conns
		}, 200, "unattributed/no_certificate thread literal acme", nil},
		{"unverified", func(tr *trace) event.ConnID {
			c := tr.open()
			tr.identify(c, certificate("acme"), 18)
			return c
		}, 200, "unattributed/unverified thread literal acme", []string{"CERT_VERIFY_IGNORED"}},
		{"unverified, refused", func(tr *trace) event.ConnID {
			c := tr.open()
			tr.identify(c, certificate("acme"), 18)
			return c
		}, 403, "unattributed/unverified thread literal acme", nil},
		{"unmapped", func(tr *trace) event.ConnID {
			c := tr.open()
			tr.identify(c, &event.Certificate{SHA256: "cd", NotAfter: 1 << 62}, 0)
			return c
		}, 200, "unattributed/unmapped thread literal acme", nil},
		{"unreadable", func(tr *trace) event.ConnID {
			c := tr.open()
			tr.play(&event.Identity{Header: tr.head(web, 7), Conn: c, Role: event.RoleServer, VerifyMode: 3, Source: "unreadable"})
			return c
		}, 200, "unattributed/identity_unknown thread literal acme", nil},
		{"none decoded", func(tr *trace) event.ConnID {
			c := tr.open()
			tr.play(&event.Identity{Header: tr.head(web, 7), Conn: c, Role: event.RoleServer, VerifyMode: 3, Source: "d2i"})
			return c
		}, 200, "unattributed/identity_unknown thread literal acme", nil},
		{"decoded, verification not known", func(tr *trace) event.ConnID {
			c := tr.open()
			tr.play(&event.Identity{Header: tr.head(web, 7), Conn: c, Role: event.RoleServer, Certificate: certificate("beta"), VerifyResult: -1, Source: "d2i"})
			return c
		}, 200, "unattributed/identity_unknown thread literal acme", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			tr := newTrace(t, "")
			c, db := test.connect(tr), tr.database()
			r := tr.request(c, 7, "/")
			tr.sql(db, 7, selectScoped)
			tr.respond(c, r, 7, test.status)
			tr.expect(test.want)
			tr.expectFindings(test.findings...)
		})
	}
}

// A request belongs to the identity that its connection had when it came, or that a late handshake gave it before its answer began; what it does after
// another certificate came, to that one.
func TestIdentityChanges(t *testing.T) {
	tr := newTrace(t, "")
	c, db := tr.open(), tr.database()
	r := tr.request(c, 7, "/")
	tr.identify(c, nil, 0)
	tr.identify(c, certificate("acme"), 0)
	tr.sql(db, 7, selectScoped)
	tr.identify(c, certificate("beta"), 0)
	tr.sql(db, 7, selectBeta)
	tr.respond(c, r, 7, 200)
	tr.expect("ok_exact thread literal acme", "ok_exact thread literal beta")
	tr.expectFindings("IDENTITY_CHANGED_ON_CONNECTION")
	r = tr.request(c, 7, "/")
	tr.sql(db, 7, selectBeta)
	tr.respond(c, r, 7, 200)
	tr.expect("ok_exact thread literal beta")

	c = tr.open()
	tr.identify(c, nil, 0)
	r = tr.request(c, 7, "/")
	tr.sql(db, 7, selectScoped)
	tr.play(&event.HTTPResponse{Header: tr.head(web, 7), Conn: c, Seq: r, Status: 200})
	tr.identify(c, certificate("acme"), 0)
	tr.respond(c, r, 7, 200)
	tr.expect("unattributed/no_certificate thread literal acme")
}

func TestExpiredCertificate(t *testing.T) {
	tr := newTrace(t, "certificates: {expired: finding, grace: 5m}\n")
	c := tr.open()
	cert := certificate("acme")
	cert.NotAfter = tr.now + int64(10*time.Second)
	tr.identify(c, cert, 0)
	get := func() {
		r := tr.request(c, 7, "/a")
		tr.respond(c, r, 7, 200)
	}
	get()
	tr.wait(5 * time.Minute)
	get()
	tr.expectFindings()
	tr.wait(11 * time.Second)
	get()
	tr.expectFindings("EXPIRED_CERT_IN_USE")
	r := tr.request(c, 7, "/another")
	tr.respond(c, r, 7, 200)
	tr.wait(61 * time.Second)
	tr.expectFindings("EXPIRED_CERT_IN_USE+2")
	c2 := tr.open() // another connection is another finding
	tr.identify(c2, cert, 0)
	r = tr.request(c2, 8, "/a")
	tr.respond(c2, r, 8, 200)
	if f := tr.findings[0]; f.Severity != verdict.SeverityMedium || f.Evidence.Certificate == nil {
		t.Errorf("finding is %+v", f)
	}
	tr.expectFindings("EXPIRED_CERT_IN_USE")
	tr.wait(25 * time.Hour)
	get()
	tr.engine.Close()
	if f := tr.findings[0]; f.Severity != verdict.SeverityHigh {
		t.Errorf("severity after a day is %d", f.Severity)
	}
	tr.expectFindings("EXPIRED_CERT_IN_USE+3")
}

func TestPrivilegedAndExempt(t *testing.T) {
	tr := newTrace(t, `
identity:
  privileged:
    - {subject: {O: ops}, tenants: any, until: 2030-01-01, why: OPS-12}
    - {subject: {O: reseller}, tenants: [beta], until: 2030-01-01, why: parent}
exempt:
  - {route: "/report/**", until: 2030-01-01, why: reports}
  - {tables: [users], statements: select, until: 2030-01-01, why: uniqueness}
  - {route: "/old/**", until: 2020-01-01, why: past}
`)
	tr.known("acme", "beta", "gamma")
	db := tr.database()
	run := func(tenant, path, sql string, want string, results ...*event.Result) {
		t.Helper()
		c := tr.client(tenant)
		r := tr.request(c, 7, path)
		tr.sql(db, 7, sql, results...)
		tr.respond(c, r, 7, 200)
		tr.expect(want)
	}
	run("ops", "/", "SELECT * FROM invoices", "exempt thread row acme,beta,nobody [PRIVILEGED_ACCESS]", rows("acme", "beta", "nobody"))
	run("ops", "/", "SELECT id FROM invoices", "exempt thread [PRIVILEGED_ACCESS]")
	run("ops", "/", "SELECT 1", "no_tenant thread")
	run("reseller", "/", selectBeta, "exempt thread literal beta [PRIVILEGED_ACCESS]")
	run("reseller", "/", "SELECT 1 FROM invoices WHERE tenant_id = 'gamma'", "violation thread literal gamma [CROSS_TENANT_READ]")
	run("beta", "/", "SELECT 1 FROM invoices WHERE tenant_id = 'reseller'", "violation thread literal reseller [CROSS_TENANT_READ]")
	run("acme", "/report/1", selectBeta, "exempt thread literal beta")
	run("acme", "/old/1", selectBeta, "violation thread literal beta [CROSS_TENANT_READ]")
	run("acme", "/", "SELECT 1 FROM users WHERE tenant_id = 'beta'", "exempt thread literal beta")
	run("acme", "/", "UPDATE users SET x = 1 WHERE tenant_id = 'beta'", "violation thread literal beta [CROSS_TENANT_WRITE]")
	run("acme", "/", "SELECT 1 FROM users u JOIN invoices i ON i.id = u.id WHERE i.tenant_id = 'beta'", "violation thread literal beta [CROSS_TENANT_READ]")
}
