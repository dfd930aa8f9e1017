package endpoint

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type fixture struct {
	base  string
	ready atomic.Bool
	stop  func() error
}

func serve(t *testing.T) *fixture {
	t.Helper()
	registry := prometheus.NewRegistry()
	gauge := prometheus.NewGauge(prometheus.GaugeOpts{Name: "test_answer", Help: "The answer."})
	gauge.Set(42)
	registry.MustRegister(gauge)
	f := &fixture{}
	s, err := Listen(Config{
		Listen: "127.0.0.1:0", Gatherer: registry, Log: slog.New(slog.DiscardHandler),
		Ready:  func() (bool, string) { return f.ready.Load(), "1 of 2 libraries attached" },
		Status: func() any { return map[string]string{"version": "1.2.3"} },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	f.base = "http://" + s.Addr()
	f.stop = func() error { cancel(); return <-ended }
	return f
}

func get(t *testing.T, method, url string) (int, string, http.Header) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body), response.Header
}

func TestPaths(t *testing.T) {
	f := serve(t)
	for _, tc := range []struct {
		method, path string
		code         int
		body         string
	}{
		{"GET", "/metrics", 200, "test_answer 42"},
		{"GET", "/healthz", 200, "ok\n"},
		{"GET", "/readyz", 503, "not ready: 1 of 2 libraries attached\n"},
		{"GET", "/", 200, `<a href="/api/v1/status">`},
		{"GET", "/unknown", 404, ""},
		{"POST", "/healthz", 405, ""},
		{"DELETE", "/api/v1/status", 405, ""},
	} {
		code, body, header := get(t, tc.method, f.base+tc.path)
		if code != tc.code || !strings.Contains(body, tc.body) {
			t.Errorf("%s %s: %d %q, want %d %q", tc.method, tc.path, code, body, tc.code, tc.body)
		}
		if header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: no nosniff", tc.path)
		}
	}
	f.ready.Store(true)
	if code, body, _ := get(t, "GET", f.base+"/readyz"); code != 200 || body != "ok\n" {
		t.Errorf("/readyz once ready: %d %q", code, body)
	}
	_, body, header := get(t, "GET", f.base+"/api/v1/status")
	var status map[string]string
	if err := json.Unmarshal([]byte(body), &status); err != nil || status["version"] != "1.2.3" || header.Get("Content-Type") != "application/json" {
		t.Errorf("status %q (%v), %v", body, err, header)
	}
	if err := f.stop(); err != nil {
		t.Errorf("Run = %v", err)
	}
	if c, err := net.DialTimeout("tcp", strings.TrimPrefix(f.base, "http://"), time.Second); err == nil {
		c.Close()
		t.Error("still listening after Run")
	}
}

func TestOccupiedAddress(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, err = Listen(Config{Listen: taken.Addr().String(), Log: slog.New(slog.DiscardHandler)})
	if err == nil || !strings.Contains(err.Error(), taken.Addr().String()) || !strings.Contains(err.Error(), "--listen") {
		t.Errorf("error %v, want the address and the flag", err)
	}
}

func TestStopsDespiteAnOpenRequest(t *testing.T) {
	f := serve(t)
	c, err := net.Dial("tcp", strings.TrimPrefix(f.base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write([]byte("GET /metrics HTTP/1.1\r\nHost: x\r\n")); err != nil { // and never the end of the header
		t.Fatal(err)
	}
	begun := time.Now()
	if err := f.stop(); err != nil {
		t.Errorf("Run = %v", err)
	}
	if took := time.Since(begun); took > 3*time.Second {
		t.Errorf("took %v to stop", took)
	}
}
