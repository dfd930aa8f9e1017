package command

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"tenantrace/cmd/tenantrace/daemon"
)

type invocation struct {
	program        Program
	stdout, stderr bytes.Buffer
	targets        *Targets // as NewTracer got them
	report         Report
}

// newInvocation is a program whose tracer refuses to start, after all flags and files were looked at.
func newInvocation() *invocation {
	i := &invocation{}
	i.program = Program{
		Version: "1.2.3", Stdout: &i.stdout, Stderr: &i.stderr,
		NewEngine: func(daemon.EngineConfig) (daemon.Engine, error) { return nil, errors.New("the engine was reached") },
		NewTracer: func(t Targets) daemon.NewTracer {
			i.targets = &t
			return func(daemon.TracerConfig) (daemon.Tracer, error) { return nil, errors.New("the tracer was reached") }
		},
		Check: func(context.Context) Report { return i.report },
	}
	return i
}

func (i *invocation) run(t *testing.T, args ...string) int {
	t.Helper()
	return i.program.Main(t.Context(), args)
}

func TestUsageErrors(t *testing.T) {
	for _, tc := range []struct {
		args []string
		want string
	}{
		{nil, "Usage: tenantrace COMMAND"},
		{[]string{"start"}, `unknown command "start"`},
		{[]string{"policy"}, `unknown command "policy"`},
		{[]string{"help", "start"}, `unknown command "start"`},
		{[]string{"run", "--nope"}, "unknown flag: --nope"},
		{[]string{"run", "file"}, `unexpected operand "file"`},
		{[]string{"run", "--listen", "9778"}, "--listen"},
		{[]string{"run", "--pid", "x"}, "--pid"},
		{[]string{"run", "--pid", "-3"}, "--pid -3"},
		{[]string{"run", "--exe", "python3"}, `--exe "python3" is no absolute path`},
		{[]string{"run", "--log-format", "xml"}, `--log-format "xml"`},
		{[]string{"run", "--log-level", "loud"}, `--log-level "loud"`},
		{[]string{"run", "--findings", ""}, "--findings is empty"},
		{[]string{"run", "--findings", "/tmp/a", "--verdicts", "/tmp/./a"}, "the same file"},
		{[]string{"run", "--record", "/tmp/a", "--verdicts", "/tmp/a"}, "--record and --verdicts"},
		{[]string{"run", "--record", "-"}, "--record -"},
		{[]string{"replay"}, "name one recording file"},
		{[]string{"replay", "a", "b"}, "name one recording file"},
		{[]string{"replay", "a", "--record", "b"}, "unknown flag: --record"},
		{[]string{"policy", "check"}, "name one policy file"},
		{[]string{"policy", "explain"}, "nothing to explain"},
		{[]string{"check", "all"}, `unexpected operand "all"`},
		{[]string{"version", "all"}, `unexpected operand "all"`},
	} {
		i := newInvocation()
		if code := i.run(t, tc.args...); code != exitUsage || !strings.Contains(i.stderr.String(), tc.want) || i.stdout.Len() != 0 {
			t.Errorf("%q: exit %d, stdout %q, stderr %q; want exit 2 and %q", tc.args, code, &i.stdout, &i.stderr, tc.want)
		}
	}
}

func TestHelp(t *testing.T) {
	names := []string{"run", "check", "replay", "policy check", "policy explain", "version"}
	i := newInvocation()
	if code := i.run(t, "help"); code != exitOK || i.stderr.Len() != 0 {
		t.Fatalf("help: exit %d, stderr %q", code, &i.stderr)
	}
	for _, name := range names {
		if !strings.Contains(i.stdout.String(), "\n  "+name+" ") {
			t.Errorf("help does not list %q", name)
		}
		for _, args := range [][]string{append([]string{"help"}, strings.Fields(name)...), append(strings.Fields(name), "--help"), append(strings.Fields(name), "-h")} {
			one := newInvocation()
			if code := one.run(t, args...); code != exitOK || !strings.HasPrefix(one.stdout.String(), "tenantrace "+name+": ") {
				t.Errorf("%q: exit %d, %q", args, code, &one.stdout)
			}
		}
	}
}

// The flags of run are a contract: names, defaults and nothing else, in the order of the alphabet.
func TestRunFlags(t *testing.T) {
	want := []string{"exe=[]", "findings=-", "listen=127.0.0.1:9778", "log-format=text", "log-level=info", "pid=[]", "policy=", "record=", "verdicts="}
	var got []string
	c := newInvocation().program.run()
	c.flagSet().VisitAll(func(f *pflag.Flag) { got = append(got, f.Name+"="+f.DefValue) })
	if !slices.Equal(got, want) {
		t.Errorf("flags %q, want %q", got, want)
	}
	help := c.help()
	for _, flag := range []string{"--exe PATH", "--findings FILE", "--listen ADDR", "--log-format FORMAT", "--log-level LEVEL", "--pid N", "--policy FILE", "--record FILE", "--verdicts FILE"} {
		if !strings.Contains(help, flag+" ") {
			t.Errorf("help does not show %q:\n%s", flag, help)
		}
	}
}

func TestRunTargets(t *testing.T) {
	i := newInvocation()
	code := i.run(t, "run", "--pid", "7", "--pid", "9", "--exe", "/usr/bin/python3", "--exe", "/a,b", "--listen", "127.0.0.1:0")
	if code != exitError || i.stderr.String() != "tenantrace run: the engine was reached\n" {
		t.Errorf("exit %d, stderr %q", code, &i.stderr)
	}
	if want := (Targets{PIDs: []int{7, 9}, Exes: []string{"/usr/bin/python3", "/a,b"}}); !slices.Equal(i.targets.PIDs, want.PIDs) || !slices.Equal(i.targets.Exes, want.Exes) {
		t.Errorf("targets %+v, want %+v", *i.targets, want)
	}
}

func TestVersion(t *testing.T) {
	for _, args := range [][]string{{"version"}, {"--version"}} {
		i := newInvocation()
		if code := i.run(t, args...); code != exitOK || !strings.HasPrefix(i.stdout.String(), "tenantrace 1.2.3 (go1.") {
			t.Errorf("%q: exit %d, %q", args, code, &i.stdout)
		}
	}
}

func TestCheck(t *testing.T) {
	good := Item{Name: "kernel", OK: true, Detail: "6.1.0"}
	bad := Item{Name: "cap_bpf", Detail: "missing: CAP_BPF", Remedy: "run as root"}
	i := newInvocation()
	i.report = Report{Items: []Item{good}, Libraries: []Library{{Path: "/usr/lib/libssl.so.3", Learned: true, Processes: 3, Functions: Functions{Internal: 3, Exported: 2, Stepped: 1}},
		{Path: "/opt/odd", Error: "no accessor"}, {Path: "/opt/bare", Hidden: true, Error: "no symbols", Processes: 2},
		{Path: "/opt/old", Learned: true, Unknown: "no names"}}}
	if code := i.run(t, "check"); code != exitOK {
		t.Errorf("exit %d, want 0: a library that is not learned does not hinder the others", code)
	}
	for _, want := range []string{"ok       kernel                  6.1.0", "offsets not learned: no accessor",
		"/usr/lib/libssl.so.3: build id unknown, 3 processes, offsets learned, probed at 3 internal and 2 exported functions (1 single-stepped)\n",
		"/opt/bare: 2 processes, no symbols\n", "offsets learned but for some of sessions: no names"} {
		if !strings.Contains(i.stdout.String(), want) {
			t.Errorf("check does not print %q:\n%s", want, &i.stdout)
		}
	}

	i = newInvocation()
	i.report = Report{Items: []Item{good, bad}}
	if code := i.run(t, "check"); code != exitError || !strings.Contains(i.stdout.String(), "missing  cap_bpf") || !strings.Contains(i.stdout.String(), "remedy: run as root") {
		t.Errorf("exit %d, %q", code, &i.stdout)
	}

	i = newInvocation()
	i.report = Report{Items: []Item{good, bad}}
	if code := i.run(t, "check", "--json"); code != exitError {
		t.Errorf("--json: exit %d, want 1", code)
	}
	var got struct {
		OK bool
		Report
	}
	if err := json.Unmarshal(i.stdout.Bytes(), &got); err != nil || got.OK || !slices.Equal(got.Items, i.report.Items) || got.Libraries == nil {
		t.Errorf("--json: %v, %+v", err, got)
	}
}

func TestPolicyCheck(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	i := newInvocation()
	right := write("right.yaml", "version: 1\n")
	if code := i.run(t, "policy", "check", right); code != exitOK || !strings.HasPrefix(i.stdout.String(), right+": ok, sha256:") {
		t.Errorf("exit %d, %q, %q", code, &i.stdout, &i.stderr)
	}
	for _, tc := range []struct{ file, want string }{
		{write("wrong.yaml", "version: 1\n\nidentiti: {}\n"), "line 3"},
		{filepath.Join(dir, "missing.yaml"), "missing.yaml"},
		{dir, dir},
	} {
		i := newInvocation()
		if code := i.run(t, "policy", "check", tc.file); code != exitError || !strings.Contains(i.stderr.String(), tc.want) {
			t.Errorf("%s: exit %d, %q; want exit 1 and %q", tc.file, code, &i.stderr, tc.want)
		}
	}
}

// certificate writes a self-signed certificate with O=acme, as DER and as PEM behind another block.
func certificate(t *testing.T) (der, pemFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(0x1f), Subject: pkix.Name{CommonName: "api", Organization: []string{"acme"}},
		NotBefore: time.Now(), NotAfter: time.Now().Add(time.Hour),
	}
	bytes, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	der, pemFile = filepath.Join(dir, "cert.der"), filepath.Join(dir, "cert.pem")
	text := append(pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: []byte{1}}), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: bytes})...)
	if err := errors.Join(os.WriteFile(der, bytes, 0o600), os.WriteFile(pemFile, text, 0o600)); err != nil {
		t.Fatal(err)
	}
	return der, pemFile
}

func TestPolicyExplain(t *testing.T) {
	der, pemFile := certificate(t)
	for _, cert := range []string{der, pemFile} {
		i := newInvocation()
		sql := "SELECT id FROM billing.invoices WHERE tenant_id = 'beta'; INSERT INTO notes (tenant_id, text) VALUES ($1, 'x'); SET app.tenant_id = 'acme'"
		if code := i.run(t, "policy", "explain", "--cert", cert, "--sql", sql); code != exitOK {
			t.Fatalf("exit %d, %q", code, &i.stderr)
		}
		for _, want := range []string{
			`identity: "acme"`, "serial 1f", `table "billing.invoices"`, `table "notes"`,
			"statement: SELECT id FROM billing.invoices WHERE tenant_id = ?", `reads "billing.invoices": tenant "beta"`,
			`writes "notes"`, "bind value $1", `sets app.tenant_id to "acme"`,
			"  shows \"beta\" by literal evidence of what is read\n  verdict: violation: CROSS_TENANT_READ\n  because the certificate's tenant is \"acme\"\n",
			"finding: CROSS_TENANT_READ: A request with", `assumed: "beta" is a tenant's name`,
		} {
			if !strings.Contains(i.stdout.String(), want) {
				t.Errorf("explain does not say %q:\n%s", want, &i.stdout)
			}
		}
	}
	for _, args := range [][]string{
		{"--cert", filepath.Join(t.TempDir(), "missing")}, {"--cert", t.TempDir()}, {"--cert", "/dev/null"},
		{"--policy", "missing.yaml", "--sql", "SELECT 1"},
	} {
		i := newInvocation()
		if code := i.run(t, append([]string{"policy", "explain"}, args...)...); code != exitError || !strings.Contains(i.stderr.String(), args[1]) {
			t.Errorf("%q: exit %d, %q; want exit 1 and the file", args, code, &i.stderr)
		}
	}
}

// TestPolicyExplainCase holds that what surrounds a statement counts, and that it is said what decided.
func TestPolicyExplainCase(t *testing.T) {
	_, cert := certificate(t)
	file := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(file, []byte(`version: 1
service: shop
select: { unit: shop.service }
request: { tenant: [{ header: X-Tenant }] }
database:
  - engine: postgres
    match: { port: 6432 }
    tenant: { columns: [store], roles: "r_{tenant}", schemas: "s_{tenant}", settings: [app.store] }
    tables: { owned: orders }
  - engine: mysql
    tenant: { databases: "d_{tenant}" }
exempt: [{ db_role: job, until: 2027-01-01, why: OPS-1 }]
evidence: { retention: 30d }
`), 0o600); err != nil {
		t.Fatal(err)
	}
	shop := []string{"--unit", "shop.service", "--server", "10.0.0.1:6432", "--when", "2026-06-01T00:00:00Z"}
	for _, c := range []struct {
		args []string
		want []string
	}{
		{append([]string{"--sql", "SELECT 1 FROM orders", "--user", "r_beta"}, shop...), []string{"service: shop", `database: entry 1, postgres`, `table "orders": owned by "orders"`,
			`shows "beta" by session evidence of the session`, "verdict: violation: CROSS_TENANT_READ", "note: policy", "tenant roles: r_{tenant}; shared: none"}},
		{append([]string{"--sql", "SELECT 1 FROM orders", "--setting", "app.store=acme"}, shop...), []string{"verdict: ok_exact", "because all of it is the certificate's tenant"}},
		{append([]string{"--sql", "SELECT 1 FROM orders WHERE store = $1", "--bind", "beta", "--user", "job"}, shop...), []string{`shows "beta" by bind`, "verdict: exempt, by exempt[1]: OPS-1"}},
		{append([]string{"--sql", "SELECT * FROM orders", "--row", "store=beta,x=1", "--row", "store=acme"}, shop...), []string{`shows "beta" by row evidence in a row`, "CROSS_TENANT_BY_KEY"}},
		{[]string{"--sql", "SELECT 1 FROM orders", "--user", "r_beta", "--server", "10.0.0.1:6432", "--cgroup", "/a.slice/shop.service/x"}, []string{"service: shop", "verdict: violation"}},
		{append([]string{"--header", "X-Tenant: beta"}, shop...), []string{"finding: REQUEST_TENANT_MISMATCH", `assumed: "beta"`}},
		{append([]string{"--engine", "mysql", "--database", "d_beta", "--sql", "SELECT 1 FROM x"}, shop...), []string{"database: entry 2, mysql", "verdict: violation"}},
		{[]string{"--sql", "SELECT 1 FROM orders", "--user", "r_beta", "--server", "10.0.0.1:6432"}, []string{"tenant columns: tenant_id", "verdict: no_tenant", "because it touches no table"}},
		{[]string{"--sql", "SELECT 1 FROM orders", "--unit", "shop", "--server", "10.0.0.1:1"}, []string{"database: the policy says nothing about it", "verdict: no_tenant"}},
	} {
		i := newInvocation()
		if code := i.run(t, append([]string{"policy", "explain", "--policy", file, "--cert", cert}, c.args...)...); code != exitOK {
			t.Fatalf("%q: exit %d, %q", c.args, code, &i.stderr)
		}
		for _, want := range c.want {
			if !strings.Contains(i.stdout.String(), want) {
				t.Errorf("%q does not say %q:\n%s", c.args, want, &i.stdout)
			}
		}
	}
	for _, args := range [][]string{{"--engine", "oracle"}, {"--unit", "a", "--cgroup", "/b"}, {"--listen", "x"}, {"--when", "now"}, {"--header", "x"}, {"--setting", "x"}, {"--row", "x"}} {
		i := newInvocation()
		if code := i.run(t, append([]string{"policy", "explain", "--sql", "SELECT 1"}, args...)...); code != exitUsage || !strings.Contains(i.stderr.String(), args[0]) {
			t.Errorf("%q: exit %d, %q", args, code, &i.stderr)
		}
	}
}

func TestReplayErrors(t *testing.T) {
	i := newInvocation()
	if code := i.run(t, "replay", "/nonexistent/recording"); code != exitError || !strings.Contains(i.stderr.String(), `/nonexistent/recording`) {
		t.Errorf("exit %d, %q", code, &i.stderr)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestStandardOutputThatFails(t *testing.T) {
	for _, args := range [][]string{{"version"}, {"help"}, {"check"}, {"policy", "explain", "--sql", "SELECT 1"}} {
		i := newInvocation()
		i.program.Stdout = full{}
		if code := i.run(t, args...); code != exitError || !strings.Contains(i.stderr.String(), "standard output") {
			t.Errorf("%q: exit %d, %q; want exit 1", args, code, &i.stderr)
		}
	}
}
