package daemon

import (
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
)

// policyFormat is the version of the policy file format, "version" in the file.
const policyFormat = "1"

func registerAll(registry prometheus.Registerer, all ...prometheus.Collector) error {
	for _, c := range all {
		if err := registry.Register(c); err != nil {
			return err
		}
	}
	return nil
}

// buildInfo is a metric that is 1 and says what was built.
func buildInfo(version string) prometheus.Collector {
	g := prometheus.NewGauge(prometheus.GaugeOpts{
		Name:        "tenantrace_build_info",
		Help:        "1, labelled with the version of the program and of Go.",
		ConstLabels: prometheus.Labels{"version": version, "goversion": runtime.Version()},
	})
	g.Set(1)
	return g
}

// ruleMetrics tell the policy in force, looked up at each scrape.
type ruleMetrics struct{ rules *rules }

func policyInfoDesc() *prometheus.Desc {
	return prometheus.NewDesc("tenantrace_policy_info", "1, labelled with the hash of the policy in force and the version of its format.",
		[]string{"hash", "version"}, nil)
}

func policyReloadDesc() *prometheus.Desc {
	return prometheus.NewDesc("tenantrace_policy_reload_success_timestamp_seconds", "When the policy in force was last read, seconds since the Unix epoch.", nil, nil)
}

// Describe implements prometheus.Collector.
func (m ruleMetrics) Describe(ch chan<- *prometheus.Desc) {
	ch <- policyInfoDesc()
	ch <- policyReloadDesc()
}

// Collect implements prometheus.Collector.
func (m ruleMetrics) Collect(ch chan<- prometheus.Metric) {
	ch <- prometheus.MustNewConstMetric(policyInfoDesc(), prometheus.GaugeValue, 1, m.rules.Policy().Hash(), policyFormat)
	ch <- prometheus.MustNewConstMetric(policyReloadDesc(), prometheus.GaugeValue, float64(m.rules.loaded().UnixNano())/1e9)
}
