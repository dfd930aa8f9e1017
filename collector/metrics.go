package collector

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"tenantrace/bpf"
	"tenantrace/collector/stream"
)

// counts are the collector's own numbers; the kernel's are read at each scrape.
type counts struct {
	records, badRecords, readErrors, events, evicted, missed atomic.Uint64
	connections, processes                                   atomic.Int64
	found                                                    [stream.Rungs]atomic.Uint64
}

// The metrics of the collector. Their labels are closed sets.
var (
	lostDesc = prometheus.NewDesc("tenantrace_events_lost_total", "Records that were lost, by where.", []string{"source"}, nil)
	probes   = prometheus.NewDesc("tenantrace_probes", "Libraries by the state of their probes: attached with offsets, attached without offsets (fallback), failed, unsupported (without symbols).",
		[]string{"state"}, nil)
	records     = prometheus.NewDesc("tenantrace_records_total", "Records read from the kernel.", nil, nil)
	events      = prometheus.NewDesc("tenantrace_events_total", "Events emitted to the correlator.", nil, nil)
	connections = prometheus.NewDesc("tenantrace_followed_connections", "Connections whose bytes are being followed.", nil, nil)
	found       = prometheus.NewDesc("tenantrace_tls_sockets_total", "TLS connections, by how their socket became known; none: they ended before.", []string{"rung"}, nil)
	seeks       = prometheus.NewDesc("tenantrace_ciphertext_probes_total", "Times that BIO_read was probed, to find the sockets of older connections.", nil, nil)
	readers     = prometheus.NewDesc("tenantrace_ciphertext_probes", "Files in which BIO_read is probed.", nil, nil)
	processes   = prometheus.NewDesc("tenantrace_traced_processes", "Processes that are traced.", nil, nil)
	pending     = prometheus.NewDesc("tenantrace_ring_buffer_pending_bytes", "Bytes in the ring buffer that wait to be read.", nil, nil)
	size        = prometheus.NewDesc("tenantrace_ring_buffer_size_bytes", "Size of the ring buffer.", nil, nil)
)

// Describe implements prometheus.Collector.
func (c *Collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{lostDesc, probes, records, events, connections, found, seeks, readers, processes, pending, size} {
		ch <- d
	}
}

// dropNames are the values of the label source.
var dropNames = map[bpf.TracerDrop]string{
	bpf.TracerDropDROP_RINGBUF:    "ringbuf",
	bpf.TracerDropDROP_MAP_FULL:   "map_full",
	bpf.TracerDropDROP_READ_FAULT: "read_fault",
	bpf.TracerDropDROP_NESTED:     "nested_call",
	bpf.TracerDropDROP_IOVEC:      "iovec",
	bpf.TracerDropDROP_TASKS:      "tasks",
}

// Collect implements prometheus.Collector.
func (c *Collector) Collect(ch chan<- prometheus.Metric) {
	drops, err := c.programs.Drops()
	if err != nil {
		ch <- prometheus.NewInvalidMetric(lostDesc, err)
	} else {
		for reason, name := range dropNames {
			ch <- prometheus.MustNewConstMetric(lostDesc, prometheus.CounterValue, float64(drops[reason]), name)
		}
	}
	counter := func(d *prometheus.Desc, n uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
	}
	gauge := func(d *prometheus.Desc, n int64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(n), labels...)
	}
	counter(lostDesc, c.counts.badRecords.Load(), "bad_record")
	counter(lostDesc, c.counts.readErrors.Load(), "read_error")
	counter(lostDesc, c.counts.evicted.Load(), "evicted_connection")
	counter(lostDesc, c.counts.missed.Load(), "missed")
	counter(records, c.counts.records.Load())
	counter(events, c.counts.events.Load())
	gauge(connections, c.counts.connections.Load())
	for g := range stream.Rungs {
		counter(found, c.counts.found[g].Load(), g.String())
	}
	counter(seeks, c.finder.Seeks())
	gauge(readers, int64(c.finder.Seeking()))
	gauge(processes, c.counts.processes.Load())
	gauge(pending, int64(c.reader.AvailableBytes()))
	gauge(size, int64(c.reader.BufferSize()))
	states := map[string]int64{"attached": 0, "fallback": 0, "failed": 0, "unsupported": 0}
	for _, l := range c.finder.Libraries() {
		switch {
		case l.Hidden:
			states["unsupported"]++
		case l.Probes == 0:
			states["failed"]++
		case l.OffsetsKnown:
			states["attached"]++
		default:
			states["fallback"]++
		}
	}
	for state, n := range states {
		gauge(probes, n, state)
	}
}
