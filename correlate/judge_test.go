package correlate

import (
	"testing"

	"tenantrace/collector/event"
)

const (
	selectScoped = "SELECT id, tenant_id FROM invoices WHERE tenant_id = 'acme'"
	selectBeta   = "SELECT id, tenant_id FROM invoices WHERE tenant_id = 'beta'"
	selectTwice  = "SELECT id, tenant_id FROM invoices WHERE tenant_id = $1 AND tenant_id = $2"
	selectByKey  = "SELECT id, tenant_id FROM invoices WHERE id = 7"
)

// TestOneStatement runs one statement in a request of acme, in a service that knows acme and beta.
func TestOneStatement(t *testing.T) {
	for _, test := range []struct {
		name, sql string
		params    []string
		result    *event.Result
		want      string
	}{
		{"scoped to its own", selectScoped, nil, nil, "ok_exact thread literal acme"},
		{"own rows", selectScoped, nil, rows("acme", "acme"), "ok_exact thread row acme"},
		{"scoped to another", selectBeta, nil, nil, "violation thread literal beta [CROSS_TENANT_READ]"},
		{"scoped to another, error", selectBeta, nil, failure("57014"), "violation thread literal beta [CROSS_TENANT_READ]"},
		{"another in any case", "SELECT 1 FROM invoices WHERE tenant_id = ' BETA '", nil, nil, "violation thread literal beta [CROSS_TENANT_READ]"},
		{"bind", "SELECT * FROM invoices WHERE tenant_id = $1", []string{"acme"}, nil, "ok_exact thread bind acme"},
		{"foreign bind", "SELECT * FROM invoices WHERE tenant_id = $1 AND id = $2", []string{"beta", "7"}, rows("beta"), "violation thread row beta [CROSS_TENANT_READ]"},
		{"foreign bind, no rows", "SELECT * FROM invoices WHERE tenant_id = $1", []string{"beta"}, nil, "violation thread bind beta [CROSS_TENANT_READ]"},
		{"array", "SELECT * FROM invoices WHERE tenant_id = ANY($1)", []string{"{acme}"}, nil, "ok_exact thread bind acme"},
		{"foreign array", "SELECT * FROM invoices WHERE tenant_id = ANY($1)", []string{`{"acme",beta}`}, nil, "violation thread bind acme,beta [CROSS_TENANT_READ]"},
		{"two binds", selectTwice, []string{"acme", "acme"}, nil, "ok_exact thread bind acme"},
		{"two foreign binds", selectTwice, []string{"beta", "beta"}, nil, "violation thread bind beta [CROSS_TENANT_READ]"},
		{"two binds that exclude each other", selectTwice, []string{"acme", "beta"}, nil, "unattributed/no_evidence thread"},
		{"by key, own row", selectByKey, nil, rows("acme"), "ok_exact thread row acme"},
		{"by key, foreign row", selectByKey, nil, rows("beta"), "violation thread row beta [CROSS_TENANT_BY_KEY]"},
		{"scoped, foreign row", "SELECT * FROM invoices i JOIN notes n ON n.id = i.id WHERE i.tenant_id = 'acme'", nil, rows("acme", "beta"), "violation thread row acme,beta [CROSS_TENANT_READ MIXED_TENANTS_IN_RESULT]"},
		{"no evidence", "SELECT id FROM invoices WHERE id = 7", nil, nil, "unattributed/no_evidence thread"},
		{"null bind", "SELECT id FROM invoices WHERE tenant_id = $1", []string{"acme"}, nil, "ok_exact thread bind acme"},
		{"insert", "INSERT INTO invoices (id, tenant_id) VALUES (1, 'acme')", nil, nil, "ok_exact thread literal acme"},
		{"foreign insert", "INSERT INTO invoices (id, tenant_id) VALUES (1, 'acme'), (2, 'beta')", nil, nil, "violation thread literal acme,beta [CROSS_TENANT_WRITE]"},
		{"foreign update", "UPDATE invoices SET paid = true WHERE tenant_id = 'beta'", nil, nil, "violation thread literal beta [CROSS_TENANT_WRITE]"},
		{"update into another", "UPDATE invoices SET tenant_id = 'beta' WHERE tenant_id = 'acme'", nil, nil, "violation thread literal acme,beta [CROSS_TENANT_WRITE]"},
		{"foreign delete", "DELETE FROM invoices WHERE tenant_id = 'beta'", nil, nil, "violation thread literal beta [CROSS_TENANT_WRITE]"},
		{"update by key returns a foreign row", "UPDATE invoices SET paid = true WHERE id = 7 RETURNING tenant_id", nil, rows("beta"), "violation thread row beta [CROSS_TENANT_WRITE]"},
		{"write from a foreign read", "INSERT INTO archive (id, tenant_id) SELECT id, 'acme' FROM invoices WHERE tenant_id = 'beta'", nil, nil, "violation thread literal acme,beta [CROSS_TENANT_READ]"},
		{"heuristic", "SELECT id FROM invoices WHERE tenant_id = 'beta' OR public", nil, nil, "unattributed/no_evidence thread"},
		{"no table", "SELECT 1", nil, nil, "no_tenant thread"},
		{"begin", "BEGIN", nil, nil, "no_tenant thread"},
		{"catalog", "SELECT relname FROM pg_class", nil, nil, "no_tenant thread"},
		{"table without a tenant column", "SELECT * FROM plans", nil, nil, "no_tenant thread"},
		{"set_config", "SELECT set_config('app.tenant_id', 'beta', true)", nil, nil, "no_tenant thread"},
		{"prepare", "PREPARE q AS " + selectBeta, nil, nil, "no_tenant thread"},
		{"explain", "EXPLAIN " + selectBeta, nil, nil, "no_tenant thread"},
		{"explain analyze", "EXPLAIN ANALYZE " + selectBeta, nil, nil, "violation thread literal beta [CROSS_TENANT_READ]"},
		{"computed column alone", "SELECT count(*) AS tenant_id FROM invoices", nil, rowsOf(0, "beta"), "unattributed/no_evidence thread heuristic beta"},
		{"empty tenant", "SELECT * FROM invoices WHERE tenant_id = ''", nil, nil, "unattributed/no_evidence thread"},
	} {
		t.Run(test.name, func(t *testing.T) {
			tr := newTrace(t, "")
			tr.known("beta")
			c, db := tr.client("acme"), tr.database()
			tr.sql(db, 9, "SELECT tenant_id FROM invoices WHERE tenant_id = 'x'") // invoices is tenant-owned
			tr.lines = nil
			r := tr.request(c, 7, "/invoices")
			var results []*event.Result
			if test.result != nil {
				results = append(results, test.result)
			}
			tr.execute(db, 7, test.sql, test.params, results...)
			tr.respond(c, r, 7, 200)
			tr.expect(test.want)
		})
	}
}

func TestTOCTOU(t *testing.T) {
	tr := newTrace(t, "")
	tr.known("beta")
	c, db := tr.client("acme"), tr.database()
	r := tr.request(c, 7, "/invoices")
	tr.sql(db, 7, selectScoped)
	tr.sql(db, 7, "SELECT 1")
	tr.sql(db, 7, selectBeta)
	tr.expect() // the request is still open
	tr.respond(c, r, 7, 200)
	line := tr.last()
	if line.Timeline.Check == 0 || line.Timeline.CheckSQL == "" || line.Timeline.Use <= line.Timeline.Check || line.Timeline.Response <= line.Timeline.Use {
		t.Errorf("timeline is %+v", line.Timeline)
	}
	tr.expect("ok_exact thread literal acme", "no_tenant thread", "violation thread literal beta [CROSS_TENANT_READ IDENTITY_TOCTOU]")
	tr.expectFindings("CROSS_TENANT_READ", "IDENTITY_TOCTOU")

	// In the other order nothing was checked first, and another request's check does not count.
	r = tr.request(c, 7, "/invoices")
	tr.sql(db, 7, selectBeta)
	tr.sql(db, 7, selectScoped)
	tr.respond(c, r, 7, 200)
	tr.expect("violation thread literal beta [CROSS_TENANT_READ]", "ok_exact thread literal acme")

	// Two statements of one Query message.
	r = tr.request(c, 7, "/invoices")
	tr.sql(db, 7, selectScoped+"; "+selectBeta, result("SELECT 0"), result("SELECT 0"))
	tr.respond(c, r, 7, 200)
	tr.expect("ok_exact thread literal acme", "violation thread literal beta [CROSS_TENANT_READ IDENTITY_TOCTOU]")
}

func TestLineOfAViolation(t *testing.T) {
	tr := newTrace(t, "")
	tr.known("beta")
	c, db := tr.client("acme"), tr.database()
	r := tr.request(c, 7, "/t/beta/invoices")
	tr.sql(db, 7, selectBeta, rows("beta", "beta"))
	tr.respond(c, r, 7, 200)
	v := tr.last()
	if v.Version != 1 || v.IdentityLevel != "connection" || v.IdentityTenant != "acme" || v.Service != "app" || v.PID != web || v.TID != 7 {
		t.Errorf("line is %+v", v)
	}
	if v.Connection == nil || v.Connection.Remote != "10.0.0.9:4002" || v.Connection.Local != "10.0.0.1:8443" || v.Connection.TLS != "1.3" {
		t.Errorf("connection is %+v", v.Connection)
	}
	if v.Request == nil || v.Request.Method != "GET" || v.Request.Path != "/t/beta/invoices" || v.Request.ID != "r2-1" || v.Request.Status != 200 {
		t.Errorf("request is %+v", v.Request)
	}
	if v.Certificate == nil || len(v.Certificate.SHA256) != 64 || v.Certificate.Details.Subject != "CN=api,O=acme" {
		t.Errorf("certificate is %+v", v.Certificate)
	}
	s := v.SQL
	if s.Engine != "postgresql" || s.Server != "127.0.0.1:5432" || s.Database != "shop" || s.Rows != 2 || len(s.Fingerprint) != 16 || s.Shape == "" {
		t.Errorf("statement is %+v", s)
	}
	if v.Policy != tr.engine.policy.Hash() || v.Time[len(v.Time)-1] != 'Z' || len(v.Time) != len("2006-01-02T15:04:05.000000000Z") {
		t.Errorf("policy %q, time %q", v.Policy, v.Time)
	}
}
