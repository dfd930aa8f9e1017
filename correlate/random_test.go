package correlate

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tenantrace/collector/event"
	"tenantrace/correlate/policy"
	"tenantrace/correlate/verdict"
)

// chooser makes an event out of choices, so that random numbers and fuzzed bytes both can.
type chooser func(n int) int

var chosenTexts = []string{
	"SELECT 1", selectScoped, selectBeta, selectByKey, unscoped, "BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT s", "ROLLBACK TO s", "RELEASE s",
	"SET app.tenant_id = 'beta'", "SET LOCAL app.tenant_id = 'acme'", "RESET ALL", "DISCARD ALL", "SELECT 1; " + selectBeta + "; COMMIT",
	"PREPARE q AS " + selectBeta, "EXECUTE q", "DEALLOCATE q", "INSERT INTO invoices (tenant_id) VALUES ($1)", "SELECT 1 FROM invoices WHERE tenant_id = $1",
	"SELECT 1 FROM invoices WHERE tenant_id = 'nobody'", "", ";;", "garbage '", "EXPLAIN ANALYZE EXECUTE q", "DECLARE c CURSOR FOR SELECT 1", "FETCH c",
	"SET search_path = s_beta, public", "SET LOCAL search_path = s_acme", "SELECT 1 FROM s_beta.orders JOIN orders USING (id)", "SET ROLE r_beta", "RESET ROLE",
	"USE d_beta", "SELECT id, slug FROM tenants", "SELECT 1 FROM invoices WHERE k = 'beta:1'", "DELETE FROM d_acme.orders", "SET @t = 'beta'",
	selectBeta + " /*request_id:aaaaaaaa-1*/", selectScoped + " /*request_id:bbbbbbbb-2*/",
}

// randomPolicies are the policies that random events are judged by.
var randomPolicies = []string{"certificates: { max_connection_age: 1m, revocation: { crl: /none } }\n", `
request: { tenant: [{ path: "/t/{tenant}/**" }] }
identity:
  hierarchy: { entries: { acme: [gamma] } }
  privileged: [{ subject: { O: gamma }, tenants: request, until: 2023-11-15, why: x }]
services:
  - service: a
    select: { listen: 2 }
    database:
      - { engine: postgres, pooler: transaction, tenant: { columns: [tenant_id], schemas: "s_{tenant}", settings: [app.tenant_id] }, directory: { table: tenants, key: slug, id: id } }
  - service: c
    select: { cgroup: /x }
    identity: { from: fastcgi, trusted_proxies: [10.0.0.1] }
exempt: [{ application_name: "x*", until: 2023-11-15, why: x }, { db_role: r_acme, until: 2030-01-01, why: x }]
database:
  - { engine: postgres, match: { database: d }, tenant: { columns: [tenant_id], key_prefix: { k: "{tenant}:*" }, schemas: "s_{tenant}", roles: "r_{tenant}", databases: "d_{tenant}" }, tables: { owned: orders } }
  - { engine: postgres, tenant: { columns: [tenant_id], settings: ["app.tenant_id#a", app.tenant_id], schemas: { tenant: "s_{tenant}", shared: public } } }
  - { engine: mysql, tenant: { databases: "d_{tenant}", settings: ["@t"], columns: [tenant_id] } }
verdict: { links: [thread] }
evidence: { path: template }
`}

var chosenTenants = []string{"acme", "beta", "gamma", "", "Nobody"}

func chosenTask(pick chooser) *event.Task {
	if pick(3) == 0 {
		return &event.Task{None: []event.TaskCause{event.TaskNone, event.TaskShared, event.TaskBacklog, event.TaskClosed}[pick(4)]}
	}
	direct := pick(2) == 0
	return &event.Task{Conn: event.ConnID(pick(10)), Read: uint64(pick(6)), Direct: direct, Own: direct && pick(2) == 0}
}

func chosenEvent(pick chooser, now *int64) event.Event {
	if pick(40) == 0 {
		*now += int64(pick(70)) * int64(time.Second)
	}
	*now += int64(pick(5)) * int64(time.Millisecond)
	h := event.Header{Time: *now, PID: uint32(100 + pick(3)), TID: uint32(pick(4))}
	conn, seq := event.ConnID(pick(10)), uint64(1+pick(6))
	tenant := chosenTenants[pick(len(chosenTenants))]
	switch pick(24) {
	case 0:
		return &event.ProcessStarted{Header: h, Name: "x", Late: pick(4) == 0, Threads: pick(2) == 0, Service: []string{"", "a", "b"}[pick(3)], Cgroup: []string{"", "/x", "/system.slice/b.service"}[pick(3)]}
	case 1:
		if pick(6) == 0 {
			return &event.ProcessExited{Header: h}
		}
		switch pick(4) {
		case 0:
			return &event.ThreadStarted{Header: h, Parent: uint32(pick(4))}
		case 1:
			return &event.ThreadEnded{Header: h}
		}
		return &event.Tick{Header: h}
	case 2:
		if pick(3) == 0 {
			return &event.Revocation{Header: h, Conn: conn, Lifted: pick(3) == 0, Since: *now}
		}
		return &event.ConnectionOpened{Header: h, Conn: conn, Role: []event.Role{event.RoleServer, event.RoleClient}[conn%2], TLS: pick(2) == 0, Local: []string{"", "h:1", "h:2"}[pick(3)]}
	case 3:
		if pick(3) == 0 {
			return &event.ConnectionClosed{Header: h, Conn: conn}
		}
	case 4, 5:
		i := &event.Identity{Header: h, Conn: conn, Role: event.RoleServer, Certificate: certificate(tenant), VerifyMode: pick(4), Source: "ssl"}
		if pick(5) == 0 {
			i.Certificate = nil
		}
		if pick(5) == 0 {
			i.VerifyResult = 10
		}
		if pick(3) == 0 {
			i.Resumed, i.ServerName, i.SessionName = true, tenant, chosenTenants[pick(len(chosenTenants))]
		}
		return i
	case 6, 7, 8:
		return &event.HTTPRequest{Header: h, Conn: conn, Seq: seq, Read: uint64(pick(4)), ID: []string{"", "", "bbbbbbbb-2"}[pick(3)], Method: "GET", Path: "/t/" + tenant + "/x"}
	case 9:
		return &event.HTTPResponse{Header: h, Conn: conn, Seq: seq, Status: 200 + 100*pick(4), ID: []string{"", "aaaaaaaa-1", "bbbbbbbb-2"}[pick(3)]}
	case 10:
		return &event.HTTPResponseEnd{Header: h, Conn: conn, Seq: seq}
	case 11:
		return &event.ThreadWaited{Header: h}
	case 12:
		return &event.SessionStarted{Header: h, Conn: conn, Engine: []event.Engine{event.PostgreSQL, event.PostgreSQL, event.MySQL}[pick(3)], Unknown: pick(2) == 0,
			Database: []string{"", "d", "d_beta"}[pick(3)], User: []string{"", "r_acme", "r_beta"}[pick(3)], Settings: map[string]string{"application_name": []string{"x1", "y"}[pick(2)]}}
	case 13:
		return &event.SessionReady{Header: h, Conn: conn, Status: []event.TxStatus{"", "I", "T", "E"}[pick(4)]}
	case 14:
		switch pick(8) {
		case 0:
			return &event.SessionDesync{Header: h, Conn: conn}
		case 1:
			if pick(2) == 0 {
				h.PID = 0
			}
			return &event.Lost{Header: h, Reason: "ringbuf", Count: 1}
		}
		return &event.SessionSetting{Header: h, Conn: conn, Name: []string{"app.tenant_id", "search_path", "role", "database"}[pick(4)], Value: tenant}
	case 15, 16, 17, 18:
		s := &event.Statement{Header: h, Conn: conn, Seq: seq, Simple: pick(2) == 0, Text: chosenTexts[pick(len(chosenTexts))], Cut: pick(9) == 0}
		s.Params = []event.Param{{Known: pick(4) > 0, Null: pick(5) == 0, Value: tenant}}
		if pick(12) == 0 {
			s.Text, s.NoText = "", true
		}
		if pick(2) == 0 {
			s.Task = chosenTask(pick)
		}
		return s
	default:
		r := &event.Result{Header: h, Conn: conn, Seq: seq, Index: pick(4), Last: pick(2) == 0, None: pick(12) == 0, Skipped: pick(15) == 0,
			Empty: pick(15) == 0, Unseen: pick(15) == 0, Tag: []string{"", "SELECT 1", "BEGIN", "COMMIT", "ROLLBACK", "SET", "INSERT 0 1"}[pick(7)]}
		if pick(6) == 0 {
			r.Error = "25P02"
		}
		if pick(2) == 0 {
			r.Columns = []event.Column{{Name: "tenant_id", Table: uint32(pick(3)), Owner: "tenant_id"}}
			r.Rows = [][]*string{{&tenant}, {nil}, {}}
			if pick(3) == 0 {
				r.Columns = append(r.Columns, event.Column{Name: "slug", Table: r.Columns[0].Table, Owner: "slug"}, event.Column{Name: "id", Table: r.Columns[0].Table, Owner: "ID"},
					event.Column{Name: "k", Table: 1, Owner: "k"})
				r.Rows[0] = append(r.Rows[0], &tenant, &tenant, &tenant)
			}
		}
		return r
	}
	return &event.Tick{Header: h}
}

// runAll plays events into a fresh engine with small limits and returns its lines and findings as JSON.
func runAll(t testing.TB, text string, events []event.Event) (lines, found []string) {
	t.Helper()
	reg := prometheus.NewRegistry()
	keep := func(list *[]string, v any) {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		*list = append(*list, string(text))
	}
	rules, err := policy.Parse("random.yaml", []byte("version: 1\n"+text), "/")
	if err != nil {
		t.Fatal(err)
	}
	count := make(map[verdict.Verdict]int)
	e, err := New(Config{
		Policy: rules, Registerer: reg,
		Limits: Limits{Processes: 2, Threads: 3, Connections: 7, Requests: 5, Lingering: 4, Tokens: 1, InFlight: 3, Prepared: 1, Texts: 3, Deferred: 6, Held: 4, Names: 3, Databases: 2, Tables: 1, Findings: 4},
		Verdict: func(v *verdict.Statement) {
			count[v.Verdict]++
			keep(&lines, v)
			switch {
			case !slices.Contains(verdict.All[:], v.Verdict):
				t.Errorf("verdict %q", v.Verdict)
			case (v.Reason != "") != (v.Verdict == verdict.Unattributed || v.Verdict == verdict.Blind):
				t.Errorf("verdict %q with reason %q", v.Verdict, v.Reason)
			case v.Verdict == verdict.Violation && (len(v.Findings) == 0 || v.Certificate == nil && v.Link != verdict.LinkSet || v.Link == verdict.LinkNone || v.IdentityLevel != verdict.LevelConnection || v.EvidenceLevel == verdict.EvidenceHeuristic):
				t.Errorf("a violation without its grounds: %+v", v)
			case (v.Link == verdict.LinkSet) != (len(v.Candidates) > 0), (v.Verdict == verdict.OKSet) && v.Link != verdict.LinkSet:
				t.Errorf("verdict %q, link %q with %d candidates", v.Verdict, v.Link, len(v.Candidates))
			case v.Link != verdict.LinkNone && v.Link != verdict.LinkSet && v.Connection == nil, v.Link == verdict.LinkNone && v.Request != nil:
				t.Errorf("link %q with connection %v and request %v", v.Link, v.Connection, v.Request)
			}
		},
		Finding: func(f *verdict.Finding) { keep(&found, f) },
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, ev := range events {
		e.Handle(ev)
	}
	e.Close()
	if uint64(len(lines)) != e.unitNo {
		t.Errorf("%d verdicts for %d statements", len(lines), e.unitNo)
	}
	if e.meeting.n+e.bearing.n+e.parting.n+e.deferred.n+e.grouped.n+e.held.n+len(e.names.waiting)+e.conns.Len()+e.requests.Len() != 0 {
		t.Errorf("after Close: %d deferred, %d grouped, %d held, %d names, %d connections, %d requests",
			e.deferred.n, e.grouped.n, e.held.n, len(e.names.waiting), e.conns.Len(), e.requests.Len())
	}
	if got := sum(t, reg, "tenantrace_statements_total"); got != float64(len(lines)) {
		t.Errorf("statements_total is %v, want %d", got, len(lines))
	}
	if got := sum(t, reg, "tenantrace_statement_links_total"); got != float64(len(lines)) {
		t.Errorf("statement_links_total is %v, want %d", got, len(lines))
	}
	if got := sum(t, reg, "tenantrace_unattributed_total"); got != float64(count[verdict.Unattributed]) {
		t.Errorf("unattributed_total is %v, want %d", got, count[verdict.Unattributed])
	}
	for _, name := range [...]string{"tenantrace_tls_connections", "tenantrace_connections_expired_certificate", "tenantrace_connections_revoked_certificate"} {
		if got := sum(t, reg, name); got != 0 {
			t.Errorf("%s is %v after Close", name, got)
		}
	}
	return lines, found
}

// sum adds the series of a metric.
func sum(t testing.TB, reg *prometheus.Registry, name string) (total float64) {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			for _, m := range f.Metric {
				total += m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return total
}

func TestRandomEvents(t *testing.T) {
	verdicts := 0
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 2))
		now := int64(1_700_000_000_000_000_000)
		events := make([]event.Event, 3000)
		for i := range events {
			events[i] = chosenEvent(r.IntN, &now)
		}
		text := randomPolicies[seed%uint64(len(randomPolicies))]
		lines, found := runAll(t, text, events)
		again, foundAgain := runAll(t, text, events)
		if !slices.Equal(lines, again) || !slices.Equal(found, foundAgain) {
			t.Fatalf("seed %d: a second run differs", seed)
		}
		verdicts += len(lines)
	}
	if verdicts < 10_000 {
		t.Errorf("only %d verdicts", verdicts)
	}
}

func FuzzEngine(f *testing.F) {
	for seed := range uint64(8) {
		r := rand.New(rand.NewPCG(seed, 3))
		data := make([]byte, 500)
		for i := range data {
			data[i] = byte(r.Uint32())
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 5_000 {
			return
		}
		pick := func(n int) int {
			if len(data) == 0 {
				return 0
			}
			b := data[0]
			data = data[1:]
			return int(b) % n
		}
		now := int64(1_700_000_000_000_000_000)
		var events []event.Event
		for len(data) > 0 {
			events = append(events, chosenEvent(pick, &now))
		}
		text := randomPolicies[len(events)%len(randomPolicies)]
		lines, found := runAll(t, text, events)
		again, foundAgain := runAll(t, text, events)
		if !slices.Equal(lines, again) || !slices.Equal(found, foundAgain) {
			t.Fatal("a second run differs")
		}
	})
}
