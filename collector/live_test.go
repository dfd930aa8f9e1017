package collector

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tenantrace/collector/event"
)

// deadline bounds every wait of these tests; they poll.
const deadline = 60 * time.Second

// promised is a time that the product promises. An emulated processor is about 20 times slower than the promise's, and on Linux 5.10 loads two programs per probe.
func promised(d time.Duration) time.Duration {
	if os.Getenv("TENANTRACE_EMULATED") != "" {
		return 40 * d
	}
	return d
}

// needRoot skips where probes cannot be attached, and only there.
func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skipf("effective uid is %d: probes need root", os.Geteuid())
	}
}

// notes keeps the events of a run.
type notes struct {
	mu     sync.Mutex
	events []event.Event
}

func (n *notes) Handle(e event.Event) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.events = append(n.events, e)
}

func collect[T event.Event](n *notes, keep func(T) bool) []T {
	n.mu.Lock()
	defer n.mu.Unlock()
	var out []T
	for _, e := range n.events {
		if e, ok := e.(T); ok && keep(e) {
			out = append(out, e)
		}
	}
	return out
}

// authority issues certificates for a test.
type authority struct {
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pool *x509.CertPool
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{dir: t.TempDir(), pool: x509.NewCertPool()}
	pair := a.issue(t, "ca", &x509.Certificate{Subject: pkix.Name{CommonName: "test CA"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
	a.cert, a.key = pair.Leaf, pair.PrivateKey.(*ecdsa.PrivateKey)
	a.pool.AddCert(a.cert)
	return a
}

// issue writes name.pem and name.key; the first certificate signs itself.
func (a *authority) issue(t *testing.T, name string, template *x509.Certificate) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{".pem": {Type: "CERTIFICATE", Bytes: der}, ".key": {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(filepath.Join(a.dir, name+file), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// serve starts the server, with more in its environment, and gives its process and address.
func (a *authority) serve(t *testing.T, environment ...string) (pid int, address string) {
	t.Helper()
	return a.serveBy(t, "testdata/server.py", nil, environment...)
}

// serveBy does the same for another server, which may have more arguments.
func (a *authority) serveBy(t *testing.T, script string, arguments []string, environment ...string) (pid int, address string) {
	t.Helper()
	a.issue(t, "server", &x509.Certificate{Subject: pkix.Name{CommonName: "server"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}})
	files := []string{script, filepath.Join(a.dir, "server.pem"), filepath.Join(a.dir, "server.key"), filepath.Join(a.dir, "ca.pem")}
	cmd := exec.Command("/usr/bin/python3", append(files, arguments...)...)
	cmd.Env = append(os.Environ(), environment...)
	cmd.Stderr = os.Stderr
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
		t.Fatalf("server printed no port: %v", err)
	}
	return cmd.Process.Pid, "127.0.0.1:" + strings.TrimSpace(port)
}

func (a *authority) client(certificate tls.Certificate) *http.Client {
	return &http.Client{Timeout: deadline, Transport: &http.Transport{
		MaxConnsPerHost: 1,
		TLSClientConfig: &tls.Config{RootCAs: a.pool, Certificates: []tls.Certificate{certificate}},
	}}
}

func get(t *testing.T, c *http.Client, url string) {
	t.Helper()
	response, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		t.Fatal(err)
	}
}

// start runs a collector until the test ends, and waits until it is ready.
func start(t *testing.T, n *notes, pids ...int) (c *Collector, stop func()) {
	t.Helper()
	return startWith(t, n, Config{PIDs: pids})
}

// byPerfEvents starts collectors without raw tracepoints.
var byPerfEvents bool

func startWith(t *testing.T, n *notes, cfg Config) (c *Collector, stop func()) {
	t.Helper()
	cfg.without.RawTracepoints = cfg.without.RawTracepoints || byPerfEvents
	cfg.Handler, cfg.Log = n, slog.New(slog.NewTextHandler(t.Output(), nil))
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				t.Errorf("run: %v", err)
			}
		})
	}
	t.Cleanup(stop)
	wait(t, "readiness", func() bool { ok, _ := c.Ready(); return ok })
	return c, stop
}

func wait(t *testing.T, what string, holds func() bool) {
	t.Helper()
	limit := deadline
	if os.Getenv("TENANTRACE_EMULATED") != "" { // on Linux 5.10 each probe is two programs to be loaded
		limit = 5 * deadline
	}
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("no %s after %v", what, limit)
}

func fingerprint(c tls.Certificate) string {
	sum := sha256.Sum256(c.Certificate[0])
	return hex.EncodeToString(sum[:])
}

func tenant(t *testing.T, a *authority, name string) tls.Certificate {
	return a.issue(t, name, &x509.Certificate{Subject: pkix.Name{CommonName: name, Organization: []string{name}}})
}

// requests is prime, so that a request counted twice or missed cannot even out.
const requests = 17

func TestEveryRequestAndItsIdentity(t *testing.T) {
	needRoot(t)
	a := newAuthority(t)
	pid, address := a.serve(t)
	certificate := tenant(t, a, "acme")
	early := a.client(certificate)
	get(t, early, "https://"+address+"/early/10") // this connection is older than the collector

	n := &notes{}
	c, stop := start(t, n, pid)
	// The server's thread has waited in its read since before the probes: that one call shows neither its entry nor its return.
	get(t, early, "https://"+address+"/unseen/0")
	late := a.client(tenant(t, a, "beta"))
	for i := range requests {
		get(t, early, fmt.Sprintf("https://%s/acme/%d", address, i*3001))
		get(t, late, fmt.Sprintf("https://%s/beta/%d", address, i*101))
	}
	early.CloseIdleConnections()
	late.CloseIdleConnections()
	wait(t, "end of both connections", func() bool {
		return len(collect(n, func(e *event.ConnectionClosed) bool { return true })) == 2
	})
	stop()

	for _, l := range c.Libraries() {
		if !l.OffsetsKnown || l.Error != "" {
			t.Errorf("library %+v: offsets not learned", l)
		}
	}
	byConn := map[event.ConnID]string{}
	for _, id := range collect(n, func(*event.Identity) bool { return true }) {
		if !id.Verified() || id.Version != "1.3" || id.Source != "ssl" {
			t.Errorf("identity %+v: not the verified peer of a TLS 1.3 server", id)
			continue
		}
		byConn[id.Conn] = id.Certificate.Subject[0].Value
		if id.Certificate.Subject[0].Value == "acme" && id.Certificate.SHA256 != fingerprint(certificate) {
			t.Errorf("certificate hash %s, want %s", id.Certificate.SHA256, fingerprint(certificate))
		}
	}
	for _, name := range []string{"acme", "beta"} {
		got := collect(n, func(r *event.HTTPRequest) bool {
			return strings.HasPrefix(r.Path, "/"+name+"/") && byConn[r.Conn] == name
		})
		if len(got) != requests {
			t.Errorf("%d requests of %s on connections of %s, want %d", len(got), name, name, requests)
		}
	}
	ends := collect(n, func(e *event.HTTPResponseEnd) bool { return e.Reason == "" })
	if len(ends) != 2*requests {
		t.Errorf("%d complete responses, want %d", len(ends), 2*requests)
	}
	if lost := collect(n, func(*event.Lost) bool { return true }); len(lost) != 0 {
		t.Errorf("lost events: %+v", lost[0])
	}
}

func TestProcessThatComesLater(t *testing.T) {
	needRoot(t)
	n := &notes{}
	start(t, n)
	a := newAuthority(t)
	pid, address := a.serve(t)
	certificate := tenant(t, a, "acme")
	time.Sleep(promised(time.Second)) // to find a process
	get(t, a.client(certificate), "https://"+address+"/x/1")
	wait(t, "the request with its identity", func() bool {
		ids := collect(n, func(id *event.Identity) bool {
			return id.PID == uint32(pid) && id.Verified() && id.Certificate.SHA256 == fingerprint(certificate)
		})
		return len(ids) == 1 && len(collect(n, func(r *event.HTTPRequest) bool { return r.PID == uint32(pid) && r.Conn == ids[0].Conn })) == 1
	})
}

func TestOnlyChosenProcesses(t *testing.T) {
	needRoot(t)
	a := newAuthority(t)
	chosen, chosenAddress := a.serve(t)
	_, otherAddress := a.serve(t)
	n := &notes{}
	_, stop := start(t, n, chosen)
	client := a.client(tenant(t, a, "acme"))
	for range requests {
		get(t, client, "https://"+otherAddress+"/x/1")
		get(t, client, "https://"+chosenAddress+"/x/1")
	}
	wait(t, "the chosen process's requests", func() bool {
		return len(collect(n, func(r *event.HTTPRequest) bool { return true })) >= requests
	})
	stop()
	for _, r := range collect(n, func(r *event.HTTPRequest) bool { return true }) {
		if r.PID != uint32(chosen) {
			t.Fatalf("request of process %d, which was not chosen", r.PID)
		}
	}
}
