package daemon

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tenantrace/collector/event"
	"tenantrace/correlate"
	"tenantrace/correlate/verdict"
)

func realEngine(cfg EngineConfig) (Engine, error) {
	return correlate.New(correlate.Config{Policy: cfg.Policy, Verdict: cfg.Verdict, Finding: cfg.Finding, Registerer: cfg.Registerer, Log: cfg.Log})
}

// leak is what the collector sees when a service reads tenant beta's rows for a request of tenant acme, after one of beta's own.
func leak() []event.Event {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).UnixNano()
	at := func() event.Header {
		now += int64(time.Millisecond)
		return event.Header{Time: now, PID: 40, TID: 41}
	}
	text := func(s string) *string { return &s }
	events := []event.Event{
		&event.ProcessStarted{Header: at(), Exe: "/usr/bin/python3", Name: "gunicorn", Service: "billing"},
		&event.ConnectionOpened{Header: at(), Conn: 9, Role: event.RoleClient, Net: "tcp", Local: "127.0.0.1:50000", Remote: "127.0.0.1:5432"},
		&event.SessionStarted{Header: at(), Conn: 9, Engine: event.PostgreSQL, Database: "app", User: "web"},
		&event.SessionReady{Header: at(), Conn: 9, Status: event.TxIdle},
	}
	request := func(conn event.ConnID, owner, tenant string, seq uint64) {
		sha := strings.Repeat(map[string]string{"acme": "aa", "beta": "bb"}[owner], 32)
		events = append(events,
			&event.ConnectionOpened{Header: at(), Conn: conn, Role: event.RoleServer, TLS: true, Net: "tcp", Local: "127.0.0.1:8443", Remote: "127.0.0.1:4000"},
			&event.Identity{Header: at(), Conn: conn, Role: event.RoleServer, VerifyMode: 3, Version: "1.3", Source: "ssl", Certificate: &event.Certificate{
				SHA256: sha, Serial: "1f", Subject: []event.Attribute{{Type: "O", Value: owner}, {Type: "CN", Value: "api"}},
				Issuer: []event.Attribute{{Type: "CN", Value: "Client CA"}}, NotBefore: now - int64(time.Hour), NotAfter: now + int64(time.Hour),
			}},
			&event.HTTPRequest{Header: at(), Conn: conn, Seq: 1, Version: "1.1", Method: "GET", Path: "/invoices", ID: "req-" + owner},
			&event.Statement{Header: at(), Conn: 9, Seq: seq, Simple: true, Text: "SELECT id, tenant_id FROM invoices WHERE tenant_id = '" + tenant + "'"},
			&event.Result{Header: at(), Conn: 9, Seq: seq, Tag: "SELECT 1", Count: 1,
				Columns: []event.Column{{Name: "tenant_id", Table: 16400, Attr: 2, Owner: "tenant_id"}}, Rows: [][]*string{{text(tenant)}}},
			&event.Result{Header: at(), Conn: 9, Seq: seq, Index: 1, Last: true, None: true},
			&event.SessionReady{Header: at(), Conn: 9, Status: event.TxIdle},
			&event.HTTPResponse{Header: at(), Conn: conn, Seq: 1, Status: 200},
			&event.HTTPResponseEnd{Header: at(), Conn: conn, Seq: 1, Bytes: 100},
			&event.ConnectionClosed{Header: at(), Conn: conn},
		)
	}
	request(1, "beta", "beta", 1)
	request(2, "acme", "acme", 2)
	request(3, "acme", "beta", 3)
	for range 12 { // the clock goes on for three seconds
		now += int64(250 * time.Millisecond)
		events = append(events, &event.Tick{Header: event.Header{Time: now}})
	}
	return events
}

// With the real engine, a run and the replay of its recording conclude the same, and find exactly the leak.
func TestReplayFindsWhatTheRunFound(t *testing.T) {
	r := prepare(t)
	r.cfg.NewEngine = realEngine
	r.tracer.events = leak()
	r.start(t)
	r.stop(t)
	findings := r.stdout.String()
	verdicts, err := os.ReadFile(r.cfg.Verdicts)
	if err != nil {
		t.Fatal(err)
	}

	if n := strings.Count(findings, "\n"); n != 1 {
		t.Fatalf("%d findings, want 1:\n%s", n, findings)
	}
	var finding struct {
		FindingInfo struct{ Title string } `json:"finding_info"`
		Evidences   []struct {
			TLS struct {
				Version     string
				Certificate struct{ Subject string }
			}
			HTTPRequest struct{ UID string } `json:"http_request"`
		}
		Unmapped struct {
			IdentityTenant  string   `json:"identity_tenant"`
			DatabaseTenants []string `json:"database_tenants"`
			Link            string
		}
	}
	if err := json.Unmarshal([]byte(findings), &finding); err != nil {
		t.Fatal(err)
	}
	if finding.FindingInfo.Title != "CROSS_TENANT_READ" || finding.Unmapped.IdentityTenant != "acme" || finding.Unmapped.Link != "thread" ||
		strings.Join(finding.Unmapped.DatabaseTenants, ",") != "beta" || finding.Evidences[0].HTTPRequest.UID != "req-acme" ||
		!strings.Contains(finding.Evidences[0].TLS.Certificate.Subject, "O=acme") {
		t.Errorf("finding %+v", finding)
	}
	count := map[verdict.Verdict]int{}
	for line := range strings.Lines(string(verdicts)) {
		var s verdict.Statement
		if err := json.Unmarshal([]byte(line), &s); err != nil {
			t.Fatal(err)
		}
		count[s.Verdict]++
	}
	if len(count) != 2 || count[verdict.OKExact] != 2 || count[verdict.Violation] != 1 {
		t.Errorf("verdicts %v, want 2 ok_exact and 1 violation", count)
	}

	replayed := r.cfg
	var out buffer
	replayed.Stdout, replayed.Verdicts = &out, filepath.Join(r.dir, "replayed")
	if err := Replay(t.Context(), r.cfg.Record, replayed); err != nil {
		t.Fatal(err)
	}
	again, err := os.ReadFile(replayed.Verdicts)
	if err != nil {
		t.Fatal(err)
	}
	if out.String() != findings || string(again) != string(verdicts) {
		t.Errorf("replay:\n%s%s\nrun:\n%s%s", &out, again, findings, verdicts)
	}
}
