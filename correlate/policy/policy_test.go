package policy

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// today is inside every allowance of the tests.
var today = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// noFiles is for policies that must not read any.
var noFiles = reader{
	file: func(path string, _ int64) ([]byte, error) {
		return nil, &os.PathError{Op: "open", Path: path, Err: os.ErrNotExist}
	},
	secret: func(string) ([]byte, error) { return []byte(testSecret), nil },
}

// mustParse compiles lines of a policy after "version: 1".
func mustParse(t testing.TB, text string) *Policy {
	t.Helper()
	p, err := Parse("test.yaml", []byte("version: 1\n"+text), t.TempDir())
	if err != nil {
		t.Fatalf("parse:\n%s\n%v", text, err)
	}
	if wrong := loadSchema(t).fault(t, "version: 1\n"+text); wrong != "" {
		t.Errorf("the schema refuses what the decoder accepts:\n%s\n%s", text, wrong)
	}
	return p
}

// tableOf is the class of a table of PostgreSQL.
func tableOf(p *Policy, schema, name string) TableClass {
	if db := p.Database(Postgres, "127.0.0.1:5432", "shop"); db != nil {
		return db.Table(schema, name)
	}
	return TableUnknown
}

func subject(attributes ...string) *Certificate {
	c := &Certificate{}
	for _, a := range attributes {
		k, v, _ := strings.Cut(a, "=")
		c.Subject = append(c.Subject, Attribute{k, v})
	}
	return c
}

func uri(uris ...string) *Certificate { return &Certificate{URIs: uris} }

func TestDefault(t *testing.T) {
	p := Default()
	if !slices.Equal(p.Columns(), []string{"tenant_id"}) {
		t.Errorf("columns %q", p.Columns())
	}
	if !slices.Equal(p.Settings(), []string{"app.tenant_id", "app.current_tenant", "@tenant_id"}) {
		t.Errorf("settings %q", p.Settings())
	}
	if got, want := p.CertificateRules(), (CertificateRules{Expired: true, Grace: 5 * time.Minute}); got != want {
		t.Errorf("certificates %+v, want %+v", got, want)
	}
	if p.Service() != "" || len(p.Headers()) != 0 || len(p.KnownTenants()) != 0 || len(p.Expired(today)) != 0 || len(p.Files()) != 0 {
		t.Errorf("%+v has more than the default", p)
	}
	if len(p.Hash()) != len("sha256:")+16 || p.Hash() != Default().Hash() {
		t.Errorf("hash %q", p.Hash())
	}
	if got := tableOf(p, "", "orders"); got != TableUnknown {
		t.Errorf("orders is %v", got)
	}
	if p.Ignored("/") || p.Exempt(Use{Time: today}) != nil || p.RequestTenants("/t/acme", nil) != nil {
		t.Error("the default allows or reads what it must not")
	}
}

func TestSections(t *testing.T) {
	p := mustParse(t, `
service: billing-api
database:
  - engine: postgres
    tenant: { columns: [Store_ID, org_id] }
    unscoped: off
certificates: { expired: off }
privacy: { tenants: plain }
`)
	if p.Service() != "billing-api" {
		t.Errorf("%+v", p)
	}
	if !slices.Equal(p.Columns(), []string{"store_id", "org_id", "tenant_id"}) || len(p.Database(Postgres, "", "").Settings) != 0 {
		t.Errorf("columns %q settings %q", p.Columns(), p.Settings())
	}
	if got, want := p.CertificateRules(), (CertificateRules{Grace: 5 * time.Minute}); got != want {
		t.Errorf("certificates %+v", got)
	}
	p = mustParse(t, "certificates: { grace: 90s }\ndatabase: [{ engine: postgres }]\n")
	if got, want := p.CertificateRules(), (CertificateRules{Expired: true, Grace: 90 * time.Second}); got != want {
		t.Errorf("certificates %+v", got)
	}
	if !slices.Equal(p.Columns(), []string{"tenant_id"}) || len(p.Settings()) != 3 {
		t.Errorf("columns %q settings %q", p.Columns(), p.Settings())
	}
	p = mustParse(t, "database: []\n")
	if len(p.Columns()) != 0 || len(p.Settings()) != 0 {
		t.Errorf("columns %q settings %q", p.Columns(), p.Settings())
	}
	p = mustParse(t, "")
	if p.Identify(subject("O=acme"), today).Tenants == nil {
		t.Error("a policy with a version alone has not the default's rules")
	}
}

func TestTables(t *testing.T) {
	p := mustParse(t, `
database:
  - engine: postgres
    tables:
      shared: [plans, "django_*", "app.lookup", "ref.*"]
      owned: [django_orders, "inv*", "public.audit_*"]
`)
	for _, c := range []struct {
		schema, name string
		want         TableClass
	}{
		{"", "plans", TableShared}, {"public", "PLANS", TableShared}, {"x", "plans", TableShared},
		{"", "django_session", TableShared}, {"", "django_orders", TableOwned},
		{"app", "lookup", TableShared}, {"", "lookup", TableUnknown}, {"public", "lookup", TableUnknown},
		{"ref", "anything", TableShared}, {"", "ref", TableUnknown},
		{"public", "invoices", TableOwned}, {"", "audit_log", TableOwned}, {"x", "audit_log", TableUnknown},
		{"", "orders", TableUnknown},
		{"pg_catalog", "x", TableShared}, {"information_schema", "tables", TableShared}, {"", "pg_class", TableShared},
	} {
		if got := tableOf(p, c.schema, c.name); got != c.want {
			t.Errorf("%q.%q is %v, want %v", c.schema, c.name, got, c.want)
		}
	}
	p = mustParse(t, "database: [{ engine: postgres, tables: { shared: [plans], owned: \"*\" } }]\n")
	if tableOf(p, "", "orders") != TableOwned || tableOf(p, "s", "orders") != TableOwned || tableOf(p, "", "plans") != TableShared ||
		tableOf(p, "", "pg_class") != TableShared {
		t.Error(`owned: "*"`)
	}
}

func TestExplain(t *testing.T) {
	p := mustParse(t, `
identity:
  map: { entries: { acme: [42, 43] } }
  privileged:
    - { subject: { CN: "api" }, tenants: [77], until: 2027-01-01, why: OPS-1 }
database: [{ engine: postgres, tables: { shared: ["pl*"] } }]
exempt: [{ service: x, until: 2020-01-01, why: old }]
`)
	var b strings.Builder
	if err := p.Explain(&b, subject("CN=api", "O=Acme"), p.Database(Postgres, "", ""), today, "plans", "app.orders"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"rule 1: san_uri \"spiffe://*/tenant/{tenant}/**\": no match: the certificate has no san_uri\n",
		"rule 2: subject.OU \"tenant-{tenant}\": no match: the certificate has no subject.OU\n",
		"rule 3: subject.O \"{tenant}\": matches, tenant \"Acme\"\n",
		"\"Acme\" -> \"42\", \"43\" in the database\n",
		"privilege 1: subject.CN \"api\": covers \"77\" until 2027-01-01 (OPS-1)\n",
		"identity: \"42\", \"43\" by subject.O \"{tenant}\"\n",
		"tenant columns: tenant_id\n",
		"table \"plans\": shared by \"pl*\"\n",
		"table \"app.orders\": unknown",
		"ended: exempt[1] (service \"x\") ended 2020-01-01: old\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
}

// TestExamples loads every example policy and asks it for what it is an example of.
func TestExamples(t *testing.T) {
	dir := filepath.Join("..", "..", "deploy", "policies")
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil || len(files) < 23 {
		t.Fatalf("%d examples, %v", len(files), err)
	}
	for _, f := range files {
		if filepath.Base(f) == "groups.yaml" { // a hierarchy
			continue
		}
		if filepath.Base(f) == "hidden-tenants.yaml" { // its key is not shipped
			f = withKey(t, f)
		}
		if _, err := Load(f); err != nil {
			t.Errorf("%s: %v", f, err)
		}
	}
	load := func(name string) *Policy {
		t.Helper()
		p, err := Load(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	for _, c := range []struct {
		file string
		cert *Certificate
		want string
	}{
		{"django-column.yaml", subject("CN=x", "O=beta ag"), "42,43"},
		{"map.yaml", subject("CN=client-acme.clients.example.com"), "8f14e45f-ceea-467f-a0e6-4f1b7f1b2c3d"},
		{"row-security.yaml", subject("OU=tenant-acme"), "acme"},
		{"device-map.yaml", &Certificate{SHA256: "d4735e3a265e16eee03f59718b9b5d03019c07d8b6c51f90da3a666eec13ab35"}, "acme"},
		{"aggregator.yaml", uri("spiffe://prod.example/ns/acme/sa/api"), "acme"},
		{"issuer-per-tenant.yaml", &Certificate{Issuer: []Attribute{{"O", "Example"}, {"CN", "Acme Tenant CA"}}}, "acme"},
		{"issuer-per-tenant.yaml", &Certificate{SHA256: "4e07408562bedb8b60ce05c1decfe3ad16b72230967de01f640b7e4729b49fce"}, "beta"},
	} {
		if got := strings.Join(load(c.file).Identify(c.cert, today).Tenants, ","); got != c.want {
			t.Errorf("%s: %q, want %q", c.file, got, c.want)
		}
	}
	if v := load("privileged-ops.yaml").Identify(subject("CN=ops-1", "O=example operations"), today).Privileged; v == nil || !v.Any {
		t.Errorf("privileged-ops.yaml: %+v", v)
	}
	if v := load("aggregator.yaml").Identify(uri("spiffe://prod.example/ns/platform/sa/aggregator"), today).Privileged; v == nil {
		t.Error("aggregator.yaml: no privilege")
	}
	if got := tableOf(load("row-security.yaml"), "", "invoices"); got != TableOwned {
		t.Errorf("row-security.yaml: %v", got)
	}
}

// withKey copies an example beside a key of the name that it wants.
func withKey(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	writeKey(t, dir, testSecret, 0o600)
	if err := os.Rename(filepath.Join(dir, "key"), filepath.Join(dir, "pseudonyms.key")); err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(dir, filepath.Base(file))
	if err := os.WriteFile(copied, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return copied
}
