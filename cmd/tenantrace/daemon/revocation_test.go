package daemon

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tenantrace/collector/event"
	"tenantrace/correlate/crl"
)

// issuer makes revocation lists as "CN=Client CA".
type issuer struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Client CA"}, KeyUsage: x509.KeyUsageCRLSign, SubjectKeyId: []byte{1}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &issuer{cert, key}
}

// list writes a list of serial numbers, as fetchers do: beside the file, then renamed.
func (i *issuer) list(t *testing.T, path string, due time.Duration, serials ...int64) {
	t.Helper()
	template := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: time.Now().Add(-time.Hour), NextUpdate: time.Now().Add(due)}
	for _, s := range serials {
		template.RevokedCertificateEntries = append(template.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: big.NewInt(s), RevocationTime: time.Now().Add(-time.Minute), ReasonCode: 1})
	}
	der, err := x509.CreateRevocationList(rand.Reader, template, i.cert, i.key)
	if err != nil {
		t.Fatal(err)
	}
	replace(t, path, der)
}

func replace(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path+".new", data, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// keepAlive is a tracer that observes what the test tells it, when the test tells it.
type keepAlive struct {
	*fakeTracer
	at, seq int64
	batches chan []event.Event
	taken   chan struct{}
}

func (k *keepAlive) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case batch := <-k.batches:
			for _, e := range batch {
				k.cfg.Handler.Handle(e)
			}
			k.taken <- struct{}{}
		}
	}
}

func (k *keepAlive) head() event.Header {
	k.at += int64(time.Millisecond)
	return event.Header{Time: k.at, PID: 40, TID: 41}
}

func (k *keepAlive) handle(events ...event.Event) {
	k.batches <- events
	<-k.taken
}

func client(head event.Header, conn event.ConnID, serial string) []event.Event {
	return []event.Event{
		&event.ConnectionOpened{Header: head, Conn: conn, Role: event.RoleServer, TLS: true, Net: "tcp", Local: "127.0.0.1:8443", Remote: "127.0.0.1:4000"},
		&event.Identity{Header: head, Conn: conn, Role: event.RoleServer, VerifyMode: 3, Version: "1.3", Source: "ssl", Certificate: &event.Certificate{
			SHA256: strings.Repeat(serial, 32), Serial: serial, Subject: []event.Attribute{{Type: "O", Value: "acme"}},
			Issuer: []event.Attribute{{Type: "CN", Value: "client ca"}}, NotAfter: 1 << 62,
		}},
	}
}

// request is a request with its answer.
func (k *keepAlive) request(conn event.ConnID) {
	k.seq++
	k.handle(&event.HTTPRequest{Header: k.head(), Conn: conn, Seq: uint64(k.seq), Method: "GET", Path: "/"},
		&event.HTTPResponse{Header: k.head(), Conn: conn, Seq: uint64(k.seq), Status: 200}, &event.HTTPResponseEnd{Header: k.head(), Conn: conn, Seq: uint64(k.seq)},
		&event.Tick{Header: event.Header{Time: k.at}})
}

// The list gains a serial number while two clients keep their connections: the one is a finding from its next request on, the other never. A broken list
// changes nothing; one that lets the client go ends it. A replay finds the same although the list has changed since.
func TestRevocationListsFollowTheirFile(t *testing.T) {
	r := prepare(t)
	r.cfg.NewEngine = realEngine
	ca := newIssuer(t)
	list := filepath.Join(r.dir, "list")
	r.cfg.Policy = filepath.Join(r.dir, "policy.yaml")
	replace(t, r.cfg.Policy, []byte("version: 1\ncertificates: { revocation: { crl: list } }\n"))
	ca.list(t, list, time.Hour, 0x77)
	k := &keepAlive{fakeTracer: r.tracer, at: time.Now().UnixNano(), batches: make(chan []event.Event), taken: make(chan struct{})}
	r.cfg.NewTracer = func(c TracerConfig) (Tracer, error) {
		k.cfg = c
		return k, nil
	}
	r.start(t)
	k.handle(&event.ProcessStarted{Header: k.head(), Service: "billing"})
	k.handle(client(k.head(), 1, "1f")...)
	k.handle(client(k.head(), 2, "20")...)
	both := func() { k.request(1); k.request(2) }
	both()
	found := func() int { return strings.Count(r.stdout.String(), "REVOKED_CERT_IN_USE") }
	metric := func(line string) func() bool {
		return func() bool { return strings.Contains(r.get("/metrics"), line+"\n") }
	}
	if !metric("tenantrace_crl_entries 1")() || !metric(`tenantrace_crl_lists{state="fresh"} 1`)() || !strings.Contains(r.log.String(), "signatures of revocation lists are not checked") {
		t.Errorf("log:\n%s\nmetrics:\n%s", r.log, r.get("/metrics"))
	}
	ca.list(t, list, time.Hour, 0x77, 0x1f)
	eventually(t, "the new list", metric("tenantrace_crl_entries 2"))
	both()
	if !metric(`tenantrace_connections_revoked_certificate{service="billing"} 1`)() {
		t.Error("one connection is not counted")
	}
	eventually(t, "finding", func() bool { return found() > 0 })

	replace(t, list, []byte("not a list"))
	eventually(t, "failure in the metrics", metric("tenantrace_crl_reload_failures_total 1"))
	if !metric("tenantrace_crl_entries 2")() || !strings.Contains(r.log.String(), "the old ones stay in force") || !strings.Contains(r.log.String(), "holds no revocation list") {
		t.Errorf("a broken list is in force, or not said:\n%s", r.log)
	}
	both()
	ca.list(t, list, -time.Minute, 0x77, 0x1f, 0x55) // stale, and in force
	eventually(t, "stale list", metric(`tenantrace_crl_lists{state="stale"} 1`))
	if !strings.Contains(r.log.String(), "revocation lists are stale") {
		t.Errorf("not said:\n%s", r.log)
	}
	both()
	ca.list(t, list, time.Hour, 0x77)
	eventually(t, "list without it", metric("tenantrace_crl_entries 1"))
	both()
	if !metric(`tenantrace_connections_revoked_certificate{service="billing"} 0`)() {
		t.Error("a connection is counted whose certificate was taken off the list")
	}
	r.stop(t)
	lines := strings.Split(strings.TrimSpace(r.stdout.String()), "\n")
	if len(lines) != 2 || !strings.Contains(lines[0], `"REVOKED_CERT_IN_USE"`) || !strings.Contains(lines[0], `"CWE-370"`) || !strings.Contains(lines[0], `"severity":"Critical"`) ||
		!strings.Contains(lines[1], `"count":3`) || !strings.Contains(lines[0], `"serial_number":"1f"`) {
		t.Errorf("findings:\n%s", r.stdout)
	}

	ca.list(t, list, time.Hour, 0x20) // what the list says today does not matter
	replayed := r.cfg
	var out buffer
	replayed.Stdout, replayed.Verdicts = &out, filepath.Join(r.dir, "replayed")
	if err := Replay(t.Context(), r.cfg.Record, replayed); err != nil {
		t.Fatal(err)
	}
	if out.String() != r.stdout.String() {
		t.Errorf("replay:\n%s\nrun:\n%s", &out, r.stdout)
	}
	recorded, err := os.ReadFile(r.cfg.Record)
	if err != nil {
		t.Fatal(err)
	}
	var bare []byte
	for line := range bytes.Lines(recorded) {
		if !bytes.Contains(line, []byte(`"k":"revocation_lists"`)) {
			bare = append(bare, line...)
		}
	}
	replace(t, r.cfg.Record, bare)
	if err := Replay(t.Context(), r.cfg.Record, replayed); err != nil || !strings.Contains(r.log.String(), "made without revocation lists") {
		t.Errorf("replay without lists: %v, log\n%s", err, r.log)
	}
}

func TestStartNeedsTheLists(t *testing.T) {
	r := prepare(t)
	r.cfg.Policy = filepath.Join(r.dir, "policy.yaml")
	replace(t, r.cfg.Policy, []byte("version: 1\ncertificates: { revocation: { crl: list } }\n"))
	if err := Run(t.Context(), r.cfg); err == nil || !strings.Contains(err.Error(), `certificates.revocation: revocation list "`+filepath.Join(r.dir, "list")) {
		t.Errorf("Run = %v", err)
	}
}

// A policy that comes to name lists, or no more, is followed; one that names broken ones keeps those that are in force.
func TestPolicyChangesTheLists(t *testing.T) {
	r := prepare(t)
	ca := newIssuer(t)
	r.cfg.Policy = filepath.Join(r.dir, "policy.yaml")
	for i := range 2 {
		ca.list(t, filepath.Join(r.dir, fmt.Sprint("list", i+1)), time.Hour, make([]int64, i+1)...)
	}
	set := func(list string) {
		text := "version: 1\n"
		if list != "" {
			text += "certificates: { revocation: { crl: " + list + ", max_age: 2h } }\n"
		}
		replace(t, r.cfg.Policy, []byte(text))
	}
	has := func(want string) func() bool {
		return func() bool { return strings.Contains(r.get("/metrics"), want+"\n") }
	}
	set("")
	r.start(t)
	defer r.stop(t)
	set("list1")
	eventually(t, "first list", has("tenantrace_crl_entries 1"))
	set("list3")
	eventually(t, "failure", has("tenantrace_crl_reload_failures_total 1"))
	if !has("tenantrace_crl_entries 1")() {
		t.Error("the old list is not in force")
	}
	ca.list(t, filepath.Join(r.dir, "list3"), time.Hour)
	eventually(t, "third list", has("tenantrace_crl_entries 0"))
	set("")
	eventually(t, "none", has(`tenantrace_crl_lists{state="fresh"} 0`))
}

type heard []event.Event

func (h *heard) Handle(e event.Event) { *h = append(*h, e) }

func (h *heard) revocations() (out []string) {
	for _, e := range *h {
		if r, ok := e.(*event.Revocation); ok {
			out = append(out, fmt.Sprintf("%d %v", r.Conn, r.Lifted))
		}
	}
	*h = nil
	return out
}

func TestRevoker(t *testing.T) {
	ca := newIssuer(t)
	path := filepath.Join(t.TempDir(), "list")
	load := func(serials ...int64) *crl.Set {
		ca.list(t, path, time.Hour, serials...)
		s, err := crl.Load([]string{path}, "")
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	var out heard
	var lists atomic.Pointer[crl.Set]
	r := newRevoker(&out, &lists)
	tick := &event.Tick{Header: event.Header{Time: 9}}
	step := func(want []string, events ...event.Event) {
		t.Helper()
		for _, e := range events {
			r.Handle(e)
		}
		if got := out.revocations(); strings.Join(got, ";") != strings.Join(want, ";") {
			t.Errorf("revocations %q, want %q", got, want)
		}
	}
	at := event.Header{Time: 5, PID: 40}
	step(nil, client(at, 1, "1f")...)
	step(nil, client(at, 2, "20")...)
	lists.Store(load(0x1f, 0x30))
	step([]string{"1 false"}, tick)
	step(nil, tick)
	step([]string{"3 false"}, client(at, 3, "30")...)
	step([]string{"3 false"}, client(at, 3, "30")[1]) // an identity is a new beginning
	step(nil, client(at, 3, "31")[1])
	step(nil, &event.ConnectionClosed{Header: at, Conn: 1})
	lists.Store(load(0x1f, 0x20))
	step([]string{"2 false"}, tick)
	lists.Store(nil)
	step([]string{"2 true"}, tick)
	peer := client(at, 4, "20")[1].(*event.Identity)
	peer.Role = event.RoleClient // a server that the process itself asks
	lists.Store(load(0x20))
	step([]string{"2 false"}, peer)
}
