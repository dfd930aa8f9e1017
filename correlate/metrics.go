package correlate

import (
	"fmt"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tenantrace/collector/event"
	"tenantrace/correlate/verdict"
)

// maxServices bounds the label "service"; further ones are counted as "other".
const maxServices = 200

const otherServices = "other"

// identitySource is the label of requests_total.
type identitySource string

const (
	sourceConnection identitySource = "connection"
	sourceNone       identitySource = "none"
)

var identitySources = [...]identitySource{sourceConnection, "header", "proxy_v2", sourceNone}

// unreadHTTP2 and unreadUnknown are why requests of a connection are not read.
const (
	unreadHTTP2   = "http2"
	unreadUnknown = "unknown"
)

var unreadReasons = [...]string{unreadHTTP2, unreadUnknown}

var reasons = [...]verdict.Reason{
	verdict.NoLink, verdict.Ambiguous, verdict.IdentityUnknown, verdict.NoCertificate, verdict.Unverified, verdict.Unmapped,
	verdict.TenantUnknown, verdict.NoEvidence, verdict.SessionUnknown, verdict.Unparsed, verdict.Cut, verdict.Conflict, verdict.Unseen,
	verdict.Desync, verdict.Unobserved, verdict.CandidateUnknown, verdict.MixedWork, verdict.Evicted,
}

var links = [...]verdict.Link{
	verdict.LinkToken, verdict.LinkThread, verdict.LinkTask, verdict.LinkTransaction, verdict.LinkSet, verdict.LinkNone,
}

var evictedTables = [...]string{
	"connections", "databases", "deferred", "findings", "held", "in_flight", "lingering", "processes", "requests", "tables", "threads", "tokens", "transactions",
}

// metrics are the engine's own.
type metrics struct {
	services map[string]string // label value by service
	held     map[string]*counters

	requests     *prometheus.CounterVec
	unread       *prometheus.CounterVec
	statements   *prometheus.CounterVec
	links        *prometheus.CounterVec
	unattributed *prometheus.CounterVec
	exempted     *prometheus.CounterVec
	lapsedTotal  *prometheus.CounterVec
	ended        prometheus.Gauge
	findings     *prometheus.CounterVec
	tlsConns     *prometheus.GaugeVec
	certificates *prometheus.HistogramVec
	expiredConns *prometheus.GaugeVec
	revokedConns *prometheus.GaugeVec
	verdictLag   prometheus.Histogram
	setPower     *prometheus.HistogramVec
	setMembers   *prometheus.CounterVec
	evictedTotal *prometheus.CounterVec
	unreadable   *prometheus.CounterVec
}

// counters are the children of a service that each statement needs.
type counters struct {
	verdicts map[verdict.Verdict]prometheus.Counter
	links    map[verdict.Link]prometheus.Counter
	members  map[memberState]prometheus.Counter
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "tenantrace", Name: name, Help: help}, labels)
	}
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "tenantrace", Name: name, Help: help}, labels)
	}
	m := &metrics{
		services:     make(map[string]string),
		held:         make(map[string]*counters),
		requests:     counter("requests_total", "HTTP requests, by where their identity comes from.", "service", "identity_source"),
		unread:       counter("unread_connections_total", "TLS connections of clients whose requests are not understood, by reason.", "service", "reason"),
		statements:   counter("statements_total", "SQL statements judged; the sum over verdict is the number seen.", "service", "verdict"),
		links:        counter("statement_links_total", "SQL statements judged, by the rule that ties them to a request.", "service", "link"),
		unattributed: counter("unattributed_total", "SQL statements that could not be judged, by reason.", "service", "reason"),
		exempted:     counter("exempt_total", "SQL statements that an allowance covers, by its kind.", "service", "by"),
		lapsedTotal:  counter("allowance_lapsed_total", "SQL statements and requests that a privilege or an exemption would have covered that has ended.", "service"),
		ended: prometheus.NewGauge(prometheus.GaugeOpts{
			Namespace: "tenantrace", Name: "policy_allowances_ended", Help: "Privileges and exemptions of the policy that have ended and cover nothing any more.",
		}),
		findings:     counter("findings_total", "Occurrences of findings.", "service", "finding", "severity"),
		tlsConns:     gauge("tls_connections", "Open TLS connections of clients, by what is known of the client certificate and whether the handshake resumed a session.", "service", "state", "resumed"),
		expiredConns: gauge("connections_expired_certificate", "Open TLS connections whose verified client certificate has ended.", "service"),
		revokedConns: gauge("connections_revoked_certificate", "Open TLS connections whose verified client certificate is on a revocation list.", "service"),
		certificates: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "tenantrace", Name: "connection_certificate_remaining_seconds",
			Help:    "Time that client certificates had left when their connection was met.",
			Buckets: []float64{0, 3600, 86400, 604800, 2592000, 7776000, 31536000},
		}, []string{"service"}),
		verdictLag: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "tenantrace", Name: "verdict_lag_seconds",
			Help:    "Time from the last event that a verdict needs to the verdict, by the clock of the events.",
			Buckets: []float64{.001, .01, .1, .25, 1, 5, 30, 60},
		}),
		setPower: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "tenantrace", Name: "set_power",
			Help:    "Share of a service's known tenants whose data would have been taken for wrong, for each statement judged by a set of candidates.",
			Buckets: []float64{.1, .25, .5, .75, .9, .99},
		}, []string{"service"}),
		setMembers:   counter("set_candidates_total", "Requests in the sets by which statements were judged: open ones, those open for long, those that were answered.", "service", "state"),
		evictedTotal: counter("evicted_total", "Entries that had to leave a bounded table.", "table"),
		unreadable:   counter("unreadable_sessions_total", "Database connections whose bytes can no longer be read, by reason: their statements are not seen on them.", "reason"),
	}
	for _, r := range event.UnreadableReasons {
		m.unreadable.WithLabelValues(string(r))
	}
	for _, t := range evictedTables {
		m.evictedTotal.WithLabelValues(t)
	}
	if reg == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{
		m.requests, m.unread, m.statements, m.links, m.unattributed, m.exempted, m.lapsedTotal, m.ended, m.findings, m.tlsConns, m.certificates, m.expiredConns, m.revokedConns, m.verdictLag, m.setPower, m.setMembers, m.evictedTotal,
		m.unreadable,
	} {
		if err := reg.Register(c); err != nil {
			return nil, fmt.Errorf("correlate: register metrics [use one registry for one engine]: %w", err)
		}
	}
	return m, nil
}

// label returns the label value of a service, and creates its series at zero when it comes first.
func (m *metrics) label(service string) string {
	if l, ok := m.services[service]; ok {
		return l
	}
	l := service
	if len(m.services) >= maxServices {
		l = otherServices
		if m.held[l] != nil {
			return l // not remembered: it may be one of very many
		}
	} else {
		m.services[service] = l
	}
	c := &counters{verdicts: make(map[verdict.Verdict]prometheus.Counter), links: make(map[verdict.Link]prometheus.Counter), members: make(map[memberState]prometheus.Counter)}
	m.held[l] = c
	for _, v := range verdict.All {
		c.verdicts[v] = m.statements.WithLabelValues(l, string(v))
	}
	for _, v := range links {
		c.links[v] = m.links.WithLabelValues(l, string(v))
	}
	for _, v := range identitySources {
		m.requests.WithLabelValues(l, string(v))
	}
	for _, v := range unreadReasons {
		m.unread.WithLabelValues(l, v)
	}
	for _, v := range reasons {
		m.unattributed.WithLabelValues(l, string(v))
	}
	for _, v := range allowances {
		m.exempted.WithLabelValues(l, string(v))
	}
	m.lapsedTotal.WithLabelValues(l)
	for _, v := range classes() {
		m.findings.WithLabelValues(l, v.name, severityNames[v.severity])
	}
	for _, v := range tlsStates {
		m.tlsConns.WithLabelValues(l, string(v), "false")
		m.tlsConns.WithLabelValues(l, string(v), "true")
	}
	m.certificates.WithLabelValues(l)
	m.expiredConns.WithLabelValues(l)
	m.revokedConns.WithLabelValues(l)
	m.setPower.WithLabelValues(l)
	for _, s := range memberStates {
		c.members[s] = m.setMembers.WithLabelValues(l, string(s))
	}
	return l
}

func (m *metrics) request(service string, s identitySource) {
	m.requests.WithLabelValues(m.label(service), string(s)).Inc()
}

// unreadConnection counts a connection whose requests are not understood; version is that of HTTP, "" if it is none that is known.
func (m *metrics) unreadConnection(service, version string) {
	reason := unreadUnknown
	if version == "2" {
		reason = unreadHTTP2
	}
	m.unread.WithLabelValues(m.label(service), reason).Inc()
}

func (m *metrics) statement(service string, v verdict.Verdict, l verdict.Link, r verdict.Reason) {
	label := m.label(service)
	c := m.held[label]
	c.verdicts[v].Inc()
	c.links[l].Inc()
	if v == verdict.Unattributed {
		m.unattributed.WithLabelValues(label, string(r)).Inc()
	}
}

func (m *metrics) exempt(service string, by allowance) {
	m.exempted.WithLabelValues(m.label(service), string(by)).Inc()
}

func (m *metrics) lapsed(service string) { m.lapsedTotal.WithLabelValues(m.label(service)).Inc() }

func (m *metrics) finding(service, name string, s verdict.Severity) {
	m.findings.WithLabelValues(m.label(service), name, severityNames[s]).Inc()
}

func (m *metrics) tls(service string, s tlsState, resumed bool, d float64) {
	m.tlsConns.WithLabelValues(m.label(service), string(s), strconv.FormatBool(resumed)).Add(d)
}

func (m *metrics) revoked(service string, d float64) {
	m.revokedConns.WithLabelValues(m.label(service)).Add(d)
}

func (m *metrics) expired(service string, d float64) {
	m.expiredConns.WithLabelValues(m.label(service)).Add(d)
}

func (m *metrics) remaining(service string, d time.Duration) {
	m.certificates.WithLabelValues(m.label(service)).Observe(d.Seconds())
}

func (m *metrics) lag(d time.Duration) { m.verdictLag.Observe(d.Seconds()) }

func (m *metrics) evicted(table string) { m.evictedTotal.WithLabelValues(table).Inc() }
