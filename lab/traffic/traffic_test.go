package traffic

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func newServer(t *testing.T, h http.Handler) (addr string, roots *x509.CertPool) {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	s.StartTLS()
	t.Cleanup(s.Close)
	roots = x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return s.Listener.Addr().String(), roots
}

func TestClientKeepsItsConnection(t *testing.T) {
	var remotes []string
	addr, roots := newServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		remotes = append(remotes, r.RemoteAddr)
		w.Header().Set("X-Statement-Count", "3")
		w.Header().Set("X-Worker-Pid", "77")
		if r.URL.Query().Has("close") {
			w.Header().Set("Connection", "close")
		}
		w.WriteHeader(http.StatusTeapot)
		fmt.Fprint(w, r.Header.Get("X-Request-ID"), r.Header.Get("X-Extra"))
	}))
	c := &Client{Addr: addr, Roots: roots}
	defer c.Close()
	for i, target := range []string{"/", "/?close", "/"} {
		r, err := c.Do(t.Context(), Request{ID: fmt.Sprint("id", i), Method: "POST", Target: target, Body: "{}", Header: map[string]string{"X-Extra": "!"}})
		if err != nil {
			t.Fatal(err)
		}
		if r.Status != http.StatusTeapot || string(r.Body) != fmt.Sprint("id", i, "!") || r.Statements != 3 || r.PID != 77 || r.Reused != (i == 1) {
			t.Errorf("response %d: %+v %s", i, r, r.Body)
		}
	}
	if remotes[0] != remotes[1] || remotes[1] == remotes[2] {
		t.Errorf("connections %v, want the first two equal and the third another", remotes)
	}
}

func TestClientStopsWithItsContext(t *testing.T) {
	release := make(chan struct{})
	addr, roots := newServer(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer close(release)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	c := &Client{Addr: addr, Roots: roots}
	if _, err := c.Do(ctx, Request{ID: "x", Method: "GET", Target: "/"}); err == nil {
		t.Fatal("no error although the context has ended")
	}
}

func TestLoadSendsExactly(t *testing.T) {
	var served atomic.Int64
	addr, roots := newServer(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { served.Add(1) }))
	clients := make([]*Client, 5)
	for i := range clients {
		clients[i] = &Client{Addr: addr, Roots: roots}
		defer clients[i].Close()
	}
	var mu sync.Mutex
	seen := make(map[string]bool)
	const n = 97
	err := Load(t.Context(), clients, n, func(c, i int) Request {
		return Request{ID: fmt.Sprintf("%d-%d", c, i), Method: "GET", Target: "/"}
	}, func(o Outcome) {
		mu.Lock()
		defer mu.Unlock()
		if o.Err != nil {
			t.Error(o.Err)
		}
		_, i, _ := strings.Cut(o.Request.ID, "-")
		seen[i] = true
	})
	if err != nil || served.Load() != n || len(seen) != n {
		t.Errorf("error %v, served %d, seen %d, want %d", err, served.Load(), len(seen), n)
	}
}

func TestPercentiles(t *testing.T) {
	var l Latencies
	for i := range 100 {
		l = append(l, time.Duration(100-i))
	}
	got, err := l.Percentiles(50, 99, 100, 0.5)
	if err != nil || got[0] != 50 || got[1] != 99 || got[2] != 100 || got[3] != 1 {
		t.Errorf("percentiles of 1…100: %v, %v", got, err)
	}
	if _, err := (Latencies{}).Percentiles(50); err == nil {
		t.Error("no error without latencies")
	}
}

func TestPipeline(t *testing.T) {
	addr, roots := newServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("close") {
			w.Header().Set("Connection", "close")
		}
		fmt.Fprint(w, r.Header.Get("X-Request-ID"))
	}))
	kept := tls.NewLRUClientSessionCache(1)
	c := &Client{Addr: addr, Roots: roots, Tune: func(config *tls.Config) { config.ClientSessionCache = kept }}
	defer c.Close()
	all, err := c.Pipeline(t.Context(), Request{ID: "a", Method: "GET", Target: "/"}, Request{ID: "b", Method: "GET", Target: "/"})
	if err != nil || len(all) != 2 || string(all[0].Body) != "a" || string(all[1].Body) != "b" || all[0].Reused || !all[1].Reused || c.Resumed() {
		t.Fatalf("responses %+v, %v", all, err)
	}
	if _, err := c.Pipeline(t.Context(), Request{ID: "c", Method: "GET", Target: "/?close"}, Request{ID: "d", Method: "GET", Target: "/"}); err == nil || !strings.Contains(err.Error(), `"d"`) {
		t.Errorf("the server closed the connection before the second request, error %v", err)
	}
	if _, err := c.Do(t.Context(), Request{ID: "e", Method: "GET", Target: "/"}); err != nil || !c.Resumed() {
		t.Errorf("resumed %v, %v", c.Resumed(), err)
	}
}
