package collector

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"tenantrace/collector/event"
	"tenantrace/collector/stream"
)

// The client of a database says its random itself, after PostgreSQL's SSLRequest or first (sslnegotiation=direct): that leads to the socket and so to the
// server's address.
func TestSocketOfAClientByItsRandom(t *testing.T) {
	needRoot(t)
	for _, how := range []string{"asked", "direct"} {
		t.Run(how, func(t *testing.T) { socketOfAClient(t, how) })
	}
}

func socketOfAClient(t *testing.T, how string) {
	a := newAuthority(t)
	certificate := a.issue(t, "server", &x509.Certificate{Subject: pkix.Name{CommonName: "server"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	cmd := exec.Command("/usr/bin/python3", "testdata/session.py", strconv.Itoa(l.Addr().(*net.TCPAddr).Port), filepath.Join(a.dir, "ca.pem"), how)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		cmd.Wait()
	})
	n := &notes{}
	c, stop := start(t, n, cmd.Process.Pid)
	if _, err := io.WriteString(in, "\n"); err != nil {
		t.Fatal(err)
	}
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(deadline))
	if how == "asked" {
		request := make([]byte, 8)
		if _, err := io.ReadFull(conn, request); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write([]byte("S")); err != nil {
			t.Fatal(err)
		}
	}
	server := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: []string{"postgresql"}})
	if _, err := io.ReadFull(server, make([]byte, 30)); err != nil { // the startup message
		t.Fatal(err)
	}
	opened := func() []*event.ConnectionOpened {
		return collect(n, func(o *event.ConnectionOpened) bool { return o.TLS })
	}
	wait(t, "the session", func() bool {
		tls := opened()
		return len(tls) > 0 && len(collect(n, func(s *event.SessionStarted) bool { return s.Conn == tls[0].Conn })) == 1
	})
	stop()
	for _, o := range opened() {
		if o.Role != event.RoleClient || o.Remote != l.Addr().String() || o.Local != conn.RemoteAddr().String() {
			t.Errorf("opened %+v, want a client of %s at %s", o, l.Addr(), conn.RemoteAddr())
		}
	}
	if found := c.streams.Found(stream.RungRandom); found != 1 {
		t.Errorf("%d sockets were found by the client's random, want 1", found)
	}
}
