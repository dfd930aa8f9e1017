package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tenantrace/collector"
	"tenantrace/correlate"
	"tenantrace/correlate/policy"
	"tenantrace/correlate/verdict"
	"tenantrace/lab/pki"
	"tenantrace/lab/postgres"
)

// TestThreadsOfARequest plays a real server: what a thread does that a request started is the request's, also after the response; what a pool does is judged by
// the set of candidates; what a scheduler does is nobody's.
func TestThreadsOfARequest(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skipf("effective uid is %d: probes need root", os.Geteuid())
	}
	if out, err := exec.Command("/usr/bin/python3", "-c", "import psycopg2").CombinedOutput(); err != nil {
		t.Fatalf("python3 with psycopg2: %v: %s [apt-get install python3-psycopg2]", err, out)
	}
	dir, err := os.MkdirTemp("", "threads")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	authority, err := pki.New(dir)
	if err != nil {
		t.Fatal(err)
	}
	server, err := authority.Server("server")
	if err != nil {
		t.Fatal(err)
	}
	database, err := postgres.Start(t.Context(), postgres.Config{Dir: filepath.Join(dir, "pg"), CertFile: server.CertFile, KeyFile: server.KeyFile})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := database.Stop(); err != nil {
			t.Error(err)
		}
	})
	python := filepath.Join(dir, "python3") // of its own, so that no other process is traced
	if out, err := exec.Command("cp", "--dereference", "/usr/bin/python3", python).CombinedOutput(); err != nil {
		t.Fatalf("cp: %v: %s", err, out)
	}

	var mu sync.Mutex
	var lines []*verdict.Statement
	keep := func(v *verdict.Statement) {
		mu.Lock()
		defer mu.Unlock()
		lines = append(lines, v)
	}
	judged := func(mark string) bool {
		mu.Lock()
		defer mu.Unlock()
		return slices.ContainsFunc(lines, func(v *verdict.Statement) bool {
			return strings.HasPrefix(v.SQL.Shape, "SELECT id AS "+mark+",") && v.Verdict == verdict.OKExact
		})
	}
	engine, err := correlate.New(correlate.Config{
		Policy: policy.Default(), Limits: correlate.Limits{DeferFor: 5 * time.Second}, Verdict: keep,
	})
	if err != nil {
		t.Fatal(err)
	}
	c, err := collector.New(collector.Config{Handler: engine, Log: slog.New(slog.NewTextHandler(t.Output(), nil)), Exes: []string{python}, Columns: []string{"tenant_id"}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()

	dsn := fmt.Sprintf("host=127.0.0.1 port=%d user=lab_app dbname=lab sslmode=disable password=%s", database.Port, database.Password)
	cmd := exec.Command(python, "testdata/threads/server.py", dsn, server.CertFile, server.KeyFile, authority.RootFile)
	cmd.Env = append(os.Environ(), "PYTHONHOME=/usr")
	cmd.Stderr = t.Output()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	port, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	get := func(tenant, path string) {
		leaf, err := authority.Client(pki.Tenant(tenant))
		if err != nil {
			t.Fatal(err)
		}
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: authority.Roots, Certificates: []tls.Certificate{leaf.TLS}}}}
		r, err := client.Get("https://127.0.0.1:" + strings.TrimSpace(port) + path)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		if _, err := io.Copy(io.Discard, r.Body); err != nil || r.StatusCode != http.StatusOK {
			t.Fatalf("%s: status %d, %v", path, r.StatusCode, err)
		}
	}
	for end := time.Now().Add(time.Minute); !judged("warm"); { // until the probes stand on what it maps
		if time.Now().After(end) {
			t.Fatal("no request was seen within a minute")
		}
		get("beta", "/warm/beta")
		time.Sleep(300 * time.Millisecond)
	}
	time.Sleep(3 * time.Second) // so that it lingers no more
	for _, path := range []string{"/own/acme", "/bad/beta", "/joined/beta", "/after/beta", "/pooled/beta"} {
		get("acme", path)
		time.Sleep(3 * time.Second)
	}
	time.Sleep(6 * time.Second)
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	engine.Close()

	want := map[string]string{
		"own": "ok_exact thread []", "bad": "violation thread [CROSS_TENANT_READ]", "joined": "violation thread [CROSS_TENANT_READ]",
		"after": "violation thread [BACKGROUND_TENANT_DRIFT]", "pooled": "violation set [CROSS_TENANT_READ]",
	}
	nightly := 0
	for _, v := range lines {
		mark := strings.TrimSuffix(strings.TrimPrefix(strings.SplitN(v.SQL.Shape, ",", 2)[0], "SELECT id AS "), ",")
		got := fmt.Sprintf("%s %s %v", v.Verdict, v.Link, v.Findings)
		if mark == "nightly" {
			if nightly++; v.Verdict != verdict.Background {
				t.Errorf("the scheduler's: %s %s", got, v.Reason)
			}
			continue
		}
		if w, ok := want[mark]; ok {
			if got != w {
				t.Errorf("%s: %s %s, want %s", mark, got, v.Reason, w)
			}
			delete(want, mark)
		}
	}
	if len(want) > 0 || nightly < 20 {
		t.Errorf("without a verdict: %v; %d statements of the scheduler", want, nightly)
	}
}
