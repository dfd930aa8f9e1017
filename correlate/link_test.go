package correlate

import (
	"testing"
	"time"

	"tenantrace/collector/event"
)

func TestBackgroundAndNoLink(t *testing.T) {
	tr := newTrace(t, "")
	tr.known("beta")
	c, db := tr.client("acme"), tr.database()
	tr.sql(db, 9, selectScoped)
	tr.expect("background none literal acme") // no request is open

	r := tr.request(c, 7, "/")
	tr.sql(db, 9, selectBeta)
	tr.sql(db, 9, "SELECT 1")
	tr.expect("unattributed/no_link none literal beta", "no_tenant none")
	tr.respond(c, r, 7, 200)
	tr.waited(7)
	tr.sql(db, 7, selectBeta)
	tr.expect("background none literal beta")

	tr.request(c, 8, "/")
	tr.sql(db, 7, selectBeta) // a worker between requests, while another works
	tr.expect("background none literal beta")
	tr.expectFindings()
}

func TestThreadThatMultiplexes(t *testing.T) {
	tr := newTrace(t, "")
	tr.known("beta")
	a, b, db := tr.client("acme"), tr.client("beta"), tr.database()
	ra := tr.request(a, 7, "/")
	tr.sql(db, 7, selectBeta) // looks like a violation of acme's request
	tr.expect()
	tr.play(&event.ThreadWaited{Header: tr.head(web, 7)})
	tr.expect("violation set literal beta [CROSS_TENANT_READ]")
	tr.sql(db, 7, selectBeta)
	tr.expect("violation set literal beta [CROSS_TENANT_READ]")
	tr.respond(a, ra, 7, 200)
	tr.sql(db, 7, selectBeta)
	tr.expect("violation set literal beta [BACKGROUND_TENANT_DRIFT]")

	// For good: a later request alone on the thread is not linked by it either.
	rb := tr.request(b, 7, "/")
	tr.sql(db, 7, selectScoped)
	tr.respond(b, rb, 7, 200)
	tr.expect("ok_set set literal acme")

	// Until another process has the pid.
	tr.play(&event.ProcessStarted{Header: tr.head(web, web), Name: "app", Service: "app"})
	a, db = tr.client("acme"), tr.database()
	ra = tr.request(a, 7, "/")
	tr.sql(db, 7, selectScoped)
	tr.respond(a, ra, 7, 200)
	tr.expect("ok_exact thread literal acme")
	tr.expectFindings("CROSS_TENANT_READ", "BACKGROUND_TENANT_DRIFT")
}

func TestWaitBetweenRequestsIsBlockingStyle(t *testing.T) {
	tr := newTrace(t, "")
	c, db := tr.client("acme"), tr.database()
	for range 3 {
		r := tr.request(c, 7, "/")
		tr.sql(db, 7, selectScoped)
		tr.respond(c, r, 7, 200)
		tr.play(&event.ThreadWaited{Header: tr.head(web, 7)})
		tr.expect("ok_exact thread literal acme")
	}
}

func TestSecondConnectionWhileOneIsOpen(t *testing.T) {
	tr := newTrace(t, "")
	a, b, db := tr.client("acme"), tr.client("beta"), tr.database()
	ra := tr.request(a, 7, "/")
	tr.sql(db, 7, selectBeta)
	rb := tr.request(b, 7, "/")
	tr.expect("violation set literal beta [CROSS_TENANT_READ]") // when it was written, no other was open
	tr.sql(db, 7, selectBeta)
	tr.respond(a, ra, 7, 200)
	tr.sql(db, 7, selectScoped)
	tr.respond(b, rb, 7, 200)
	tr.expect("ok_set set literal beta", "ok_set set literal acme")
	tr.expectFindings("CROSS_TENANT_READ")
}

// Pipelined requests of one connection have one identity: it needs no guess, only the request does.
func TestPipelining(t *testing.T) {
	tr := newTrace(t, "")
	tr.known("beta")
	c, db := tr.client("acme"), tr.database()
	r1, r2 := tr.request(c, 7, "/1"), tr.request(c, 7, "/2")
	tr.sql(db, 7, selectScoped)
	tr.sql(db, 7, selectBeta)
	tr.respond(c, r1, 7, 200)
	if v := tr.last(); v.Request != nil || v.IdentityTenant != "acme" || v.Connection == nil {
		t.Errorf("request %+v, tenant %q, connection %+v: want none, acme, one", v.Request, v.IdentityTenant, v.Connection)
	}
	tr.expect("ok_exact thread literal acme", "violation thread literal beta [CROSS_TENANT_READ]")
	tr.sql(db, 7, selectScoped)
	tr.respond(c, r2, 7, 200)
	if v := tr.last(); v.Request == nil || v.Request.Path != "/2" {
		t.Errorf("request %+v, want /2", v.Request)
	}
	tr.expect("ok_exact thread literal acme")
}

// A server may put a connection aside with pipelined requests that it has read but not begun: whoever sends such must not blind the thread for
// others, nor have them worked for by a thread that then counts as idle.
func TestPipelinedRequestsPutAside(t *testing.T) {
	for name, next := range map[string]func(*trace){
		"wait":       func(tr *trace) { tr.play(&event.ThreadWaited{Header: tr.head(web, 7)}) },
		"connection": func(tr *trace) { c := tr.client("acme"); tr.respond(c, tr.request(c, 7, "/lost"), 7, 200) },
	} {
		t.Run(name, func(t *testing.T) {
			tr := newTrace(t, "")
			tr.known("acme")
			a, b, db := tr.client("acme"), tr.client("beta"), tr.database()
			tr.respond(a, tr.request(a, 8, "/"), 8, 200)
			r1, r2 := tr.request(b, 7, "/1"), tr.request(b, 7, "/2")
			tr.sql(db, 7, selectBeta)
			tr.respond(b, r1, 7, 200)
			tr.expect("ok_exact thread literal beta")
			next(tr)

			ra := tr.request(a, 7, "/") // the thread serves others
			tr.sql(db, 7, selectScoped)
			tr.respond(a, ra, 7, 200)
			tr.expect("ok_exact thread literal acme")

			tr.sql(db, 8, selectScoped) // /2 taken from the buffer by another thread
			tr.respond(b, r2, 8, 200)
			tr.expect("ok_set set literal acme")
			tr.wait(3 * time.Second)
			tr.sql(db, 8, selectScoped)
			tr.expect("background none literal acme")
			tr.expectFindings()
		})
	}
}

func TestTransactionLink(t *testing.T) {
	for _, begin := range []string{"BEGIN", "SELECT 1"} { // the block is told by BEGIN, or by ReadyForQuery alone
		tr := newTrace(t, "")
		tr.known("beta")
		c, db := tr.client("acme"), tr.database()
		r := tr.request(c, 7, "/")
		tr.status[db] = event.TxOpen
		tr.sql(db, 7, begin)
		tr.sql(db, 9, selectScoped) // a helper thread on the request's connection
		tr.sql(db, 9, selectBeta)
		tr.sql(db, 7, "COMMIT")
		tr.expect() // the request is open
		tr.respond(c, r, 7, 200)
		tr.expect("no_tenant thread", "no_tenant thread",
			"ok_exact transaction literal acme", "violation transaction literal beta [CROSS_TENANT_READ IDENTITY_TOCTOU MIXED_TENANTS_IN_TRANSACTION]")
	}
}

func TestTransactionWithoutACause(t *testing.T) {
	tr := newTrace(t, "")
	c, db := tr.client("acme"), tr.database()
	tr.request(c, 7, "/")
	tr.sql(db, 9, "BEGIN")
	tr.sql(db, 9, selectScoped)
	tr.expect()
	tr.sql(db, 9, "COMMIT")
	tr.expect("no_tenant none", "unattributed/no_link none literal acme", "no_tenant none")
	tr.sql(db, 9, "BEGIN")
	tr.sql(db, 9, selectScoped)
	tr.wait(31 * time.Second)
	tr.expect("no_tenant none", "unattributed/no_link none literal acme")
}

func TestTransactionOfTwoRequestsIsAConflict(t *testing.T) {
	tr := newTrace(t, "")
	a, b, db := tr.client("acme"), tr.client("beta"), tr.database()
	tr.sql(db, 9, "BEGIN") // before any request
	tr.expect("no_tenant none")
	ra, rb := tr.request(a, 7, "/"), tr.request(b, 8, "/")
	tr.sql(db, 7, selectScoped)
	tr.sql(db, 8, selectBeta)
	tr.sql(db, 9, selectBeta)
	tr.respond(a, ra, 7, 200)
	tr.respond(b, rb, 8, 200)
	tr.expect("ok_exact thread literal acme", "ok_exact thread literal beta [DB_CONNECTION_SHARED]")
	tr.sql(db, 9, "COMMIT")
	tr.expect("unattributed/conflict none literal beta", "no_tenant none")
	tr.expectFindings("DB_CONNECTION_SHARED")
}

func TestHoldOfAnOpenRequest(t *testing.T) {
	tr := newTrace(t, "")
	tr.known("beta")
	c, db := tr.client("acme"), tr.database()
	tr.request(c, 7, "/stream")
	tr.sql(db, 7, selectBeta)
	tr.wait(29 * time.Second)
	tr.expect()
	tr.wait(2 * time.Second)
	if v := tr.last(); v.Request.Status != 0 {
		t.Errorf("status is %d, want 0", v.Request.Status)
	}
	tr.expect("violation thread literal beta [CROSS_TENANT_READ]")
}

func TestEndsOfRequests(t *testing.T) {
	for name, end := range map[string]func(*trace, event.ConnID, event.ConnID){
		"connection": func(tr *trace, c, _ event.ConnID) { tr.play(&event.ConnectionClosed{Header: tr.head(web, 7), Conn: c}) },
		"process":    func(tr *trace, _, _ event.ConnID) { tr.play(&event.ProcessExited{Header: tr.head(web, 7)}) },
		"exec": func(tr *trace, _, _ event.ConnID) {
			tr.play(&event.ProcessStarted{Header: tr.head(web, 7), Service: "new"})
		},
		"close": func(tr *trace, _, _ event.ConnID) { tr.engine.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			tr := newTrace(t, "")
			tr.known("beta")
			c, db := tr.client("acme"), tr.database()
			tr.request(c, 7, "/")
			tr.sql(db, 7, selectBeta)
			tr.expect()
			end(tr, c, db)
			tr.expect("violation thread literal beta [CROSS_TENANT_READ]")
		})
	}
}
