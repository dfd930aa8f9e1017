package collector

import (
	"bufio"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"tenantrace/collector/event"
	"tenantrace/collector/probe"
	"tenantrace/collector/stream"
)

// keeper is a client that keeps one connection, and knows its own end of it.
type keeper struct {
	*tls.Conn
	raw  *sliced
	in   *bufio.Reader
	name string
}

// sliced is a connection whose next writes are cut: each begins with pieces of these sizes.
type sliced struct {
	net.Conn
	sizes []int
}

func (s *sliced) Write(b []byte) (int, error) {
	done := 0
	for _, n := range s.sizes {
		if n >= len(b)-done {
			break
		}
		if _, err := s.Conn.Write(b[done : done+n]); err != nil {
			return done, err
		}
		done += n
		time.Sleep(20 * time.Millisecond) // so that the server reads each by itself
	}
	n, err := s.Conn.Write(b[done:])
	return done + n, err
}

// keep opens a connection. cut are the sizes of the pieces that its ClientHello comes in; adapt may change the configuration.
func (a *authority) keep(t *testing.T, address, name string, cut []int, adapt func(*tls.Config)) *keeper {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(deadline))
	cfg := &tls.Config{RootCAs: a.pool, ServerName: "127.0.0.1", Certificates: []tls.Certificate{tenant(t, a, name)}}
	if adapt != nil {
		adapt(cfg)
	}
	k := &keeper{raw: &sliced{Conn: conn, sizes: cut}, name: name}
	k.Conn = tls.Client(k.raw, cfg)
	if err := k.Handshake(); err != nil {
		t.Fatal(err)
	}
	k.raw.sizes = nil
	k.in = bufio.NewReader(k.Conn)
	return k
}

func (k *keeper) get(t *testing.T) {
	t.Helper()
	if _, err := fmt.Fprintf(k, "GET /%s/1 HTTP/1.1\r\nHost: localhost\r\n\r\n", k.name); err != nil {
		t.Fatal(err)
	}
	k.answer(t)
}

func (k *keeper) answer(t *testing.T) {
	t.Helper()
	response, err := http.ReadResponse(k.in, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		t.Fatal(err)
	}
}

// remotes gives the addresses that the connection with the requests of a client was ever said to have, in order; "" is none.
func (k *keeper) remotes(n *notes) (remotes []string) {
	conns := map[event.ConnID]bool{}
	for _, r := range collect(n, func(r *event.HTTPRequest) bool { return r.Path == "/"+k.name+"/1" }) {
		conns[r.Conn] = true
	}
	for _, o := range collect(n, func(o *event.ConnectionOpened) bool { return conns[o.Conn] }) {
		remotes = append(remotes, o.Remote)
	}
	return remotes
}

// right tells whether the last address is the client's own. Another one is a fault at any time.
func (k *keeper) right(t *testing.T, n *notes) bool {
	t.Helper()
	right := false
	for _, remote := range k.remotes(n) {
		if right = remote == k.LocalAddr().String(); !right && remote != "" {
			t.Fatalf("the connection of %s is said to come from %s, but comes from %s", k.name, remote, k.LocalAddr())
		}
	}
	return right
}

func seenRequests(t *testing.T, n *notes, want int) {
	t.Helper()
	wait(t, "the requests", func() bool { return len(collect(n, func(*event.HTTPRequest) bool { return true })) >= want })
}

// TLS that goes through a memory BIO receives nothing itself: the client's random leads to the socket, however the client sends its ClientHello.
func TestSocketByClientRandom(t *testing.T) {
	needRoot(t)
	cases := map[string]struct {
		group string
		cut   []int
		adapt func(*tls.Config)
	}{
		"whole":          {},
		"TLS 1.2":        {adapt: func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }},
		"byte by byte":   {cut: []int{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}},
		"header first":   {cut: []int{5}},
		"in the random":  {cut: []int{20}},
		"last byte late": {cut: []int{42}},
		"sent again":     {group: "secp384r1", adapt: func(c *tls.Config) { c.CurvePreferences = []tls.CurveID{tls.X25519, tls.CurveP384} }},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			a := newAuthority(t)
			var arguments []string
			if tc.group != "" {
				arguments = []string{tc.group}
			}
			pid, address := a.serveBy(t, "testdata/memory.py", arguments)
			n := &notes{}
			c, stop := start(t, n, pid)
			var clients []*keeper
			for i := range 5 {
				clients = append(clients, a.keep(t, address, fmt.Sprintf("client%d", i), tc.cut, tc.adapt))
			}
			for range 3 {
				for _, k := range clients {
					k.get(t)
				}
			}
			seenRequests(t, n, 3*len(clients))
			for _, k := range clients {
				if remotes := k.remotes(n); len(remotes) != 1 || !k.right(t, n) {
					t.Errorf("%s: the addresses of its connection are %q, want %s alone", k.name, remotes, k.LocalAddr())
				}
			}
			// The server stands still, so that only the socket can tell of the end.
			if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
				t.Fatal(err)
			}
			for _, k := range clients {
				if err := k.raw.Conn.(*net.TCPConn).SetLinger(0); err != nil {
					t.Fatal(err)
				}
				k.raw.Close()
			}
			wait(t, "the end of the connections", func() bool {
				return len(collect(n, func(*event.ConnectionClosed) bool { return true })) == len(clients)
			})
			if err := syscall.Kill(pid, syscall.SIGCONT); err != nil {
				t.Fatal(err)
			}
			stop()
			if found := c.streams.Found(stream.RungRandom); found != uint64(len(clients)) {
				t.Errorf("%d sockets were found by the client's random, want %d", found, len(clients))
			}
			if c.finder.Seeks() != 0 {
				t.Errorf("BIO_read was probed %d times, although every socket was known", c.finder.Seeks())
			}
		})
	}
}

// repeated gives the same first 32 bytes to each reader of it, which Go's client takes for its random.
type repeated struct{ given int }

func (r *repeated) Read(b []byte) (int, error) {
	if len(b) == 32 && r.given == 0 {
		r.given++
		for i := range b {
			b[i] = byte(i + 1)
		}
		return len(b), nil
	}
	return rand.Read(b)
}

// Who sends the random of another connection gets no address by it, and takes none away. Its own it may get by its ciphertext, where that is sought in time.
func TestSameRandomOnTwoSockets(t *testing.T) {
	needRoot(t)
	a := newAuthority(t)
	pid, address := a.serveBy(t, "testdata/memory.py", nil)
	n := &notes{}
	c, stop := start(t, n, pid)
	same := func(c *tls.Config) { c.Rand = &repeated{} }
	first := a.keep(t, address, "first", nil, same)
	first.get(t)
	clients := []*keeper{a.keep(t, address, "second", nil, same), a.keep(t, address, "third", []int{7}, same)}
	for range 3 {
		first.get(t)
		for _, k := range clients {
			k.get(t)
		}
	}
	seenRequests(t, n, 10)
	stop()
	if !first.right(t, n) {
		t.Errorf("the first connection has the addresses %q, want %s: it was alone with its random", first.remotes(n), first.LocalAddr())
	}
	for _, k := range clients {
		k.right(t, n) // fails if it has another's
	}
	if found := c.streams.Found(stream.RungRandom); found != 1 {
		t.Errorf("%d sockets were found by the client's random, want the first alone", found)
	}
}

// Connections of a memory BIO that are older than the daemon are found by the ciphertext that they read; BIO_read is probed only meanwhile.
func TestSocketByCiphertext(t *testing.T) {
	needRoot(t)
	for name, without := range map[string]probe.Features{"": {}, "without": {Control: true, Cookies: true, UprobeMulti: true, Loop: true}} {
		t.Run(name, func(t *testing.T) { socketByCiphertext(t, without) })
	}
}

func socketByCiphertext(t *testing.T, without probe.Features) {
	a := newAuthority(t)
	pid, address := a.serveBy(t, "testdata/memory.py", nil)
	var clients []*keeper
	for i := range 13 {
		clients = append(clients, a.keep(t, address, fmt.Sprintf("client%d", i), nil, func(c *tls.Config) {
			if i%2 == 1 {
				c.MaxVersion = tls.VersionTLS12
			}
		}))
		clients[i].get(t)
	}
	n := &notes{}
	c, stop := startWith(t, n, Config{PIDs: []int{pid}, without: without})
	wait(t, "every socket", func() bool {
		found := true
		for _, k := range clients {
			k.get(t)
			found = k.right(t, n) && found
		}
		return found
	})
	wait(t, "the end of the search", func() bool { return c.finder.Seeking() == 0 })
	late := a.keep(t, address, "late", nil, nil)
	late.get(t)
	wait(t, "the late request", func() bool { return late.right(t, n) })
	stop()
	if c.finder.Seeks() != 1 {
		t.Errorf("BIO_read was probed %d times, want once", c.finder.Seeks())
	}
	if by, random := c.streams.Found(stream.RungCiphertext), c.streams.Found(stream.RungRandom); by != uint64(len(clients)) || random != 1 {
		t.Errorf("%d sockets were found by ciphertext and %d by the random, want %d and 1", by, random, len(clients))
	}
	for _, k := range clients {
		k.right(t, n)
	}
}

// A record that another connection has sent before, byte by byte the same, leads nowhere; the next one does.
func TestSameCiphertextOnTwoSockets(t *testing.T) {
	needRoot(t)
	a := newAuthority(t)
	pid, address := a.serveBy(t, "testdata/memory.py", nil)
	victim, attacker := a.keep(t, address, "victim", nil, nil), a.keep(t, address, "attacker", nil, nil)
	cut := a.keep(t, address, "cut", nil, nil) // whose records never begin where a read does: its socket is sought to the end
	for _, k := range []*keeper{victim, attacker, cut} {
		k.get(t)
	}
	cut.raw.sizes = []int{3}
	n := &notes{}
	c, stop := start(t, n, pid)
	cut.get(t)
	wait(t, "the probes", func() bool { return c.finder.Seeking() == 1 })
	cut.get(t) // with this the search has begun for certain
	cut.get(t)

	// The victim's next record goes over the attacker's connection first.
	record := &held{Conn: victim.raw.Conn}
	victim.raw.Conn = record
	if _, err := io.WriteString(victim, "GET /victim/1 HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	victim.raw.Conn = record.Conn
	if _, err := attacker.raw.Conn.Write(record.bytes); err != nil {
		t.Fatal(err)
	}
	if _, err := attacker.raw.Conn.Read(make([]byte, 1<<12)); err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) { // an alert, or the end
		t.Fatal(err)
	}
	if _, err := victim.raw.Conn.Write(record.bytes); err != nil {
		t.Fatal(err)
	}
	victim.answer(t)
	seenRequests(t, n, 4)
	if remotes := victim.remotes(n); len(remotes) != 1 || remotes[0] != "" {
		t.Errorf("the victim's connection has the addresses %q, want none yet: two sockets have shown its record", remotes)
	}
	victim.get(t)
	wait(t, "the victim's address", func() bool { return victim.right(t, n) })
	stop()
	if cut.right(t, n) {
		t.Error("the connection whose records cannot be found has an address")
	}
}

// held keeps what is written.
type held struct {
	net.Conn
	bytes []byte
}

func (h *held) Write(b []byte) (int, error) {
	h.bytes = append(h.bytes, b...)
	return len(b), nil
}

// The first call that is seen of an older connection may receive nothing: it gives what the library still has. The address is told all the same, when a later call
// has received something.
func TestConnectionThatIsMetWithinARecord(t *testing.T) {
	needRoot(t)
	a := newAuthority(t)
	pid, address := a.serve(t)
	early := a.keep(t, address, "early", nil, func(c *tls.Config) { c.DynamicRecordSizingDisabled = true })
	early.get(t)
	n := &notes{}
	start(t, n, pid)
	// The server waits in a read of 8 KiB that began before the probes.
	if _, err := fmt.Fprintf(early, "GET /unseen/1 HTTP/1.1\r\nX-Long: %s\r\n\r\n", strings.Repeat("x", 12000)); err != nil {
		t.Fatal(err)
	}
	early.answer(t)
	early.get(t)
	wait(t, "the address", func() bool { return early.right(t, n) })
}
