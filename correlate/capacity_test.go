package correlate

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"tenantrace/collector/event"
	"tenantrace/correlate/policy"
	"tenantrace/correlate/verdict"
)

// heap is what the heap holds after a collection, in bytes.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	m := memory()
	return int64(m.HeapAlloc)
}

// TestCapacity holds 100,000 connections with a certificate each, and 10,000 requests in flight with a statement each on its own database session, against
// the budget: 2 KiB for a connection, and little enough for the rest.
func TestCapacity(t *testing.T) {
	if testing.Short() {
		t.Skip("it needs half a gigabyte of work")
	}
	const connections, inFlight = 100_000, 10_000
	e, err := New(Config{Policy: policy.Default(), Verdict: func(*verdict.Statement) {}})
	if err != nil {
		t.Fatal(err)
	}
	now := int64(1_700_000_000_000_000_000)
	head := func(pid, tid uint32) event.Header {
		now += int64(time.Microsecond)
		return event.Header{Time: now, PID: pid, TID: tid}
	}
	const processes = 20
	for pid := range uint32(processes) {
		e.Handle(&event.ProcessStarted{Header: head(100+pid, 100+pid), Exe: "/usr/bin/app", Name: "app", Service: "app", Threads: true})
	}
	base := heap()
	for i := range connections {
		pid := uint32(100 + i%processes)
		id := event.ConnID(i + 1)
		e.Handle(&event.ConnectionOpened{
			Header: head(pid, pid), Conn: id, Role: event.RoleServer, TLS: true, Net: "tcp", Local: "10.0.0.1:8443", Remote: fmt.Sprintf("10.0.0.9:%d", i),
		})
		e.Handle(&event.Identity{
			Header: head(pid, pid), Conn: id, Role: event.RoleServer, Certificate: certificate(fmt.Sprintf("tenant-%d", i%5000)), VerifyMode: 3, Version: "1.3", Source: "ssl",
		})
	}
	connected := heap()
	each := (connected - base) / connections
	t.Logf("a connection takes %d bytes, all of them %d MiB", each, (connected-base)>>20)
	if each > 2048 {
		t.Errorf("a connection takes %d bytes, more than 2048", each)
	}
	for i := range inFlight {
		pid, tid := uint32(100+i%processes), uint32(1000+i)
		e.Handle(&event.HTTPRequest{Header: head(pid, tid), Conn: event.ConnID(i + 1), Seq: 1, Version: "HTTP/1.1", Method: "GET", Path: fmt.Sprintf("/invoices/%d", i)})
		db := event.ConnID(connections + 1 + i)
		e.Handle(&event.SessionStarted{Header: head(pid, tid), Conn: db, Engine: event.PostgreSQL, Database: "shop", User: "app"})
		e.Handle(&event.Statement{Header: head(pid, tid), Conn: db, Seq: 1, Simple: true, Text: "SELECT id FROM invoices WHERE tenant_id = 'tenant-1'"})
		e.Handle(&event.Result{Header: head(pid, tid), Conn: db, Seq: 1, Last: true, Tag: "SELECT 1"})
	}
	loaded := heap()
	each = (loaded - connected) / inFlight
	t.Logf("a request in flight, with its thread, its database session and a statement, takes %d bytes, all of them %d MiB", each, (loaded-connected)>>20)
	if each > 8192 {
		t.Errorf("a request in flight takes %d bytes, more than 8192", each)
	}
	if e.conns.Len() != connections+inFlight || e.requests.Len() != inFlight || e.deferred.n != inFlight {
		t.Errorf("%d connections, %d requests, %d statements are held: some had to leave", e.conns.Len(), e.requests.Len(), e.deferred.n)
	}
	e.Close()
}
