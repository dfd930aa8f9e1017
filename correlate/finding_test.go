package correlate

import (
	"fmt"
	"testing"
	"time"

	"tenantrace/correlate/verdict"
)

func TestAggregation(t *testing.T) {
	tr := newTrace(t, "")
	tr.known("beta")
	c, db := tr.client("acme"), tr.database()
	run := func(path, sql string) {
		r := tr.request(c, 7, path)
		tr.sql(db, 7, sql)
		tr.respond(c, r, 7, 200)
	}
	run("/invoices/1", "SELECT 1 FROM invoices WHERE tenant_id = 'beta' AND id = 1")
	first := tr.findings[0]
	if first.Update || first.Count != 1 || first.First != first.Last || len(first.UID) != 64 || first.Severity != verdict.SeverityCritical || len(first.CWE) != 3 {
		t.Errorf("finding is %+v", first)
	}
	tr.expectFindings("CROSS_TENANT_READ")
	for i := range 4 { // other literals, same shape and route
		run(fmt.Sprintf("/invoices/%d", i), fmt.Sprintf("SELECT 1 FROM invoices WHERE tenant_id = 'beta' AND id = %d", i))
	}
	tr.wait(30 * time.Second)
	tr.expectFindings()
	tr.wait(31 * time.Second)
	update := tr.findings[0]
	if update.UID != first.UID || update.First != first.First || update.Last <= first.Last || update.Key != first.Key {
		t.Errorf("update is %+v", update)
	}
	tr.expectFindings("CROSS_TENANT_READ+5")
	tr.wait(5 * time.Minute)
	tr.expectFindings() // nothing new
	run("/invoices/9", "SELECT 1 FROM invoices WHERE tenant_id = 'beta' AND id = 9")
	tr.wait(2 * time.Second)
	tr.expectFindings("CROSS_TENANT_READ+6") // the last update was long ago
	run("/invoices/9", "SELECT 1 FROM invoices WHERE tenant_id = 'beta' AND id = 9")
	tr.engine.Close()
	tr.expectFindings("CROSS_TENANT_READ+7")
	tr.engine.Close()
	tr.expectFindings()

	tr = newTrace(t, "")
	tr.known("beta", "gamma")
	c, db = tr.client("acme"), tr.database()
	run("/a", selectBeta)
	run("/b", selectBeta)
	run("/a", "SELECT 1 FROM invoices WHERE tenant_id = 'beta'")
	run("/a", "SELECT id, tenant_id FROM invoices WHERE tenant_id = 'gamma'")
	tr.expectFindings("CROSS_TENANT_READ", "CROSS_TENANT_READ", "CROSS_TENANT_READ", "CROSS_TENANT_READ")
}

func TestFindingsAreBounded(t *testing.T) {
	tr := newTrace(t, "", Limits{Findings: 2})
	tr.known("beta")
	c, db := tr.client("acme"), tr.database()
	for _, path := range []string{"/a", "/a", "/b", "/c", "/a"} {
		r := tr.request(c, 7, path)
		tr.sql(db, 7, selectBeta)
		tr.respond(c, r, 7, 200)
	}
	tr.expectFindings("CROSS_TENANT_READ", "CROSS_TENANT_READ", "CROSS_TENANT_READ", "CROSS_TENANT_READ+2", "CROSS_TENANT_READ")
	if a, b := findingKey("a|b", "c"), findingKey("a", "b|c"); a == b {
		t.Errorf("different parts have the same key %q", a)
	}
}
