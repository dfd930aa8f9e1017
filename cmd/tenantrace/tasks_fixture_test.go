package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// credentials are those of an authority, a server's certificate and a client's.
type credentials struct {
	dir    string
	roots  *x509.CertPool
	client tls.Certificate
}

func (p *credentials) file(name string) string { return filepath.Join(p.dir, name) }

func newCredentials(t *testing.T) *credentials {
	t.Helper()
	p := &credentials{dir: t.TempDir(), roots: x509.NewCertPool()}
	if err := os.Chmod(p.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	issue := func(serial int64, template, parent *x509.Certificate, signer *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		template.SerialNumber, template.NotBefore, template.NotAfter = big.NewInt(serial), time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
		if signer == nil {
			parent, signer = template, key
		}
		der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
		if err != nil {
			t.Fatal(err)
		}
		c, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return c, key
	}
	write := func(name, kind string, der []byte) {
		if err := os.WriteFile(p.file(name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	ca, caKey := issue(1, &x509.Certificate{Subject: pkix.Name{CommonName: "ca"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}, nil, nil)
	server, serverKey := issue(2, &x509.Certificate{Subject: pkix.Name{CommonName: "server"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}, ca, caKey)
	client, clientKey := issue(3, &x509.Certificate{Subject: pkix.Name{CommonName: "api", Organization: []string{"acme"}}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}, ca, caKey)
	p.roots.AddCert(ca)
	p.client = tls.Certificate{Certificate: [][]byte{client.Raw}, PrivateKey: clientKey}
	der, err := x509.MarshalPKCS8PrivateKey(serverKey)
	if err != nil {
		t.Fatal(err)
	}
	write("ca.pem", "CERTIFICATE", ca.Raw)
	write("server.pem", "CERTIFICATE", server.Raw)
	write("server.key", "PRIVATE KEY", der)
	return p
}

// database is a PostgreSQL server of the test's own.
type database struct{ port string }

func (d *database) environment() []string {
	return []string{"TASKS_HOST=127.0.0.1", "TASKS_PORT=" + d.port, "TASKS_DSN=host=127.0.0.1 sslmode=disable user=app dbname=postgres port=" + d.port}
}

func newDatabase(t *testing.T) *database {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		t.Skip("no PostgreSQL server is installed: /usr/lib/postgresql/*/bin/initdb matches nothing [apt-get install postgresql]")
	}
	bin := filepath.Dir(found[len(found)-1])
	owner, err := user.Lookup("postgres")
	if err != nil {
		t.Fatal(err)
	}
	uid, err := strconv.Atoi(owner.Uid)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "tasks")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	p := newCredentials(t)
	for _, name := range []string{"server.pem", "server.key"} {
		b, err := os.ReadFile(p.file(name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(filepath.Join(dir, name), uid, -1); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chown(dir, uid, -1); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := &database{strconv.Itoa(l.Addr().(*net.TCPAddr).Port)}
	l.Close()
	run := func(name string, args ...string) ([]byte, error) {
		cmd := exec.Command(filepath.Join(bin, name), args...)
		cmd.Dir = dir
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid)}}
		return cmd.CombinedOutput()
	}
	data := filepath.Join(dir, "data")
	if out, err := run("initdb", "-D", data, "-A", "trust", "-U", "app", "-N", "-E", "UTF8", "--no-locale"); err != nil {
		t.Fatalf("initdb: %v: %s", err, out)
	}
	settings := "-F -k " + dir + " -c listen_addresses=127.0.0.1 -c shared_buffers=4MB -c ssl=on -c ssl_cert_file=" + dir + "/server.pem -c ssl_key_file=" + dir + "/server.key -p " + d.port
	if out, err := run("pg_ctl", "-D", data, "-w", "-l", filepath.Join(dir, "log"), "-o", settings, "start"); err != nil {
		log, _ := os.ReadFile(filepath.Join(dir, "log"))
		t.Fatalf("pg_ctl: %v: %s%s", err, out, log)
	}
	t.Cleanup(func() {
		if out, err := run("pg_ctl", "-D", data, "-m", "immediate", "stop"); err != nil {
			t.Errorf("pg_ctl stop: %v: %s", err, out)
		}
	})
	return d
}

// interpreter gives the command that starts the cell's interpreter, and what it wants in its environment. That of another suite is unpacked, not installed; where
// the host's mirror does not give it the test is skipped, with what apt said.
func (c *cell) interpreter(t *testing.T) (line, environment []string) {
	t.Helper()
	if c.suite == "" {
		return []string{"/usr/bin/python3"}, nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	root := filepath.Join(cache, "tenantrace", "cpython", strings.Join(append([]string{c.suite, "tls"}, c.packages...), "-"))
	if _, err := os.Stat(root); err != nil {
		out, err := exec.Command("bash", append([]string{"../../lab/matrix/unpack.sh", c.suite, root}, c.packages...)...).CombinedOutput()
		if refused := (*exec.ExitError)(nil); err != nil && !errors.As(err, &refused) {
			t.Fatal(err)
		}
		if err != nil {
			t.Skipf("the host's mirror does not give %s of %s: %v: %s", c.packages, c.suite, err, out)
		}
	}
	libraries := filepath.Join(root, "lib/x86_64-linux-gnu") + ":" + filepath.Join(root, "usr/lib/x86_64-linux-gnu")
	loader, err := filepath.Glob(filepath.Join(root, "*lib*", "x86_64-linux-gnu", "ld-*.so*"))
	if err == nil && len(loader) == 0 {
		loader, err = filepath.Glob(filepath.Join(root, "usr/lib/x86_64-linux-gnu", "ld-*.so*"))
	}
	if err != nil || len(loader) == 0 {
		t.Fatalf("no dynamic linker below %q: %v", root, err)
	}
	return []string{loader[0], "--library-path", libraries, filepath.Join(root, "usr/bin/python"+c.version)}, []string{"PYTHONHOME=" + filepath.Join(root, "usr")}
}
