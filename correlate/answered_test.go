package correlate

import (
	"fmt"
	"testing"
	"time"

	"tenantrace/collector/event"
	"tenantrace/correlate/policy"
	"tenantrace/correlate/verdict"
)

// Where tasks are followed a connection keeps its last requests after their answers: that too is within the budget of 2 KiB for a connection.
func TestCapacityOfAnswered(t *testing.T) {
	if testing.Short() {
		t.Skip("it needs half a gigabyte of work")
	}
	const connections = 100_000
	e, err := New(Config{Policy: policy.Default(), Verdict: func(*verdict.Statement) {}})
	if err != nil {
		t.Fatal(err)
	}
	now := int64(1_700_000_000_000_000_000)
	head := func() event.Header {
		now += int64(time.Microsecond)
		return event.Header{Time: now, PID: 100, TID: 100}
	}
	e.Handle(&event.ProcessStarted{Header: head(), Exe: "/usr/bin/app", Name: "app", Service: "app", Threads: true})
	db := event.ConnID(connections + 1)
	e.Handle(&event.SessionStarted{Header: head(), Conn: db, Engine: event.PostgreSQL, Database: "shop", User: "app"})
	base := heap()
	no := uint64(0)
	for i := range connections {
		id := event.ConnID(i + 1)
		e.Handle(&event.ConnectionOpened{
			Header: head(), Conn: id, Role: event.RoleServer, TLS: true, Net: "tcp", Local: "10.0.0.1:8443", Remote: fmt.Sprintf("10.0.0.9:%d", i),
		})
		e.Handle(&event.Identity{
			Header: head(), Conn: id, Role: event.RoleServer, Certificate: certificate(fmt.Sprintf("tenant-%d", i%500)), VerifyMode: 3, Version: "1.3", Source: "ssl",
		})
		e.Handle(&event.HTTPRequest{Header: head(), Conn: id, Seq: 1, Read: 1, Version: "HTTP/1.1", Method: "GET", Path: fmt.Sprintf("/invoices/%d", i), ID: fmt.Sprintf("request-%d", i)})
		no++
		e.Handle(&event.Statement{Header: head(), Conn: db, Seq: no, Simple: true, Text: fmt.Sprintf("SELECT id FROM invoices WHERE tenant_id = 'tenant-%d'", i%500), Task: &event.Task{Conn: id, Read: 1}})
		e.Handle(&event.Result{Header: head(), Conn: db, Seq: no, Last: true, Tag: "SELECT 1"})
		e.Handle(&event.HTTPResponse{Header: head(), Conn: id, Seq: 1, Status: 200})
		e.Handle(&event.HTTPResponseEnd{Header: head(), Conn: id, Seq: 1})
	}
	now += int64(time.Minute)
	e.Handle(&event.Tick{Header: head()})
	e.Handle(&event.HTTPRequest{Header: head(), Conn: 1, Seq: 2, Read: 9000, Version: "HTTP/1.1", Method: "GET", Path: "/"})
	each := (heap() - base) / connections
	t.Logf("a connection with its last requests takes %d bytes", each)
	if each > 2048 {
		t.Errorf("a connection with its last requests takes %d bytes, more than 2048", each)
	}
	if n := e.answered.Len(); n != maxAllAnswered {
		t.Errorf("%d requests are kept, want %d", n, maxAllAnswered)
	}
	e.Close()
}
