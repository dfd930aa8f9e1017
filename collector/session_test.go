package collector

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"tenantrace/collector/event"
)

// oneSession is a cache of sessions that gives the last one, whatever the name that it is for.
type oneSession struct{ last *tls.ClientSessionState }

func (c *oneSession) Get(string) (*tls.ClientSessionState, bool) { return c.last, c.last != nil }
func (c *oneSession) Put(_ string, s *tls.ClientSessionState)    { c.last = s }

// The session of one server name is resumed at another: the client's certificate is that of the first handshake.
func TestSessionResumedForAnotherName(t *testing.T) {
	needRoot(t)
	a := newAuthority(t)
	pid, address := a.serve(t, "TIMEOUT=1")
	n := &notes{}
	_, stop := start(t, n, pid)
	mine, other := tenant(t, a, "acme"), tenant(t, a, "beta")
	versions := map[string]uint16{"1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13}
	made := map[string][2]time.Time{}
	for name, version := range versions {
		cache := &oneSession{}
		connect := func(path, server string, certificate tls.Certificate, resumes bool) {
			client := &http.Client{Timeout: deadline, Transport: &http.Transport{TLSClientConfig: &tls.Config{
				InsecureSkipVerify: true, ServerName: server, Certificates: []tls.Certificate{certificate}, ClientSessionCache: cache,
				MinVersion: version, MaxVersion: version,
				VerifyConnection: func(s tls.ConnectionState) error {
					time.Sleep(100 * time.Millisecond) // the server waits: there the session of TLS 1.3 still has its time
					if s.DidResume != resumes {
						return fmt.Errorf("resumed: %v", s.DidResume)
					}
					return nil
				},
			}}}
			get(t, client, "https://"+address+"/"+name+"/"+path+"/0")
			client.CloseIdleConnections()
		}
		from := time.Now()
		connect("full", "one.example", mine, false)
		made[name] = [2]time.Time{from.Add(-time.Second), time.Now()} // the older libraries count seconds
		time.Sleep(time.Second)                                       // so that this session is older than the next connection
		connect("resumed", "two.example", other, true)
	}
	wait(t, "end of the connections", func() bool {
		return len(collect(n, func(*event.ConnectionClosed) bool { return true })) == 2*len(versions)
	})
	stop()

	for name := range versions {
		full, resumed := identityOf(t, n, "/"+name+"/full/0"), identityOf(t, n, "/"+name+"/resumed/0")
		if full.Resumed || full.ServerName != "one.example" || full.SessionName != "" || full.SessionTime != 0 {
			t.Errorf("TLS %s, full handshake: %+v", name, full)
		}
		server := "two.example"
		if name == "1.2" {
			server = "" // OpenSSL does not keep it
		}
		if !resumed.Resumed || resumed.ServerName != server || resumed.SessionName != "one.example" {
			t.Errorf("TLS %s, resumed: %+v", name, resumed)
		}
		if at := time.Unix(0, resumed.SessionTime); at.Before(made[name][0]) || at.After(made[name][1]) {
			t.Errorf("TLS %s: session made %v, want between %v and %v", name, at, made[name][0], made[name][1])
		}
		for _, id := range []*event.Identity{full, resumed} {
			if !id.Verified() || id.Certificate.SHA256 != fingerprint(mine) || id.Version != name {
				t.Errorf("TLS %s: identity %+v, want the verified one of the first handshake", name, id)
			}
		}
	}
}

// identityOf gives the only identity of the connection of a request.
func identityOf(t *testing.T, n *notes, path string) *event.Identity {
	t.Helper()
	asked := collect(n, func(r *event.HTTPRequest) bool { return r.Path == path })
	if len(asked) != 1 {
		t.Fatalf("%d requests of %q, want 1", len(asked), path)
	}
	ids := collect(n, func(id *event.Identity) bool { return id.Conn == asked[0].Conn })
	if len(ids) != 1 {
		t.Fatalf("%d identities on the connection of %q, want 1", len(ids), path)
	}
	return ids[0]
}

// A certificate that comes in the middle of a request (RFC 8446, section 4.6.2), in calls that move nothing: it is told when its handshake is over, neither before nor
// with the response.
func TestCertificateInTheMiddleOfARequest(t *testing.T) {
	needRoot(t)
	a := newAuthority(t)
	pid, address := a.serve(t, "LATE=1")
	n := &notes{}
	_, stop := start(t, n, pid)
	certificate := tenant(t, a, "acme")
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	client := exec.Command("/usr/bin/python3", "testdata/late.py", port, filepath.Join(a.dir, "acme.pem"), filepath.Join(a.dir, "acme.key"))
	client.Stderr = os.Stderr
	out, err := client.Output()
	if err != nil {
		t.Fatal(err)
	}
	var records int
	var last int64
	if _, err := fmt.Sscan(string(out), &records, &last); err != nil || records < 3 {
		t.Fatalf("the client said %q, want at least 3 records: %v", out, err)
	}
	wait(t, "end of the connection", func() bool { return len(collect(n, func(*event.ConnectionClosed) bool { return true })) == 1 })
	stop()

	ids := collect(n, func(*event.Identity) bool { return true })
	responses := collect(n, func(*event.HTTPResponse) bool { return true })
	if len(ids) != 2 || len(responses) != 1 {
		t.Fatalf("%d identities and %d responses, want 2 and 1: %+v", len(ids), len(responses), ids)
	}
	if ids[0].Certificate != nil || !ids[1].Verified() || ids[1].Certificate.SHA256 != fingerprint(certificate) || ids[1].Resumed {
		t.Errorf("identities %+v and %+v, want none and then the verified certificate", ids[0], ids[1])
	}
	const slack = int64(100 * time.Millisecond)
	if told := ids[1].Time; told < last-slack || told > responses[0].Time-slack {
		t.Errorf("told %v after the last record and %v before the response, want after the former and well before the latter",
			time.Duration(told-last), time.Duration(responses[0].Time-told))
	}
}
