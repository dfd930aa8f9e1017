package correlate

import (
	"testing"
	"time"

	"tenantrace/collector/event"
)

// aside is a thread of a pool that has answered the first of two pipelined requests, and put the second one aside with its connection.
func (tr *trace) aside(c event.ConnID, tid uint32) (second uint64) {
	first := tr.request(c, tid, "/1")
	second = tr.request(c, tid, "/2")
	tr.respond(c, first, tid, 200)
	return second
}

// Any thread may take a request from the buffer of a connection that was put aside: also one that has put another aside.
func TestPipelinedRequestTakenUpByAnother(t *testing.T) {
	for name, end := range map[string]func(tr *trace, a, b event.ConnID, ra, rb uint64){
		"answered by it": func(tr *trace, a, b event.ConnID, ra, rb uint64) {
			tr.respond(b, rb, 7, 200)
			tr.respond(a, ra, 7, 200)
		},
		"its client has gone": func(tr *trace, a, b event.ConnID, ra, rb uint64) {
			tr.play(&event.ConnectionClosed{Header: tr.head(web, 7), Conn: b})
			tr.respond(a, ra, 7, 200)
		},
		"the own one by another": func(tr *trace, a, b event.ConnID, ra, rb uint64) {
			tr.respond(a, ra, 8, 200)
			tr.respond(b, rb, 7, 200)
		},
		"all their clients go":    func(tr *trace, a, b event.ConnID, ra, rb uint64) { tr.engine.Close() },
		"neither within its time": func(tr *trace, _, _ event.ConnID, _, _ uint64) { tr.wait(31 * time.Second) },
	} {
		t.Run(name, func(t *testing.T) {
			tr := newTrace(t, "")
			a, b, db := tr.client("acme"), tr.client("beta"), tr.database()
			rb := tr.aside(b, 8)
			ra := tr.aside(a, 7)
			tr.sql(db, 7, selectBeta) // for /2 of b
			tr.play(&event.ThreadStarted{Header: tr.head(web, 30), Parent: 7})
			tr.sql(db, 30, selectBeta)
			tr.play(&event.ThreadEnded{Header: tr.head(web, 30)})
			end(tr, a, b, ra, rb)
			tr.wait(3 * time.Second)
			tr.engine.Close()
			tr.expect("ok_set set literal beta", "ok_set set literal beta")
			tr.expectFindings()
		})
	}
}

// The request that makes a thread leave others behind may be a pipelined one: what comes with it is not tied to the thread either.
func TestPipelinedRequestsAfterOthersWerePutAside(t *testing.T) {
	tr := newTrace(t, "")
	a, b, db := tr.client("acme"), tr.client("beta"), tr.database()
	tr.aside(a, 7)
	r1, r2 := tr.request(b, 7, "/first"), tr.request(b, 7, "/second")
	tr.sql(db, 7, selectBeta)
	tr.respond(b, r1, 7, 200)
	tr.respond(b, r2, 7, 200)
	if r := tr.last().Request; r != nil && r.Path != "/first" {
		t.Errorf("tied to %s, which had not begun", r.Path)
	}
	tr.expect("ok_set set literal beta")
}

// A pipelined request that the thread which read it answers, while no other was put aside, is its own.
func TestPipelinedRequestOfItsThread(t *testing.T) {
	tr := newTrace(t, "")
	tr.known("beta")
	a, db := tr.client("acme"), tr.database()
	ra := tr.aside(a, 7)
	tr.sql(db, 7, selectBeta)
	tr.expect()
	tr.respond(a, ra, 7, 200)
	tr.expect("violation thread literal beta [CROSS_TENANT_READ]")
}
