package correlate

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"tenantrace/collector/event"
	"tenantrace/correlate/policy"
	"tenantrace/correlate/verdict"
)

const revocationPolicy = "certificates: { revocation: { crl: /none } }\n"

// get plays a request with its answer.
func (tr *trace) get(c event.ConnID) {
	r := tr.request(c, 7, "/a")
	tr.respond(c, r, 7, 200)
}

func (tr *trace) revoke(c event.ConnID, reason string) {
	tr.play(&event.Revocation{Header: tr.head(web, 0), Conn: c, Since: tr.now - int64(time.Hour), Reason: reason})
}

func (tr *trace) gauge(name string) float64 {
	tr.t.Helper()
	families, err := tr.registry.Gather()
	if err != nil {
		tr.t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetGauge().GetValue()
		}
	}
	tr.t.Fatalf("no metric %s", name)
	return 0
}

// resume opens a connection with the verified certificate of a tenant, from a resumed session.
func (tr *trace) resume(tenant, name, before string) event.ConnID {
	c := tr.open()
	at := tr.head(web, web)
	tr.play(&event.Identity{
		Header: at, Conn: c, Role: event.RoleServer, Certificate: certificate(tenant), VerifyMode: 3, Version: "1.3", Source: "ssl",
		Resumed: true, ServerName: name, SessionName: before, SessionTime: at.Time - int64(90*time.Second),
	})
	return c
}

// E27: the list gains the serial number while the connection lives. E29, the twin: it gains others, and nothing is said of this client.
func TestRevokedOnEstablishedConnection(t *testing.T) {
	tr := newTrace(t, revocationPolicy)
	c, twin := tr.client("acme"), tr.client("beta")
	const revoked = "tenantrace_connections_revoked_certificate"
	tr.get(c)
	tr.expectFindings()
	open := tr.request(c, 7, "/slow")
	tr.play(&event.RevocationLists{Header: event.Header{Time: tr.now}, Digest: "d", Lists: 1, Entries: 1})
	tr.revoke(c, "keyCompromise")
	tr.respond(c, open, 7, 200)
	tr.expectFindings() // that request came before
	if tr.gauge(revoked) != 1 {
		t.Error("the gauge does not count the connection")
	}
	tr.get(c)
	f := tr.findings[0]
	if f.Severity != verdict.SeverityCritical || len(f.CWE) != 2 || f.CWE[0] != 370 || f.Evidence.IdentityTenant != "acme" || f.Evidence.Request == nil ||
		!strings.Contains(f.Detail, "on an established connection") || !strings.Contains(f.Detail, "keyCompromise") {
		t.Errorf("finding is %+v", f)
	}
	tr.expectFindings("REVOKED_CERT_IN_USE")
	for range 4 {
		tr.get(c)
		tr.get(twin)
	}
	tr.wait(61 * time.Second)
	tr.expectFindings("REVOKED_CERT_IN_USE+5")
	tr.play(&event.Revocation{Header: tr.head(web, 0), Conn: c, Lifted: true})
	tr.get(c)
	if tr.gauge(revoked) != 0 {
		t.Error("the gauge counts a certificate that was taken off the list")
	}
	tr.revoke(c, "")
	if tr.gauge(revoked) != 1 {
		t.Error("the gauge does not count it anew")
	}
	tr.play(&event.ConnectionClosed{Header: tr.head(web, 0), Conn: c})
	if tr.gauge(revoked) != 0 {
		t.Error("the gauge counts a closed connection")
	}
	tr.engine.Close()
	tr.expectFindings()
}

func TestRevokedOnResumedConnection(t *testing.T) {
	tr := newTrace(t, revocationPolicy)
	c := tr.resume("acme", "a.example", "a.example")
	tr.play(&event.Revocation{Header: event.Header{Time: tr.now, PID: web}, Conn: c, Since: tr.now})
	tr.get(c)
	if f := tr.findings[0]; !strings.Contains(f.Detail, "resumed a session") {
		t.Errorf("detail %q", f.Detail)
	}
	tr.expectFindings("REVOKED_CERT_IN_USE", "IDENTITY_FROM_RESUMED_SESSION")
	tr.get(c)
	next := tr.resume("acme", "a.example", "a.example") // another connection is another finding
	tr.play(&event.Revocation{Header: event.Header{Time: tr.now, PID: web}, Conn: next, Since: tr.now})
	tr.get(next)
	tr.expectFindings("REVOKED_CERT_IN_USE")
}

// A certificate that comes on a request that has begun, and one that is not verified, or a policy that does not ask.
func TestRevokedMarginal(t *testing.T) {
	tr := newTrace(t, revocationPolicy)
	c := tr.open()
	tr.identify(c, nil, 0)
	r := tr.request(c, 7, "/a")
	tr.identify(c, certificate("acme"), 0)
	tr.play(&event.Revocation{Header: event.Header{Time: tr.now, PID: web}, Conn: c, Since: 1})
	tr.respond(c, r, 7, 200)
	tr.expectFindings("REVOKED_CERT_IN_USE")
	tr.identify(c, certificate("acme"), 0) // the lists are asked anew for each identity: this one is on none
	tr.get(c)
	tr.expectFindings()

	stranger := tr.open()
	tr.identify(stranger, certificate("acme"), 20)
	tr.revoke(stranger, "")
	tr.get(stranger)
	tr.revoke(99, "") // of no connection that is known
	tr.expectFindings()
	if n := tr.gauge("tenantrace_connections_revoked_certificate"); n != 0 {
		t.Errorf("the gauge counts %v unverified connections", n)
	}

	tr = newTrace(t, "")
	c = tr.client("acme")
	tr.revoke(c, "")
	tr.get(c)
	tr.expectFindings()
}

// E25: the client comes back with a new certificate within the grace; the old connection is closed.
func TestRenewalIsClean(t *testing.T) {
	tr := newTrace(t, "certificates: { grace: 5m, max_connection_age: 24h, revocation: { crl: /none } }\n")
	c := tr.open()
	old := certificate("acme")
	old.NotAfter = tr.now + int64(time.Minute)
	tr.identify(c, old, 0)
	tr.get(c)
	tr.wait(3 * time.Minute)
	tr.get(c)
	tr.play(&event.ConnectionClosed{Header: tr.head(web, 0), Conn: c})
	tr.wait(10 * time.Minute)
	renewed := tr.client("acme")
	tr.get(renewed)
	fresh := certificate("acme") // or by renegotiation on the same connection
	fresh.SHA256, fresh.Serial = strings.Repeat("cd", 32), "20"
	tr.identify(renewed, fresh, 0)
	tr.get(renewed)
	tr.engine.Close()
	tr.expectFindings()
}

func TestConnectionTooOld(t *testing.T) {
	tr := newTrace(t, "certificates: { max_connection_age: 1h }\n")
	c, db := tr.client("acme"), tr.database()
	anonymous := tr.open()
	tr.wait(time.Hour - time.Second)
	tr.get(c)
	tr.expectFindings()
	tr.wait(2 * time.Second)
	tr.get(c)
	tr.get(anonymous) // nobody's: it cannot have got stale
	tr.sql(db, 9, "SELECT 1")
	if f := tr.findings[0]; f.Severity != verdict.SeverityLow || len(f.CWE) != 1 || f.CWE[0] != 613 {
		t.Errorf("finding is %+v", f)
	}
	tr.expectFindings("CONNECTION_TOO_OLD")
	tr.get(c)
	tr.wait(61 * time.Second)
	tr.expectFindings("CONNECTION_TOO_OLD+2")
	young := tr.client("acme")
	tr.get(young)
	tr.expectFindings()
}

// E30: the session of one server name is resumed at another. The twins: the same name in other letters, and names that are not known.
func TestResumedSession(t *testing.T) {
	tr := newTrace(t, "")
	for _, names := range [][2]string{{"a.example", "A.Example."}, {"a.example", ""}, {"", "a.example"}, {"", ""}} {
		c := tr.resume("acme", names[0], names[1])
		tr.expectFindings()
		tr.get(c)
		if len(tr.findings) == 1 {
			f := tr.findings[0]
			if f.Severity != verdict.SeverityInfo || len(f.CWE) != 2 || f.CWE[0] != 295 || !strings.Contains(f.Detail, "made 1m30s before") {
				t.Errorf("finding is %+v", f)
			}
			tr.expectFindings("IDENTITY_FROM_RESUMED_SESSION")
		}
		tr.get(c) // once for each connection
	}
	tr.expectFindings() // all of them are one
	c := tr.resume("acme", "b.example", "a.example")
	tr.get(c)
	if f := tr.findings[0]; f.Severity != verdict.SeverityHigh || !strings.Contains(f.Detail, `"a.example"`) || !strings.Contains(f.Detail, `"b.example"`) {
		t.Errorf("finding is %+v", f)
	}
	tr.get(c)
	tr.expectFindings("IDENTITY_FROM_RESUMED_SESSION")
	tr.engine.Close()
	tr.expectFindings("IDENTITY_FROM_RESUMED_SESSION+4")

	// What is shown on the resumed connection itself is no resumed session's.
	tr = newTrace(t, "")
	c = tr.open()
	anonymous := &event.Identity{Header: tr.head(web, web), Conn: c, Role: event.RoleServer, VerifyMode: 1, Version: "1.3", Source: "ssl", Resumed: true}
	tr.play(anonymous)
	later := *anonymous
	later.Header, later.Certificate = tr.head(web, web), certificate("acme")
	tr.play(&later)
	tr.get(c)
	if n := testutil.ToFloat64(tr.engine.metrics.tlsConns.WithLabelValues("app", "verified", "true")); n != 1 {
		t.Errorf("tls_connections counts %v resumed", n)
	}
	tr.expectFindings()
}

// E59: the certificate of a connection changes from one tenant's to another's, in the middle of a request.
func TestIdentityChangesToAnotherTenant(t *testing.T) {
	other := func(tenant string) *event.Certificate {
		c := certificate(tenant)
		c.SHA256, c.Serial = strings.Repeat("ef", 32), "21"
		return c
	}
	tr := newTrace(t, "request: { tenant: [ { path: \"/t/{tenant}/**\" } ] }\n")
	tr.known("gamma")
	c, db := tr.client("acme"), tr.database()
	r := tr.request(c, 7, "/t/beta/x")
	tr.sql(db, 7, "SELECT 1 FROM invoices WHERE tenant_id = 'acme'")
	tr.identify(c, other("beta"), 0)
	f := tr.findings[0]
	if f.Severity != verdict.SeverityHigh || len(f.CWE) != 1 || f.CWE[0] != 367 || f.Evidence.IdentityTenant != "beta" || f.Evidence.Request.Path != "/t/beta/x" ||
		!strings.Contains(f.Detail, `"acme"`) || !strings.Contains(f.Detail, `"beta"`) || f.First == 0 {
		t.Errorf("finding is %+v", f)
	}
	tr.expectFindings("IDENTITY_CHANGED_ON_CONNECTION")
	for _, tenant := range []string{"beta", "acme", "gamma"} {
		tr.sql(db, 7, "SELECT 1 FROM invoices WHERE tenant_id = '"+tenant+"'")
	}
	tr.respond(c, r, 7, 200)
	tr.expect("ok_exact thread literal acme", "ok_exact thread literal beta", "unattributed/conflict thread literal acme",
		"violation thread literal gamma [CROSS_TENANT_READ IDENTITY_TOCTOU]")
	tr.expectFindings("CROSS_TENANT_READ", "IDENTITY_TOCTOU")

	// Later requests are judged by the new identity alone.
	r = tr.request(c, 7, "/t/beta/x")
	tr.sql(db, 7, "SELECT 1 FROM invoices WHERE tenant_id = 'beta'")
	tr.sql(db, 7, "SELECT 1 FROM invoices WHERE tenant_id = 'acme'")
	tr.respond(c, r, 7, 200)
	tr.expect("ok_exact thread literal beta", "violation thread literal acme [CROSS_TENANT_READ IDENTITY_TOCTOU]")
	tr.findings = nil

	tr.identify(c, certificate("acme"), 0) // without a request
	tr.identify(c, nil, 0)
	tr.identify(c, other("beta"), 0) // nobody in between is no excuse
	tr.engine.Close()
	if n := len(tr.findings); n == 0 || tr.findings[n-1].Name == "" {
		t.Fatal("no finding")
	}
	changed := 0
	for _, f := range tr.findings {
		if f.Name == IdentityChanged {
			changed += int(f.Count)
		}
	}
	if changed != 1+2 { // beta to acme is a finding of its own; acme to beta the second of the first
		t.Errorf("%d changes in %v", changed, tr.findings)
	}
}

// What was written before the certificate changed is judged by what the connection had then.
func TestNoPardonByALaterIdentity(t *testing.T) {
	tr := newTrace(t, "")
	tr.known("beta")
	c, db := tr.client("acme"), tr.database()
	r := tr.request(c, 7, "/")
	tr.sql(db, 7, selectBeta)
	beta := certificate("beta")
	beta.SHA256 = strings.Repeat("ef", 32)
	tr.identify(c, beta, 0)
	tr.respond(c, r, 7, 200)
	tr.expect("violation thread literal beta [CROSS_TENANT_READ]")

	// Nor does one that is not verified, or one that comes again.
	c = tr.client("acme")
	r = tr.request(c, 7, "/")
	tr.identify(c, beta, 20)
	tr.sql(db, 7, selectBeta)
	tr.identify(c, certificate("acme"), 0)
	tr.sql(db, 7, selectBeta)
	tr.respond(c, r, 7, 200)
	tr.expect("violation thread literal beta [CROSS_TENANT_READ]", "violation thread literal beta [CROSS_TENANT_READ]")
}

// A client that renegotiates without end neither grows a request nor is judged by what is left of it.
func TestEndlessRenegotiation(t *testing.T) {
	tr := newTrace(t, "")
	tr.known("gamma")
	c, db := tr.client("acme"), tr.database()
	r := tr.request(c, 7, "/")
	for i := range 10_000 {
		cert := certificate([]string{"acme", "beta"}[i%2])
		cert.SHA256 = strings.Repeat([]string{"ab", "ef"}[i%2], 32)
		tr.identify(c, cert, 0)
	}
	for _, r := range tr.engine.requests.All() {
		if len(r.later) > maxEpochs {
			t.Fatalf("%d identities are kept", len(r.later))
		}
	}
	tr.sql(db, 7, "SELECT 1 FROM invoices WHERE tenant_id = 'gamma'")
	tr.respond(c, r, 7, 200)
	tr.expect("unattributed/conflict thread literal gamma")
	if most := 3; len(tr.findings) > most {
		t.Errorf("%d findings, want at most %d", len(tr.findings), most)
	}
}

// A policy that names tenants otherwise changes nobody's identity, and neither does another certificate of the same tenant.
func TestPolicyChangeIsNoIdentityChange(t *testing.T) {
	tr := newTrace(t, "")
	c := tr.client("acme")
	p, err := policy.Parse("test.yaml", []byte("version: 1\nidentity: { map: { entries: { acme: \"17\" } } }\n"), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	tr.engine.SetPolicy(p)
	tr.identify(c, certificate("acme"), 0)
	fresh := certificate("acme")
	fresh.SHA256 = strings.Repeat("cd", 32)
	db, r := tr.database(), tr.request(c, 7, "/")
	for i := range 3 * maxEpochs { // nor does it hide behind many
		fresh.SHA256 = strings.Repeat([]string{"cd", "ef"}[i%2], 32)
		other := *fresh
		tr.identify(c, &other, 0)
	}
	tr.sql(db, 7, "SELECT 1 FROM invoices WHERE tenant_id = '17'")
	tr.respond(c, r, 7, 200)
	tr.expect("ok_exact thread literal 17")
	tr.engine.Close()
	tr.expectFindings()
}

// A server that asks nobody for a certificate on this connection knows its client by the session that the client resumed: verified in the handshake that made
// it, or else nothing that failed. (Apache that asks by path.)
func TestResumedWithoutAsking(t *testing.T) {
	tr := newTrace(t, "request: { tenant: [ { path: \"/t/{tenant}/**\" } ] }\n")
	tr.known("beta")
	db := tr.database()
	play := func(resumed bool, result int64) {
		c := tr.open()
		tr.play(&event.Identity{Header: tr.head(web, web), Conn: c, Role: event.RoleServer, Certificate: certificate("acme"), Version: "1.3", Source: "ssl",
			VerifyResult: result, Resumed: resumed})
		r := tr.request(c, 7, "/t/beta/x")
		tr.sql(db, 7, "SELECT 1 FROM invoices WHERE tenant_id = 'acme'")
		tr.respond(c, r, 7, 200)
	}
	play(true, 0)
	tr.expect("ok_exact thread literal acme")
	tr.expectFindings("IDENTITY_FROM_RESUMED_SESSION", "REQUEST_TENANT_MISMATCH")
	play(true, 18)
	tr.expect("unattributed/unverified thread literal acme")
	tr.expectFindings("CERT_VERIFY_IGNORED")
	play(false, 0) // whether it was resumed is not known
	tr.expect("unattributed/unverified thread literal acme")
	tr.expectFindings()
}
