package correlate

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"tenantrace/collector/event"
	"tenantrace/correlate/policy"
	"tenantrace/correlate/verdict"
)

// directoryRows are rows of a tenant directory: pairs of slug and id.
func directoryRows(table uint32, pairs ...string) *event.Result {
	r := &event.Result{Tag: "SELECT 1", Count: uint64(len(pairs) / 2), Columns: []event.Column{
		{Name: "id", Table: table, Attr: 1, Owner: "id"}, {Name: "slug", Table: table, Attr: 2, Owner: "slug"},
	}}
	for i := 0; i+1 < len(pairs); i += 2 {
		r.Rows = append(r.Rows, []*string{&pairs[i+1], &pairs[i]})
	}
	return r
}

const directoryPolicy = `
request: { tenant: [{ header: X-Tenant }] }
database:
  - engine: postgres
    tenant: { columns: [tenant_id] }
    directory: { table: tenants, key: slug, id: id }
`

// TestDirectory holds that names in certificates become ids by what the application looks up, and by nothing else.
func TestDirectory(t *testing.T) {
	tr := newTrace(t, directoryPolicy)
	c, db := tr.client("acme"), tr.database()
	scoped := func(id int) string { return fmt.Sprintf("SELECT n FROM invoices WHERE tenant_id = %d", id) }

	r := tr.request(c, 7, "/")
	tr.sql(db, 7, scoped(7))
	tr.respond(c, r, 7, 200)
	tr.expect("unattributed/unmapped thread literal 7")

	// Columns of another table of the same names are no directory.
	r = tr.request(c, 7, "/")
	tr.sql(db, 7, "SELECT id, slug FROM articles", directoryRows(900, "acme", "8"))
	tr.sql(db, 7, scoped(8))
	tr.respond(c, r, 7, 200)
	tr.expect("no_tenant thread", "unattributed/unmapped thread literal 8")

	// The look-up comes first in a request: it counts for that request.
	r = tr.request(c, 7, "/")
	tr.sql(db, 7, "SELECT id, slug FROM public.tenants WHERE slug = 'acme'", directoryRows(800, "ACME", "7"))
	tr.sql(db, 7, scoped(7))
	tr.sql(db, 7, scoped(8))
	tr.respond(c, r, 7, 200)
	tr.expect("no_tenant thread", "ok_exact thread literal 7") // 8 waits for a name

	// A join with the directory is told by the table that its columns come from; it makes 8 known.
	r = tr.request(c, 7, "/", "x-tenant: beta")
	tr.sql(db, 7, "SELECT t.id, t.slug FROM domains d JOIN tenants t ON t.id = d.tenant", directoryRows(800, "beta", "8"))
	tr.respond(c, r, 7, 200)
	tr.expect("violation thread literal 8 [CROSS_TENANT_READ IDENTITY_TOCTOU]", "no_tenant thread")
	tr.expectFindings("CROSS_TENANT_READ", "IDENTITY_TOCTOU", "REQUEST_TENANT_MISMATCH")

	if got := tr.engine.directory.find("other", "acme"); got != nil {
		t.Errorf("another service knows %q", got)
	}
}

func TestHierarchy(t *testing.T) {
	tr := newTrace(t, `
identity: { hierarchy: { entries: { acme: [sub], sub: [deep] } } }
request: { tenant: [{ path: "/t/{tenant}" }] }
`)
	tr.known("other")
	tr.findings = nil
	db := tr.database()
	select_ := func(name string) string { return "SELECT n FROM invoices WHERE tenant_id = '" + name + "'" }
	parent := tr.client("acme")
	r := tr.request(parent, 7, "/t/deep")
	tr.sql(db, 7, select_("acme"))
	tr.sql(db, 7, select_("deep"))
	tr.sql(db, 7, "SELECT n FROM invoices WHERE tenant_id IN ('acme', 'sub')")
	tr.sql(db, 7, "SELECT n FROM invoices WHERE tenant_id IN ('sub', 'other')")
	tr.respond(parent, r, 7, 200)
	tr.expect("ok_exact thread literal acme", "exempt thread literal deep", "exempt thread literal acme,sub",
		"violation thread literal other,sub [CROSS_TENANT_READ IDENTITY_TOCTOU]")
	tr.expectFindings("CROSS_TENANT_READ", "IDENTITY_TOCTOU")
	for _, c := range []struct{ who, what string }{{"sub", "acme"}, {"deep", "sub"}, {"other", "sub"}} {
		child := tr.client(c.who)
		r := tr.request(child, 7, "/t/"+c.what)
		tr.sql(db, 7, select_(c.what))
		tr.respond(child, r, 7, 200)
		tr.expect("violation thread literal " + c.what + " [CROSS_TENANT_READ]")
		tr.expectFindings("CROSS_TENANT_READ", "REQUEST_TENANT_MISMATCH")
	}
	tr.expectMetric(`tenantrace_exempt_total{by="hierarchy",service="app"} 2`)
}

// expectMetric compares one series.
func (tr *trace) expectMetric(want string) {
	tr.t.Helper()
	families, err := tr.registry.Gather()
	if err != nil {
		tr.t.Fatal(err)
	}
	name, _, _ := strings.Cut(want, "{")
	name, _, _ = strings.Cut(name, " ")
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, fmt.Sprintf("%s=%q", l.GetName(), l.GetValue()))
			}
			series := name
			if len(labels) > 0 {
				series += "{" + strings.Join(labels, ",") + "}"
			}
			value := m.GetCounter().GetValue() + m.GetGauge().GetValue()
			if fmt.Sprintf("%s %v", series, value) == want {
				return
			}
		}
	}
	got, _ := testutil.GatherAndCount(tr.registry, name)
	tr.t.Errorf("no %s among %d series", want, got)
}

// TestServices holds that processes are judged by the rules of their service.
func TestServices(t *testing.T) {
	tr := newTrace(t, `
services:
  - service: shop
    select: { unit: shop.service }
    identity: { map: { entries: { acme: 1, beta: 2 } } }
    database: [{ engine: postgres, tenant: { columns: [store_id] } }]
  - service: edge
    select: { listen: 9443 }
    identity: { tenant: [{ subject: { CN: "{tenant}" } }] }
  - service: pod
    select: { cgroup: "/kubepods/*/x" }
    database: []
`)
	tr.known("beta")
	start := func(pid uint32, service, cgroup string) {
		tr.play(&event.ProcessStarted{Header: tr.head(pid, pid), Exe: "/usr/bin/x", Name: "x", Service: service, Cgroup: cgroup})
	}
	start(200, "shop", "/system.slice/shop.service")
	start(201, "shop", "/user.slice/shop") // an executable of the name of the unit is not the unit
	start(202, "x", "")
	start(203, "x", "/kubepods/burstable/x")
	for _, c := range []struct {
		pid  uint32
		port int
		sql  string
		want string
	}{
		{200, 8443, "SELECT n FROM invoices WHERE store_id = 1", "shop ok_exact thread literal 1"},
		{200, 8443, "SELECT n FROM invoices WHERE store_id = 2", "shop violation thread literal 2 [CROSS_TENANT_READ]"},
		{200, 8443, "SELECT n FROM invoices WHERE tenant_id = 'beta'", "shop no_tenant thread"},
		{201, 8443, "SELECT n FROM invoices WHERE tenant_id = 'acme'", "shop ok_exact thread literal acme"},
		{201, 8443, "SELECT n FROM invoices WHERE store_id = 2", "shop no_tenant thread"},
		{202, 9443, "SELECT n FROM invoices WHERE tenant_id = 'api'", "edge ok_exact thread literal api"},
		{203, 8443, "SELECT n FROM invoices WHERE tenant_id = 'beta'", "pod no_tenant thread"},
		{web, 8443, "SELECT n FROM invoices WHERE tenant_id = 'acme'", "app ok_exact thread literal acme"},
	} {
		tr.conns += 2
		client, db := tr.conns-1, tr.conns
		tr.play(&event.ConnectionOpened{Header: tr.head(c.pid, c.pid), Conn: client, Role: event.RoleServer, TLS: true, Net: "tcp", Local: fmt.Sprintf("10.0.0.1:%d", c.port), Remote: "10.0.0.9:1"})
		tr.play(&event.Identity{Header: tr.head(c.pid, c.pid), Conn: client, Role: event.RoleServer, Certificate: certificate("acme"), VerifyMode: 3, Source: "ssl"})
		tr.play(&event.HTTPRequest{Header: tr.head(c.pid, c.pid), Conn: client, Seq: 1, Method: "GET", Path: "/"})
		tr.play(&event.ConnectionOpened{Header: tr.head(c.pid, c.pid), Conn: db, Role: event.RoleClient, Net: "tcp", Local: "127.0.0.1:1", Remote: "127.0.0.1:5432"})
		tr.play(&event.SessionStarted{Header: tr.head(c.pid, c.pid), Conn: db, Engine: event.PostgreSQL, Database: fmt.Sprintf("d%d", db), User: "app"})
		tr.play(&event.Statement{Header: tr.head(c.pid, c.pid), Conn: db, Seq: 1, Simple: true, Text: c.sql})
		tr.play(&event.Result{Header: tr.head(c.pid, c.pid), Conn: db, Seq: 1, Last: true, Tag: "SELECT 1"})
		tr.play(&event.SessionReady{Header: tr.head(c.pid, c.pid), Conn: db, Status: event.TxIdle})
		tr.play(&event.HTTPResponseEnd{Header: tr.head(c.pid, c.pid), Conn: client, Seq: 1})
		if v := tr.last(); v.Service+" "+summary(v) != c.want {
			t.Errorf("%d, %s: %s %s, want %s", c.pid, c.sql, v.Service, summary(v), c.want)
		}
	}
}

// TestEndedAllowance holds that an exemption stops at its end, that what it would have covered is counted, and that its end is said once.
func TestEndedAllowance(t *testing.T) {
	var log bytes.Buffer
	p, err := policy.Parse("p.yaml", []byte("version: 1\nexempt:\n  - { db_role: app, until: 2023-11-14, why: OPS-1 }\n  - { application_name: \"job*\", until: 2027-01-01, why: OPS-2 }\n"), "")
	if err != nil {
		t.Fatal(err)
	}
	tr := newTrace(t, "")
	tr.engine.log = slog.New(slog.NewTextHandler(&log, nil))
	tr.engine.SetPolicy(p)
	tr.known("beta")
	tr.now = time.Date(2023, 11, 14, 23, 59, 0, 0, time.UTC).UnixNano()
	db := tr.database()
	tr.visit(db, selectBeta)
	tr.expect("exempt thread literal beta")
	tr.wait(10 * time.Second)
	tr.expectMetric("tenantrace_policy_allowances_ended 0")
	tr.wait(time.Minute)
	tr.visit(db, selectBeta)
	tr.expect("violation thread literal beta [CROSS_TENANT_READ]")
	tr.wait(10 * time.Second)
	tr.expectMetric("tenantrace_policy_allowances_ended 1")
	tr.expectMetric(`tenantrace_exempt_total{by="exemption",service="app"} 1`)
	tr.expectMetric(`tenantrace_allowance_lapsed_total{service="app"} 1`)
	if n := strings.Count(log.String(), "an allowance of the policy has ended"); n != 1 || !strings.Contains(log.String(), "OPS-1") {
		t.Errorf("said %d times:\n%s", n, &log)
	}
	tr.visit(tr.sessionAs(event.PostgreSQL, "shop", "app", map[string]string{"application_name": "job-1"}), selectBeta)
	tr.expect("exempt thread literal beta")
	tr.visit(db, "SET application_name = 'jobs'", selectBeta, "SET application_name = 'web'", selectBeta)
	tr.expect("no_tenant thread", "exempt thread literal beta", "no_tenant thread", "violation thread literal beta [CROSS_TENANT_READ]")
}

// TestEndedPrivilege holds the same of privileges: one that ends while its connection lives covers nothing from then on.
func TestEndedPrivilege(t *testing.T) {
	tr := newTrace(t, `
identity:
  privileged:
    - { subject: { O: acme }, tenants: [beta], until: 2023-11-14, why: OPS-1 }
    - { subject: { O: other }, tenants: any, until: 2023-11-14, why: OPS-2 }
    - { subject: { O: third }, tenants: request, until: 2023-11-14, why: OPS-3 }
request: { tenant: [{ path: "/t/{tenant}" }] }
`)
	tr.known("beta", "gamma")
	tr.now = time.Date(2023, 11, 14, 23, 59, 0, 0, time.UTC).UnixNano()
	db := tr.database()
	conns := map[string]event.ConnID{"acme": tr.client("acme"), "other": tr.client("other"), "third": tr.client("third")}
	run := func(tenant, path, beta, gamma string) {
		t.Helper()
		r := tr.request(conns[tenant], 7, path)
		tr.sql(db, 7, selectBeta)
		tr.sql(db, 7, strings.Replace(selectBeta, "beta", "gamma", 1))
		tr.respond(conns[tenant], r, 7, 200)
		tr.expect(beta, gamma)
	}
	const exemptBeta, exemptGamma = "exempt thread literal beta [PRIVILEGED_ACCESS]", "exempt thread literal gamma [PRIVILEGED_ACCESS]"
	const wrongBeta, wrongGamma = "violation thread literal beta [CROSS_TENANT_READ]", "violation thread literal gamma [CROSS_TENANT_READ]"
	run("acme", "/", exemptBeta, wrongGamma)
	run("other", "/", exemptBeta, exemptGamma)
	run("third", "/t/beta", exemptBeta, wrongGamma)
	tr.expectMetric(`tenantrace_exempt_total{by="privilege",service="app"} 4`)
	tr.expectMetric(`tenantrace_policy_allowances_ended 0`)
	tr.wait(2 * time.Minute)
	run("acme", "/", wrongBeta, wrongGamma)
	tr.expectMetric(`tenantrace_allowance_lapsed_total{service="app"} 1`) // gamma it never covered
	run("other", "/", wrongBeta, wrongGamma)
	tr.expectMetric(`tenantrace_allowance_lapsed_total{service="app"} 3`)
	run("third", "/t/beta", wrongBeta, wrongGamma)
	tr.expectMetric(`tenantrace_allowance_lapsed_total{service="app"} 4`)
	tr.expectMetric(`tenantrace_policy_allowances_ended 3`)
}

func TestVerdictLinks(t *testing.T) {
	tr := newTrace(t, "verdict: { links: [token] }\nevidence: { path: template }\nrequest: { tenant: [{ path: \"/t/{tenant}/**\" }] }\n")
	tr.known("beta")
	tr.visit(tr.database(), selectBeta)
	tr.expect("unattributed/no_link none literal beta")
	tr = newTrace(t, "verdict: { links: [thread] }\nevidence: { path: template }\nrequest: { tenant: [{ path: \"/t/{tenant}/**\" }] }\n")
	tr.known("beta")
	c, db := tr.client("acme"), tr.database()
	r := tr.request(c, 7, "/t/acme/orders/17?x=1")
	tr.sql(db, 7, selectBeta)
	tr.respond(c, r, 7, 200)
	if v := tr.last(); v.Verdict != verdict.Violation || v.Request.Path != "/t/{tenant}/orders/{id}" {
		t.Errorf("%s, path %q", summary(v), v.Request.Path)
	}
}

// TestBehindProxy holds that the certificate of a proxy's own connection is nobody's, whatever it names.
func TestBehindProxy(t *testing.T) {
	tr := newTrace(t, "identity: { from: header, trusted_proxies: [10.0.0.0/8], headers: { subject: X-DN } }\nrequest: { tenant: [{ path: \"/t/{tenant}\" }] }\n")
	c, db := tr.client("acme"), tr.database()
	tr.client("beta")
	r := tr.request(c, 7, "/t/beta")
	tr.sql(db, 7, selectBeta)
	tr.identify(c, certificate("beta"), 0)
	tr.respond(c, r, 7, 200)
	tr.expect("unattributed/identity_unknown thread literal beta")
	tr.expectFindings()
	if len(tr.engine.names.seen) > 0 {
		t.Errorf("the proxy's certificate made names known: %v", tr.engine.names.seen)
	}
}
