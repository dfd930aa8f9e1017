package correlate

import (
	"testing"
	"time"

	"tenantrace/collector/event"
)

func (tr *trace) lose() {
	tr.play(&event.Lost{Header: event.Header{Time: tr.now, PID: web}, Reason: "ringbuf", Count: 1})
}

func (tr *trace) waited(tid uint32) { tr.play(&event.ThreadWaited{Header: tr.head(web, tid)}) }

// A client that hangs up does not stop the handler: its further statements are no background work, lest hanging up hide them.
func TestClientHangsUp(t *testing.T) {
	hangUps := map[string]func(*trace, event.ConnID, uint64){
		"closed": func(tr *trace, c event.ConnID, _ uint64) {
			tr.play(&event.ConnectionClosed{Header: tr.head(web, 0), Conn: c})
		},
		"desync": func(tr *trace, c event.ConnID, r uint64) {
			tr.play(&event.HTTPResponseEnd{Header: tr.head(web, 7), Conn: c, Seq: r, Reason: "desync"})
		},
	}
	for name, hangUp := range hangUps {
		t.Run(name, func(t *testing.T) {
			tr := newTrace(t, "")
			tr.known("beta")
			c, db := tr.client("acme"), tr.database()
			r := tr.request(c, 7, "/")
			tr.sql(db, 7, selectScoped)
			hangUp(tr, c, r)
			tr.expect("ok_exact thread literal acme")
			tr.sql(db, 7, selectBeta)
			tr.expect("violation set literal beta [CROSS_TENANT_READ]")
			tr.sql(db, 9, selectBeta) // a helper of the handler, or not
			tr.expect("unattributed/no_link none literal beta")

			other := tr.client("beta")
			tr.respond(other, tr.request(other, 7, "/"), 7, 200)
			tr.sql(db, 7, selectBeta) // the thread has turned to another request since
			tr.expect("ok_set set literal beta")
			tr.wait(31 * time.Second)
			tr.sql(db, 9, selectBeta)
			tr.expect("background none literal beta")
			tr.expectFindings("CROSS_TENANT_READ")
		})
	}
}

func TestThreadWaitsAfterClientHungUp(t *testing.T) {
	tr := newTrace(t, "")
	c, db := tr.client("acme"), tr.database()
	tr.request(c, 7, "/")
	tr.play(&event.ConnectionClosed{Header: tr.head(web, 0), Conn: c})
	tr.waited(7)
	tr.sql(db, 7, selectScoped)
	tr.expect("background none literal acme")
}

func TestClientOfAnEventLoopHangsUp(t *testing.T) {
	tr := newTrace(t, "")
	c, db := tr.client("acme"), tr.database()
	tr.request(c, 7, "/")
	tr.waited(7)
	tr.play(&event.ConnectionClosed{Header: tr.head(web, 0), Conn: c})
	tr.sql(db, 7, selectScoped)
	tr.sql(db, 9, selectScoped)
	tr.expect("ok_exact set literal acme", "unattributed/no_link none literal acme")
}

// The request itself may be what was lost: then what it does is no background work.
func TestLostRequest(t *testing.T) {
	tr := newTrace(t, "")
	tr.known("acme")
	c, db := tr.client("acme"), tr.database()
	tr.respond(c, tr.request(c, 7, "/"), 7, 200)
	tr.lose()
	tr.sql(db, 7, selectScoped)
	tr.sql(db, 9, selectScoped)
	tr.expect("blind/loss none", "blind/loss none")

	tr.respond(c, tr.request(c, 7, "/"), 7, 200)
	tr.waited(7)
	tr.sql(db, 7, selectScoped) // that thread is known again
	tr.sql(db, 9, selectScoped)
	tr.expect("background none literal acme", "blind/loss none")
	tr.wait(31 * time.Second)
	tr.sql(db, 9, selectScoped)
	tr.expect("background none literal acme")
}

// The end of an answer may be what was lost: that makes no event loop of a blocking thread.
func TestLostEndOfAnswer(t *testing.T) {
	for name, next := range map[string]func(*trace){
		"wait":       func(tr *trace) { tr.waited(7) },
		"connection": func(tr *trace) { c := tr.client("acme"); tr.respond(c, tr.request(c, 7, "/unsure"), 7, 200) },
	} {
		t.Run(name, func(t *testing.T) {
			tr := newTrace(t, "")
			a, b, db := tr.client("acme"), tr.client("acme"), tr.database()
			tr.request(a, 7, "/")
			tr.lose()
			next(tr)
			r := tr.request(b, 7, "/")
			tr.sql(db, 7, selectScoped)
			tr.respond(b, r, 7, 200)
			tr.expect("ok_exact thread literal acme")
		})
	}
}

// Somebody is being served whose requests are not understood (number 0, of no thread): what the process does is no background work.
func TestClientThatIsNotUnderstood(t *testing.T) {
	tr := newTrace(t, "")
	c, db := tr.client("acme"), tr.database()
	tr.sql(db, 7, selectScoped)
	tr.expect("background none literal acme")
	tr.play(&event.HTTPRequest{Header: tr.head(web, 0), Conn: c, Anomalies: []string{"header_cut"}})
	tr.sql(db, 7, selectScoped)
	tr.expect("unattributed/no_link none literal acme")
	tr.play(&event.ConnectionClosed{Header: tr.head(web, 0), Conn: c})
	tr.wait(31 * time.Second)
	tr.sql(db, 7, selectScoped)
	tr.expect("background none literal acme")
	families, err := tr.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != "tenantrace_requests_total" {
			continue
		}
		for _, m := range f.GetMetric() {
			if n := m.GetCounter().GetValue(); n != 0 {
				t.Errorf("%v requests are counted, want 0: how many they were is not known", n)
			}
		}
	}
}
