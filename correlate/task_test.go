package correlate

import (
	"testing"
	"time"

	"tenantrace/collector/event"
)

// read sends a request of which the read with a number brought the last byte.
func (tr *trace) read(c event.ConnID, tid uint32, number uint64) uint64 {
	tr.seqs[c]++
	ev := &event.HTTPRequest{Header: tr.head(web, tid), Conn: c, Seq: tr.seqs[c], Read: number, Version: "HTTP/1.1", Method: "GET", Path: "/", ID: "r"}
	tr.play(ev)
	return ev.Seq
}

// does writes SQL by a task and has it answered.
func (tr *trace) does(db event.ConnID, tid uint32, sql string, task event.Task) {
	tr.seqs[db]++
	ev := &event.Statement{Header: tr.head(web, tid), Conn: db, Seq: tr.seqs[db], Simple: true, Text: sql, Task: &task}
	tr.play(ev)
	tr.answer(db, ev.Seq, defaultResults(sql, nil)...)
}

// eventLoop gives an engine whose thread 7 multiplexes, with two open requests of acme and beta.
func eventLoop(t *testing.T) (tr *trace, a, b, db event.ConnID, ra, rb uint64) {
	tr = newTrace(t, "")
	tr.known("beta")
	a, b, db = tr.client("acme"), tr.client("beta"), tr.database()
	ra, rb = tr.read(a, 7, 1), tr.read(b, 7, 1)
	return tr, a, b, db, ra, rb
}

func TestTaskOnALoop(t *testing.T) {
	tr, a, b, db, ra, rb := eventLoop(t)
	tr.does(db, 7, selectScoped, event.Task{Conn: a, Read: 1})
	tr.does(db, 9, selectBeta, event.Task{Conn: b, Read: 1}) // on a pool's thread
	tr.does(db, 9, selectBeta, event.Task{Conn: a, Read: 1})
	tr.does(db, 7, selectBeta, event.Task{None: event.TaskNone})
	tr.expect("ok_set set literal beta")
	tr.respond(b, rb, 7, 200)
	tr.expect("ok_exact task literal beta")
	tr.respond(a, ra, 7, 200)
	last := tr.lines[len(tr.lines)-1]
	tr.expect("ok_exact task literal acme", "violation task literal beta [CROSS_TENANT_READ IDENTITY_TOCTOU]")
	if v := last; v.Request == nil || v.Request.Status != 200 || v.Connection == nil || v.Certificate == nil {
		t.Errorf("the line of the violation is not complete: %+v", v)
	}
}

// The thread's own way to multiplex does not part a statement from the request of its task, nor does it come before the answer.
func TestTaskOutlivesItsThread(t *testing.T) {
	for _, c := range []struct {
		task event.Task
		want string
	}{
		{event.Task{}, "ok_exact task literal acme"},
		{event.Task{Direct: true, Own: true}, "ok_exact task literal acme"},
		{event.Task{Direct: true}, "ok_exact set literal acme"}, // a loop in its own context
	} {
		task := c.task
		tr := newTrace(t, "")
		a, db := tr.client("acme"), tr.database()
		ra := tr.read(a, 7, 1)
		task.Conn, task.Read = a, 1
		tr.does(db, 7, selectScoped, task)
		tr.play(&event.ThreadWaited{Header: tr.head(web, 7)})
		if task.Direct == task.Own {
			tr.expect()
		}
		tr.respond(a, ra, 7, 200)
		tr.expect(c.want)
	}
}

func TestTaskAfterTheResponse(t *testing.T) {
	tr, a, _, db, ra, _ := eventLoop(t)
	tr.respond(a, ra, 7, 200)
	tr.does(db, 7, selectBeta, event.Task{Conn: a, Read: 1})
	tr.expect("violation task literal beta [BACKGROUND_TENANT_DRIFT]")
	tr.does(db, 7, selectBeta, event.Task{Conn: a, Read: 1, Direct: true, Own: true}) // the reader itself may be at something else
	tr.expect("ok_set set literal beta")
	for i := range uint64(maxAnswered) {
		tr.respond(a, tr.read(a, 7, 100+100*i), 7, 200)
	}
	tr.does(db, 7, selectBeta, event.Task{Conn: a, Read: 1}) // forgotten: not taken for another's
	tr.expect("unattributed/no_link none literal beta")
	tr.play(&event.ConnectionClosed{Header: tr.head(web, 7), Conn: a})
	tr.does(db, 7, selectBeta, event.Task{Conn: a, Read: 500}) // its client has gone
	tr.expect("violation task literal beta [BACKGROUND_TENANT_DRIFT]")
	tr.does(db, 7, selectBeta, event.Task{Conn: 77, Read: 500})
	tr.expect("unattributed/no_link none literal beta")
}

// Pipelined requests, and what a connection's own task does, are tied to the connection alone.
func TestTaskOfSeveralRequests(t *testing.T) {
	tr, a, _, db, ra, _ := eventLoop(t)
	second := tr.read(a, 7, 40)
	for _, task := range []event.Task{{Conn: a, Read: 1}, {Conn: a, Read: 40}, {Conn: a}} {
		tr.does(db, 7, selectBeta, task)
	}
	tr.respond(a, ra, 7, 200)
	tr.respond(a, second, 7, 200)
	for _, v := range tr.lines {
		if v.Link == "task" && v.Request != nil {
			t.Errorf("tied to request %+v, which may be another", v.Request)
		}
	}
	tr.expect("violation task literal beta [CROSS_TENANT_READ]", "violation task literal beta [CROSS_TENANT_READ]", "violation task literal beta [CROSS_TENANT_READ]")
	tr.does(db, 7, selectBeta, event.Task{Conn: a}) // nothing is open on it
	tr.expect("unattributed/no_link none literal beta")
}

// A body comes in later reads than the header section.
func TestTaskOfALaterRead(t *testing.T) {
	tr, a, _, db, ra, _ := eventLoop(t)
	tr.does(db, 7, selectScoped, event.Task{Conn: a, Read: 4000})
	tr.respond(a, ra, 7, 200)
	next := tr.read(a, 7, 5000)
	tr.does(db, 7, selectScoped, event.Task{Conn: a, Read: 6000})
	tr.respond(a, next, 7, 404)
	if got := tr.lines[len(tr.lines)-1].Request.Status; got != 404 {
		t.Errorf("tied to the request with status %d, want the second", got)
	}
	tr.expect("ok_exact task literal acme", "ok_exact task literal acme")
}

func TestTaskAgainstThread(t *testing.T) {
	tr := newTrace(t, "")
	tr.known("beta")
	a, b, db := tr.client("acme"), tr.client("beta"), tr.database()
	ra, rb := tr.read(a, 7, 1), tr.read(b, 8, 1) // two threads that block
	tr.does(db, 7, selectBeta, event.Task{Conn: b, Read: 1})
	tr.does(db, 7, selectBeta, event.Task{Conn: 99, Read: 1})
	tr.expect("unattributed/conflict none literal beta", "unattributed/conflict none literal beta")
	tr.does(db, 7, selectScoped, event.Task{Conn: a, Read: 1, Direct: true})
	tr.does(db, 8, selectBeta, event.Task{None: event.TaskShared})
	tr.respond(a, ra, 7, 200)
	tr.respond(b, rb, 8, 200)
	tr.expect("ok_exact thread literal acme", "ok_exact thread literal beta")
	tr.expectFindings()
}

func TestTaskAndTransaction(t *testing.T) {
	tr, a, b, db, ra, rb := eventLoop(t)
	of := func(c event.ConnID) event.Task { return event.Task{Conn: c, Read: 1} }
	lost := event.Task{None: event.TaskNone}
	tr.does(db, 7, "BEGIN", of(a))
	tr.does(db, 7, selectScoped, of(a))
	tr.does(db, 9, selectScoped, lost) // in an executor: by the transaction
	tr.does(db, 7, "COMMIT", of(a))
	tr.expect()
	tr.does(db, 7, "BEGIN", of(a))
	tr.does(db, 7, selectScoped, of(a))
	tr.does(db, 7, selectScoped, of(b)) // two tasks in one transaction
	tr.does(db, 9, selectScoped, lost)
	tr.does(db, 7, "COMMIT", of(a))
	tr.respond(a, ra, 7, 200)
	tr.respond(b, rb, 7, 200)
	got := map[string]int{}
	for _, v := range tr.lines {
		if v.Verdict != "no_tenant" {
			got[string(v.Verdict)+" "+string(v.Reason)+" "+string(v.Link)]++
		}
	}
	want := map[string]int{"ok_exact  task": 1, "ok_exact  transaction": 1, "unattributed conflict none": 3}
	for k, n := range want {
		if got[k] != n {
			t.Errorf("%q: %d, want %d: %v", k, got[k], n, got)
		}
	}
	tr.lines = nil
	tr.expectFindings()
}

func TestTaskThatIsNotKnown(t *testing.T) {
	tr, a, b, db, ra, rb := eventLoop(t)
	tr.respond(a, ra, 7, 200)
	tr.respond(b, rb, 7, 200)
	tr.wait(3 * time.Second)
	tr.does(db, 7, selectBeta, event.Task{None: event.TaskNone})
	tr.does(db, 7, selectBeta, event.Task{None: event.TaskBacklog})
	tr.expect("background none literal beta", "unattributed/no_link none literal beta")
}

func TestTaskAndLoss(t *testing.T) {
	tr, a, _, db, ra, _ := eventLoop(t)
	tr.respond(a, ra, 7, 200)
	tr.play(&event.Lost{Header: tr.head(web, 0), Reason: "ringbuf", Count: 1})
	tr.does(db, 7, selectBeta, event.Task{Conn: a, Read: 300}) // of a request that was lost, not of the one before
	tr.expect("blind/loss none")
	tr.wait(time.Minute)
	next := tr.read(a, 7, 600)
	tr.does(db, 7, selectScoped, event.Task{Conn: a, Read: 600})
	tr.respond(a, next, 7, 200)
	tr.expect("ok_exact task literal acme")
}
