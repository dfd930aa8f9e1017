package sink

import "github.com/prometheus/client_golang/prometheus"

// Metrics are the numbers of all sinks of a daemon.
type Metrics struct {
	errors *prometheus.CounterVec
	lost   *prometheus.CounterVec
}

// NewMetrics registers the metrics of the sinks named, each starting at zero.
func NewMetrics(registerer prometheus.Registerer, sinks ...string) (*Metrics, error) {
	m := &Metrics{
		errors: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tenantrace_sink_errors_total",
			Help: "Failed writes to an output, by sink. Lines are kept and written again while there is room for them.",
		}, []string{"sink"}),
		lost: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tenantrace_sink_lost_lines_total",
			Help: "Lines that an output never took, by sink.",
		}, []string{"sink"}),
	}
	for _, name := range sinks {
		m.errors.WithLabelValues(name)
		m.lost.WithLabelValues(name)
	}
	for _, c := range []prometheus.Collector{m.errors, m.lost} {
		if err := registerer.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}
