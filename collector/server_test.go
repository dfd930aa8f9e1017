package collector

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"tenantrace/collector/discovery"
	"tenantrace/collector/event"
)

// hostLibraries are the paths of this machine's libssl and libcrypto.
func hostLibraries(t *testing.T) (ssl, crypto string) {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/*-linux-gnu/libssl.so.3")
	if err != nil || len(found) != 1 {
		t.Fatalf("no single libssl.so.3 on this host: %q, %v", found, err)
	}
	return found[0], filepath.Join(filepath.Dir(found[0]), "libcrypto.so.3")
}

// What is fetched of Debian's archive: a suite, and its packages.
var (
	oldOpenSSL    = []string{"bullseye", "libssl1.1"}
	staticOpenSSL = []string{"bookworm", "libssl-dev"}
	newOpenSSL    = []string{"trixie", "libssl3t64", "libc6", "zlib1g", "libzstd1"}
)

// TestPackages fetches what the other tests use, for machines without a network (vm/test).
func TestPackages(t *testing.T) {
	for _, p := range [][]string{oldOpenSSL, staticOpenSSL, newOpenSSL} {
		if _, err := os.Stat(unpacked(t, p)); err != nil {
			t.Error(err)
		}
	}
}

// unpacked gives a directory with packages of a suite of Debian's archive, fetched once. Where the host's mirror does not give them the test is skipped, with what apt said.
func unpacked(t *testing.T, packages []string) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	directory := filepath.Join(cache, "tenantrace", "packages", strings.Join(packages, "-"))
	if _, err := os.Stat(directory); err == nil {
		return directory
	}
	out, err := exec.Command("bash", append([]string{"../lab/matrix/unpack.sh", packages[0], directory}, packages[1:]...)...).CombinedOutput()
	if refused := (*exec.ExitError)(nil); err != nil && !errors.As(err, &refused) {
		t.Fatal(err)
	}
	if err != nil {
		t.Skipf("the host's mirror does not give %s of %s: %v: %s", packages[1:], packages[0], err, out)
	}
	return directory
}

// compile makes testdata/server.c with what follows on the compiler's line.
func compile(t *testing.T, args ...string) string {
	t.Helper()
	exe := filepath.Join(t.TempDir(), "server")
	if out, err := exec.Command("gcc", append([]string{"-O1", "-pthread", "-o", exe, "testdata/server.c"}, args...)...).CombinedOutput(); err != nil {
		t.Fatalf("gcc: %v: %s", err, out)
	}
	return exe
}

// running is a server that takes commands.
type running struct {
	pid int // as the host sees it
	do  func(command string) (port string)
	end func()
}

// files are the server's certificate, key and authority.
func (a *authority) files(t *testing.T) []string {
	t.Helper()
	a.issue(t, "server", &x509.Certificate{Subject: pkix.Name{CommonName: "server"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}})
	return []string{filepath.Join(a.dir, "server.pem"), filepath.Join(a.dir, "server.key"), filepath.Join(a.dir, "ca.pem")}
}

// run starts a compiled server; before is a command that starts it in turn.
func (a *authority) run(t *testing.T, exe string, before ...string) *running {
	t.Helper()
	line := append(append(before, exe), a.files(t)...)
	cmd := exec.Command(line[0], line[1:]...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	r := &running{pid: cmd.Process.Pid, do: func(command string) string {
		t.Helper()
		if _, err := io.WriteString(in, command+"\n"); err != nil {
			t.Fatal(err)
		}
		answer, err := lines.ReadString('\n')
		if err != nil {
			t.Fatalf("answer to %q: %v", command, err)
		}
		return strings.TrimSpace(answer)
	}}
	var once sync.Once
	r.end = func() {
		once.Do(func() {
			in.Close()
			cmd.Process.Kill()
			cmd.Wait()
		})
	}
	t.Cleanup(r.end)
	return r
}

// ask sends requests over one connection and closes it; the path's first segment is the tenant's name.
func ask(t *testing.T, a *authority, certificate tls.Certificate, port string) {
	t.Helper()
	client := a.client(certificate)
	for range requests {
		get(t, client, "https://127.0.0.1:"+port+"/"+certificate.Leaf.Subject.CommonName+"/x")
	}
	client.CloseIdleConnections()
}

// seen waits until exactly the requests of one client were seen on connections with its identity, and none without.
func seen(t *testing.T, n *notes, pid int, certificate tls.Certificate, count int) {
	t.Helper()
	name := certificate.Leaf.Subject.CommonName
	right := func() int {
		conns := map[event.ConnID]bool{}
		for _, id := range collect(n, func(id *event.Identity) bool {
			return id.Verified() && id.Source == "ssl" && id.Certificate.SHA256 == fingerprint(certificate)
		}) {
			conns[id.Conn] = true
		}
		return len(collect(n, func(r *event.HTTPRequest) bool {
			return conns[r.Conn] && (pid == 0 || r.PID == uint32(pid)) && strings.HasPrefix(r.Path, "/"+name+"/")
		}))
	}
	wait(t, fmt.Sprintf("%d requests of %s with its identity", count, name), func() bool { return right() >= count })
	all := len(collect(n, func(r *event.HTTPRequest) bool { return strings.HasPrefix(r.Path, "/"+name+"/") }))
	if got := right(); got != count || all != count {
		t.Errorf("%d requests of %s, %d of them in process %d with its identity; want %d", all, name, got, pid, count)
	}
}

// found waits until a library has its probes and a process that maps it is traced.
func foundLibrary(t *testing.T, c *Collector, path string, pid int) {
	t.Helper()
	wait(t, fmt.Sprintf("probes on %q in process %d", path, pid), func() bool {
		_, traced := c.programs.Lost(uint32(pid))
		return traced && slices.ContainsFunc(c.Libraries(), func(l discovery.Library) bool { return l.Path == path && l.Probes > 0 && l.Processes > 0 })
	})
}

// libraryOf finds what the collector says of the file at a path.
func libraryOf(t *testing.T, c *Collector, path string) discovery.Library {
	t.Helper()
	var found []discovery.Library
	for _, l := range c.Libraries() {
		if l.Path == path {
			found = append(found, l)
		}
	}
	if len(found) != 1 {
		t.Fatalf("libraries %+v: %d at %q, want 1", c.Libraries(), len(found), path)
	}
	return found[0]
}
