package correlate

import (
	"slices"
	"testing"
	"time"

	"tenantrace/collector/event"
	"tenantrace/correlate/verdict"
)

var noTask = event.Task{None: event.TaskNone}

// settled is eventLoop with two database sessions and nothing that lingers, so that a transaction tells whose its statements are.
func settled(t *testing.T) (tr *trace, a, b, db event.ConnID) {
	tr = loop(t, "")
	return tr, tr.client("acme"), tr.client("beta"), tr.database()
}

// A statement whose context descends from no read may be a background task's: on the loop's thread the requests may explain it, and no more.
func TestTaskOfNobodyOnALoop(t *testing.T) {
	tr, a, _, db := settled(t)
	tr.read(a, 7, 1)
	tr.does(db, 7, selectScoped, noTask)
	tr.does(db, 7, selectBeta, noTask)
	tr.does(db, 7, selectBeta, event.Task{None: event.TaskShared}) // it may well be a request's
	tr.expect("ok_exact set literal acme", "unattributed/mixed_work set literal beta", "violation set literal beta [CROSS_TENANT_READ]")
	tr.play(&event.ThreadStarted{Header: tr.head(web, 9), Parent: 7})
	tr.does(db, 9, selectBeta, noTask) // an executor's thread, which the loop began
	tr.expect("violation set literal beta [CROSS_TENANT_READ]")
	tr.findings = nil
	tr.answer(db, func() uint64 {
		tr.seqs[db]++
		task := noTask
		tr.play(&event.Statement{Header: tr.head(web, 7), Conn: db, Seq: tr.seqs[db], Simple: true, Text: unscoped, Task: &task})
		return tr.seqs[db]
	}(), rows("beta", "gamma"))
	tr.expect("unattributed/mixed_work set row beta,gamma")
	tr.expectFindings() // a job that goes through all tenants is no fault
}

// What a background task did while nothing was open says nothing of the loop's other tasks; of the same statement it does.
func TestTaskOfNobodyWhenIdle(t *testing.T) {
	tr, a, _, db := settled(t)
	tr.does(db, 7, selectGamma, noTask)
	tr.expect("background none literal gamma")
	tr.read(a, 7, 1)
	tr.does(db, 7, "DELETE FROM invoices WHERE tenant_id = 'beta'", event.Task{None: event.TaskShared})
	tr.does(db, 7, selectGamma, event.Task{None: event.TaskShared})
	tr.expect("violation set literal beta [CROSS_TENANT_WRITE]", "unattributed/mixed_work none literal gamma")
}

// What is not known to be nobody's is no background, but noted all the same.
func TestTaskUnknownWhenIdle(t *testing.T) {
	tr, a, _, db := settled(t)
	tr.does(db, 7, selectGamma, event.Task{None: event.TaskShared})
	tr.expect("unattributed/no_link none literal gamma")
	tr.read(a, 7, 1)
	tr.does(db, 7, "DELETE FROM invoices WHERE tenant_id = 'beta'", event.Task{None: event.TaskShared}) // the thread is not known to work for requests alone
	tr.expect("unattributed/mixed_work none literal beta")
}

// A task of a request that cannot be named any more may be of one that ended long ago: those of now are not accused, nor do they excuse it.
func TestTaskThatCannotBeNamed(t *testing.T) {
	tr, a, b, db := settled(t)
	tr.read(a, 7, 1)
	tr.does(db, 7, "BEGIN", event.Task{Conn: a, Read: 1})
	tr.does(db, 7, selectBeta, event.Task{Conn: 77, Read: 1})
	tr.does(db, 7, selectScoped, event.Task{None: event.TaskClosed})
	tr.does(db, 7, "COMMIT", event.Task{Conn: a, Read: 1})
	tr.expect("unattributed/no_link none literal beta", "unattributed/no_link none literal acme")
	tr.play(&event.ThreadStarted{Header: tr.head(web, 9), Parent: 8})
	tr.read(b, 8, 1)
	tr.play(&event.ThreadStarted{Header: tr.head(web, 10), Parent: 8}) // created for b's request alone
	tr.does(db, 10, selectScoped, event.Task{Conn: 77, Read: 1})
	tr.play(&event.ThreadEnded{Header: tr.head(web, 10)})
	tr.wait(3 * time.Second)
	tr.expect("unattributed/no_link none literal acme")
	tr.expectFindings()
}

// A conflict stays one: neither the transaction, nor an identifier, nor the thread's creation takes its place.
func TestConflictStays(t *testing.T) {
	tr := newTrace(t, "")
	tr.known("beta")
	a, b, db := tr.client("acme"), tr.client("beta"), tr.database()
	tr.database()
	ra, rb := tr.read(a, 7, 1), tr.read(b, 8, 1)
	tr.does(db, 7, "BEGIN", event.Task{Conn: a, Read: 1, Direct: true, Own: true})
	tr.does(db, 7, selectBeta, event.Task{Conn: b, Read: 1})
	tr.expect("unattributed/conflict none literal beta")
	tr.does(db, 7, "COMMIT", event.Task{Conn: a, Read: 1, Direct: true, Own: true})
	tr.respond(a, ra, 7, 200)
	tr.respond(b, rb, 8, 200)
	for _, v := range tr.lines {
		if v.Verdict != verdict.NoTenant {
			t.Errorf("%s", summary(v))
		}
	}
	tr.expectFindings()
}

// The creation of a thread for one request is a link only as long as no task on it is another's.
func TestTaskOnAThreadThatWasBorn(t *testing.T) {
	for _, other := range []bool{false, true} {
		tr := newTrace(t, "")
		tr.known("beta")
		a, b, db := tr.client("acme"), tr.client("beta"), tr.database()
		ra, rb := tr.read(a, 7, 1), tr.read(b, 8, 1)
		tr.play(&event.ThreadStarted{Header: tr.head(web, 9), Parent: 7})
		tr.does(db, 9, selectBeta, event.Task{None: event.TaskForeign})
		task, tenant := event.Task{Conn: a, Read: 1}, selectScoped
		if other {
			task, tenant = event.Task{Conn: b, Read: 1}, selectBeta
		}
		tr.does(db, 9, tenant, task)
		tr.play(&event.ThreadEnded{Header: tr.head(web, 9)})
		tr.respond(a, ra, 7, 200)
		tr.respond(b, rb, 8, 200)
		tr.wait(5 * time.Second)
		if other {
			tr.expect("ok_set set literal beta", "ok_exact task literal beta")
			tr.expectFindings()
			continue
		}
		tr.expect("ok_exact task literal acme", "violation thread literal beta [CROSS_TENANT_READ]")
	}
}

// An identifier of the server's against a task: both are exact.
func TestTokenAgainstTask(t *testing.T) {
	for _, own := range []bool{true, false} {
		tr := loop(t, "")
		a, b, db := tr.client("acme"), tr.client("beta"), tr.database()
		first := tr.request(b, 8, "/")
		tr.sql(db, 8, "SELECT 1 /*request_id:0000000000-1*/") // the process is one that tags its statements
		tr.identified(b, first, 8, "0000000000-1")
		ra := tr.read(a, 7, 1)
		rb := tr.read(b, 7, 1000)
		tr.lines = nil
		task := event.Task{Conn: b, Read: 1000}
		if own {
			task = event.Task{Conn: a, Read: 1}
		}
		tr.does(db, 7, selectScoped+" /*request_id:0000000000-2*/", task)
		tr.identified(a, ra, 7, "0000000000-2")
		tr.identified(b, rb, 7, "0000000000-3")
		if own {
			tr.expect("ok_exact task literal acme")
		} else {
			tr.expect("unattributed/conflict none literal acme")
		}
		tr.does(db, 7, selectScoped+" /*request_id:0000000000-2*/", noTask) // lost, but it bears the identifier
		tr.expect("ok_exact token literal acme")
		tr.expectFindings()
	}
}

func (tr *trace) identified(c event.ConnID, seq uint64, tid uint32, id string) {
	tr.play(&event.HTTPResponse{Header: tr.head(web, tid), Conn: c, Seq: seq, Status: 200, ID: id})
	tr.play(&event.HTTPResponseEnd{Header: tr.head(web, tid), Conn: c, Seq: seq})
}

// Two blocking threads in one transaction are the application's fault, and that task and thread agree on each makes it no conflict.
func TestTransactionOfTwoThreadsWithTasks(t *testing.T) {
	tr := newTrace(t, "")
	tr.known("beta")
	a, b, db := tr.client("acme"), tr.client("beta"), tr.database()
	of := func(c event.ConnID) event.Task { return event.Task{Conn: c, Read: 1, Direct: true, Own: true} }
	ra, rb := tr.read(a, 7, 1), tr.read(b, 8, 1)
	tr.does(db, 7, "BEGIN", of(a))
	tr.does(db, 7, selectScoped, of(a))
	tr.does(db, 8, selectBeta, of(b))
	tr.respond(a, ra, 7, 200)
	tr.respond(b, rb, 8, 200)
	tr.expect("no_tenant thread", "ok_exact thread literal acme", "ok_exact thread literal beta [DB_CONNECTION_SHARED]")
	tr.expectFindings("DB_CONNECTION_SHARED")
}

// Of two requests of one connection and one of another, the other is not overlooked.
func TestTransactionOfThreeTasks(t *testing.T) {
	tr, a, b, db := settled(t)
	first := tr.read(a, 7, 1)
	tr.does(db, 7, "BEGIN", event.Task{Conn: a, Read: 1})
	tr.respond(a, first, 7, 200)
	second, third := tr.read(a, 7, 50), tr.read(b, 7, 1)
	tr.lines = nil
	for _, task := range []event.Task{{Conn: a, Read: 1}, {Conn: a, Read: 50}, {Conn: b, Read: 1}} {
		tr.does(db, 7, selectScoped, task)
	}
	tr.respond(a, second, 7, 200)
	tr.respond(b, third, 7, 200)
	got := 0
	for _, v := range tr.lines {
		if v.Reason == verdict.Conflict {
			got++
		}
	}
	if got < 2 { // the first was answered, and judged before the others were there
		t.Errorf("%d statements in conflict of %d", got, len(tr.lines))
	}
	tr.expectFindings()
}

// A process that a request forks works for nobody that can be named: neither its parent's task, nor its thread, nor the transaction on an inherited connection
// is a link.
func TestForkInARequest(t *testing.T) {
	const child = 200
	for name, task := range map[string]*event.Task{"no tasks": nil, "none": {None: event.TaskNone}, "the parent's": {Conn: 2, Read: 1}, "its own stack": {Conn: 2, Read: 1, Direct: true, Own: true}} {
		t.Run(name, func(t *testing.T) {
			tr := newTrace(t, "")
			tr.known("beta")
			a := tr.client("acme")
			inherited, spare := tr.database(), tr.database()
			_ = spare
			ra := tr.read(a, 7, 1)
			tr.sql(inherited, 7, "BEGIN")
			tr.play(&event.ProcessStarted{Header: tr.head(child, child), Parent: web, Exe: "/usr/bin/app", Name: "app", Service: "app", Threads: true})
			tr.conns++
			own := tr.conns
			tr.play(&event.ConnectionOpened{Header: tr.head(child, child), Conn: own, Role: event.RoleClient, Net: "tcp", Local: "127.0.0.1:50001", Remote: "127.0.0.1:5432"})
			tr.play(&event.SessionStarted{Header: tr.head(child, child), Conn: own, Engine: event.PostgreSQL, Database: "shop", User: "app"})
			tr.status[own] = event.TxIdle
			for _, db := range []event.ConnID{own, inherited} {
				tr.seqs[db]++
				tr.play(&event.Statement{Header: tr.head(child, child), Conn: db, Seq: tr.seqs[db], Simple: true, Text: selectBeta, Task: task})
				r := result("SELECT 0")
				r.Header, r.Conn, r.Seq, r.Last = tr.head(child, child), db, tr.seqs[db], true
				tr.play(r)
			}
			tr.sql(inherited, 7, "COMMIT")
			tr.respond(a, ra, 7, 200)
			for _, v := range tr.lines {
				if v.PID != child {
					continue
				}
				if v.Link != verdict.LinkNone || v.Verdict != verdict.Background && (v.Verdict != verdict.Unattributed || task == nil || task.Conn == 0) {
					t.Errorf("%s", summary(v))
				}
			}
			if n := len(slices.DeleteFunc(tr.lines, func(v *verdict.Statement) bool { return v.PID != child })); n != 2 {
				t.Errorf("%d verdicts, want 2", n)
			}
			for _, f := range tr.findings { // that two processes used one connection is another matter
				if f.Name != ConnectionShared {
					t.Errorf("finding %s", f.Name)
				}
			}
		})
	}
}

// A loss ends the waiting of what a task ties to a request.
func TestTaskWaitsNoLongerAfterALoss(t *testing.T) {
	tr, a, _, db := settled(t)
	tr.read(a, 7, 1)
	tr.does(db, 7, selectScoped, event.Task{Conn: a, Read: 1})
	tr.expect()
	tr.play(&event.Lost{Header: tr.head(web, 0), Reason: "ringbuf", Count: 1})
	tr.expect("blind/loss none")
}

// MySQL's statements get the same links.
func TestTaskOfMySQL(t *testing.T) {
	tr, a, b, _ := settled(t)
	tr.conns++
	db := tr.conns
	tr.play(&event.ConnectionOpened{Header: tr.head(web, web), Conn: db, Role: event.RoleClient, Net: "tcp", Local: "127.0.0.1:50000", Remote: "127.0.0.1:3306"})
	tr.play(&event.SessionStarted{Header: tr.head(web, web), Conn: db, Engine: event.MySQL, Database: "shop", User: "app"})
	tr.status[db] = event.TxIdle
	ra := tr.read(a, 7, 1)
	tr.read(b, 7, 1)
	tr.does(db, 7, selectScoped, event.Task{Conn: a, Read: 1})
	tr.does(db, 9, selectBeta, event.Task{Conn: a, Read: 1})
	tr.does(db, 7, selectGamma, event.Task{None: event.TaskShared})
	tr.expect("violation set literal gamma [CROSS_TENANT_READ]")
	tr.respond(a, ra, 7, 200)
	if v := tr.last(); v.SQL.Engine != "mysql" {
		t.Errorf("engine %q", v.SQL.Engine)
	}
	tr.expect("ok_exact task literal acme", "violation task literal beta [CROSS_TENANT_READ IDENTITY_TOCTOU]")
}

// State that one task leaves in a pooled session is another's by their requests, as with threads; by a set it is not known whose it was.
func TestCarryoverBetweenTasks(t *testing.T) {
	for _, own := range []bool{false, true} {
		tr, a, b, db := settled(t)
		rb := tr.read(b, 7, 1)
		ra := tr.read(a, 7, 1)
		tr.does(db, 7, "SET app.tenant_id = 'beta'", event.Task{Conn: b, Read: 1})
		tr.respond(b, rb, 7, 200)
		tr.lines = nil
		if own {
			tr.does(db, 7, "SET app.tenant_id = 'acme'", event.Task{Conn: a, Read: 1})
		}
		tr.does(db, 9, "SELECT id, tenant_id FROM invoices", event.Task{Conn: a, Read: 1})
		tr.answer(db, func() uint64 {
			tr.seqs[db]++
			tr.play(&event.Statement{Header: tr.head(web, 7), Conn: db, Seq: tr.seqs[db], Simple: true, Text: "SELECT id, tenant_id FROM invoices WHERE tenant_id = 'acme'", Task: &event.Task{Conn: a, Read: 1}})
			return tr.seqs[db]
		}(), rows("acme")) // the table is a tenant's
		tr.respond(a, ra, 7, 200)
		if own {
			tr.expectFindings()
		} else {
			tr.expectFindings("CROSS_TENANT_READ", "SESSION_STATE_CARRYOVER")
		}
	}
}

// A policy that allows only threads gets nothing by tasks.
func TestTaskOnlyIfAllowed(t *testing.T) {
	tr := loop(t, "verdict: { links: [thread] }\n")
	a, db := tr.client("acme"), tr.database()
	ra := tr.read(a, 7, 1)
	tr.does(db, 7, selectBeta, event.Task{Conn: a, Read: 1})
	tr.respond(a, ra, 7, 200)
	tr.expect("unattributed/no_link none literal beta")
}

// What had to wait for room may be for a request that ended long before: the ones of now are not its candidates.
func TestTaskThatWaitedForRoom(t *testing.T) {
	tr, a, b, db := settled(t)
	tr.respond(b, tr.read(b, 7, 1), 7, 200)
	tr.wait(5 * time.Second)
	tr.read(a, 7, 1)
	tr.does(db, 7, selectBeta, event.Task{None: event.TaskBacklog}) // b's
	tr.expect("unattributed/no_link none literal beta")
}
