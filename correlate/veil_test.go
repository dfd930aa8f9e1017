package correlate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tenantrace/collector/event"
	"tenantrace/correlate/policy"
	"tenantrace/correlate/verdict"
)

// keyFile writes a key, each secret another.
func keyFile(t testing.TB, secret int) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(name, fmt.Appendf(nil, "%032d-0123456789abcdef\n", secret), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func hiding(t testing.TB, secret int) string {
	return fmt.Sprintf("privacy: { tenants: hmac, key: %q }\n", keyFile(t, secret))
}

// everything writes all of a line, also what outputs have by other names.
func everything(t testing.TB, line *verdict.Statement) string {
	t.Helper()
	text, err := json.Marshal(line)
	if err != nil {
		t.Fatal(err)
	}
	out := fmt.Sprintf("%s %+v %s", text, line.Timeline, line.Process)
	if c := line.Certificate; c != nil && c.Details != nil {
		out += fmt.Sprintf(" %+v", *c.Details)
	}
	if c := line.Connection; c != nil {
		out += c.TLS
	}
	return out
}

func everythingFound(t testing.TB, f *verdict.Finding) string {
	t.Helper()
	return fmt.Sprintf("%s %s %s %s %s", f.Name, f.Key, f.UID, f.Detail, everything(t, &f.Evidence))
}

// TestNothingLeaks plays random events, and holds that no name of a tenant is in any verdict, finding or line of the log.
func TestNothingLeaks(t *testing.T) {
	names := strings.NewReplacer("acme", "zqacme", "beta", "zqbeta", "gamma", "zqgamma", "Nobody", "Zqnobody", "nobody", "zqnobody")
	rules := names.Replace(`
request: { tenant: [{ path: "/t/{tenant}/**" }] }
identity:
  hierarchy: { entries: { acme: [gamma] } }
  privileged: [{ subject: { O: gamma }, tenants: request, until: 2023-11-15, why: gamma asked }, { subject: { O: beta }, tenants: [acme], until: 2099-01-01, why: beta asked }]
services:
  - { service: c, select: { cgroup: /x }, identity: { from: fastcgi, trusted_proxies: [10.0.0.1] } }
exempt: [{ application_name: "x*", tenants: [acme], until: 2023-11-15, why: for acme }, { db_role: r_acme, until: 2030-01-01, why: acme again }]
database:
  - { engine: postgres, match: { database: d }, tenant: { columns: [tenant_id], schemas: ["s_{tenant}", "{tenant}"], roles: "r_{tenant}", databases: ["d_{tenant}", "{tenant}"] }, tables: { owned: orders }, unscoped: finding }
  - { engine: postgres, tenant: { columns: [tenant_id], settings: [app.tenant_id], schemas: { tenant: ["s_{tenant}", "{tenant}"], shared: public }, databases: "d_{tenant}", roles: "r_{tenant}" }, unscoped: finding }
  - { engine: mysql, tenant: { databases: ["d_{tenant}", "s_{tenant}", "{tenant}"], settings: ["@t"], columns: [tenant_id] }, unscoped: aggregate }
certificates: { max_connection_age: 1m, revocation: { crl: /none } }
evidence: { values: hmac }
`)
	texts := chosenTexts
	defer func() { chosenTexts = texts }()
	chosenTexts = nil
	for _, text := range slices.Concat(texts, []string{
		"SELECT beta.orders.id FROM beta.orders", "CREATE SCHEMA s_gamma", "SELECT s_beta.f(1)", `SELECT 1 FROM "s_beta"."invoices"`,
		"DELETE FROM s_acme.invoices WHERE id = 7", "SET search_path TO s_acme", "EXPLAIN SELECT 1 FROM s_beta.x", "GRANT ALL ON x TO r_beta", "SELECT 1 FROM s_beta.invoices",
	}) {
		chosenTexts = append(chosenTexts, names.Replace(text))
	}
	tenants := chosenTenants
	defer func() { chosenTenants = tenants }()
	chosenTenants = []string{"zqacme", "zqbeta", "zqgamma", "", "Zqnobody"}

	raised := map[string]int{}
	lines := 0
	for seed := range uint64(25) {
		r := rand.New(rand.NewPCG(seed, 7))
		now := int64(1_700_000_000_000_000_000)
		p, err := policy.Parse("x.yaml", []byte("version: 1\n"+rules+hiding(t, 1)), "/")
		if err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		check := func(what, text string) {
			if i := strings.Index(strings.ToLower(text), "zq"); i >= 0 {
				t.Fatalf("seed %d: %s tells a name at %d: %s", seed, what, i, text)
			}
		}
		e, err := New(Config{
			Policy: p, Log: slog.New(slog.NewTextHandler(&log, nil)),
			Verdict: func(v *verdict.Statement) { lines++; check("a verdict", everything(t, v)) },
			Finding: func(f *verdict.Finding) { raised[f.Name]++; check("a finding", everythingFound(t, f)) },
		})
		if err != nil {
			t.Fatal(err)
		}
		for range 6000 {
			ev := chosenEvent(r.IntN, &now)
			switch ev := ev.(type) {
			case *event.Identity:
				if c := ev.Certificate; c != nil {
					name := chosenTenants[r.IntN(4)]
					c.Issuer = []event.Attribute{{Type: "CN", Value: name + " CA"}}
					c.URIs, c.DNSNames, c.Emails = []string{"spiffe://x/" + name}, []string{name + ".example"}, []string{"a@" + name}
					c.OtherNames = []event.Typed{{OID: "1.2.3", Value: name}}
				}
			case *event.HTTPRequest:
				ev.ID = chosenTenants[r.IntN(4)] + "-1"
				ev.Path = []string{ev.Path, "/orgs/" + names.Replace("beta"), "/zqbeta%2Fx?org=zqacme", "http://zqbeta.example/t/zqacme/y"}[r.IntN(4)]
			case *event.SessionStarted:
				ev.Database, ev.User = names.Replace(ev.Database), names.Replace(ev.User)
			case *event.ConnectionOpened:
				ev.Local = []string{ev.Local, "/run/zqacme/app.sock"}[r.IntN(2)]
			case *event.ProcessStarted:
				ev.Name = []string{"x", "zqacme-worker"}[r.IntN(2)]
			}
			e.Handle(ev)
		}
		e.Close()
		check("the log", log.String())
	}
	if lines < 5_000 || len(raised) < 10 {
		t.Errorf("%d verdicts, findings %v: too few to prove anything", lines, raised)
	}
}

// TestPseudonyms holds what stands in the place of names: the same pseudonym for the same tenant in all parts of a finding.
func TestPseudonyms(t *testing.T) {
	tr := newTrace(t, hiding(t, 1)+pathPolicy+"exempt: [{ route: /health/**, until: 2099-01-01, why: x, tenants: [zz] }]\n")
	of := tr.engine.policy.Pseudonyms().Of
	c, db := tr.client("Acme"), tr.database()
	tr.known("beta")
	r := tr.request(c, 7, "/t/acme/health/beta/x7?tenant=acme")
	tr.sql(db, 7, selectScoped)
	tr.sql(db, 7, "SELECT 1 FROM invoices WHERE tenant_id = 'BETA'")
	tr.respond(c, r, 7, 200)
	tr.expect("ok_exact thread literal "+of("acme"), "violation thread literal "+of("beta")+" [CROSS_TENANT_READ IDENTITY_TOCTOU]")
	f := tr.findings[0]
	line := f.Evidence
	if line.IdentityTenant != of("acme") || !strings.HasPrefix(of("acme"), "hmac:"+tr.engine.veil.KeyID()+":") {
		t.Errorf("the identity is %q, want %q", line.IdentityTenant, of("acme"))
	}
	if want := fmt.Sprintf("A request with the certificate of tenant %q read data of tenant %q.", of("acme"), of("beta")); f.Detail != want {
		t.Errorf("detail %q, want %q", f.Detail, want)
	}
	if want := "/t/{tenant}/health/" + of("beta") + "/" + of("x7"); line.Request.Path != want {
		t.Errorf("path %q, want %q", line.Request.Path, want)
	}
	if d := line.Certificate.Details; d.Subject != "CN="+of("api")+",O="+of("acme") || d.Serial != "1f" || line.Certificate.SHA256 != certificate("Acme").SHA256 {
		t.Errorf("certificate %+v", d)
	}
	if line.Request.ID != of("r1-1") || line.Request.Method != "GET" || line.SQL.Database != "shop" || line.SQL.Server != "127.0.0.1:5432" || line.Service != "app" {
		t.Errorf("%+v %+v", line.Request, line.SQL)
	}
	if !strings.HasSuffix(line.SQL.Shape, "FROM invoices WHERE tenant_id = ?") {
		t.Errorf("shape %q", line.SQL.Shape)
	}
}

// TestKeyRotation holds that a new key begins new findings, and that what is open is told to the end under the old one.
func TestKeyRotation(t *testing.T) {
	load := func(text string) *policy.Policy {
		t.Helper()
		p, err := policy.Parse("x.yaml", []byte("version: 1\n"+text), "/")
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	tr := newTrace(t, "")
	c, db := tr.client("acme"), tr.database()
	tr.known("beta")
	fault := func() {
		r := tr.request(c, 7, "/")
		tr.sql(db, 7, selectBeta)
		tr.respond(c, r, 7, 200)
	}
	fault()
	fault()
	tr.expectFindings("CROSS_TENANT_READ")
	first, second := load(hiding(t, 1)), load(hiding(t, 2))
	if first.Pseudonyms().Of("x") == second.Pseudonyms().Of("x") || first.Pseudonyms().KeyID() == second.Pseudonyms().KeyID() || first.Same(second) {
		t.Fatal("two keys give the same pseudonym")
	}
	tr.engine.SetPolicy(first)
	if len(tr.findings) != 1 || !tr.findings[0].Update || tr.findings[0].Evidence.IdentityTenant != "acme" {
		t.Fatalf("the count of the open finding is not told under its own name: %+v", tr.findings)
	}
	seen := map[string]bool{tr.findings[0].UID: true}
	tr.expectFindings("CROSS_TENANT_READ+2")
	for _, p := range []*policy.Policy{first, second, first, policy.Default()} {
		tr.engine.SetPolicy(p)
		tr.findings = nil
		fault()
		fault()
		tr.wait(2 * time.Minute)
		if len(tr.findings) < 1 {
			t.Fatal("no finding")
		}
		for _, f := range tr.findings {
			if want := (&veil{Pseudonyms: p.Pseudonyms()}); p.Pseudonyms() != nil && f.Evidence.IdentityTenant != want.Of("acme") {
				t.Errorf("%q under key %s", f.Evidence.IdentityTenant, want.KeyID())
			} else if p.Pseudonyms() == nil && f.Evidence.IdentityTenant != "acme" {
				t.Errorf("%q without a key", f.Evidence.IdentityTenant)
			}
			seen[f.UID] = true
		}
	}
	if len(seen) != 3 { // plain, and one for each key
		t.Errorf("%d uids, want 3", len(seen))
	}
}

// TestKeptValues holds which values of a statement lines have.
func TestKeptValues(t *testing.T) {
	tr := newTrace(t, fmt.Sprintf("privacy: { key: %q }\nevidence: { values: hmac }\n", keyFile(t, 1)))
	of := tr.engine.policy.Key().Of
	c, db := tr.client("acme"), tr.database()
	r := tr.request(c, 7, "/")
	tr.sql(db, 7, "SELECT 'it''s', -5, E'a\\n' FROM invoices WHERE tenant_id = 'acme' -- 'no'")
	tr.execute(db, 7, "SELECT n FROM invoices WHERE tenant_id = $1 AND id = $2 LIMIT 3", []string{"acme", "4711"})
	tr.respond(c, r, 7, 200)
	want := [][]string{{of("it's"), of("5"), of("a\n"), of("acme")}, {of("3"), of("acme"), of("4711")}}
	for i, line := range tr.lines {
		if !slices.Equal(line.Values, want[i]) || line.IdentityTenant != "acme" {
			t.Errorf("values %q of %q, want %q", line.Values, line.SQL.Shape, want[i])
		}
	}
	tr = newTrace(t, hiding(t, 1))
	c, db = tr.client("acme"), tr.database()
	r = tr.request(c, 7, "/")
	tr.sql(db, 7, selectScoped)
	tr.respond(c, r, 7, 200)
	if v := tr.last().Values; v != nil {
		t.Errorf("values %q without being asked for", v)
	}
}

// TestHiddenFingerprint holds that a statement is exempt by the fingerprint that its lines show, whichever tenant's place it names and whatever the key.
func TestHiddenFingerprint(t *testing.T) {
	const places = "database: [{ engine: postgres, tenant: { columns: [tenant_id], schemas: \"s_{tenant}\" } }]\n"
	run := func(policyText, sql string) *verdict.Statement {
		tr := newTrace(t, policyText)
		c, db := tr.client("acme"), tr.database()
		tr.known("beta", "gamma")
		r := tr.request(c, 7, "/")
		tr.sql(db, 7, sql)
		tr.respond(c, r, 7, 200)
		return tr.last()
	}
	beta := run(hiding(t, 1)+places, "SELECT 1 FROM s_beta.orders")
	if beta.SQL.Shape != "SELECT ? FROM {tenant}.orders" || beta.Verdict != verdict.Violation {
		t.Fatalf("%s of %q", summary(beta), beta.SQL.Shape)
	}
	if gamma := run(hiding(t, 2)+places, "SELECT 1 FROM s_gamma.orders"); gamma.SQL.Fingerprint != beta.SQL.Fingerprint {
		t.Errorf("fingerprints %s and %s", gamma.SQL.Fingerprint, beta.SQL.Fingerprint)
	}
	if v := run(hiding(t, 3)+places+"exempt: [{ fingerprint: "+beta.SQL.Fingerprint+", until: 2099-01-01, why: x }]\n", "SELECT 1 FROM s_gamma.orders"); v.Verdict != verdict.Exempt {
		t.Errorf("%s", summary(v))
	}
}

// TestExplainPlain holds that explain names tenants: it is asked by who has the policy and the certificate.
func TestExplainPlain(t *testing.T) {
	p, err := policy.Parse("x.yaml", []byte("version: 1\n"+hiding(t, 1)), "/")
	if err != nil {
		t.Fatal(err)
	}
	answer, err := Explain(p, &Case{Certificate: certificate("acme"), SQL: []string{selectBeta}, Time: time.Unix(1_700_000_000, 0)})
	if err != nil {
		t.Fatal(err)
	}
	if len(answer.Statements) != 1 || answer.Statements[0].IdentityTenant != "acme" || !strings.Contains(answer.Findings[0].Detail, `"beta"`) {
		t.Errorf("%+v %+v", answer.Statements, answer.Findings)
	}
}

func TestMaskNames(t *testing.T) {
	known := func(names ...string) func(string) bool {
		return func(s string) bool { return slices.Contains(names, s) }
	}
	write := func(string) string { return "#" }
	for _, c := range []struct{ text, name, want string }{
		{"orders_acme", "acme", "orders_#"}, {"Acme AG", "acme ag", "#"}, {"x.acme-ag.service", "acme-ag", "x.#.service"}, {"acmeology", "acme", "acmeology"},
		{"a $1 1", "1", "a $1 #"}, {"", "x", ""}, {"é_ünï", "ünï", "é_#"}, {"a  b", "a b", "a  b"}, {"acme acme", "acme", "# #"}, {"\xff acme \xff", "acme", "\xff # \xff"},
	} {
		if got := maskNames(c.text, known(c.name), write); got != c.want {
			t.Errorf("%q without %q is %q, want %q", c.text, c.name, got, c.want)
		}
	}
}

func TestMaskIdentifiers(t *testing.T) {
	hide := func(name string, qualifies bool) bool {
		return name == `a"c` || name == "me" || qualifies && name == "q"
	}
	for text, want := range map[string]string{
		`SELECT "a""c".x, me.y, mew`: `SELECT {tenant}.x, {tenant}.y, mew`, "q.t, q , `q` . t": "{tenant}.t, q , {tenant} . t",
		`x "me`: `x {tenant}`, `"`: `"`, `""`: `""`, `"""`: `"""`, "": "", "é.me": "é.{tenant}", "\"a": "\"a", "`me`": "{tenant}",
	} {
		if got := maskIdentifiers(text, hide); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

// TestCutShape holds that no part of a name stands at the end of a shape that was cut.
func TestCutShape(t *testing.T) {
	tr := newTrace(t, hiding(t, 1))
	c, db := tr.client("acme"), tr.database()
	for n := range 24 {
		r := tr.request(c, 7, "/")
		tr.sql(db, 7, "SELECT "+strings.Repeat("x", 1970+n)+", acmeacme FROM y")
		tr.respond(c, r, 7, 200)
		if shape := tr.last().SQL.Shape; strings.HasSuffix(shape, "acm") || strings.HasSuffix(shape, "acme") || len(shape) < 1900 && !strings.HasSuffix(shape, "…") {
			t.Errorf("%d: the shape ends in %q", n, shape[max(0, len(shape)-20):])
		}
	}
}

func BenchmarkHiddenLine(b *testing.B) {
	for _, text := range []string{"", hiding(b, 1)} {
		name := "plain"
		if text != "" {
			name = "hidden"
		}
		b.Run(name, func(b *testing.B) {
			tr := newTrace(b, text)
			c, db := tr.client("acme"), tr.database()
			for b.Loop() {
				r := tr.request(c, 7, "/t/acme/invoices/17")
				tr.sql(db, 7, selectScoped)
				tr.respond(c, r, 7, 200)
				tr.lines, tr.events = tr.lines[:0], tr.events[:0]
			}
		})
	}
}
