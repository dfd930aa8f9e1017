package correlate

import (
	"fmt"
	"testing"
	"time"

	"tenantrace/collector/event"
)

// respondAs responds with an identifier in the response.
func (tr *trace) respondAs(c event.ConnID, seq uint64, tid uint32, id string) {
	tr.play(&event.HTTPResponse{Header: tr.head(web, tid), Conn: c, Seq: seq, Status: 200, ID: id})
	tr.play(&event.HTTPResponseEnd{Header: tr.head(web, tid), Conn: c, Seq: seq})
}

// traced is the request of a client that sends an identifier and a traceparent.
func (tr *trace) traced(c event.ConnID, tid uint32, id, traceparent string) uint64 {
	tr.seqs[c]++
	tr.play(&event.HTTPRequest{Header: tr.head(web, tid), Conn: c, Seq: tr.seqs[c], Version: "HTTP/1.1", Method: "GET", Path: "/", ID: id, Traceparent: traceparent})
	return tr.seqs[c]
}

const idA, idB, idC = "aaaaaaaa-1", "bbbbbbbb-2", "cccccccc-3"

func tagged(sql, id string) string { return fmt.Sprintf("%s /*app:shop,request_id:%s*/", sql, id) }

// tokens is a loop whose responses are known to bear identifiers.
func tokens(t *testing.T) (tr *trace, a, b, db event.ConnID) {
	tr = loop(t, "")
	a, b, db = tr.client("acme"), tr.client("beta"), tr.database()
	r := tr.request(a, 7, "/")
	tr.sql(db, 7, "SELECT 1 /*request_id:first-one-of-all*/")
	tr.respondAs(a, r, 7, "first-one-of-all")
	tr.expect("no_tenant none")
	return tr, a, b, db
}

func TestToken(t *testing.T) {
	tr, a, b, db := tokens(t)
	ra, rb := tr.traced(a, 7, "", ""), tr.traced(b, 7, "", "")
	tr.sql(db, 7, tagged(selectBeta, idA)) // by acme's request, though beta's is open
	tr.sql(db, 9, tagged(selectScoped, idA))
	tr.sql(db, 7, tagged(selectBeta, idB))
	tr.expect()
	tr.respondAs(a, ra, 7, idA)
	tr.sql(db, 7, tagged(selectBeta, idA)) // after the response
	tr.expect()                            // beta's answer may show it too
	tr.play(&event.HTTPResponse{Header: tr.head(web, 7), Conn: b, Seq: rb, Status: 200, ID: idB})
	tr.expect("violation token literal beta [CROSS_TENANT_READ]", "ok_exact token literal acme", "violation token literal beta [BACKGROUND_TENANT_DRIFT]")
	tr.play(&event.HTTPResponseEnd{Header: tr.head(web, 7), Conn: b, Seq: rb})
	tr.expect("ok_exact token literal beta")
}

// What a client has sent proves nothing, nor does what two responses have.
func TestTokenThatProvesNothing(t *testing.T) {
	for name, play := range map[string]func(tr *trace, a, b, db event.ConnID){
		"the client's own": func(tr *trace, a, b, db event.ConnID) {
			ra := tr.traced(a, 7, idA, "")
			tr.traced(b, 7, "", "")
			tr.sql(db, 7, tagged(selectBeta, idA))
			tr.respondAs(a, ra, 7, idA)
		},
		"the client's traceparent": func(tr *trace, a, b, db event.ConnID) {
			ra := tr.traced(a, 7, "", "00-"+idA+"-01")
			tr.traced(b, 7, "", "")
			tr.sql(db, 7, tagged(selectBeta, idA))
			tr.respondAs(a, ra, 7, idA)
		},
		"sent by another client": func(tr *trace, a, b, db event.ConnID) {
			ra := tr.traced(a, 7, "", "")
			tr.traced(b, 7, idA, "")
			tr.sql(db, 7, tagged(selectBeta, idA))
			tr.respondAs(a, ra, 7, idA)
		},
		"duplicate": func(tr *trace, a, b, db event.ConnID) {
			ra, rb := tr.traced(a, 7, "", ""), tr.traced(b, 7, "", "")
			tr.sql(db, 7, tagged(selectBeta, idA))
			tr.play(&event.HTTPResponse{Header: tr.head(web, 7), Conn: b, Seq: rb, Status: 200, ID: idA})
			tr.respondAs(a, ra, 7, idA)
			tr.play(&event.HTTPResponseEnd{Header: tr.head(web, 7), Conn: b, Seq: rb})
		},
		"duplicate, when the first is over": func(tr *trace, a, b, db event.ConnID) {
			ra, rb := tr.traced(a, 7, "", ""), tr.traced(b, 7, "", "")
			tr.sql(db, 7, tagged(selectBeta, idA))
			tr.respondAs(a, ra, 7, idA)
			tr.respondAs(b, rb, 7, idA)
		},
		"duplicate, when the first was over": func(tr *trace, a, b, db event.ConnID) {
			ra, rb := tr.traced(a, 7, "", ""), tr.traced(b, 7, "", "")
			tr.respondAs(a, ra, 7, idA)
			tr.sql(db, 7, tagged(selectBeta, idA))
			tr.respondAs(b, rb, 7, idA)
		},
		"duplicate of the third to answer": func(tr *trace, a, b, db event.ConnID) {
			ra, rb, rc := tr.traced(a, 7, "", ""), tr.traced(b, 7, "", ""), uint64(0)
			c := tr.client("beta")
			rc = tr.traced(c, 7, "", "")
			tr.sql(db, 7, tagged(selectBeta, idA))
			tr.respondAs(a, ra, 7, idA)
			tr.respondAs(b, rb, 7, idB)
			tr.respondAs(c, rc, 7, idA)
		},
		"another's answer shows none": func(tr *trace, a, b, db event.ConnID) {
			ra, rb := tr.traced(a, 7, "", ""), tr.traced(b, 7, "", "")
			tr.sql(db, 7, tagged(selectBeta, idA))
			tr.respondAs(a, ra, 7, idA)
			tr.respondAs(b, rb, 7, "")
		},
		"another's client has gone": func(tr *trace, a, b, db event.ConnID) {
			ra := tr.traced(a, 7, "", "")
			tr.traced(b, 7, "", "")
			tr.sql(db, 7, tagged(selectBeta, idA))
			tr.respondAs(a, ra, 7, idA)
			tr.play(&event.ConnectionClosed{Header: tr.head(web, 7), Conn: b})
		},
		"another is never answered": func(tr *trace, a, b, db event.ConnID) {
			ra := tr.traced(a, 7, "", "")
			tr.traced(b, 7, "", "")
			tr.sql(db, 7, tagged(selectBeta, idA))
			tr.respondAs(a, ra, 7, idA)
			tr.expect()
			tr.wait(31 * time.Second)
		},
		"of a request that was over": func(tr *trace, a, b, db event.ConnID) {
			tr.respondAs(a, tr.traced(a, 7, "", ""), 7, idA)
			tr.wait(3 * time.Second)
			tr.traced(a, 7, "", "")
			tr.traced(b, 7, "", "")
			tr.sql(db, 7, tagged(selectBeta, idA))
		},
		"never answered": func(tr *trace, a, b, db event.ConnID) {
			tr.traced(a, 7, "", "")
			tr.traced(b, 7, "", "")
			tr.sql(db, 7, tagged(selectBeta, idC))
			tr.expect()
			tr.wait(31 * time.Second)
		},
		"prepared": func(tr *trace, a, b, db event.ConnID) {
			ra := tr.traced(a, 7, "", "")
			tr.traced(b, 7, "", "")
			tr.execute(db, 7, tagged(selectBeta, idA), []string{"x"})
			tr.respondAs(a, ra, 7, idA)
		},
	} {
		t.Run(name, func(t *testing.T) {
			tr, a, b, db := tokens(t)
			play(tr, a, b, db)
			tr.expect("ok_set set literal beta")
			tr.expectFindings()
		})
	}
}

// Two exact links that disagree accuse nobody.
func TestTokenAgainstThread(t *testing.T) {
	tr, a, b, db := tokens(t)
	ra, rb := tr.traced(a, 20, "", ""), tr.traced(b, 7, "", "")
	tr.sql(db, 20, tagged(selectBeta, idB))
	tr.respondAs(b, rb, 7, idB)
	tr.respondAs(a, ra, 20, idA)
	tr.expect("unattributed/conflict none literal beta")
	tr.expectFindings()
}

func TestTokenAgainstTransaction(t *testing.T) {
	tr, a, b, db := tokens(t)
	ra, rb := tr.traced(a, 20, "", ""), tr.traced(b, 7, "", "")
	tr.sql(db, 20, "BEGIN")
	tr.sql(db, 7, tagged(selectBeta, idB))
	tr.sql(db, 20, "COMMIT")
	tr.respondAs(b, rb, 7, idB)
	tr.respondAs(a, ra, 20, idA)
	tr.expect("unattributed/conflict none literal beta", "no_tenant thread", "no_tenant thread")
}

// A request that is never answered does not keep the statements that waited for it.
func TestUnansweredRequestKeepsNoStatements(t *testing.T) {
	tr, a, b, db := tokens(t)
	ra, rb := tr.traced(a, 7, "", ""), tr.traced(b, 7, "", "")
	tr.respondAs(a, ra, 7, idA)
	for range 20 {
		tr.sql(db, 7, tagged(selectBeta, idA))
	}
	c, _ := tr.engine.conns.Peek(b)
	if r := c.find(rb); len(r.awaited) != 20 {
		t.Fatalf("%d statements wait for the other answer, want 20", len(r.awaited))
	}
	tr.wait(31 * time.Second)
	if r := c.find(rb); len(r.awaited) != 0 || len(tr.lines) != 20 {
		t.Errorf("%d statements are kept and %d judged, want none and 20", len(r.awaited), len(tr.lines))
	}
}

func TestTokensAreBounded(t *testing.T) {
	tr := newTrace(t, "", Limits{Tokens: 3})
	tr.known("beta")
	tr.multiplex(7)
	a, db := tr.client("acme"), tr.database()
	r := tr.traced(a, 7, "", "")
	tr.sql(db, 7, tagged("SELECT 1", "first-one-of-all"))
	tr.respondAs(a, r, 7, "first-one-of-all")
	tr.expect("no_tenant none")
	tr.request(a, 7, "/")
	for i := range 6 {
		tr.sql(db, 7, tagged(selectScoped, fmt.Sprintf("token-number-%d", i)))
	}
	tr.expect("ok_exact set literal acme", "ok_exact set literal acme", "ok_exact set literal acme")
	tr.engine.Close()
	tr.expect("ok_exact set literal acme", "ok_exact set literal acme", "ok_exact set literal acme")
	if tr.engine.tokens.Len() > 3 {
		t.Errorf("%d tokens are kept, want 3", tr.engine.tokens.Len())
	}
}
