package correlate

import (
	"testing"

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
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		for _, ev := range events {
			e.Handle(ev)
		}
	}
	b.ReportMetric(float64(len(events)*b.N)/b.Elapsed().Seconds(), "events/s")
}
