package correlate

import (
	"time"

	"testing"

	"tenantrace/collector/event"
	"tenantrace/correlate/verdict"
)

const unscoped = "SELECT id FROM invoices"

// script runs statements of one request of acme on one session, and expects the verdicts of those whose text is unscoped.
type script struct {
	name       string
	statements []string
	want       []string
}

func TestSessionEvidence(t *testing.T) {
	const ok, foreign, none = "ok_exact thread session acme", "violation thread session beta [CROSS_TENANT_READ]", "unattributed/no_evidence thread"
	const unknown = "unattributed/session_unknown thread"
	for _, test := range []script{
		{"SET", []string{"SET app.tenant_id = 'acme'", unscoped}, []string{ok}},
		{"SET LOCAL", []string{"BEGIN", "SET LOCAL app.tenant_id = 'acme'", unscoped, "COMMIT", unscoped}, []string{ok, none}},
		{"SET LOCAL of another", []string{"BEGIN", "SET LOCAL app.tenant_id TO 'beta'", unscoped, "ROLLBACK"}, []string{foreign}},
		{"SET LOCAL outside a transaction", []string{"SET LOCAL app.tenant_id = 'acme'", unscoped}, []string{none}},
		{"SET LOCAL in one message", []string{"SET LOCAL app.tenant_id = 'acme'; " + unscoped, unscoped}, []string{ok, none}},
		{"set_config", []string{"SELECT set_config('app.tenant_id', 'acme', false)", unscoped}, []string{ok}},
		{"set_config local", []string{"BEGIN", "SELECT set_config('app.current_tenant', 'acme', true)", unscoped, "COMMIT", unscoped}, []string{ok, none}},
		{"rolled back", []string{"SET app.tenant_id = 'acme'", "BEGIN", "SET app.tenant_id = 'beta'", "ROLLBACK", unscoped}, []string{ok}},
		{"failed COMMIT", []string{"SET app.tenant_id = 'acme'", "BEGIN", "SET app.tenant_id = 'beta'", "!", "COMMIT as ROLLBACK", unscoped}, []string{ok}},
		{"savepoint", []string{"BEGIN", "SET app.tenant_id = 'acme'", "SAVEPOINT s", "SET app.tenant_id = 'beta'", "ROLLBACK TO s", unscoped, "COMMIT", unscoped}, []string{ok, ok}},
		{"error in a savepoint", []string{"BEGIN", "SET app.tenant_id = 'acme'", "SAVEPOINT s", "SET app.tenant_id = 'beta'", "!", "ROLLBACK TO s", "COMMIT", unscoped}, []string{ok}},
		{"error in one message", []string{"SET app.tenant_id = 'acme'", "SET app.tenant_id = 'beta'; !", unscoped}, []string{ok}},
		{"RESET", []string{"SET app.tenant_id = 'acme'", "RESET app.tenant_id", unscoped}, []string{none}},
		{"RESET ALL", []string{"SET app.tenant_id = 'acme'", "RESET ALL", unscoped}, []string{none}},
		{"DISCARD ALL", []string{"SET app.tenant_id = 'acme'", "DISCARD ALL", unscoped}, []string{none}},
		{"a cursor that may set", []string{"BEGIN", "SET app.tenant_id = 'acme'", "DECLARE c CURSOR FOR SELECT set_config('app.tenant_id', 'beta', false)", unscoped, "COMMIT"}, []string{unknown}},
		{"a cursor that has set", []string{"BEGIN", "DECLARE c CURSOR FOR SELECT set_config('app.tenant_id', 'beta', false)", "FETCH c", unscoped, "SET app.tenant_id = 'acme'", unscoped, "COMMIT"}, []string{unknown, ok}},
		{"empty", []string{"SET app.tenant_id = ''", unscoped}, []string{none}},
		{"current_setting", []string{"SET app.tenant_id = 'acme'", "SELECT id FROM invoices WHERE tenant_id = current_setting('app.tenant_id')"}, []string{ok}},
		{"a value beats the session", []string{"SET app.tenant_id = 'acme'", selectBeta}, []string{"violation thread literal beta [CROSS_TENANT_READ]"}},
		{"PREPARE", []string{"PREPARE q AS " + selectBeta, "EXECUTE q"}, []string{"violation thread literal beta [CROSS_TENANT_READ]"}},
		{"PREPARE with a parameter", []string{"PREPARE q(text) AS SELECT id FROM invoices WHERE tenant_id = $1", "EXECUTE q('acme')", "EXECUTE q('beta')"},
			[]string{"ok_exact thread literal acme", "violation thread literal beta [CROSS_TENANT_READ IDENTITY_TOCTOU]"}},
		{"a function that may set it", []string{"SET app.tenant_id = 'beta'", "SELECT enter('acme')", unscoped}, []string{"unattributed/session_unknown thread"}},
		{"a function in FROM", []string{"SET app.tenant_id = 'beta'", "SELECT * FROM enter('acme')", unscoped}, []string{"unattributed/session_unknown thread"}},
		{"a function, and then SET", []string{"SELECT enter('beta')", "SET app.tenant_id = 'acme'", unscoped}, []string{ok}},
		{"a function that is rolled back", []string{"SET app.tenant_id = 'acme'", "BEGIN", "SELECT enter('beta')", "ROLLBACK", unscoped}, []string{ok}},
		{"a function of the server", []string{"SET app.tenant_id = 'acme'", "SELECT now(), pg_backend_pid()", unscoped}, []string{ok}},
		{"a condition that never holds", []string{"SELECT id FROM invoices WHERE tenant_id = 'beta' AND 1 = 0"}, nil},
		{"an arm that never holds", []string{"SELECT id FROM invoices WHERE tenant_id = 'acme' OR (tenant_id = 'beta' AND 1 = 0)"}, []string{"ok_exact thread literal acme"}},
		{"unknown EXECUTE", []string{"EXECUTE nothing"}, []string{"unattributed/session_unknown thread"}},
		{"DEALLOCATE", []string{"PREPARE q AS " + selectBeta, "DEALLOCATE q", "EXECUTE q"}, []string{"unattributed/session_unknown thread"}},
		{"cursor", []string{"BEGIN", "DECLARE c CURSOR FOR " + selectScoped, "FETCH 10 FROM c", "COMMIT"}, []string{"ok_exact thread literal acme", "ok_exact thread literal acme"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			tr := newTrace(t, "")
			tr.known("beta")
			c, db := tr.client("acme"), tr.database()
			tr.sql(db, 9, selectScoped)
			tr.lines = nil
			r := tr.request(c, 7, "/")
			for _, s := range test.statements {
				tr.runScript(db, s)
			}
			tr.respond(c, r, 7, 200)
			var got []*verdict.Statement
			for _, v := range tr.lines {
				if v.Verdict != verdict.NoTenant {
					got = append(got, v)
				}
			}
			tr.lines = got
			tr.expect(test.want...)
		})
	}
}

// runScript runs one word of a script: a text of up to two statements, "!" for one that fails.
func (tr *trace) runScript(db event.ConnID, text string) {
	switch text {
	case "!":
		tr.sql(db, 7, "SELECT 1/0", failure("22012"))
	case "COMMIT as ROLLBACK":
		tr.sql(db, 7, "COMMIT", result("ROLLBACK"))
	case "SET LOCAL app.tenant_id = 'acme'; " + unscoped:
		tr.sql(db, 7, text, result("SET"), result("SELECT 1"))
	case "SET app.tenant_id = 'beta'; !":
		tr.sql(db, 7, "SET app.tenant_id = 'beta'; SELECT 1/0", result("SET"), failure("22012"))
	default:
		tr.sql(db, 7, text)
	}
}

func TestSessionOfItsStart(t *testing.T) {
	tr := newTrace(t, "")
	c, db := tr.client("acme"), tr.session(map[string]string{"app.tenant_id": "acme"}, false)
	r := tr.request(c, 7, "/")
	tr.sql(db, 7, unscoped)
	tr.respond(c, r, 7, 200)
	tr.expect("ok_exact thread session acme")
}

func TestLateSession(t *testing.T) {
	tr := newTrace(t, "")
	tr.known("beta")
	c, db := tr.client("acme"), tr.session(nil, true)
	tr.sql(db, 9, selectScoped)
	tr.lines = nil
	r := tr.request(c, 7, "/")
	tr.sql(db, 7, unscoped)
	tr.sql(db, 7, selectBeta) // only session evidence is void
	tr.sql(db, 7, unscoped, rows("acme"))
	tr.sql(db, 7, "BEGIN")
	tr.sql(db, 7, "SET LOCAL app.tenant_id = 'beta'")
	tr.sql(db, 7, unscoped)
	tr.sql(db, 7, "COMMIT")
	tr.sql(db, 7, unscoped)
	tr.respond(c, r, 7, 200)
	tr.expect("unattributed/session_unknown thread", "violation thread literal beta [CROSS_TENANT_READ]", "ok_exact thread row acme",
		"no_tenant thread", "no_tenant thread", "violation thread session beta [CROSS_TENANT_READ IDENTITY_TOCTOU]", "no_tenant thread",
		"unattributed/session_unknown thread")
}

// What an earlier request left in the session does not accuse on a table that may be shared; what this request set does.
func TestInheritedSession(t *testing.T) {
	tr := newTrace(t, "")
	tr.known("beta")
	c, db := tr.client("acme"), tr.database()
	tr.sql(db, 9, "SET app.tenant_id = 'beta'")
	r := tr.request(c, 7, "/")
	tr.sql(db, 7, "SELECT * FROM plans")
	tr.respond(c, r, 7, 200)
	tr.expect("no_tenant none", "unattributed/no_evidence thread session beta")

	r = tr.request(c, 7, "/")
	tr.sql(db, 7, "SET app.tenant_id = 'beta'")
	tr.sql(db, 7, "SELECT count(*) FROM bills")
	tr.respond(c, r, 7, 200)
	tr.expect("no_tenant thread", "violation thread session beta [CROSS_TENANT_READ]")

	tr.wait(3 * time.Second)
	tr.sql(db, 9, "SELECT 1 FROM bills WHERE tenant_id = 'beta'") // now bills is tenant-owned
	r = tr.request(c, 7, "/")
	tr.sql(db, 7, "SELECT count(*) FROM bills")
	tr.sql(db, 7, "INSERT INTO bills (id) VALUES (1)")
	tr.respond(c, r, 7, 200)
	tr.expect("background none literal beta", "violation thread session beta [CROSS_TENANT_READ SESSION_STATE_CARRYOVER]",
		"violation thread session beta [CROSS_TENANT_WRITE SESSION_STATE_CARRYOVER]")
}

func TestSharedAndOwnedTables(t *testing.T) {
	tr := newTrace(t, "database: [{engine: postgres, tenant: {columns: [tenant_id]}, tables: {shared: [tenants, \"django_*\"], owned: [orders]}}]\n")
	tr.known("beta")
	c, db := tr.client("acme"), tr.database()
	r := tr.request(c, 7, "/")
	tr.sql(db, 7, "SELECT * FROM tenants WHERE tenant_id = 'beta'", rowsOf(1, "beta"))
	tr.sql(db, 7, "SELECT * FROM orders WHERE id = 1")
	tr.sql(db, 7, "SELECT * FROM orders JOIN tenants t USING (id) WHERE t.tenant_id = 'beta'", rowsOf(1, "beta"))
	tr.sql(db, 7, "SELECT * FROM notes WHERE id = 1")
	tr.sql(db, 7, "SELECT * FROM notes WHERE id = 1", rowsOf(2, "acme"))
	tr.sql(db, 7, "SELECT id FROM notes WHERE id = 1")
	tr.respond(c, r, 7, 200)
	tr.expect(
		"no_tenant thread",
		"unattributed/no_evidence thread",
		"unattributed/no_evidence thread row beta", // the column may be the shared table's
		"unattributed/no_evidence thread",          // by the end of the request a tenant column of notes has been seen
		"ok_exact thread row acme",
		"unattributed/no_evidence thread",
	)
}

func TestCutNoTextUnseen(t *testing.T) {
	tr := newTrace(t, "")
	tr.known("beta")
	c, db := tr.client("acme"), tr.database()
	tr.sql(db, 9, selectScoped, rows("acme"))
	tr.lines = nil
	statement := func(ev event.Statement, results ...*event.Result) {
		t.Helper()
		tr.seqs[db]++
		ev.Header, ev.Conn, ev.Seq = tr.head(web, 7), db, tr.seqs[db]
		tr.play(&ev)
		tr.answer(db, ev.Seq, results...)
	}
	r := tr.request(c, 7, "/")
	statement(event.Statement{Simple: true, Text: "SELECT id FROM invoices WHERE note = 'aaaa", Cut: true}, result("SELECT 1"))
	statement(event.Statement{Simple: true, Text: "SELECT 1; SELECT id FROM invoices WHERE note = 'aaaa", Cut: true}, result("SELECT 1"), result("SELECT 1"), result("SELECT 1"))
	statement(event.Statement{NoText: true}, result("SELECT 1"))
	statement(event.Statement{NoText: true}, result("BEGIN"))
	statement(event.Statement{NoText: true}, result("COMMIT"))
	statement(event.Statement{NoText: true}, rows("beta"))
	statement(event.Statement{Text: "SELECT 1"}, &event.Result{Skipped: true})
	statement(event.Statement{Simple: true, Text: ""}, &event.Result{Empty: true})
	statement(event.Statement{Text: ""}, &event.Result{Empty: true})
	statement(event.Statement{Simple: true, Text: unscoped + ";" + selectBeta + "; SELECT 1"}, result("SELECT 1"), &event.Result{Unseen: true})
	statement(event.Statement{Simple: true, Text: "SELECT 1; SELECT 1/0; SELECT 2"}, result("SELECT 1"), failure("22012"))
	statement(event.Statement{Simple: true, Text: "SELECT 1; SELECT 2"}, result("SELECT 1"), &event.Result{None: true})
	statement(event.Statement{Text: unscoped, Resumed: true}, rows("acme"))
	tr.respond(c, r, 7, 200)
	tr.expect(
		"unattributed/cut thread",
		"no_tenant thread", "unattributed/cut thread", "unattributed/cut thread",
		"unattributed/session_unknown thread",
		"no_tenant thread", "no_tenant thread",
		"violation thread row beta [CROSS_TENANT_READ]",
		"no_tenant thread",
		"unattributed/session_unknown thread", "violation thread literal beta [CROSS_TENANT_READ]", "no_tenant thread",
		"no_tenant thread", "no_tenant thread",
		"no_tenant thread",
		"ok_exact thread row acme",
	)
}

func TestStatementsInFlightAtTheEnd(t *testing.T) {
	tr := newTrace(t, "")
	tr.known("beta")
	c, db := tr.client("acme"), tr.database()
	tr.sql(db, 9, selectScoped)
	tr.lines = nil
	r := tr.request(c, 7, "/")
	tr.write(db, 7, unscoped)
	tr.write(db, 7, selectBeta)
	tr.write(db, 7, "ROLLBACK")
	tr.play(&event.ConnectionClosed{Header: tr.head(web, 7), Conn: db})
	tr.respond(c, r, 7, 500)
	tr.expect("unattributed/unseen thread", "violation thread literal beta [CROSS_TENANT_READ]", "no_tenant thread")
}

func TestDesync(t *testing.T) {
	tr := newTrace(t, "")
	tr.known("beta")
	c, db := tr.client("acme"), tr.database()
	tr.sql(db, 9, "SET app.tenant_id = 'acme'")
	tr.sql(db, 9, selectScoped)
	tr.lines = nil
	r := tr.request(c, 7, "/")
	tr.write(db, 7, selectBeta)
	tr.play(&event.SessionDesync{Header: tr.head(web, 7), Conn: db})
	tr.expect("unattributed/desync thread")
	tr.sql(db, 7, "SET app.tenant_id = 'acme'")
	tr.sql(db, 7, unscoped)
	tr.respond(c, r, 7, 200)
	tr.expect("no_tenant thread", "unattributed/session_unknown thread")
}

func TestAnswersThatAreMissing(t *testing.T) {
	tr := newTrace(t, "")
	db := tr.database()
	tr.write(db, 9, "SELECT 1")
	second := tr.write(db, 9, "SELECT 2")
	tr.answer(db, second, result("SELECT 1"))
	tr.expect("no_tenant none", "no_tenant none")
	// Hostile numbering: answers for nothing, twice, and far ahead.
	for _, r := range []event.Result{{Seq: 1}, {Seq: second}, {Seq: 99}, {Seq: 3, Index: 1 << 40}, {Seq: 3, Index: -1}} {
		r.Header, r.Conn = tr.head(web, 9), db
		tr.play(&r)
	}
	tr.expect()
	third := tr.write(db, 9, "SELECT 3; SELECT 4")
	r := &event.Result{Header: tr.head(web, 9), Conn: db, Seq: third, Index: 1 << 40, Last: true}
	tr.play(r)
	tr.expect("no_tenant none", "no_tenant none", "background none")
}

// DO and CALL run code that is not seen: it may touch any row, and set any setting.
func TestCodeThatIsNotSeen(t *testing.T) {
	for _, text := range []string{"DO $$ BEGIN PERFORM enter('acme'); END $$", "CALL enter('acme')", "/* x */ call enter('acme')"} {
		tr := newTrace(t, "")
		tr.known("beta")
		c, db := tr.client("acme"), tr.database()
		r := tr.request(c, 7, "/")
		tr.sql(db, 7, selectScoped)
		tr.sql(db, 7, "SET app.tenant_id = 'beta'") // left by whoever had the session before
		tr.sql(db, 7, text)
		tr.sql(db, 7, unscoped)
		tr.sql(db, 7, "SET app.tenant_id = 'acme'")
		tr.sql(db, 7, unscoped)
		tr.respond(c, r, 7, 200)
		tr.expect("ok_exact thread literal acme", "no_tenant thread", "unattributed/unparsed thread", "unattributed/session_unknown thread", "no_tenant thread", "ok_exact thread session acme")
		tr.expectFindings()
	}
}

// TestStandardStrings: the server's own word takes the doubt about a backslash away.
func TestStandardStrings(t *testing.T) {
	const text = `SELECT id FROM invoices WHERE path = 'c:\' AND tenant_id = 'acme'`
	for value, want := range map[string]string{"": "unattributed/unparsed thread", "off": "unattributed/unparsed thread", "on": "ok_exact thread literal acme"} {
		tr := newTrace(t, "")
		c, db := tr.client("acme"), tr.database()
		if value != "" {
			tr.play(&event.SessionSetting{Header: tr.head(web, web), Conn: db, Name: "standard_conforming_strings", Value: value})
		}
		tr.sql(db, 9, selectScoped)
		tr.lines = nil
		r := tr.request(c, 7, "/")
		tr.sql(db, 7, text)
		tr.respond(c, r, 7, 200)
		tr.expect(want)
	}
}
