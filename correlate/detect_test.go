package correlate

import (
	"fmt"
	"strings"
	"testing"

	"tenantrace/collector/event"
	"tenantrace/correlate/verdict"
)

const child = 200 // pid of another traced process

// owns makes invoices known as a tenant's table.
func (tr *trace) owns(db event.ConnID) {
	tr.sql(db, 9, selectScoped)
	tr.lines = nil
}

// serve plays one request with the statements of a script, and gives its verdicts but those of no_tenant.
func (tr *trace) serve(c, db event.ConnID, tid uint32, path string, statements ...string) {
	r := tr.request(c, tid, path)
	for _, s := range statements {
		tr.sql(db, tid, s)
	}
	tr.respond(c, r, tid, 200)
}

// judged drops the lines of no_tenant.
func (tr *trace) judged() {
	var kept []*verdict.Statement
	for _, v := range tr.lines {
		if v.Verdict != verdict.NoTenant || len(v.Findings) > 0 {
			kept = append(kept, v)
		}
	}
	tr.lines = kept
}

// E20: a request forgets to set its tenant, and runs under what another one left. E21, the twin: each sets its own in its transaction.
func TestSessionStateCarryover(t *testing.T) {
	for _, c := range []struct {
		name           string
		first, second  []string
		late, lost     bool
		want, findings []string
	}{
		{"left by a session's SET", []string{"SET app.tenant_id = 'beta'", unscoped}, []string{unscoped}, false, false,
			[]string{"ok_exact thread session beta", "violation thread session beta [CROSS_TENANT_READ SESSION_STATE_CARRYOVER]"}, []string{"CROSS_TENANT_READ", "SESSION_STATE_CARRYOVER"}},
		{"left by set_config in a transaction", []string{"BEGIN", "SELECT set_config('app.tenant_id', 'beta', false)", "COMMIT"}, []string{"UPDATE invoices SET paid = true"}, false, false,
			[]string{"violation thread session beta [CROSS_TENANT_WRITE SESSION_STATE_CARRYOVER]"}, []string{"CROSS_TENANT_WRITE", "SESSION_STATE_CARRYOVER"}},
		{"seen from the first SET on", []string{"SET app.tenant_id = 'beta'"}, []string{unscoped}, true, false,
			[]string{"violation thread session beta [CROSS_TENANT_READ SESSION_STATE_CARRYOVER]"}, []string{"CROSS_TENANT_READ", "SESSION_STATE_CARRYOVER"}},
		{"each in its transaction", []string{"BEGIN", "SET LOCAL app.tenant_id = 'beta'", unscoped, "COMMIT"}, []string{"BEGIN", "SET LOCAL app.tenant_id = 'acme'", unscoped, "COMMIT"}, false, false,
			[]string{"ok_exact thread session beta", "ok_exact thread session acme"}, nil},
		{"set anew", []string{"SET app.tenant_id = 'beta'", unscoped}, []string{"SET app.tenant_id = 'acme'", unscoped}, false, false,
			[]string{"ok_exact thread session beta", "ok_exact thread session acme"}, nil},
		{"its own fault", nil, []string{"SET app.tenant_id = 'beta'", unscoped}, false, false, []string{"violation thread session beta [CROSS_TENANT_READ]"}, []string{"CROSS_TENANT_READ"}},
		{"reset by the pool", []string{"SET app.tenant_id = 'beta'", "DISCARD ALL"}, []string{unscoped}, false, false, []string{"unattributed/no_evidence thread"}, nil},
		{"rolled back", []string{"BEGIN", "SET app.tenant_id = 'beta'", "ROLLBACK"}, []string{unscoped}, false, false, []string{"unattributed/no_evidence thread"}, nil},
		{"to a savepoint", []string{"BEGIN", "SAVEPOINT s", "SET app.tenant_id = 'beta'", "ROLLBACK TO s", "COMMIT"}, []string{unscoped}, false, false, []string{"unattributed/no_evidence thread"}, nil},
		{"a late session", []string{unscoped}, []string{unscoped}, true, false, []string{"unattributed/session_unknown thread", "unattributed/session_unknown thread"}, nil},
		{"after a loss", []string{"SET app.tenant_id = 'beta'"}, []string{unscoped}, false, true, []string{"unattributed/session_unknown thread"}, nil},
		{"code that is not seen", []string{"SET app.tenant_id = 'beta'", "DO $$ x $$"}, []string{unscoped}, false, false, []string{"unattributed/unparsed thread", "unattributed/session_unknown thread"}, nil},
		{"the text decides", []string{"SET app.tenant_id = 'beta'"}, []string{selectScoped}, false, false, []string{"ok_exact thread literal acme"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr := newTrace(t, "")
			acme, beta, db := tr.client("acme"), tr.client("beta"), tr.session(nil, c.late)
			tr.owns(tr.database())
			tr.serve(beta, db, 7, "/b", c.first...)
			if c.lost {
				tr.lose()
			}
			tr.serve(acme, db, 7, "/a", c.second...)
			tr.judged()
			tr.expect(c.want...)
			tr.expectFindings(c.findings...)
		})
	}
}

// Rows that show whose they are make the state that led to them no better. A statement that names the tenant itself came to them by itself.
func TestCarryoverThatRowsShow(t *testing.T) {
	tr := newTrace(t, "")
	acme, beta, db := tr.client("acme"), tr.client("beta"), tr.database()
	tr.serve(beta, db, 7, "/b", "SET app.tenant_id = 'beta'")
	for _, sql := range []string{"SELECT * FROM invoices", "SELECT * FROM invoices WHERE tenant_id = 'beta'"} {
		r := tr.request(acme, 7, "/a")
		tr.sql(db, 7, sql, rows("beta"))
		tr.respond(acme, r, 7, 200)
	}
	tr.judged()
	tr.expect("violation thread row beta [CROSS_TENANT_READ SESSION_STATE_CARRYOVER]", "violation thread row beta [CROSS_TENANT_READ]")
}

// The search path, the role, and settings that the text asks for are state too.
func TestCarryoverOfPathAndRole(t *testing.T) {
	const policyText = "database: [{engine: postgres, tenant: {columns: [tenant_id], settings: [app.tenant_id], schemas: \"t_{tenant}\", roles: \"r_{tenant}\"}, tables: {owned: [invoices]}}]\n"
	for _, c := range []struct{ set, reset, sql string }{
		{"SET search_path = t_beta", "SET search_path = t_acme", unscoped},
		{"SET ROLE r_beta", "SET ROLE r_acme", unscoped},
		{"SET app.tenant_id = 'beta'", "SET app.tenant_id = 'acme'", "SELECT id FROM invoices WHERE tenant_id = current_setting('app.tenant_id')"},
	} {
		for _, resets := range []bool{false, true} {
			tr := newTrace(t, policyText)
			acme, beta, db := tr.client("acme"), tr.client("beta"), tr.database()
			tr.serve(beta, db, 7, "/b", c.set, c.sql)
			if resets {
				tr.serve(acme, db, 7, "/a", c.reset, c.sql)
				tr.judged()
				tr.expect("ok_exact thread session beta", "ok_exact thread session acme")
				continue
			}
			tr.serve(acme, db, 7, "/a", c.sql)
			tr.judged()
			tr.expect("ok_exact thread session beta", "violation thread session beta [CROSS_TENANT_READ SESSION_STATE_CARRYOVER]")
			tr.findings = nil
			tr.serve(acme, db, 7, "/a", c.set, c.sql) // its own fault
			tr.judged()
			tr.expect("violation thread session beta [CROSS_TENANT_READ]")
		}
	}
}

// Who took on another user is not who he began as when he gives up a role.
func TestSessionAuthorization(t *testing.T) {
	const policyText = "database: [{engine: postgres, tenant: {columns: [tenant_id], roles: \"r_{tenant}\"}, tables: {owned: [invoices]}}]\n"
	tr := newTrace(t, policyText)
	tr.known("beta")
	acme, db := tr.client("acme"), tr.database()
	tr.serve(acme, db, 7, "/", "SET SESSION AUTHORIZATION r_beta", unscoped, "SET ROLE r_acme", unscoped, "RESET ROLE", unscoped, "SET ROLE NONE", unscoped, "SET ROLE r_acme", unscoped)
	tr.judged()
	tr.expect("violation thread session beta [CROSS_TENANT_READ]", "ok_exact thread session acme", "unattributed/session_unknown thread", "unattributed/session_unknown thread", "ok_exact thread session acme")
	other := tr.database()
	tr.serve(acme, other, 7, "/", "SET ROLE r_acme", unscoped, "RESET ROLE", unscoped)
	tr.judged()
	tr.expect("ok_exact thread session acme", "unattributed/no_evidence thread")
}

// What the startup packet or nobody in particular set was left by no request.
func TestSessionStateOfNobody(t *testing.T) {
	tr := newTrace(t, "")
	acme, db := tr.client("acme"), tr.session(map[string]string{"app.tenant_id": "beta"}, false)
	tr.known("beta")
	tr.owns(db)
	tr.serve(acme, db, 7, "/a", unscoped)
	tr.sql(db, 9, "SET app.tenant_id = 'beta'")
	tr.serve(acme, db, 7, "/a", unscoped)
	tr.judged()
	tr.expect("violation thread session beta [CROSS_TENANT_READ]", "violation thread session beta [CROSS_TENANT_READ]")
}

// E18: under a pooler that shares sessions out by transaction, what a session was set to says nothing; rows do.
func TestTransactionPooler(t *testing.T) {
	tr := newTrace(t, "database: [{engine: postgres, pooler: transaction, tenant: {columns: [tenant_id], settings: [app.tenant_id], schemas: \"{tenant}\"}}]\n")
	tr.known("beta")
	acme := tr.client("acme")
	tr.owns(tr.database())
	db := tr.session(map[string]string{"app.tenant_id": "acme"}, false)
	tr.serve(acme, db, 7, "/a", unscoped, "SET app.tenant_id = 'acme'", unscoped)
	r := tr.request(acme, 7, "/a")
	tr.sql(db, 7, "SET search_path = acme")
	tr.sql(db, 7, "SELECT * FROM invoices", rows("beta"))
	tr.respond(acme, r, 7, 200)
	tr.expect("unattributed/session_unknown thread", "no_tenant thread [SESSION_STATE_UNDER_TXN_POOLING]", "unattributed/session_unknown thread",
		"no_tenant thread [SESSION_STATE_UNDER_TXN_POOLING]", "violation thread row beta [CROSS_TENANT_READ]")
	f := tr.findings[0]
	if f.Severity != verdict.SeverityMedium || f.CWE[0] != 226 || !strings.Contains(f.Detail, "app.tenant_id") {
		t.Errorf("finding is %+v", f)
	}
	tr.expectFindings("SESSION_STATE_UNDER_TXN_POOLING", "SESSION_STATE_UNDER_TXN_POOLING", "CROSS_TENANT_READ")
	// Within a transaction the session of the server stays: what is set there holds.
	tr.serve(acme, db, 7, "/a", "BEGIN", "SET LOCAL app.tenant_id = 'acme'", unscoped, "COMMIT", unscoped, "SET statement_timeout = 5", "RESET app.tenant_id")
	tr.judged()
	tr.expect("ok_exact thread session acme", "unattributed/session_unknown thread")
	tr.expectFindings()
	// Without the pooler the same is no hazard.
	tr = newTrace(t, "")
	acme, db = tr.client("acme"), tr.database()
	tr.owns(db)
	tr.serve(acme, db, 7, "/a", "SET app.tenant_id = 'acme'", unscoped)
	tr.expect("no_tenant thread", "ok_exact thread session acme")
	tr.expectFindings()
}

func TestMixedTenantsInTransaction(t *testing.T) {
	const mixed = "MIXED_TENANTS_IN_TRANSACTION"
	t.Run("a request", func(t *testing.T) {
		tr := newTrace(t, "")
		tr.known("beta")
		acme, db := tr.client("acme"), tr.database()
		tr.serve(acme, db, 7, "/a", "BEGIN", selectScoped, selectBeta, selectBeta, "COMMIT")
		tr.judged()
		tr.expect("ok_exact thread literal acme", "violation thread literal beta [CROSS_TENANT_READ IDENTITY_TOCTOU "+mixed+"]", "violation thread literal beta [CROSS_TENANT_READ IDENTITY_TOCTOU]")
		for _, f := range tr.findings {
			if f.Name == mixed && (f.Severity != verdict.SeverityHigh || f.Count != 1) {
				t.Errorf("finding is %+v", f)
			}
		}
		// Two transactions, or none, are not one.
		tr.serve(acme, db, 7, "/a", "BEGIN", selectScoped, "COMMIT", "BEGIN", "COMMIT", selectScoped)
		tr.judged()
		tr.expect("ok_exact thread literal acme", "ok_exact thread literal acme")
	})
	t.Run("the foreign one first", func(t *testing.T) {
		tr := newTrace(t, "")
		tr.known("beta")
		acme, db := tr.client("acme"), tr.database()
		tr.serve(acme, db, 7, "/a", "BEGIN", selectBeta, selectScoped, "COMMIT")
		tr.judged()
		tr.expect("violation thread literal beta [CROSS_TENANT_READ]", "ok_exact thread literal acme ["+mixed+"]")
	})
	// Without a link the transaction itself shows it, if it was no background work and no open request may see both.
	unlinked := func(t *testing.T, policyText string, open []string, want ...string) {
		t.Helper()
		tr := newTrace(t, policyText)
		tr.known("acme", "beta")
		db := tr.database()
		for i, tenant := range open {
			tr.request(tr.client(tenant), uint32(20+i), "/")
		}
		for _, s := range []string{"BEGIN", selectScoped, selectBeta, "COMMIT"} {
			tr.sql(db, 9, s)
		}
		tr.judged()
		tr.expect(want...)
	}
	t.Run("no link", func(t *testing.T) {
		unlinked(t, "", []string{"acme", "gamma"}, "unattributed/no_link none literal acme", "unattributed/no_link none literal beta ["+mixed+"]")
	})
	t.Run("background", func(t *testing.T) {
		unlinked(t, "", nil, "background none literal acme", "background none literal beta")
	})
	t.Run("no link, one that may", func(t *testing.T) {
		unlinked(t, "identity: {tenant: [{subject: {O: \"{tenant}\"}}], privileged: [{subject: {O: ops}, tenants: any, until: 2099-01-01, why: x}]}\n",
			[]string{"acme", "ops"}, "unattributed/no_link none literal acme", "unattributed/no_link none literal beta")
	})
	t.Run("exempt", func(t *testing.T) {
		tr := newTrace(t, "exempt: [{db_role: app, until: 2099-01-01, why: x}]\n")
		tr.known("beta")
		acme, db := tr.client("acme"), tr.database()
		tr.serve(acme, db, 7, "/a", "BEGIN", selectScoped, selectBeta, "COMMIT")
		tr.judged()
		tr.expect("ok_exact thread literal acme", "exempt thread literal beta")
	})
}

func TestMixedTenantsInResult(t *testing.T) {
	const mixed = "MIXED_TENANTS_IN_RESULT"
	for _, c := range []struct {
		name     string
		rows     []string
		linked   bool
		want     string
		severity verdict.Severity
	}{
		{"foreign", []string{"acme", "beta"}, true, "violation thread row acme,beta [CROSS_TENANT_BY_KEY " + mixed + "]", verdict.SeverityCritical},
		{"own", []string{"acme", "acme"}, true, "ok_exact thread row acme", 0},
		{"a name that nobody has", []string{"acme", "nobody"}, true, "", 0},
		{"no link", []string{"acme", "beta"}, false, "unattributed/no_link none row acme,beta [" + mixed + "]", verdict.SeverityMedium},
		{"no link, one tenant", []string{"beta", "beta"}, false, "unattributed/no_link none row beta", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr := newTrace(t, "")
			tr.known("beta")
			acme, db := tr.client("acme"), tr.database()
			r := tr.request(acme, 7, "/")
			tid := uint32(7)
			if !c.linked {
				tid = 9
			}
			tr.sql(db, tid, "SELECT * FROM invoices", rows(c.rows...))
			tr.respond(acme, r, 7, 200)
			if c.want == "" {
				tr.expect()
			} else {
				tr.expect(c.want)
			}
			found := verdict.Severity(0)
			for _, f := range tr.findings {
				if f.Name == mixed {
					found = f.Severity
				}
			}
			if found != c.severity {
				t.Errorf("severity %v, want %v", found, c.severity)
			}
		})
	}
}

// E06: a look-up without any tenant; E44: a check across tenants. One finding for each route and shape, with a count.
func TestUnscopedLookup(t *testing.T) {
	const found = "UNSCOPED_LOOKUP"
	mode := func(unscoped string) string {
		return "database: [{engine: postgres, unscoped: " + unscoped + ", tenant: {columns: [tenant_id], settings: [app.tenant_id]}}]\n"
	}
	tr := newTrace(t, mode("off"))
	acme, db := tr.client("acme"), tr.database()
	tr.owns(db)
	tr.serve(acme, db, 7, "/a", "UPDATE invoices SET paid = 1 WHERE id = 7")
	tr.expect("unattributed/no_evidence thread")
	tr.expectFindings()

	tr = newTrace(t, mode("aggregate"))
	acme, db = tr.client("acme"), tr.database()
	beta := tr.client("beta")
	tr.owns(db)
	for i := range 5 {
		tr.serve(acme, db, 7, "/a", fmt.Sprintf("UPDATE invoices SET paid = 1 WHERE id = %d", i))
		tr.serve(beta, db, 7, "/a", fmt.Sprintf("UPDATE invoices SET paid = 1 WHERE id = %d", i))
	}
	if v := tr.last(); v.Verdict != verdict.Unattributed || len(v.Findings) != 1 {
		t.Errorf("last is %s", summary(v))
	}
	tr.lines = nil
	if f := tr.findings[0]; f.Severity != verdict.SeverityLow || f.CWE[0] != 566 || !strings.Contains(f.Detail, "invoices") {
		t.Errorf("finding is %+v", f)
	}
	tr.expectFindings(found)
	tr.wait(61e9)
	tr.expectFindings(found + "+10")

	r := tr.request(acme, 7, "/b")
	tr.sql(db, 7, selectByKey, rows("acme"))
	tr.respond(acme, r, 7, 200)
	tr.expect("ok_exact thread row acme [" + found + "]")
	tr.findings = nil
	for _, clean := range [][]string{
		{selectScoped},
		{"SET app.tenant_id = 'acme'", unscoped, "RESET app.tenant_id"},
		{"SELECT 1"}, {"SELECT * FROM plans"}, {"SELECT relname FROM pg_class"},
		{"INSERT INTO invoices (id) VALUES (1)"},
		{"SELECT id FROM invoices WHERE tenant_id = 'acme' OR public"},
		{"SELECT id FROM invoices WHERE tenant_id = (SELECT x FROM y)"},
		{"SET app.tenant_id = ''", "DO $$ x $$", unscoped},
	} {
		tr.serve(acme, db, 7, "/c", clean...)
		tr.expectFindings()
	}
	tr.sql(db, 9, unscoped) // background
	tr.expectFindings()
	late := tr.session(nil, true)
	tr.serve(acme, late, 7, "/c", unscoped)
	tr.expectFindings()

	tr = newTrace(t, mode("finding"))
	acme, beta = tr.client("acme"), tr.client("beta")
	fresh := tr.database()
	tr.owns(fresh)
	tr.serve(acme, fresh, 7, "/d", unscoped)
	tr.serve(beta, fresh, 7, "/d", unscoped)
	if f := tr.findings[0]; f.Severity != verdict.SeverityMedium {
		t.Errorf("finding is %+v", f)
	}
	tr.expectFindings(found, found)
}

// writeAs sends SQL as another process, and returns its number.
func (tr *trace) writeAs(pid uint32, db event.ConnID, tid uint32, sql string) uint64 {
	tr.seqs[db]++
	ev := &event.Statement{Header: tr.head(pid, tid), Conn: db, Seq: tr.seqs[db], Simple: true, Text: sql}
	tr.play(ev)
	return ev.Seq
}

// answerTo sends the answer to a statement as a thread of a process reads it.
func (tr *trace) answerTo(pid, tid uint32, db event.ConnID, seq uint64, status event.TxStatus, r *event.Result) {
	r.Header, r.Conn, r.Seq, r.Last = tr.head(pid, tid), db, seq, true
	tr.play(r)
	tr.play(&event.SessionReady{Header: tr.head(pid, tid), Conn: db, Status: status})
}

func TestConnectionShared(t *testing.T) {
	const shared = "DB_CONNECTION_SHARED"
	fork := func() *trace {
		tr := newTrace(t, "")
		tr.play(&event.ProcessStarted{Header: tr.head(child, child), Name: "app", Service: "app"})
		return tr
	}
	// A connection that a fork left to both: one writes before the other has its answer.
	tr := fork()
	db := tr.database()
	first := tr.write(db, 7, "SELECT 1")
	second := tr.writeAs(child, db, child, "SELECT 2")
	f := tr.findings[0]
	if f.Severity != verdict.SeverityHigh || f.Evidence.PID != child || f.Evidence.SQL.Database != "shop" || f.Evidence.SQL.Rows != -1 || !strings.Contains(f.Detail, "100") {
		t.Errorf("finding is %+v", f)
	}
	tr.expectFindings(shared)
	tr.answerTo(web, 7, db, first, event.TxIdle, result("SELECT 1"))
	tr.answerTo(child, child, db, second, event.TxIdle, result("SELECT 1"))
	tr.expectFindings()

	// In the other's transaction.
	tr = fork()
	db = tr.database()
	tr.sql(db, 7, "BEGIN")
	tr.writeAs(child, db, child, "SELECT 2")
	tr.expectFindings(shared)

	// The twin: the child goes on with what its parent has done with.
	tr = fork()
	db = tr.database()
	tr.sql(db, 7, "BEGIN")
	tr.sql(db, 7, "COMMIT")
	for range 3 {
		tr.answerTo(child, child, db, tr.writeAs(child, db, child, "SELECT 2"), event.TxIdle, result("SELECT 1"))
	}
	tr.expectFindings()

	// After a loss nobody knows whether the first was answered.
	tr = fork()
	db = tr.database()
	tr.write(db, 7, "SELECT 1")
	tr.lose()
	tr.writeAs(child, db, child, "SELECT 2")
	tr.expectFindings()

	// Two requests in one transaction.
	requests := func(end bool) *trace {
		tr := newTrace(t, "")
		a, b, db := tr.client("acme"), tr.client("acme"), tr.database()
		ra := tr.request(a, 7, "/a")
		rb := uint64(0)
		if !end {
			rb = tr.request(b, 8, "/b")
		}
		tr.sql(db, 7, "BEGIN")
		tr.sql(db, 7, selectScoped)
		if end { // the first one left its transaction open
			tr.respond(a, ra, 7, 200)
			rb = tr.request(b, 8, "/b")
		}
		tr.sql(db, 8, selectScoped)
		tr.expectFindings() // the links are not certain yet
		if !end {
			tr.respond(a, ra, 7, 200)
		}
		tr.respond(b, rb, 8, 200)
		return tr
	}
	requests(false).expectFindings(shared)
	requests(true).expectFindings()
}

func TestResponseDesync(t *testing.T) {
	const desync = "RESPONSE_DESYNC"
	// The request that asked was cancelled; the next one on its connection reads the answer.
	next := uint32(8) // the thread of the next request
	cancelled := func(tid uint32, second bool) *trace {
		tr := newTrace(t, "")
		a, b, db := tr.client("acme"), tr.client("beta"), tr.database()
		ra := tr.request(a, 7, "/a")
		first := tr.write(db, 7, selectScoped)
		tr.respond(a, ra, 7, 500)
		rb := tr.request(b, next, "/b")
		later := uint64(0)
		if second {
			later = tr.write(db, next, selectBeta)
		}
		tr.answerTo(web, tid, db, first, event.TxIdle, rows("acme"))
		if second {
			tr.answerTo(web, next, db, later, event.TxIdle, rows("beta"))
		}
		tr.respond(b, rb, next, 200)
		return tr
	}
	tr := cancelled(8, true)
	f := tr.findings[0]
	if f.Severity != verdict.SeverityCritical || f.CWE[0] != 488 || f.Evidence.Request == nil || f.Evidence.Request.Path != "/a" {
		t.Errorf("finding is %+v", f)
	}
	tr.expectFindings(desync)
	cancelled(7, true).expectFindings()  // its own thread drains the connection
	cancelled(8, false).expectFindings() // the next one drains it before it asks
	cancelled(9, true).expectFindings()  // a thread that reads for all
	next = 7                             // a pool's idle thread gets the next request
	cancelled(7, true).expectFindings(desync)
	cancelled(7, false).expectFindings()

	// Another process reads it.
	tr = newTrace(t, "")
	tr.play(&event.ProcessStarted{Header: tr.head(child, child), Name: "app", Service: "app"})
	db := tr.database()
	seq := tr.write(db, 7, "SELECT 1")
	tr.answerTo(child, child, db, seq, event.TxIdle, result("SELECT 1"))
	tr.expectFindings(desync)
	seq = tr.write(db, 7, "SELECT 1")
	tr.lose()
	tr.answerTo(child, child, db, seq, event.TxIdle, result("SELECT 1"))
	tr.expectFindings()
}

// A COPY's rows are evidence: those written of a write, those read of a read. A query's have only the names of their columns.
func TestCopyEvidence(t *testing.T) {
	copied := func(direction event.CopyDirection, tag string, names ...string) *event.Result {
		r := rowsOf(0, names...)
		r.Copy, r.Tag, r.Count = direction, tag, 0
		return r
	}
	for _, c := range []struct {
		text   string
		result *event.Result
		want   string
	}{
		{"COPY invoices (id, tenant_id) FROM STDIN", copied(event.CopyIn, "COPY 2", "acme", "acme"), "ok_exact thread row acme"},
		{"COPY invoices (id, tenant_id) FROM STDIN", copied(event.CopyIn, "COPY 2", "acme", "beta"), "violation thread row acme,beta [CROSS_TENANT_WRITE]"},
		{"COPY invoices (id, tenant_id) TO STDOUT", copied(event.CopyOut, "COPY 2", "acme", "beta"), "violation thread row acme,beta [CROSS_TENANT_BY_KEY MIXED_TENANTS_IN_RESULT]"},
		{"COPY (SELECT id, note AS tenant_id FROM invoices) TO STDOUT (HEADER)", copied(event.CopyQuery, "COPY 1", "beta"), "unattributed/no_evidence thread heuristic beta"},
		{"COPY (SELECT id FROM invoices WHERE tenant_id = 'acme') TO STDOUT", result("COPY 1"), "ok_exact thread literal acme"},
		{"COPY pg_class (tenant_id) TO STDOUT", copied(event.CopyOut, "COPY 1", "beta"), "no_tenant thread"},
		{"COPY invoices (id, tenant_id) FROM STDIN", &event.Result{Error: "22P02", Copy: event.CopyIn, Columns: rowsOf(0).Columns, Rows: rowsOf(0, "beta").Rows}, "unattributed/no_evidence thread"},
	} {
		tr := newTrace(t, "")
		tr.known("beta")
		acme, db := tr.client("acme"), tr.database()
		tr.owns(db)
		r := tr.request(acme, 7, "/")
		tr.sql(db, 7, c.text, c.result)
		tr.respond(acme, r, 7, 200)
		tr.expect(c.want)
	}
}

// Of an answer that was not seen whole the rows that were seen are evidence, and what it did is not known.
func TestPartOfAnAnswer(t *testing.T) {
	tr := newTrace(t, "")
	tr.known("beta")
	acme, db := tr.client("acme"), tr.database()
	tr.owns(db)
	r := tr.request(acme, 7, "/")
	tr.sql(db, 7, "SET app.tenant_id = 'acme'")
	part := func(sql string, rows *event.Result, status event.TxStatus) {
		seq := tr.write(db, 7, sql)
		rows.Header, rows.Conn, rows.Seq, rows.Last, rows.Unseen, rows.RowsCut, rows.Tag = tr.head(web, 7), db, seq, true, true, true, ""
		tr.play(rows)
		tr.play(&event.SessionReady{Header: tr.head(web, 7), Conn: db, Status: status})
	}
	part("SELECT * FROM invoices", rows("beta"), event.TxIdle)
	part("SELECT * FROM invoices", rows("acme"), event.TxIdle)
	part(unscoped, &event.Result{}, event.TxIdle)
	tr.sql(db, 7, unscoped)
	part(unscoped, &event.Result{}, event.TxUnknown) // the transaction may have ended
	tr.sql(db, 7, unscoped)
	tr.respond(acme, r, 7, 200)
	tr.expect("no_tenant thread", "violation thread row beta [CROSS_TENANT_BY_KEY]", "ok_exact thread row acme", "ok_exact thread session acme", "ok_exact thread session acme",
		"ok_exact thread session acme", "unattributed/session_unknown thread")
}
