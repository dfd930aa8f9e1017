package daemon

import (
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tenantrace/correlate/crl"
	"tenantrace/correlate/policy"
)

// revocation is the revocation lists that the policy names. Lists that turn bad leave the old ones in force, and so do lists that are stale: what
// they revoked is revoked still.
type revocation struct {
	log      *slog.Logger
	lists    atomic.Pointer[crl.Set] // in force; nil: none
	failures prometheus.Counter

	mu    sync.Mutex
	rules *policy.Revocation // nil: none are wanted
	seen  map[string]stamp   // the files as they were before the last load, good or bad
	stale int                // lists that were stale when last looked at
}

// openRevocation loads the lists that the policy names.
func openRevocation(rules *policy.Revocation, log *slog.Logger, registry prometheus.Registerer) (*revocation, error) {
	r := &revocation{log: log, failures: prometheus.NewCounter(prometheus.CounterOpts{
		Name: "tenantrace_crl_reload_failures_total",
		Help: "Loads of revocation lists that failed and left the old ones in force.",
	})}
	if err := r.load(rules); err != nil {
		return nil, err
	}
	return r, registerAll(registry, r.failures, listMetrics{r})
}

// load puts the lists of rules in force, or none for nil.
func (r *revocation) load(rules *policy.Revocation) error {
	// The files are looked at before they are read: a change in between is then seen as one after it.
	seen := make(map[string]stamp)
	for _, file := range rules.Files() {
		seen[file] = stampOf(file)
	}
	r.mu.Lock()
	r.rules, r.seen = rules, seen
	r.mu.Unlock()
	if rules == nil {
		r.lists.Store(nil)
		return nil
	}
	lists, err := crl.Load(rules.Lists, rules.CA)
	if err != nil {
		return fmt.Errorf("certificates.revocation: %w", err)
	}
	r.mu.Lock()
	r.stale = 0
	r.mu.Unlock()
	r.lists.Store(lists)
	last, next := lists.Updates()
	r.log.Info("revocation lists loaded", "digest", lists.Digest(), "lists", len(lists.Lists()), "entries", lists.Len(), "issued", last, "due", next)
	if rules.CA == "" {
		r.log.Warn("signatures of revocation lists are not checked [name the certificates of their issuers: certificates.revocation.ca]")
	}
	r.checkAge(time.Now())
	return nil
}

// follow brings the lists up to date with a policy and with their files. One goroutine calls it.
func (r *revocation) follow(rules *policy.Revocation) {
	if !rules.Equal(r.wanted()) || r.touched() {
		if err := r.load(rules); err != nil {
			r.failures.Inc()
			r.log.Error("the revocation lists are broken; the old ones stay in force until a file changes again", "err", err)
		}
	}
	r.checkAge(time.Now())
}

func (r *revocation) wanted() *policy.Revocation {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.rules
}

// touched tells whether a file differs from what was last loaded.
func (r *revocation) touched() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, file := range r.rules.Files() {
		if r.seen[file] != stampOf(file) {
			return true
		}
	}
	return false
}

// checkAge says when lists become stale.
func (r *revocation) checkAge(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	stale, _ := r.count(now)
	if stale > r.stale {
		last, next := r.lists.Load().Updates()
		r.log.Warn("revocation lists are stale: what was revoked since is not known; they stay in force [fetch new ones]",
			"stale", stale, "issued", last, "due", next)
	}
	r.stale = stale
}

// count tells how many lists in force are stale, and how many there are. r.mu is held.
func (r *revocation) count(now time.Time) (stale, all int) {
	lists := r.lists.Load()
	if lists == nil {
		return 0, 0
	}
	var most time.Duration
	if r.rules != nil {
		most = r.rules.MaxAge
	}
	for _, l := range lists.Lists() {
		if l.Stale(now, most) {
			stale++
		}
	}
	return stale, len(lists.Lists())
}

// listMetrics tell of the lists in force, looked up at each scrape.
type listMetrics struct{ revocation *revocation }

func listDescs() [4]*prometheus.Desc {
	return [...]*prometheus.Desc{
		prometheus.NewDesc("tenantrace_crl_lists", "Revocation lists in force; a stale one is older than it or the policy allows.", []string{"state"}, nil),
		prometheus.NewDesc("tenantrace_crl_entries", "Certificates on the revocation lists in force.", nil, nil),
		prometheus.NewDesc("tenantrace_crl_last_update_timestamp_seconds",
			"When the oldest revocation list in force was issued, seconds since the Unix epoch; 0 without lists.", nil, nil),
		prometheus.NewDesc("tenantrace_crl_next_update_timestamp_seconds",
			"When the next revocation list is due, seconds since the Unix epoch; 0 without lists, or if none says.", nil, nil),
	}
}

// Describe implements prometheus.Collector.
func (m listMetrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range listDescs() {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (m listMetrics) Collect(ch chan<- prometheus.Metric) {
	m.revocation.mu.Lock()
	stale, all := m.revocation.count(time.Now())
	m.revocation.mu.Unlock()
	entries, last, next := 0, 0.0, 0.0
	if lists := m.revocation.lists.Load(); lists != nil {
		from, to := lists.Updates()
		entries, last, next = lists.Len(), seconds(from), seconds(to)
	}
	d := listDescs()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	gauge(d[0], float64(all-stale), "fresh")
	gauge(d[0], float64(stale), "stale")
	gauge(d[1], float64(entries))
	gauge(d[2], last)
	gauge(d[3], next)
}

func seconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixNano()) / 1e9
}
