package collector

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/cilium/ebpf"

	"tenantrace/collector/event"
)

// kernelObjects are the ids of what this process holds open in the kernel: "map_id" or "link_id".
func kernelObjects(t *testing.T, kind string) map[int]bool {
	t.Helper()
	infos, err := filepath.Glob("/proc/self/fdinfo/*")
	if err != nil {
		t.Fatal(err)
	}
	out := map[int]bool{}
	for _, path := range infos {
		b, err := os.ReadFile(path)
		if err != nil {
			continue // the one of the listing itself
		}
		if m := regexp.MustCompile(`(?m)^` + kind + `:\s*(\d+)$`).FindSubmatch(b); m != nil {
			id, err := strconv.Atoi(string(m[1]))
			if err != nil {
				t.Fatal(err)
			}
			out[id] = true
		}
	}
	return out
}

// holdings is what the collector holds for others.
type holdings struct {
	entries                          map[string]int // of hash tables in the kernel, by name
	links, files, routines           int
	processes, connections, mappings int64
}

func holding(t *testing.T, c *Collector, tables map[int]bool) (h holdings) {
	t.Helper()
	h.entries = map[string]int{}
	for id := range tables {
		m, err := ebpf.NewMapFromID(ebpf.MapID(id))
		if err != nil {
			t.Fatal(err)
		}
		info, err := m.Info()
		if err != nil {
			t.Fatal(err)
		}
		if m.Type() == ebpf.Hash || m.Type() == ebpf.LRUHash {
			var key, value []byte
			for all := m.Iterate(); all.Next(&key, &value); {
				h.entries[info.Name]++
			}
		}
		m.Close()
	}
	descriptors, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	h.links, h.files, h.routines = len(kernelObjects(t, "link_id")), len(descriptors), runtime.NumGoroutine()
	h.processes, h.connections = c.counts.processes.Load(), c.counts.connections.Load()
	for _, l := range c.Libraries() {
		h.mappings += int64(l.Processes)
	}
	return h
}

// Each process that makes a handshake, serves a request and ends without a goodbye is seen, and nothing is left of it.
func TestShortLivedProcesses(t *testing.T) {
	needRoot(t)
	first, more := 101, 503 // prime
	if os.Getenv("TENANTRACE_EMULATED") != "" {
		first, more = 11, 53
	}
	ssl, crypto := hostLibraries(t)
	a := newAuthority(t)
	server := a.run(t, compile(t, "-DLINKED", ssl, crypto))
	port := server.do("each")
	earlier := kernelObjects(t, "map_id")
	n := &notes{}
	c, stop := start(t, n, server.pid)
	tables := kernelObjects(t, "map_id")
	maps.DeleteFunc(tables, func(id int, _ bool) bool { return earlier[id] })
	if len(tables) < 8 {
		t.Fatalf("%d tables in the kernel: they are not found", len(tables))
	}
	certificate := tenant(t, a, "churn")
	settled := func(count, total int) holdings {
		t.Helper()
		for range count {
			client := a.client(certificate)
			get(t, client, "https://127.0.0.1:"+port+"/churn/x")
			client.CloseIdleConnections()
		}
		seen(t, n, 0, certificate, total)
		for end := time.Now().Add(deadline); ; time.Sleep(100 * time.Millisecond) {
			h := holding(t, c, tables)
			if h.entries["processes"] == 1 && h.processes <= 1 && h.connections == 0 && h.mappings == 1 { // the first does nothing that would show it
				return h
			}
			if time.Now().After(end) {
				t.Fatalf("not only the first process is left: %+v", h)
			}
		}
	}
	before := settled(first, first)
	after := settled(more, first+more)
	t.Logf("before: %+v", before)
	t.Logf("after:  %+v", after)
	for _, name := range slices.Sorted(maps.Keys(after.entries)) {
		extra := after.entries[name] - before.entries[name]
		switch name {
		case "files", "candidates": // other processes of the host fill them too; the least recently used make room
			continue
		case "tls_states": // what the dead leave makes room when it is needed
			extra = max(0, extra-more)
		}
		if extra > 0 {
			t.Errorf("%d more entries in %q after %d processes", extra, name, more)
		}
	}
	if after.links > before.links || after.files > before.files || after.routines > before.routines {
		t.Errorf("links, files, goroutines: %d, %d, %d; before %d, %d, %d", after.links, after.files, after.routines, before.links, before.files, before.routines)
	}
	stop()
	ended := len(collect(n, func(*event.ProcessExited) bool { return true }))
	started := len(collect(n, func(*event.ProcessStarted) bool { return true }))
	if started < ended || started > ended+1 || ended < first+more {
		t.Errorf("%d processes started, %d ended; want all but the first, and at least %d", started, ended, first+more)
	}
}

// While every process is traced, one that nobody has met is traced from its first call on.
func TestShortLivedStrangers(t *testing.T) {
	needRoot(t)
	count := 101
	if os.Getenv("TENANTRACE_EMULATED") != "" {
		count = 11
	}
	ssl, crypto := hostLibraries(t)
	a := newAuthority(t)
	server := a.run(t, compile(t, "-DLINKED", ssl, crypto))
	port := server.do("each")
	n := &notes{}
	_, stop := start(t, n)
	certificate := tenant(t, a, "stranger")
	for range count {
		client := a.client(certificate)
		get(t, client, "https://127.0.0.1:"+port+"/stranger/x")
		client.CloseIdleConnections()
	}
	seen(t, n, 0, certificate, count)
	stop()
}
