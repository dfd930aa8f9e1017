package main

import (
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"tenantrace/collector"
	"tenantrace/correlate"
	"tenantrace/correlate/policy"
)

// exported are the names of all metrics of the daemon.
func exported(t *testing.T) []string {
	t.Helper()
	registry := prometheus.NewRegistry()
	engine, err := correlate.New(correlate.Config{Policy: policy.Default(), Registerer: registry})
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	described := make(chan *prometheus.Desc, 1000)
	registry.Describe(described)
	new(collector.Collector).Describe(described)
	close(described)
	var names []string
	for d := range described {
		names = append(names, regexp.MustCompile(`fqName: "([a-z_]+)"`).FindStringSubmatch(d.String())[1])
	}
	// The daemon's own are in its golden file.
	own := regexp.MustCompile(`(?m)^# TYPE ([a-z_]+) `)
	for _, m := range own.FindAllStringSubmatch(read(t, "daemon/testdata/metrics.txt"), -1) {
		names = append(names, m[1])
	}
	slices.Sort(names)
	return names
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The table of the README lists each metric once and nothing else; alerts use only metrics that exist.
func TestMetricsAreDocumented(t *testing.T) {
	names := exported(t)
	if len(names) < 20 || len(slices.Compact(slices.Clone(names))) != len(names) {
		t.Fatalf("metrics %v: too few, or one is there twice", names)
	}
	var listed []string
	for _, m := range regexp.MustCompile("(?m)^\\| `(tenantrace_[a-z_]+)` \\|").FindAllStringSubmatch(read(t, root+"/README.md"), -1) {
		listed = append(listed, m[1])
	}
	slices.Sort(listed)
	for _, name := range names {
		if !slices.Contains(listed, name) {
			t.Errorf("README.md does not list %s", name)
		}
	}
	for i, name := range listed {
		if !slices.Contains(names, name) || i > 0 && listed[i-1] == name {
			t.Errorf("README.md lists %s, which does not exist or is there twice", name)
		}
	}
	used := regexp.MustCompile(`tenantrace_[a-z_]+`).FindAllString(read(t, root+"/deploy/prometheus/rules.yaml"), -1)
	if len(used) < 5 {
		t.Fatalf("rules use only %v", used)
	}
	for _, name := range used {
		if !slices.Contains(names, name) {
			t.Errorf("an alert uses %s, which does not exist", name)
		}
	}
}
