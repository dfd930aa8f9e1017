package correlate

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"tenantrace/collector/event"
	"tenantrace/correlate/verdict"
)

const selectGamma = "SELECT id, tenant_id FROM invoices WHERE tenant_id = 'gamma'"

// multiplex makes a thread one that multiplexes, so that nothing can be told by it.
func (tr *trace) multiplex(tid uint32) {
	c := tr.client("loop")
	r := tr.request(c, tid, "/")
	tr.waited(tid)
	tr.respond(c, r, tid, 200)
	tr.wait(3 * time.Second)
}

// loop is a trace with an event loop on thread 7 and no request that lingers.
func loop(t *testing.T, policyText string) *trace {
	tr := newTrace(t, policyText)
	tr.known("beta", "gamma")
	tr.multiplex(7)
	tr.database() // another than the test's
	return tr
}

func TestSetOfOneTenant(t *testing.T) {
	tr := loop(t, "")
	a, b, db := tr.client("acme"), tr.client("acme"), tr.database()
	tr.request(a, 7, "/1")
	tr.request(b, 7, "/2")
	tr.sql(db, 7, selectScoped)
	if v := tr.last(); v.IdentityTenant != "acme" || v.IdentityLevel != verdict.LevelConnection || v.Connection != nil || v.Request != nil || v.Certificate != nil ||
		!slices.Equal(v.Candidates, []verdict.Candidate{{ID: "r5-1", Tenant: "acme"}, {ID: "r6-1", Tenant: "acme"}}) {
		t.Errorf("%+v", v)
	}
	tr.expect("ok_exact set literal acme")
	tr.sql(db, 7, selectBeta)
	tr.sql(db, 7, "SELECT 1")
	tr.expect("violation set literal beta [CROSS_TENANT_READ]", "no_tenant none")
	tr.expectFindings("CROSS_TENANT_READ")
}

func TestSetOfSeveralTenants(t *testing.T) {
	tr := loop(t, "")
	a, b, db := tr.client("acme"), tr.client("beta"), tr.database()
	tr.request(a, 7, "/")
	tr.request(b, 7, "/")
	tr.sql(db, 7, selectScoped)
	tr.sql(db, 7, selectBeta)
	tr.expect("ok_set set literal acme", "ok_set set literal beta")
	tr.sql(db, 7, "UPDATE invoices SET x = 1 WHERE tenant_id = 'gamma'")
	tr.sql(db, 7, "SELECT * FROM invoices WHERE id = 5", rows("gamma"))
	tr.sql(db, 7, "SELECT * FROM invoices WHERE tenant_id IN ('acme', 'beta')") // each has a right to half of it
	tr.expect("violation set literal gamma [CROSS_TENANT_WRITE]", "violation set row gamma [CROSS_TENANT_BY_KEY]",
		"violation set literal acme,beta [CROSS_TENANT_READ]")
	if f := tr.findings[0]; f.Severity != verdict.SeverityHigh || len(f.Evidence.Candidates) != 2 ||
		f.Detail != `Data of tenant "gamma" was written. None of the 2 requests that may have caused it has a certificate of that tenant, but of "acme", "beta".` {
		t.Errorf("severity %v, %q", f.Severity, f.Detail)
	}
	tr.sql(db, 7, "SELECT * FROM invoices WHERE tenant_id = 'stranger'")
	tr.expect()
	tr.wait(61 * time.Second)
	tr.expect("unattributed/tenant_unknown set literal stranger")
}

// A name that becomes known later accuses by the candidates of then.
func TestSetIsHeld(t *testing.T) {
	tr := loop(t, "")
	a, db := tr.client("acme"), tr.database()
	r := tr.request(a, 7, "/")
	tr.sql(db, 7, "SELECT * FROM invoices WHERE tenant_id = 'late'")
	tr.respond(a, r, 7, 200)
	tr.wait(5 * time.Second)
	tr.expect()
	tr.request(tr.client("late"), 7, "/")
	tr.expect("violation set literal late [CROSS_TENANT_READ]")
}

func TestSetOnlyIfAllowed(t *testing.T) {
	tr := loop(t, "verdict: { links: [thread] }\n")
	a, db := tr.client("acme"), tr.database()
	tr.request(a, 7, "/")
	tr.sql(db, 7, selectBeta)
	tr.expect("unattributed/ambiguous none literal beta")
}

func TestLinger(t *testing.T) {
	for text, linger := range map[string]time.Duration{"": 2 * time.Second, "verdict: { linger: 200ms }\n": 200 * time.Millisecond} {
		tr := loop(t, text)
		a, db := tr.client("acme"), tr.database()
		tr.respond(a, tr.request(a, 7, "/"), 7, 200)
		end := tr.now
		tr.wait(linger - 2*time.Millisecond)
		tr.sql(db, 7, selectBeta) // 1 ms before the end
		tr.expect("violation set literal beta [BACKGROUND_TENANT_DRIFT]")
		if f := tr.findings[0]; f.Severity != verdict.SeverityLow {
			t.Errorf("severity is %v, want low", f.Severity)
		}
		tr.now = end + int64(linger) - int64(time.Millisecond)
		tr.sql(db, 7, selectGamma) // at the end
		tr.expect("background none literal gamma")
		tr.expectFindings("BACKGROUND_TENANT_DRIFT")
	}
}

// Premise 3: every candidate has a known tenant, or the policy says that it is none of a tenant's.
func TestUnresolvedCandidate(t *testing.T) {
	cases := map[string]func(*trace){
		"no certificate": func(tr *trace) {
			c := tr.open()
			tr.identify(c, nil, 0)
			tr.request(c, 7, "/x")
		},
		"unverified": func(tr *trace) {
			c := tr.open()
			tr.identify(c, certificate("beta"), 10)
			tr.request(c, 7, "/x")
		},
		"no identity": func(tr *trace) { tr.request(tr.open(), 7, "/x") },
		"not understood": func(tr *trace) {
			tr.play(&event.HTTPRequest{Header: tr.head(web, 0), Conn: tr.open(), Anomalies: []string{"header_cut"}})
		},
		"ended": func(tr *trace) { c := tr.open(); tr.respond(c, tr.request(c, 7, "/x"), 7, 200) },
	}
	for name, other := range cases {
		t.Run(name, func(t *testing.T) {
			tr := loop(t, "request: { ignore: [/healthz] }\n")
			a, db := tr.client("acme"), tr.database()
			tr.request(a, 7, "/")
			other(tr)
			tr.sql(db, 7, selectBeta)
			tr.sql(db, 7, selectScoped)
			tr.expect("unattributed/candidate_unknown none literal beta", "unattributed/candidate_unknown none literal acme")
			tr.expectFindings()
		})
	}
	tr := loop(t, "request: { ignore: [/healthz] }\n")
	a, db := tr.client("acme"), tr.database()
	tr.request(tr.open(), 7, "/healthz")
	tr.sql(db, 7, selectBeta)
	tr.request(a, 7, "/")
	tr.sql(db, 7, selectBeta)
	tr.expect("unattributed/candidate_unknown none literal beta", "violation set literal beta [CROSS_TENANT_READ]")
}

// Somebody whose bytes are not understood, but whose certificate is known, is a candidate like any other.
func TestCandidateThatIsNotUnderstood(t *testing.T) {
	tr := loop(t, "")
	b, db := tr.client("beta"), tr.database()
	tr.request(tr.client("acme"), 7, "/")
	tr.play(&event.HTTPRequest{Header: tr.head(web, 0), Conn: b, Anomalies: []string{"header_cut"}})
	tr.sql(db, 7, selectBeta)
	tr.sql(db, 7, selectGamma)
	tr.expect("ok_set set literal beta", "violation set literal gamma [CROSS_TENANT_READ]")
}

// Premise 2: requests that were open before the process was traced were not seen.
func TestUnobservedRequests(t *testing.T) {
	tr := newTrace(t, "")
	tr.known("beta")
	tr.play(&event.ProcessStarted{Header: tr.head(web, web), Name: "app", Service: "app", Late: true})
	tr.known("beta")
	a, db := tr.client("acme"), tr.database()
	r := tr.request(a, 7, "/")
	tr.waited(7)
	tr.sql(db, 7, selectBeta)
	tr.expect("unattributed/unobserved none literal beta")
	tr.respond(a, r, 7, 200)
	r = tr.request(a, 8, "/")
	tr.sql(db, 8, selectScoped) // what is tied exactly needs no set
	tr.respond(a, r, 8, 200)
	tr.expect("ok_exact thread literal acme")
	tr.wait(31 * time.Second)
	tr.request(a, 7, "/")
	tr.sql(db, 7, selectBeta)
	tr.expect("violation set literal beta [CROSS_TENANT_READ]")
}

// Premise 1: nothing was lost.
func TestSetAfterLoss(t *testing.T) {
	tr := loop(t, "")
	a, db := tr.client("acme"), tr.database()
	tr.lose()
	r := tr.request(a, 7, "/")
	tr.sql(db, 7, selectBeta)
	tr.expect("blind/loss none")
	tr.wait(31 * time.Second)
	tr.sql(db, 7, selectBeta)
	tr.expect("violation set literal beta [CROSS_TENANT_READ]")
	flying := tr.write(db, 7, selectBeta)
	tr.lose()
	tr.answer(db, flying, result("SELECT 1"))
	tr.respond(a, r, 7, 200)
	tr.expect("blind/loss none")
}

// Premise 4: a thread that was seen to work for nobody, and a statement that was seen to run for nobody, accuse nobody.
func TestWorkWithoutARequest(t *testing.T) {
	tr := loop(t, "")
	a, db := tr.client("acme"), tr.database()
	tr.sql(db, 9, selectBeta) // by a thread of which nothing is known
	tr.expect("background none literal beta")
	r := tr.request(a, 7, "/")
	tr.sql(db, 7, selectGamma) // the same text, but for the value
	tr.sql(db, 7, "DELETE FROM invoices WHERE tenant_id = 'beta'")
	tr.expect("unattributed/mixed_work none literal gamma", "violation set literal beta [CROSS_TENANT_WRITE]")
	tr.respond(a, r, 7, 200)
	tr.wait(3 * time.Second)
	tr.sql(db, 7, "SELECT 2 FROM invoices WHERE tenant_id = 'beta'") // the loop itself, between requests
	tr.expect("background none literal beta")
	tr.request(a, 7, "/")
	tr.sql(db, 7, "DELETE FROM invoices WHERE tenant_id = 'beta'")
	tr.sql(db, 7, "DELETE FROM invoices WHERE tenant_id = 'acme'")
	tr.expect("unattributed/mixed_work none literal beta", "unattributed/mixed_work none literal acme")
}

func TestWorksAreBounded(t *testing.T) {
	tr := loop(t, "")
	a, db := tr.client("acme"), tr.database()
	for i := range maxWorks + 1 {
		tr.sql(db, 9, fmt.Sprintf("SELECT c%d FROM invoices WHERE tenant_id = 'beta'", i))
	}
	tr.lines = nil
	tr.request(a, 7, "/")
	tr.sql(db, 7, "SELECT other FROM invoices WHERE tenant_id = 'beta'")
	tr.expect("unattributed/mixed_work none literal beta")
}

// Premise 5: what the session was set to is not known; a tenant in the text needs it not.
func TestSetAndUnknownSession(t *testing.T) {
	tr := loop(t, "")
	a := tr.client("acme")
	db := tr.session(nil, true)
	tr.request(a, 7, "/")
	tr.sql(db, 7, selectBeta)
	tr.sql(db, 7, unscoped)
	tr.expect("violation set literal beta [CROSS_TENANT_READ]", "unattributed/session_unknown set")
}

func TestPrivilegedCandidate(t *testing.T) {
	const privileged = "identity: { privileged: [{ subject: { O: root }, tenants: any, until: 2030-01-01, why: x }, { subject: { O: half }, tenants: [beta], until: 2030-01-01, why: x }] }\n"
	for who, want := range map[string][2]string{
		"root": {"ok_set set literal beta", "ok_set set literal gamma"},
		"half": {"ok_set set literal beta", "violation set literal gamma [CROSS_TENANT_READ]"},
	} {
		tr := loop(t, privileged)
		a, b, db := tr.client("acme"), tr.client(who), tr.database()
		tr.request(a, 7, "/")
		r := tr.request(b, 7, "/")
		tr.sql(db, 7, selectBeta)
		tr.sql(db, 7, selectGamma)
		tr.expect(want[:]...)
		tr.respond(b, r, 7, 200)
		tr.wait(3 * time.Second)
		tr.sql(db, 7, selectBeta)
		tr.expect("violation set literal beta [CROSS_TENANT_READ]")
		for _, f := range tr.findings {
			if f.Name == PrivilegedAccess {
				t.Errorf("%s: %s, though it is not known who it was", who, f.Name)
			}
		}
	}
}

func TestExemptionOfACandidate(t *testing.T) {
	tr := loop(t, "exempt: [{ route: /admin, until: 2030-01-01, why: x }]\n")
	a, db := tr.client("acme"), tr.database()
	tr.request(a, 7, "/")
	tr.request(a, 7, "/admin")
	tr.sql(db, 7, selectBeta)
	tr.sql(db, 7, selectScoped)
	tr.expect("exempt set literal beta", "ok_exact set literal acme")
	tr.expectFindings()
}

// A stream stays a candidate for as long as it is open.
func TestLongStream(t *testing.T) {
	tr := loop(t, "")
	a, b, db := tr.client("acme"), tr.client("beta"), tr.database()
	tr.request(b, 7, "/events")
	tr.wait(time.Hour)
	tr.request(a, 7, "/")
	tr.sql(db, 7, selectBeta)
	tr.expect("ok_set set literal beta")
	for state, want := range map[memberState]float64{memberOpen: 1, memberLong: 1, memberAnswered: 0} {
		if got := testutil.ToFloat64(tr.engine.metrics.setMembers.WithLabelValues("app", string(state))); got != want {
			t.Errorf("%v candidates %s, want %v", got, state, want)
		}
	}
}

// All statements of a transaction have one cause: it is a candidate of each.
func TestTransactionNarrowsTheSet(t *testing.T) {
	tr := loop(t, "")
	a, b, db := tr.client("acme"), tr.client("beta"), tr.database()
	ra := tr.request(a, 7, "/")
	tr.sql(db, 7, "BEGIN") // for acme alone
	tr.request(b, 7, "/")
	tr.sql(db, 7, selectBeta)
	tr.respond(a, ra, 7, 200)
	tr.expect()
	tr.sql(db, 7, "COMMIT")
	tr.expect("no_tenant none", "violation set literal beta [CROSS_TENANT_READ]", "no_tenant none")

	c := tr.client("acme")
	tr.wait(3 * time.Second)
	tr.sql(db, 7, "BEGIN") // beta's request is open
	rc := tr.request(c, 7, "/")
	tr.sql(db, 7, selectBeta)
	tr.sql(db, 7, selectScoped)
	tr.respond(c, rc, 7, 200)
	tr.sql(db, 7, "COMMIT")
	tr.expect("no_tenant none", "ok_exact set literal beta", "violation set literal acme [CROSS_TENANT_READ MIXED_TENANTS_IN_TRANSACTION]", "no_tenant none")
}

// With one session for all, a request may write in the transaction of another: that accuses nobody.
func TestTransactionOfTheOnlySession(t *testing.T) {
	tr := newTrace(t, "")
	tr.known("beta", "gamma")
	tr.multiplex(7)
	a, b, db := tr.client("acme"), tr.client("beta"), tr.database()
	tr.request(a, 7, "/")
	tr.sql(db, 7, "BEGIN")
	tr.request(b, 7, "/")
	tr.sql(db, 7, selectBeta)
	tr.sql(db, 7, selectGamma)
	tr.sql(db, 7, "COMMIT")
	tr.expect("no_tenant none", "ok_set set literal beta", "violation set literal gamma [CROSS_TENANT_READ MIXED_TENANTS_IN_TRANSACTION]", "no_tenant none")
}

func TestTransactionWithoutACommonCandidate(t *testing.T) {
	tr := loop(t, "")
	a, b, db := tr.client("acme"), tr.client("beta"), tr.database()
	ra := tr.request(a, 7, "/")
	tr.sql(db, 7, "BEGIN")
	tr.sql(db, 7, selectGamma)
	tr.respond(a, ra, 7, 200)
	tr.wait(3 * time.Second)
	tr.request(b, 7, "/")
	tr.sql(db, 7, selectGamma)
	tr.sql(db, 7, "COMMIT")
	tr.expect("no_tenant none", "background none literal gamma", "background none literal gamma", "no_tenant none")
	tr.expectFindings()
}

// The candidates are those of when the statement was written, also if it is learned later that its thread multiplexes.
func TestSetOfThen(t *testing.T) {
	tr := newTrace(t, "")
	tr.known("beta")
	a, b, db := tr.client("acme"), tr.client("beta"), tr.database()
	tr.request(a, 7, "/")
	tr.sql(db, 7, selectBeta)
	tr.request(b, 8, "/")
	tr.expect()
	tr.waited(7)
	tr.expect("violation set literal beta [CROSS_TENANT_READ]")
}

func TestTooManyCandidates(t *testing.T) {
	tr := loop(t, "")
	a, db := tr.client("acme"), tr.database()
	for range maxCandidates {
		tr.request(a, 7, "/")
	}
	tr.sql(db, 7, selectBeta)
	tr.request(a, 7, "/")
	tr.sql(db, 7, selectBeta)
	tr.expect("violation set literal beta [CROSS_TENANT_READ]", "unattributed/ambiguous none literal beta")
}

// What had to leave a table is missing: it makes no wrong answer.
func TestEvictedCandidates(t *testing.T) {
	tr := newTrace(t, "", Limits{Lingering: 4, Threads: 4})
	tr.known("beta")
	tr.multiplex(7)
	b, db := tr.client("beta"), tr.database()
	for range 5 {
		tr.respond(b, tr.request(b, 7, "/"), 7, 200)
	}
	a := tr.client("acme")
	r := tr.request(a, 7, "/")
	tr.sql(db, 7, selectBeta)
	tr.expect("unattributed/evicted none literal beta")
	if got := testutil.ToFloat64(tr.engine.metrics.evictedTotal.WithLabelValues("lingering")); got != 3 {
		t.Errorf("%v evicted, want 3", got)
	}
	tr.wait(3 * time.Second)
	tr.sql(db, 7, selectBeta)
	tr.expect("violation set literal beta [CROSS_TENANT_READ]")
	tr.respond(a, r, 7, 200)
	for tid := range uint32(5) { // 7 is forgotten
		tr.respond(a, tr.request(a, 20+tid, "/"), 20+tid, 200)
	}
	tr.request(a, 21, "/")
	tr.waited(21)
	tr.sql(db, 40, selectBeta)
	tr.expect("unattributed/evicted none literal beta")
}

func TestSeverityOfRepeatedSets(t *testing.T) {
	tr := loop(t, "")
	a, db := tr.client("acme"), tr.database()
	for i := range 3 {
		r := tr.request(a, 7, "/")
		tr.sql(db, 7, selectBeta)
		tr.sql(db, 7, selectBeta) // of the same request, or not
		tr.respond(a, r, 7, 200)
		tr.wait(62 * time.Second)
		want := verdict.SeverityHigh
		if i == 2 {
			want = verdict.SeverityCritical
		}
		if f := tr.findings[len(tr.findings)-1]; f.Severity != want {
			t.Errorf("after %d requests the severity is %v, want %v", i+1, f.Severity, want)
		}
	}
}

func TestSetPower(t *testing.T) {
	tr := newTrace(t, "")
	tr.known("t1", "t2", "t3", "t4", "t5", "t6", "t7") // with acme, beta and loop: 10
	tr.multiplex(7)
	a, b, db := tr.client("acme"), tr.client("beta"), tr.database()
	tr.request(a, 7, "/")
	tr.sql(db, 7, selectScoped) // power 0.9
	tr.request(b, 7, "/")
	tr.sql(db, 7, selectScoped) // power 0.8
	families, err := tr.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "tenantrace_set_power" {
			h := f.GetMetric()[0].GetHistogram()
			if h.GetSampleCount() != 2 || h.GetSampleSum() < 1.699 || h.GetSampleSum() > 1.701 {
				t.Errorf("%d samples with the sum %v, want 2 with 1.7", h.GetSampleCount(), h.GetSampleSum())
			}
			return
		}
	}
	t.Error("no metric set_power")
}
