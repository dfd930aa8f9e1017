package correlate

import (
	"fmt"
	"testing"
	"time"

	"tenantrace/correlate/policy"
)

func TestUnknownName(t *testing.T) {
	tr := newTrace(t, "")
	c, db := tr.client("acme"), tr.database()
	foreign := func() {
		r := tr.request(c, 7, "/")
		tr.sql(db, 7, selectBeta)
		tr.respond(c, r, 7, 200)
	}
	foreign()
	tr.expect()
	tr.wait(59 * time.Second)
	tr.expect()
	tr.wait(2 * time.Second)
	tr.expect("unattributed/tenant_unknown thread literal beta")

	foreign()
	tr.expect()
	c2 := tr.open()
	tr.identify(c2, certificate("beta"), 18) // not verified: proves no name
	tr.expect()
	tr.identify(c2, certificate("Beta "), 0)
	tr.expect("violation thread literal beta [CROSS_TENANT_READ]")
	foreign()
	tr.expect("violation thread literal beta [CROSS_TENANT_READ]")
	tr.expectFindings("CROSS_TENANT_READ") // one key
}

func TestSeveralUnknownNames(t *testing.T) {
	tr := newTrace(t, "")
	c, db := tr.client("acme"), tr.database()
	run := func(sql string) {
		r := tr.request(c, 7, "/")
		tr.sql(db, 7, sql)
		tr.respond(c, r, 7, 200)
	}
	run("SELECT 1 FROM invoices WHERE tenant_id IN ('beta', 'gamma')")
	tr.expect()
	tr.known("gamma")
	tr.expect("violation thread literal beta,gamma [CROSS_TENANT_READ]")
	run("SELECT 1 FROM invoices WHERE tenant_id IN ('acme', 'delta')")
	tr.engine.Close()
	tr.expect("unattributed/tenant_unknown thread literal acme,delta")
}

func TestNamesOfAnotherService(t *testing.T) {
	tr := newTrace(t, "")
	tr.play(processStarted(tr, 200, "other"))
	tr.conns++
	c := tr.conns
	tr.play(opened(tr, 200, c))
	tr.play(identity(tr, 200, c, certificate("beta")))
	acme, db := tr.client("acme"), tr.database()
	r := tr.request(acme, 7, "/")
	tr.sql(db, 7, selectBeta)
	tr.respond(acme, r, 7, 200)
	tr.expect()
	tr.play(processStarted(tr, 300, "app")) // another process of the same service
	tr.conns++
	tr.play(opened(tr, 300, tr.conns))
	tr.play(identity(tr, 300, tr.conns, certificate("beta")))
	tr.expect("violation thread literal beta [CROSS_TENANT_READ]")
}

func TestPolicyMakesNamesKnown(t *testing.T) {
	tr := newTrace(t, "")
	c, db := tr.client("acme"), tr.database()
	r := tr.request(c, 7, "/")
	tr.sql(db, 7, selectBeta)
	tr.respond(c, r, 7, 200)
	tr.expect()
	p, err := policy.Parse("p.yaml", []byte("version: 1\nservice: renamed\nidentity:\n  map: {entries: {acme: acme, beta: beta}}\n"), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	tr.engine.SetPolicy(p)
	if v := tr.last(); v.Service != "renamed" || v.Policy != p.Hash() {
		t.Errorf("service %q, policy %q", v.Service, v.Policy)
	}
	tr.expect("violation thread literal beta [CROSS_TENANT_READ]")
}

func TestHoldIsBounded(t *testing.T) {
	tr := newTrace(t, "", Limits{Held: 5})
	c, db := tr.client("acme"), tr.database()
	for i := range 8 {
		r := tr.request(c, 7, "/")
		tr.sql(db, 7, fmt.Sprintf("SELECT 1 FROM invoices WHERE tenant_id = 'x%d'", i%2))
		tr.respond(c, r, 7, 200)
	}
	tr.expect("unattributed/tenant_unknown thread literal x0", "unattributed/tenant_unknown thread literal x1", "unattributed/tenant_unknown thread literal x0")
	if n := len(tr.engine.names.waiting); n != 2 {
		t.Errorf("%d names waited for, want 2", n)
	}
	tr.wait(time.Minute)
	if n := len(tr.engine.names.waiting); n != 0 || tr.engine.held.n != 0 {
		t.Errorf("%d names waited for by %d statements, want none", n, tr.engine.held.n)
	}
}

// With a map, certificates and the database name tenants differently; a request may use either name.
func TestMap(t *testing.T) {
	tr := newTrace(t, "identity:\n  map: {entries: {acme: \"42\", beta: \"77\"}}\n"+pathPolicy)
	c, db := tr.client("acme"), tr.database()
	run := func(path, sql string) {
		r := tr.request(c, 7, path)
		tr.sql(db, 7, sql)
		tr.respond(c, r, 7, 200)
	}
	run("/t/acme/x", "SELECT 1 FROM invoices WHERE tenant_id = 42")
	run("/t/42/x", "SELECT 1 FROM invoices WHERE tenant_id = 77")
	run("/t/beta/x", "SELECT 1")
	run("/t/77/x", "SELECT 1")
	run("/t/99/x", "SELECT 1")
	tr.expect("ok_exact thread literal 42", "violation thread literal 77 [CROSS_TENANT_READ]", "no_tenant thread", "no_tenant thread", "no_tenant thread")
	tr.expectFindings("CROSS_TENANT_READ", "REQUEST_TENANT_MISMATCH", "REQUEST_TENANT_MISMATCH")
	run("/", "SELECT 1 FROM invoices WHERE tenant_id = 'beta'") // no name of the database
	tr.engine.Close()
	tr.expect("unattributed/tenant_unknown thread literal beta")
}
