package correlate

import (
	"testing"

	"tenantrace/collector/event"
)

func TestLoss(t *testing.T) {
	for _, pid := range []uint32{web, 0} {
		tr := newTrace(t, "")
		tr.known("beta")
		a, b, db := tr.client("acme"), tr.client("acme"), tr.database()
		other := tr.database()
		tr.sql(other, 9, "SET app.tenant_id = 'acme'")
		tr.lines = nil
		ra := tr.request(a, 7, "/")
		tr.sql(db, 7, selectBeta)                          // waits for its request
		tr.sql(other, 9, "BEGIN")                          // waits for its transaction
		flying := tr.write(db, 7, "SELECT 1; "+selectBeta) // in flight
		tr.play(&event.Lost{Header: event.Header{Time: tr.now, PID: pid}, Reason: "ringbuf", Count: 1})
		tr.expect("blind/loss none", "blind/loss none")
		tr.answer(db, flying, result("SELECT 1"), result("SELECT 0"))
		tr.expect("blind/loss none", "blind/loss none")
		tr.sql(db, 7, selectBeta) // of a request that was open
		tr.expect("blind/loss none")
		tr.respond(a, ra, 7, 200)

		rb := tr.request(b, 7, "/") // after the loss
		tr.sql(db, 7, selectScoped)
		tr.sql(other, 7, unscoped) // what was set may have been changed unseen
		tr.respond(b, rb, 7, 200)
		tr.expect("ok_exact thread literal acme", "unattributed/session_unknown thread")
		tr.expectFindings()
	}
}

func TestLossOfAnotherProcess(t *testing.T) {
	tr := newTrace(t, "")
	c, db := tr.client("acme"), tr.database()
	r := tr.request(c, 7, "/")
	tr.sql(db, 7, selectScoped)
	tr.play(&event.Lost{Header: event.Header{Time: tr.now, PID: 4242}, Reason: "ringbuf", Count: 1})
	tr.respond(c, r, 7, 200)
	tr.expect("ok_exact thread literal acme")
}
