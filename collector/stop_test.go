package collector

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tenantrace/collector/event"
	"tenantrace/collector/probe"
)

// load keeps connections busy until it is ended, and gives the number of requests answered so far.
func (a *authority) load(t *testing.T, port string, connections int) (answered *atomic.Int64, end func()) {
	t.Helper()
	answered = new(atomic.Int64)
	certificate := tenant(t, a, "load")
	stopped := make(chan struct{})
	var wg sync.WaitGroup
	for range connections {
		wg.Go(func() {
			client := a.client(certificate)
			defer client.CloseIdleConnections()
			for {
				select {
				case <-stopped:
					return
				default:
				}
				response, err := client.Get("https://127.0.0.1:" + port + "/load/x")
				if err != nil {
					t.Error(err)
					return
				}
				response.Body.Close()
				answered.Add(1)
			}
		})
	}
	var once sync.Once
	end = func() {
		once.Do(func() {
			close(stopped)
			wg.Wait()
		})
	}
	t.Cleanup(end)
	return answered, end
}

// The daemon ends within two seconds while the traced process is under load, where all probes of a file share a link; the load goes on without a fault.
func TestStopUnderLoad(t *testing.T) {
	needRoot(t)
	ssl, crypto := hostLibraries(t)
	a := newAuthority(t)
	server := a.run(t, compile(t))
	port := server.do("load " + ssl + " " + crypto)
	for range 3 { // more libraries to detach from
		otherSSL, otherCrypto := renamed(t)
		server.do("load " + otherSSL + " " + otherCrypto)
	}
	answered, end := a.load(t, port, 16)
	for name, without := range map[string]probe.Features{"uprobe_multi": {}, "one link for each probe": {UprobeMulti: true}} {
		t.Run(name, func(t *testing.T) {
			n := &notes{}
			c, err := New(Config{Handler: n, Log: slog.New(slog.NewTextHandler(t.Output(), nil)), PIDs: []int{server.pid}, without: without})
			if err != nil {
				t.Fatal(err)
			}
			multi := c.programs.Features().UprobeMulti
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			done := make(chan error, 1)
			go func() { done <- c.Run(ctx) }()
			wait(t, "readiness", func() bool { ok, _ := c.Ready(); return ok })
			wait(t, "the load", func() bool { return len(collect(n, func(*event.HTTPRequest) bool { return true })) > 100 })
			begun := time.Now()
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
			ran := time.Since(begun)
			if err := c.Close(); err != nil {
				t.Error(err)
			}
			took := time.Since(begun)
			t.Logf("events ended after %v, all after %v", ran, took)
			if multi && took > promised(2*time.Second) {
				t.Errorf("stopped within %v, want 2 s", took)
			}
			before := answered.Load()
			wait(t, "more of the load", func() bool { return answered.Load() > before+100 })
		})
	}
	end()
}
