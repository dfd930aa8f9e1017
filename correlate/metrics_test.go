package correlate

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"tenantrace/collector/event"
	"tenantrace/correlate/policy"
)

func TestMetrics(t *testing.T) {
	tr := newTrace(t, pathPolicy)
	tr.known("beta")
	c, db := tr.client("acme"), tr.database()
	tr.sql(db, 9, "SELECT 1")
	for _, sql := range []string{selectScoped, selectBeta, "SELECT id FROM invoices"} {
		r := tr.request(c, 7, "/t/beta/x")
		tr.sql(db, 7, sql)
		tr.respond(c, r, 7, 200)
	}
	none := tr.open()
	r := tr.request(none, 7, "/x")
	tr.respond(none, r, 7, 200)

	if problems, err := testutil.GatherAndLint(tr.registry); err != nil || len(problems) > 0 {
		t.Errorf("lint: %v %v", problems, err)
	}
	want := `
# HELP tenantrace_requests_total HTTP requests, by where their identity comes from.
# TYPE tenantrace_requests_total counter
tenantrace_requests_total{identity_source="connection",service="app"} 3
tenantrace_requests_total{identity_source="header",service="app"} 0
tenantrace_requests_total{identity_source="none",service="app"} 1
tenantrace_requests_total{identity_source="proxy_v2",service="app"} 0
# HELP tenantrace_statement_links_total SQL statements judged, by the rule that ties them to a request.
# TYPE tenantrace_statement_links_total counter
tenantrace_statement_links_total{link="none",service="app"} 1
tenantrace_statement_links_total{link="set",service="app"} 0
tenantrace_statement_links_total{link="task",service="app"} 0
tenantrace_statement_links_total{link="thread",service="app"} 3
tenantrace_statement_links_total{link="token",service="app"} 0
tenantrace_statement_links_total{link="transaction",service="app"} 0
# HELP tenantrace_statements_total SQL statements judged; the sum over verdict is the number seen.
# TYPE tenantrace_statements_total counter
tenantrace_statements_total{service="app",verdict="background"} 0
tenantrace_statements_total{service="app",verdict="blind"} 0
tenantrace_statements_total{service="app",verdict="exempt"} 0
tenantrace_statements_total{service="app",verdict="no_tenant"} 1
tenantrace_statements_total{service="app",verdict="ok_exact"} 1
tenantrace_statements_total{service="app",verdict="ok_set"} 0
tenantrace_statements_total{service="app",verdict="unattributed"} 1
tenantrace_statements_total{service="app",verdict="violation"} 1
# HELP tenantrace_tls_connections Open TLS connections of clients, by what is known of the client certificate and whether the handshake resumed a session.
# TYPE tenantrace_tls_connections gauge
tenantrace_tls_connections{resumed="false",service="app",state="no_cert"} 0
tenantrace_tls_connections{resumed="false",service="app",state="unknown"} 1
tenantrace_tls_connections{resumed="false",service="app",state="unverified"} 0
tenantrace_tls_connections{resumed="false",service="app",state="verified"} 2
tenantrace_tls_connections{resumed="true",service="app",state="no_cert"} 0
tenantrace_tls_connections{resumed="true",service="app",state="unknown"} 0
tenantrace_tls_connections{resumed="true",service="app",state="unverified"} 0
tenantrace_tls_connections{resumed="true",service="app",state="verified"} 0
`
	if err := testutil.GatherAndCompare(tr.registry, strings.NewReader(want), "tenantrace_requests_total", "tenantrace_statement_links_total",
		"tenantrace_statements_total", "tenantrace_tls_connections"); err != nil {
		t.Error(err)
	}
	for _, x := range []struct {
		got, want float64
		name      string
	}{
		{testutil.ToFloat64(tr.engine.metrics.findings.WithLabelValues("app", RequestTenantMismatch, "high")), 3, "mismatch"},
		{testutil.ToFloat64(tr.engine.metrics.findings.WithLabelValues("app", CrossTenantRead, "critical")), 1, "read"},
		{testutil.ToFloat64(tr.engine.metrics.unattributed.WithLabelValues("app", "no_evidence")), 1, "no evidence"},
	} {
		if x.got != x.want {
			t.Errorf("%s: %v, want %v", x.name, x.got, x.want)
		}
	}
}

func TestExpiredGauge(t *testing.T) {
	tr := newTrace(t, "")
	c := tr.open()
	cert := certificate("acme")
	cert.NotAfter = tr.now + int64(time.Minute)
	tr.identify(c, cert, 0)
	gauge := func() float64 { return testutil.ToFloat64(tr.engine.metrics.expiredConns.WithLabelValues("app")) }
	tr.wait(59 * time.Second)
	if gauge() != 0 {
		t.Error("expired too early")
	}
	tr.wait(10 * time.Second)
	if gauge() != 1 {
		t.Error("not expired")
	}
	tr.play(&event.ConnectionClosed{Header: tr.head(web, web), Conn: c})
	if gauge() != 0 {
		t.Error("still counted after its end")
	}
}

func TestServiceLabelIsBounded(t *testing.T) {
	m, err := newMetrics(nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 * maxServices {
		m.request(strings.Repeat("s", i+1), sourceNone)
	}
	if n := testutil.CollectAndCount(m.requests); n != (maxServices+1)*len(identitySources) || len(m.services) != maxServices {
		t.Errorf("%d series, %d services remembered", n, len(m.services))
	}
}

func TestNewErrors(t *testing.T) {
	if _, err := New(Config{}); err == nil {
		t.Error("no error without a policy")
	}
	cfg := Config{Policy: policy.Default(), Registerer: prometheus.NewRegistry()}
	if _, err := New(cfg); err != nil {
		t.Fatal(err)
	}
	if _, err := New(cfg); err == nil {
		t.Error("no error for a registry in use")
	}
}

func TestUnreadConnections(t *testing.T) {
	tr := newTrace(t, "")
	for _, version := range []string{"2", "2", ""} {
		c := tr.client("acme")
		tr.play(&event.HTTPRequest{Header: tr.head(web, 0), Conn: c, Version: version, Anomalies: []string{"header_cut"}})
		tr.get(c) // which is understood
	}
	for reason, want := range map[string]float64{"http2": 2, "unknown": 1} {
		if n := testutil.ToFloat64(tr.engine.metrics.unread.WithLabelValues("app", reason)); n != want {
			t.Errorf("%v unread connections of reason %s, want %v", n, reason, want)
		}
	}
	if n := testutil.ToFloat64(tr.engine.metrics.requests.WithLabelValues("app", "connection")); n != 3 {
		t.Errorf("%v requests, want those that are understood", n)
	}
	tr.expectFindings()
}
