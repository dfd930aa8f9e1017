package correlate

import (
	"testing"
	"time"

	"tenantrace/collector/event"
	"tenantrace/correlate/verdict"
)

// whole is a trace of a process all of whose threads are seen from its beginning.
func whole(t *testing.T, limits ...Limits) *trace {
	tr := newTrace(t, "", limits...)
	tr.play(&event.ProcessStarted{Header: tr.head(web, web), Exe: "/usr/bin/app", Name: "app", Service: "app", Threads: true})
	tr.known("beta", "gamma")
	return tr
}

func (tr *trace) thread(tid, parent uint32) {
	tr.play(&event.ThreadStarted{Header: tr.head(web, tid), Parent: parent})
}

func (tr *trace) endThread(tid uint32) { tr.play(&event.ThreadEnded{Header: tr.head(web, tid)}) }

// A scheduler in the web process, begun before any request, goes through all tenants while requests are open: nobody is accused of it, and no set
// is worth less for it.
func TestSchedulerThread(t *testing.T) {
	tr := whole(t)
	a, db := tr.client("acme"), tr.database()
	tr.thread(9, web)
	tr.respond(a, tr.request(a, 7, "/"), 7, 200) // who reads, answers
	tr.wait(3 * time.Second)
	r := tr.request(a, 7, "/")
	tr.waited(7)
	tr.thread(10, 9) // of the scheduler's own pool
	for _, tid := range []uint32{9, 10, 11} {
		tr.sql(db, tid, selectBeta)
		tr.sql(db, tid, selectGamma)
		tr.expect("background none literal beta", "background none literal gamma")
	}
	tr.sql(db, 7, selectBeta)
	tr.expect("violation set literal beta [CROSS_TENANT_READ]")
	tr.respond(a, r, 7, 200)
}

// An executor's thread, begun by an event loop that had read a request, works for requests: which one is not known.
func TestExecutorThread(t *testing.T) {
	tr := whole(t)
	tr.multiplex(7)
	tr.thread(9, 7)
	a, b, db := tr.client("acme"), tr.client("beta"), tr.database()
	tr.request(a, 7, "/")
	tr.sql(db, 9, selectBeta)
	tr.expect("violation set literal beta [CROSS_TENANT_READ]")
	tr.request(b, 7, "/")
	tr.sql(db, 9, selectBeta)
	tr.expect("ok_set set literal beta")
	tr.thread(10, 9)
	tr.sql(db, 10, selectGamma)
	tr.expect("violation set literal gamma [CROSS_TENANT_READ]")
}

// A request's thread starts one that goes on after the response and ends: what it does is the request's.
func TestThreadOfOneRequest(t *testing.T) {
	for name, c := range map[string]struct {
		after bool // the response
		want  string
	}{
		"before": {false, "violation thread literal beta [CROSS_TENANT_READ]"},
		"after":  {true, "violation thread literal beta [BACKGROUND_TENANT_DRIFT]"},
	} {
		t.Run(name, func(t *testing.T) {
			tr := whole(t)
			a, b, db := tr.client("acme"), tr.client("beta"), tr.database()
			ra := tr.request(a, 7, "/a")
			tr.request(b, 8, "/b") // with its own thread: as a set both might be meant
			tr.thread(20, 7)
			if c.after {
				tr.respond(a, ra, 7, 200)
			}
			tr.sql(db, 20, selectBeta)
			tr.sql(db, 20, selectScoped)
			tr.expect()
			tr.endThread(20)
			tr.expect()
			if !c.after {
				tr.respond(a, ra, 7, 200)
			}
			tr.wait(3 * time.Second)
			if v := tr.last(); v.Request == nil || v.Request.Path != "/a" {
				t.Errorf("%+v", v.Request)
			}
			tr.expect(c.want, "ok_exact thread literal acme")
			if f := tr.findings[0]; c.after && f.Severity != verdict.SeverityMedium {
				t.Errorf("severity %v, want medium", f.Severity)
			}
		})
	}
}

// A pool's thread begins the same way, and serves other requests later: it does not end, or it ends with the process.
func TestThreadOfAPool(t *testing.T) {
	for name, end := range map[string]func(*trace){
		"lives on": func(tr *trace) { tr.wait(31 * time.Second) },
		"process ends": func(tr *trace) {
			tr.endThread(20)
			tr.play(&event.ProcessExited{Header: tr.head(web, web)})
			tr.wait(3 * time.Second)
		},
		"idle before it ended": func(tr *trace) { // as Ruby's threads, which are lent to the next who creates one
			tr.wait(1100 * time.Millisecond)
			tr.endThread(20)
			tr.wait(3 * time.Second)
		},
		"with it": func(tr *trace) { tr.play(&event.ProcessExited{Header: tr.head(web, web)}) },
		"close":   func(tr *trace) { tr.engine.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			tr := whole(t)
			a, b, db := tr.client("acme"), tr.client("beta"), tr.database()
			ra := tr.request(a, 7, "/a")
			tr.thread(20, 7)
			rb := tr.request(b, 8, "/b")
			tr.sql(db, 20, selectBeta) // for b
			tr.respond(a, ra, 7, 200)
			tr.respond(b, rb, 8, 200)
			end(tr)
			tr.expect("ok_set set literal beta")
			tr.expectFindings()
		})
	}
}

// A reactor reads the requests, and threads of a pool work for them and answer: Puma. None of them ever reads a request, or descends from one who did.
func TestThreadsBehindAReactor(t *testing.T) {
	tr := whole(t)
	tr.thread(5, web)
	tr.thread(8, web)
	tr.thread(9, web)
	a, b, db := tr.client("acme"), tr.client("beta"), tr.database()
	ra := tr.request(a, 5, "/")
	tr.waited(5)
	tr.sql(db, 8, selectScoped)
	tr.expect("unattributed/no_link none literal acme") // it may be anybody's
	tr.respond(a, ra, 8, 200)
	rb := tr.request(b, 5, "/")
	tr.sql(db, 8, selectBeta)
	tr.sql(db, 8, selectGamma)
	tr.sql(db, 9, selectGamma) // of another thread, maybe a scheduler
	tr.expect("ok_set set literal beta", "violation set literal gamma [CROSS_TENANT_READ]", "unattributed/no_link none literal gamma")
	tr.respond(b, rb, 8, 200)
	// One that has also read a request itself, as it had come while the connection's last answer was written.
	tr.wait(3 * time.Second)
	tr.respond(a, tr.request(a, 8, "/"), 8, 200)
	tr.wait(3 * time.Second)
	tr.thread(6, web)
	tr.request(b, 6, "/") // a second reactor, which has not waited yet
	tr.sql(db, 8, selectBeta)
	tr.expect("ok_exact set literal beta")
}

// What an event loop did before there was any request it may do among requests as well.
func TestWorkBeforeTheFirstRequest(t *testing.T) {
	tr := whole(t)
	tr.thread(7, web)
	tr.thread(9, web)
	a, db := tr.client("acme"), tr.database()
	tr.sql(db, 7, selectBeta)
	tr.sql(db, 9, "UPDATE invoices SET amount = 1 WHERE tenant_id = 'beta'") // a thread of its own
	tr.expect("background none literal beta", "background none literal beta")
	tr.request(a, 7, "/")
	tr.waited(7)
	tr.sql(db, 7, selectGamma)
	tr.sql(db, 7, "UPDATE invoices SET amount = 1 WHERE tenant_id = 'beta'")
	tr.expect("unattributed/mixed_work none literal gamma", "violation set literal beta [CROSS_TENANT_WRITE]")
}

// Two exact links that disagree accuse nobody.
func TestThreadAgainstTransaction(t *testing.T) {
	tr := whole(t)
	a, b, db := tr.client("acme"), tr.client("beta"), tr.database()
	ra, rb := tr.request(a, 7, "/a"), tr.request(b, 8, "/b")
	tr.thread(20, 7)
	tr.sql(db, 8, "BEGIN")
	tr.sql(db, 20, selectBeta)
	tr.sql(db, 8, "COMMIT")
	tr.respond(a, ra, 7, 200)
	tr.respond(b, rb, 8, 200)
	tr.lines = nil
	tr.endThread(20)
	tr.wait(3 * time.Second)
	tr.expect("unattributed/conflict none literal beta")
}

// A thread that reads requests itself works for those.
func TestThreadPerConnection(t *testing.T) {
	tr := whole(t)
	a, b, db := tr.client("acme"), tr.client("beta"), tr.database()
	ra := tr.request(a, 7, "/a")
	tr.thread(20, 7)
	rb := tr.request(b, 20, "/b")
	tr.sql(db, 20, selectBeta)
	tr.respond(b, rb, 20, 200)
	tr.endThread(20)
	tr.respond(a, ra, 7, 200)
	tr.expect("ok_exact thread literal beta")

	// Another thread with its id knows nothing of it.
	tr.thread(20, web)
	tr.request(a, 7, "/a")
	tr.sql(db, 20, selectBeta)
	tr.expect("background none literal beta")
}

// Of a thread whose creator is not known, or was forgotten, nothing is claimed.
func TestThreadOfUnknownOrigin(t *testing.T) {
	tr := whole(t)
	a, db := tr.client("acme"), tr.database()
	tr.request(a, 7, "/")
	tr.thread(20, 0)
	tr.sql(db, 20, selectBeta)
	tr.expect("unattributed/no_link none literal beta")

	tr = whole(t, Limits{Threads: 3})
	a, db = tr.client("acme"), tr.database()
	for tid := range uint32(4) {
		tr.respond(a, tr.request(a, 30+tid, "/"), 30+tid, 200)
	}
	tr.request(a, 33, "/")
	tr.thread(20, 30) // which had read a request
	tr.sql(db, 20, selectBeta)
	tr.expect("unattributed/evicted none literal beta")
}

func TestWaitingStatementsOfThreadsAreBounded(t *testing.T) {
	tr := whole(t, Limits{Deferred: 3})
	a, db := tr.client("acme"), tr.database()
	tr.request(a, 7, "/")
	tr.thread(20, 7)
	for range 5 {
		tr.sql(db, 20, selectScoped)
	}
	tr.expect("ok_exact set literal acme", "ok_exact set literal acme")
	tr.engine.Close()
	tr.expect("ok_exact set literal acme", "ok_exact set literal acme", "ok_exact set literal acme")
}

// A transaction that a request's thread began, and that a helper goes on with after the response.
func TestTransactionAfterTheResponse(t *testing.T) {
	tr := newTrace(t, "")
	tr.known("beta")
	a, db := tr.client("acme"), tr.database()
	r := tr.request(a, 7, "/")
	tr.sql(db, 7, "BEGIN")
	tr.respond(a, r, 7, 200)
	tr.sql(db, 9, selectBeta)
	tr.sql(db, 9, "COMMIT")
	tr.expect("no_tenant thread", "violation transaction literal beta [BACKGROUND_TENANT_DRIFT]", "no_tenant transaction")
}
