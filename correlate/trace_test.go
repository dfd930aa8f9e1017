package correlate

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tenantrace/collector/event"
	"tenantrace/correlate/policy"
	"tenantrace/correlate/verdict"
)

// trace plays events into an engine and keeps what comes out of it.
type trace struct {
	t        testing.TB
	engine   *Engine
	registry *prometheus.Registry
	now      int64
	conns    event.ConnID
	seqs     map[event.ConnID]uint64
	status   map[event.ConnID]event.TxStatus
	events   []event.Event
	lines    []*verdict.Statement
	findings []*verdict.Finding
	shadow   *shadow
}

const web = 100 // pid of the traced process

func newTrace(t testing.TB, policyText string, limits ...Limits) *trace {
	t.Helper()
	tr := &trace{
		t: t, registry: prometheus.NewRegistry(), now: 1_700_000_000_000_000_000,
		seqs: make(map[event.ConnID]uint64), status: make(map[event.ConnID]event.TxStatus),
	}
	p := policy.Default()
	if policyText != "" {
		var err error
		if p, err = policy.Parse("test.yaml", []byte("version: 1\n"+policyText), t.TempDir()); err != nil {
			t.Fatal(err)
		}
	}
	cfg := Config{
		Policy: p, Registerer: tr.registry,
		Verdict: func(v *verdict.Statement) { tr.lines = append(tr.lines, v); tr.shadow.said(v) },
		Finding: func(f *verdict.Finding) { tr.findings = append(tr.findings, f); tr.shadow.found(f) },
	}
	tr.shadow = newShadow(t, p, policyText, limits)
	if len(limits) > 0 {
		cfg.Limits = limits[0]
	}
	e, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	tr.engine = e
	tr.play(&event.ProcessStarted{Header: tr.head(web, web), Exe: "/usr/bin/app", Name: "app", Service: "app"})
	return tr
}

func (tr *trace) head(pid, tid uint32) event.Header {
	tr.now += int64(time.Millisecond)
	return event.Header{Time: tr.now, PID: pid, TID: tid}
}

func (tr *trace) play(ev event.Event) {
	tr.events = append(tr.events, ev)
	tr.shadow.play(ev, tr.engine.policy)
	tr.engine.Handle(ev)
}

// wait lets time go by, with ticks.
func (tr *trace) wait(d time.Duration) {
	for end := tr.now + int64(d); tr.now < end; {
		tr.now = min(tr.now+int64(250*time.Millisecond), end)
		tr.play(&event.Tick{Header: event.Header{Time: tr.now}})
	}
}

func certificate(tenant string) *event.Certificate {
	digest := sha256.Sum256([]byte(tenant))
	return &event.Certificate{
		SHA256: hex.EncodeToString(digest[:]), Serial: "1f", Subject: []event.Attribute{{Type: "O", Value: tenant}, {Type: "CN", Value: "api"}},
		NotBefore: 1_600_000_000_000_000_000, NotAfter: 1_900_000_000_000_000_000,
	}
}

// open opens a connection of a client, with TLS, without an identity.
func (tr *trace) open() event.ConnID {
	tr.conns++
	tr.play(&event.ConnectionOpened{
		Header: tr.head(web, web), Conn: tr.conns, Role: event.RoleServer, TLS: true, Net: "tcp", Local: "10.0.0.1:8443", Remote: fmt.Sprintf("10.0.0.9:%d", 4000+tr.conns),
	})
	return tr.conns
}

func (tr *trace) identify(c event.ConnID, cert *event.Certificate, result int64) {
	tr.play(&event.Identity{
		Header: tr.head(web, web), Conn: c, Role: event.RoleServer, Certificate: cert, VerifyResult: result, VerifyMode: 3, Version: "1.3", Source: "ssl",
	})
}

// client opens a connection with the verified certificate of a tenant.
func (tr *trace) client(tenant string) event.ConnID {
	c := tr.open()
	tr.identify(c, certificate(tenant), 0)
	return c
}

// request sends a request that the thread reads, and returns its number. fields are "name: value".
func (tr *trace) request(c event.ConnID, tid uint32, path string, fields ...string) uint64 {
	tr.seqs[c]++
	ev := &event.HTTPRequest{
		Header: tr.head(web, tid), Conn: c, Seq: tr.seqs[c], Version: "HTTP/1.1", Method: "GET", Path: path, ID: fmt.Sprintf("r%d-%d", c, tr.seqs[c]),
	}
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		ev.Fields = append(ev.Fields, event.HTTPField{Name: name, Value: value})
	}
	tr.play(ev)
	return ev.Seq
}

func (tr *trace) respond(c event.ConnID, seq uint64, tid uint32, status int) {
	tr.play(&event.HTTPResponse{Header: tr.head(web, tid), Conn: c, Seq: seq, Status: status})
	tr.play(&event.HTTPResponseEnd{Header: tr.head(web, tid), Conn: c, Seq: seq})
}

// database opens a database session.
func (tr *trace) database() event.ConnID { return tr.session(nil, false) }

func (tr *trace) session(settings map[string]string, late bool) event.ConnID {
	tr.conns++
	tr.play(&event.ConnectionOpened{
		Header: tr.head(web, web), Conn: tr.conns, Role: event.RoleClient, Net: "tcp", Local: "127.0.0.1:50000", Remote: "127.0.0.1:5432", Late: late,
	})
	tr.play(&event.SessionStarted{
		Header: tr.head(web, web), Conn: tr.conns, Engine: event.PostgreSQL, Database: "shop", User: "app", Settings: settings, Unknown: late,
	})
	tr.status[tr.conns] = event.TxIdle
	return tr.conns
}

// result is a shorthand for a Result.
func result(tag string) *event.Result { return &event.Result{Tag: tag} }

// rows is a Result with a tenant column of table 16400.
func rows(tenants ...string) *event.Result { return rowsOf(16400, tenants...) }

func rowsOf(table uint32, tenants ...string) *event.Result {
	r := &event.Result{
		Tag: fmt.Sprintf("SELECT %d", len(tenants)), Count: uint64(len(tenants)),
		Columns: []event.Column{{Name: "tenant_id", Table: table, Attr: 2, Owner: "tenant_id"}},
	}
	for i := range tenants {
		r.Rows = append(r.Rows, []*string{&tenants[i]})
	}
	return r
}

func failure(sqlstate string) *event.Result { return &event.Result{Error: sqlstate} }

// write sends SQL without an answer and returns its number. params are bind values; with any, it is an Execute.
func (tr *trace) write(db event.ConnID, tid uint32, sql string, params ...string) uint64 {
	tr.seqs[db]++
	ev := &event.Statement{Header: tr.head(web, tid), Conn: db, Seq: tr.seqs[db], Simple: len(params) == 0, Text: sql}
	for _, p := range params {
		ev.Params = append(ev.Params, event.Param{Known: true, Value: p})
	}
	tr.play(ev)
	return ev.Seq
}

// answer sends results for what was written, and ReadyForQuery.
func (tr *trace) answer(db event.ConnID, seq uint64, results ...*event.Result) {
	for i, r := range results {
		r.Header, r.Conn, r.Seq, r.Index, r.Last = tr.head(web, web), db, seq, i, i == len(results)-1
		tr.play(r)
		switch {
		case r.Error != "" && tr.status[db] == event.TxOpen:
			tr.status[db] = event.TxFailed
		case r.Tag == "BEGIN":
			tr.status[db] = event.TxOpen
		case r.Tag == "COMMIT", r.Tag == "ROLLBACK":
			tr.status[db] = event.TxIdle
		case r.Tag == "ROLLBACK TO":
			r.Tag = "ROLLBACK"
			tr.status[db] = event.TxOpen
		}
	}
	tr.play(&event.SessionReady{Header: tr.head(web, web), Conn: db, Status: tr.status[db]})
}

// sql runs SQL with the given results, by default one that fits its first word.
func (tr *trace) sql(db event.ConnID, tid uint32, sql string, results ...*event.Result) {
	tr.answer(db, tr.write(db, tid, sql), defaultResults(sql, results)...)
}

// execute runs a prepared statement with bind values.
func (tr *trace) execute(db event.ConnID, tid uint32, sql string, params []string, results ...*event.Result) {
	tr.answer(db, tr.write(db, tid, sql, params...), defaultResults(sql, results)...)
}

func defaultResults(sql string, results []*event.Result) []*event.Result {
	if len(results) > 0 {
		return results
	}
	tag := "SELECT 0"
	switch word, _, _ := strings.Cut(strings.ToUpper(sql), " "); word {
	case "INSERT":
		tag = "INSERT 0 1"
	case "UPDATE", "DELETE":
		tag = word + " 1"
	case "SELECT":
	default:
		tag = word
	}
	if strings.HasPrefix(sql, "ROLLBACK TO") {
		tag = "ROLLBACK TO"
	}
	return []*event.Result{result(tag)}
}

// last returns the newest verdict line.
func (tr *trace) last() *verdict.Statement {
	tr.t.Helper()
	if len(tr.lines) == 0 {
		tr.t.Fatal("no verdict line")
	}
	return tr.lines[len(tr.lines)-1]
}

// summary writes a line as "verdict/reason link level tenants [findings]".
func summary(v *verdict.Statement) string {
	s := string(v.Verdict)
	if v.Reason != "" {
		s += "/" + string(v.Reason)
	}
	s += " " + string(v.Link)
	if v.EvidenceLevel != "" {
		s += " " + string(v.EvidenceLevel)
	}
	if len(v.DatabaseTenants) > 0 {
		s += " " + strings.Join(v.DatabaseTenants, ",")
	}
	if len(v.Findings) > 0 {
		s += " [" + strings.Join(v.Findings, " ") + "]"
	}
	return s
}

// expect compares all verdict lines since the last call.
func (tr *trace) expect(want ...string) {
	tr.t.Helper()
	got := make([]string, len(tr.lines))
	for i, v := range tr.lines {
		got[i] = summary(v)
	}
	tr.lines = nil
	if !slices.Equal(got, want) {
		tr.t.Errorf("verdicts:\n  %s\nwant:\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// expectFindings compares the findings handed out since the last call, as "NAME" or "NAME+count" for updates.
func (tr *trace) expectFindings(want ...string) {
	tr.t.Helper()
	got := make([]string, len(tr.findings))
	for i, f := range tr.findings {
		got[i] = f.Name
		if f.Update {
			got[i] += fmt.Sprintf("+%d", f.Count)
		}
	}
	tr.findings = nil
	if !slices.Equal(got, want) {
		tr.t.Errorf("findings: %v, want %v", got, want)
	}
}

// known makes tenants known by a connection each.
func (tr *trace) known(tenants ...string) {
	for _, name := range tenants {
		tr.client(name)
	}
}
