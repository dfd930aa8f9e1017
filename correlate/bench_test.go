package correlate

import (
	"fmt"
	"runtime"
	"syscall"
	"testing"
	"time"

	"tenantrace/collector/event"
	"tenantrace/correlate/policy"
	"tenantrace/correlate/verdict"
)

// BenchmarkRequest plays a request with three statements: a look-up of the tenant, a scoped read with a bind value and rows, a write.
func BenchmarkRequest(b *testing.B) {
	tr := newTrace(b, "")
	c, db := tr.client("acme"), tr.database()
	tr.events = nil
	e, err := New(Config{Policy: policy.Default(), Verdict: func(*verdict.Statement) {}, Finding: func(*verdict.Finding) {}})
	if err != nil {
		b.Fatal(err)
	}
	play := tr.engine
	tr.engine = e
	tr.client("acme")
	for _, ev := range []event.Event{
		&event.ProcessStarted{Header: tr.head(web, web), Service: "app"},
		&event.ConnectionOpened{Header: tr.head(web, web), Conn: c, Role: event.RoleServer, TLS: true},
		&event.Identity{Header: tr.head(web, web), Conn: c, Role: event.RoleServer, Certificate: certificate("acme"), VerifyMode: 3, Source: "ssl"},
		&event.SessionStarted{Header: tr.head(web, web), Conn: db, Engine: event.PostgreSQL},
	} {
		e.Handle(ev)
	}
	tr.engine, tr.events = play, nil
	r := tr.request(c, 7, "/invoices")
	tr.sql(db, 7, "SELECT id, name FROM users WHERE tenant_id = 'acme' AND email = 'a@example.org'")
	tr.execute(db, 7, "SELECT id, tenant_id, total FROM invoices WHERE tenant_id = $1 ORDER BY id LIMIT 20", []string{"acme"}, rows("acme", "acme", "acme"))
	tr.sql(db, 7, "UPDATE invoices SET seen = now() WHERE tenant_id = 'acme' AND id = 7")
	tr.respond(c, r, 7, 200)
	events := tr.events
	measure(b, e, events)
}

// measure plays events again and again, and reports how many an engine takes in for a second of processor time, garbage collection included.
func measure(b *testing.B, e *Engine, events []event.Event) {
	runtime.GC()
	b.ReportAllocs()
	b.ResetTimer()
	before, used := memory(), processorTime(b)
	for range b.N {
		for _, ev := range events {
			e.Handle(ev)
		}
	}
	used = processorTime(b) - used
	n := float64(len(events) * b.N)
	b.ReportMetric(n/used.Seconds(), "events/cpu-s")
	b.ReportMetric(float64(memory().Mallocs-before.Mallocs)/n, "allocs/event")
}

func memory() (m runtime.MemStats) {
	runtime.ReadMemStats(&m)
	return m
}

// processorTime is what the process has used: others on the same machine do not slow this clock.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkSet plays requests of an event loop, 64 of them in flight by 20 tenants at any time, with three statements each, which sets of candidates judge.
func BenchmarkSet(b *testing.B) {
	tr := newTrace(b, "")
	tr.multiplex(7)
	var conns, dbs []event.ConnID
	for i := range 64 {
		conns = append(conns, tr.client(fmt.Sprintf("tenant-%d", i%20)))
		dbs = append(dbs, tr.database())
	}
	e, err := New(Config{Policy: policy.Default(), Verdict: func(*verdict.Statement) {}, Finding: func(*verdict.Finding) {}})
	if err != nil {
		b.Fatal(err)
	}
	for _, ev := range tr.events {
		e.Handle(ev)
	}
	tr.events = nil
	var open [64]uint64
	for i := range 640 {
		k := i % 64
		if open[k] != 0 {
			tr.respond(conns[k], open[k], 7, 200)
		}
		open[k] = tr.request(conns[k], 7, "/invoices")
		sql := fmt.Sprintf("SELECT id FROM invoices WHERE tenant_id = 'tenant-%d'", k%20)
		for range 3 {
			tr.sql(dbs[k], 7, sql)
		}
	}
	for k := range conns {
		tr.respond(conns[k], open[k], 7, 200)
	}
	events, span := tr.events, tr.now
	shift := span - events[0].Meta().Time + int64(time.Millisecond)
	b.ReportAllocs()
	runtime.GC()
	b.ResetTimer()
	before, used := memory(), processorTime(b)
	for range b.N {
		for _, ev := range events {
			e.Handle(ev)
		}
		b.StopTimer()
		pause := processorTime(b)
		advance(events, shift)
		used += processorTime(b) - pause
		b.StartTimer()
	}
	used = processorTime(b) - used
	n := float64(len(events) * b.N)
	b.ReportMetric(n/used.Seconds(), "events/cpu-s")
	b.ReportMetric(float64(memory().Mallocs-before.Mallocs)/n, "allocs/event")
}

// advance moves events on in time, so that they can be played again.
func advance(events []event.Event, by int64) {
	for _, ev := range events {
		switch ev := ev.(type) {
		case *event.HTTPRequest:
			ev.Time += by
		case *event.HTTPResponse:
			ev.Time += by
		case *event.HTTPResponseEnd:
			ev.Time += by
		case *event.Statement:
			ev.Time += by
		case *event.Result:
			ev.Time += by
		case *event.SessionReady:
			ev.Time += by
		}
	}
}
