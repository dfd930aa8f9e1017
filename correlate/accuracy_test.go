package correlate

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"tenantrace/collector/event"
	"tenantrace/correlate/verdict"
)

// worker is a blocking thread of the simulated service: it reads a request, runs its statements on a pooled database connection, responds.
type worker struct {
	tid      uint32
	client   event.ConnID // 0 idle
	own      string
	db       event.ConnID
	seq      uint64
	left     int
	inFlight uint64
	path     string
}

// TestManyRequests interleaves 9,973 requests of 4 tenants over 16 connections and 8 threads that share 5 database connections, with a background
// thread beside them, and compares each verdict with the truth.
func TestManyRequests(t *testing.T) {
	const requests = 9973
	type truth struct {
		path    string
		verdict verdict.Verdict
	}
	tr := newTrace(t, "")
	r := rand.New(rand.NewPCG(9, 73))
	tenantNames := []string{"acme", "beta", "gamma", "delta"}
	var idle, pool []event.ConnID
	owner := make(map[event.ConnID]string)
	for i := range 16 {
		c := tr.client(tenantNames[i%4])
		owner[c] = tenantNames[i%4]
		idle = append(idle, c)
	}
	for range 5 {
		pool = append(pool, tr.database())
	}
	take := func(list *[]event.ConnID) event.ConnID {
		i := r.IntN(len(*list))
		c := (*list)[i]
		*list = append((*list)[:i], (*list)[i+1:]...)
		return c
	}
	truths := make(map[string]truth) // by the time of the statement
	workers := make([]*worker, 8)
	for i := range workers {
		workers[i] = &worker{tid: uint32(10 + i)}
	}
	background := tr.database()
	started, ended := 0, 0
	expect := func(w *worker, v verdict.Verdict) {
		path := ""
		if w != nil {
			path = w.path
		}
		truths[formatTime(tr.now)] = truth{path, v}
	}
	for ended < requests {
		tr.events = tr.events[:0]
		if r.IntN(50) == 0 {
			tr.sql(background, 99, "SELECT 1 FROM invoices WHERE tenant_id = 'beta'")
			at := formatTime(tr.now - 2*int64(time.Millisecond))
			truths[at] = truth{"", verdict.Background}
			if started > ended {
				truths[at] = truth{"", verdict.Unattributed}
			}
			continue
		}
		w := workers[r.IntN(len(workers))]
		switch {
		case w.client == 0:
			if started == requests {
				continue
			}
			started++
			w.client = take(&idle)
			w.own, w.path, w.left = owner[w.client], fmt.Sprintf("/r/%d", started), r.IntN(5)
			w.seq = tr.request(w.client, w.tid, w.path)
		case w.inFlight != 0:
			tr.answer(w.db, w.inFlight, result("SELECT 0"))
			w.inFlight = 0
		case w.left > 0 && w.db == 0:
			if len(pool) > 0 {
				w.db = take(&pool)
			}
		case w.left > 0:
			w.left--
			tenant := w.own
			if r.IntN(20) == 0 {
				tenant = tenantNames[r.IntN(4)]
			}
			switch r.IntN(3) {
			case 0:
				w.inFlight = tr.write(w.db, w.tid, "SELECT 1")
				expect(w, verdict.NoTenant)
				continue
			case 1:
				w.inFlight = tr.write(w.db, w.tid, "SELECT 1 FROM invoices WHERE tenant_id = $1", tenant)
			default:
				w.inFlight = tr.write(w.db, w.tid, "SELECT 1 FROM invoices WHERE tenant_id = '"+tenant+"'")
			}
			if tenant == w.own {
				expect(w, verdict.OKExact)
			} else {
				expect(w, verdict.Violation)
			}
		default:
			tr.respond(w.client, w.seq, w.tid, 200)
			ended++
			idle = append(idle, w.client)
			if w.db != 0 {
				pool = append(pool, w.db)
			}
			*w = worker{tid: w.tid}
		}
	}
	tr.engine.Close()
	if len(tr.lines) != len(truths) {
		t.Errorf("%d verdicts for %d statements", len(tr.lines), len(truths))
	}
	wrong, violations := 0, 0
	for _, v := range tr.lines {
		want, ok := truths[v.Time]
		path := ""
		if v.Request != nil {
			path = v.Request.Path
		}
		if v.Verdict == verdict.Violation {
			violations++
		}
		if !ok || v.Verdict != want.verdict || path != want.path {
			if wrong++; wrong < 5 {
				t.Errorf("%s: %s for %q, want %s for %q", v.Time, summary(v), path, want.verdict, want.path)
			}
		}
	}
	if wrong > 0 || violations < 100 {
		t.Errorf("%d of %d verdicts are wrong, %d violations", wrong, len(tr.lines), violations)
	}
	if got := sum(t, tr.registry, "tenantrace_requests_total"); got != requests {
		t.Errorf("%v requests counted, want %d", got, requests)
	}
}
