package correlate

import (
	"testing"

	"tenantrace/correlate/policy"
)

// TestUnscopedRows holds that a look-up is one finding whichever tenants' rows it returns, but where the policy wants one for each tenant.
func TestUnscopedRows(t *testing.T) {
	for mode, want := range map[string][]string{"aggregate": {"UNSCOPED_LOOKUP"}, "finding": {"UNSCOPED_LOOKUP", "UNSCOPED_LOOKUP"}, "off": nil} {
		tr := newTrace(t, "database: [{ engine: postgres, unscoped: "+mode+", tenant: { columns: [tenant_id] } }]\n")
		acme, beta, db := tr.client("acme"), tr.client("beta"), tr.database()
		for range 2 {
			r := tr.request(acme, 7, "/a")
			tr.sql(db, 7, selectByKey, rows("acme"))
			tr.respond(acme, r, 7, 200)
			r = tr.request(beta, 7, "/a")
			tr.sql(db, 7, selectByKey, rows("beta"))
			tr.respond(beta, r, 7, 200)
		}
		tr.expectFindings(want...)
	}
}

// TestUnscopedByDefault holds that what scopes an application that no policy describes is not guessed: row level security by a setting that nobody named is
// no finding, and is counted.
func TestUnscopedByDefault(t *testing.T) {
	for _, engine := range []string{policy.Postgres, policy.MySQL} {
		if mode := policy.Default().Database(engine, "", "").Unscoped; mode != policy.UnscopedOff {
			t.Errorf("%s: %s", engine, mode)
		}
	}
	tr := newTrace(t, "")
	acme, db := tr.client("acme"), tr.database()
	tr.owns(db)
	tr.serve(acme, db, 7, "/a", "SET my.tenant = 'acme'", unscoped)
	tr.expect("no_tenant thread", "unattributed/no_evidence thread")
	tr.expectFindings()
	tr.expectMetric(`tenantrace_unattributed_total{reason="no_evidence",service="app"} 1`)
}
