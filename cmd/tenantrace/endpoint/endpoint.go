// Package endpoint serves the daemon's state over HTTP: metrics, health, readiness and a status document. It serves GET and HEAD only and
// changes nothing.
package endpoint

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

const (
	readTimeout  = 10 * time.Second
	writeTimeout = 30 * time.Second
	stopTimeout  = time.Second
	maxHeader    = 16 << 10
)

// Config says what to serve where.
type Config struct {
	Listen   string // host:port
	Gatherer prometheus.Gatherer
	// Ready tells whether the daemon's probes are attached, and if not, what is missing.
	Ready func() (ok bool, why string)
	// Status gives the document of /api/v1/status, encoded as JSON.
	Status func() any
	Log    *slog.Logger
}

// Server is a listening endpoint.
type Server struct {
	listener net.Listener
	server   *http.Server
}

// Listen takes the address and gives a Server that Run serves. An address that is taken is an error that names it and the flag.
func Listen(cfg Config) (*Server, error) {
	listener, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		remedy := "name an address of this host with --listen HOST:PORT"
		if errors.Is(err, syscall.EADDRINUSE) {
			remedy = "is another tenantrace running? name a free address with --listen HOST:PORT"
		}
		return nil, fmt.Errorf("listen on %q: %w [%s]", cfg.Listen, err, remedy)
	}
	if a, ok := listener.Addr().(*net.TCPAddr); ok && !a.IP.IsLoopback() {
		cfg.Log.Warn("the endpoint is open to other hosts without authentication", "listen", a.String())
	}
	return &Server{listener: listener, server: &http.Server{
		Handler:           handler(cfg),
		ReadHeaderTimeout: readTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(cfg.Log.Handler(), slog.LevelDebug),
	}}, nil
}

// Addr is the address that is served.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Run serves until ctx is done, then lets requests end for at most a second.
func (s *Server) Run(ctx context.Context) error {
	stopped := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer cancel()
		err := s.server.Shutdown(limit)
		if errors.Is(err, context.DeadlineExceeded) {
			err = s.server.Close()
		}
		stopped <- err
	})
	err := s.server.Serve(s.listener)
	if stop() { // ctx was not done: serving failed by itself
		return fmt.Errorf("serve %q: %w", s.Addr(), err)
	}
	return <-stopped
}

// Close gives up the address of a Server that Run was not called for.
func (s *Server) Close() error { return s.listener.Close() }

func handler(cfg Config) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(cfg.Gatherer, promhttp.HandlerOpts{
		ErrorLog: slog.NewLogLogger(cfg.Log.Handler(), slog.LevelError), ErrorHandling: promhttp.ContinueOnError,
	}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { text(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		ok, why := cfg.Ready()
		if !ok {
			text(w, http.StatusServiceUnavailable, "not ready: "+why)
			return
		}
		text(w, http.StatusOK, "ok")
	})
	mux.HandleFunc("GET /api/v1/status", func(w http.ResponseWriter, _ *http.Request) {
		body, err := json.MarshalIndent(cfg.Status(), "", "  ")
		if err != nil {
			cfg.Log.Error("cannot encode the status", "err", err)
			text(w, http.StatusInternalServerError, "cannot encode the status")
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(append(body, '\n'))
	})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(front))
	})
	return secure(mux)
}

// secure adds the headers that keep a browser from doing more with an answer than showing it.
func secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

func text(w http.ResponseWriter, code int, body string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	_, _ = w.Write([]byte(body + "\n"))
}

const front = `<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>tenantrace</title></head>
<body>
<h1>tenantrace</h1>
<ul>
<li><a href="/metrics">/metrics</a>: Prometheus metrics</li>
<li><a href="/healthz">/healthz</a>: 200 while the daemon runs</li>
<li><a href="/readyz">/readyz</a>: 200 once probes are attached to every OpenSSL found</li>
<li><a href="/api/v1/status">/api/v1/status</a>: version, policy and libraries</li>
</ul>
</body>
</html>
`
