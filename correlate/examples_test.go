package correlate

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tenantrace/collector/event"
	"tenantrace/correlate/policy"
)

// exampleUse is a certificate and statements for an example policy, with what has to come of them.
type exampleUse struct {
	file   string
	what   string
	of     Case
	want   []string // verdicts of the statements, as summary writes them without the link; those of SET, BEGIN and COMMIT are left out
	faults string   // findings
}

func of(attributes ...string) *event.Certificate {
	c := certificate("x")
	c.Subject = nil
	for _, a := range attributes {
		name, value, _ := strings.Cut(a, "=")
		c.Subject = append(c.Subject, event.Attribute{Type: name, Value: value})
	}
	return c
}

func named(uri string) *event.Certificate {
	c := of("CN=workload")
	c.URIs = []string{uri}
	return c
}

// exampleUses holds at least one case for every file of deploy/policies.
func exampleUses() []exampleUse {
	const unidentified = "unattributed/identity_unknown"
	sha := func(digest string) *event.Certificate {
		c := of("CN=device")
		c.SHA256 = digest
		return c
	}
	django := policy.Process{Unit: "tenants-web"}
	ownPath, foreignPath := "SET search_path = 'acme','public'", "SET search_path = 'beta','public'"
	claims := func(org string) string {
		return `SELECT set_config('request.jwt.claims', '{"app_metadata": {"organization_id": "` + org + `"}}', true)`
	}
	const ops, device = "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b", "d4735e3a265e16eee03f59718b9b5d03019c07d8b6c51f90da3a666eec13ab35"
	tenantHeader := func(name string) []event.HTTPField { return []event.HTTPField{{Name: "x-tenant-id", Value: name}} }
	return []exampleUse{
		{"django-column.yaml", "own store", Case{Certificate: of("O=Beta AG"), SQL: []string{"SELECT * FROM orders WHERE store_id = $1"}, Params: []string{"43"}}, []string{"ok_exact bind 43"}, ""},
		{"django-column.yaml", "foreign store", Case{Certificate: of("O=Beta AG"), SQL: []string{"SELECT * FROM orders WHERE store_id = 41"}},
			[]string{"violation literal 41 [CROSS_TENANT_READ]"}, "CROSS_TENANT_READ"},
		{"django-column.yaml", "shared table", Case{Certificate: of("O=Beta AG"), SQL: []string{"SELECT * FROM auth_user WHERE store_id = 41"}}, []string{"no_tenant"}, ""},
		{"django-column.yaml", "foreign row", Case{Certificate: of("O=Acme GmbH"), SQL: []string{"SELECT * FROM orders WHERE id = 9"}, Rows: []Row{{"store_id": "42"}}},
			[]string{"violation row 42 [CROSS_TENANT_BY_KEY]"}, "CROSS_TENANT_BY_KEY"},
		{"django-schema.yaml", "own schema", Case{Process: django, Certificate: of("O=acme"), SQL: []string{ownPath, "SELECT * FROM orders"}}, []string{"ok_exact session acme"}, ""},
		{"django-schema.yaml", "foreign schema", Case{Process: django, Certificate: of("O=acme"), SQL: []string{foreignPath, "UPDATE orders SET n = 1"}},
			[]string{"violation session beta [CROSS_TENANT_WRITE]"}, "CROSS_TENANT_WRITE"},
		{"django-schema.yaml", "shared", Case{Process: django, Certificate: of("O=acme"), SQL: []string{foreignPath, "SELECT * FROM customers_domain", "SELECT * FROM public.orders"}},
			[]string{"no_tenant", "no_tenant"}, ""},
		{"django-schema.yaml", "public alone", Case{Process: django, Certificate: of("O=acme"), SQL: []string{"SET search_path = 'public'", "SELECT * FROM orders"}}, []string{"no_tenant"}, ""},
		{"django-schema.yaml", "another service", Case{Process: policy.Process{Unit: "x"}, Certificate: of("O=acme"), SQL: []string{foreignPath, "SELECT * FROM orders"}}, []string{"no_tenant"}, ""},
		{"rails-behind-nginx.yaml", "behind nginx", Case{Process: policy.Process{Exe: "/usr/bin/ruby3.1"}, Certificate: of("OU=account-7"), SQL: []string{"SELECT * FROM projects WHERE account_id = 8"}},
			[]string{unidentified + " literal 8"}, ""},
		{"rails-behind-nginx.yaml", "console", Case{Process: policy.Process{Exe: "/usr/bin/ruby3.1"}, Certificate: of("OU=account-7"), Path: "/admin/x", SQL: []string{"SELECT * FROM projects WHERE account_id = 8"}},
			[]string{"exempt literal 8"}, ""},
		{"rails-apartment-pgbouncer.yaml", "set for the session", Case{Server: "127.0.0.1:6432", Certificate: of("O=acme"), SQL: []string{"SET search_path = 'beta'", "SELECT * FROM orders"}},
			[]string{"unattributed/session_unknown"}, "SESSION_STATE_UNDER_TXN_POOLING"},
		{"rails-apartment-pgbouncer.yaml", "rows", Case{Server: "127.0.0.1:6432", Certificate: of("O=acme"), SQL: []string{"SET search_path = 'acme'", "SELECT * FROM orders"}, Rows: []Row{{"tenant_id": "beta"}}},
			[]string{"violation row beta [CROSS_TENANT_READ]"}, "SESSION_STATE_UNDER_TXN_POOLING CROSS_TENANT_READ"},
		{"rails-apartment-pgbouncer.yaml", "set for the transaction", Case{Server: "127.0.0.1:6432", Certificate: of("O=acme"), SQL: []string{"BEGIN", "SET LOCAL search_path = 'acme'", "SELECT * FROM orders", "COMMIT"}},
			[]string{"ok_exact session acme"}, ""},
		{"row-security.yaml", "own", Case{Certificate: of("OU=tenant-acme"), SQL: []string{"SET app.current_tenant = 'acme'", "SELECT * FROM invoices"}}, []string{"ok_exact session acme"}, ""},
		{"row-security.yaml", "foreign", Case{Certificate: of("OU=tenant-acme"), SQL: []string{"SET app.current_tenant = 'beta'", "SELECT * FROM invoices"}},
			[]string{"violation session beta [CROSS_TENANT_READ]"}, "CROSS_TENANT_READ"},
		{"row-security.yaml", "never set", Case{Certificate: of("OU=tenant-acme"), SQL: []string{"SELECT * FROM invoices", "SELECT * FROM feature_flags"}}, []string{"unattributed/no_evidence", "no_tenant"}, ""},
		{"postgrest-claims.yaml", "own", Case{User: "authenticator", Certificate: named("spiffe://prod.example/org/acme/app"), SQL: []string{"BEGIN", claims("acme"), "SET LOCAL ROLE authenticated", "SELECT * FROM todos", "COMMIT"}},
			[]string{"no_tenant", "ok_exact session acme"}, ""},
		{"postgrest-claims.yaml", "foreign", Case{User: "authenticator", Certificate: named("spiffe://prod.example/org/acme/app"), SQL: []string{"BEGIN", claims("beta"), "SET LOCAL ROLE authenticated", "SELECT * FROM todos", "COMMIT"}},
			[]string{"no_tenant", "violation session beta [CROSS_TENANT_READ]"}, "CROSS_TENANT_READ"},
		{"flask-mysql.yaml", "own", Case{Engine: event.MySQL, Database: "app", Certificate: of("OU=company-7"), SQL: []string{"SELECT * FROM `orders` WHERE `company_id` = 7"}}, []string{"ok_exact literal 7"}, ""},
		{"flask-mysql.yaml", "foreign by variable", Case{Engine: event.MySQL, Database: "app", Certificate: of("OU=company-7"), SQL: []string{"SET @company_id = 8", "SELECT * FROM orders WHERE company_id = @company_id"}},
			[]string{"violation session 8 [CROSS_TENANT_READ]"}, "CROSS_TENANT_READ"},
		{"php-fpm-databases.yaml", "foreign database", Case{Process: policy.Process{Exe: "/usr/sbin/php-fpm8.2"}, Engine: event.MySQL, Database: "app_beta", Certificate: of("CN=acme.clients.example.com"),
			SQL: []string{"SELECT * FROM orders", "SELECT * FROM app_global.plans"}}, []string{unidentified + " session beta", "no_tenant"}, ""},
		{"envoy-sidecar.yaml", "behind the sidecar", Case{Certificate: named("spiffe://cluster.local/ns/acme/sa/web"), SQL: []string{"SELECT * FROM orders WHERE namespace = 'beta'"}}, []string{unidentified + " literal beta"}, ""},
		{"haproxy-proxy-v2.yaml", "behind HAProxy", Case{Certificate: of("CN=acme"), SQL: []string{"SELECT * FROM orders WHERE tenant_id = 'beta'"}}, []string{unidentified + " literal beta"}, ""},
		{"device-map.yaml", "own", Case{Certificate: sha(device), SQL: []string{"INSERT INTO readings (tenant_id, n) VALUES ('acme', 1)"}}, []string{"ok_exact literal acme"}, ""},
		{"device-map.yaml", "foreign", Case{Certificate: sha(device), SQL: []string{"INSERT INTO readings (tenant_id, n) VALUES ('beta', 1)"}}, []string{"violation literal beta [CROSS_TENANT_WRITE]"}, "CROSS_TENANT_WRITE"},
		{"gateway-roles.yaml", "both agree", Case{User: "t_123456", Certificate: of("organizationIdentifier=PSDDE-BAFIN-123456"), SQL: []string{"SELECT * FROM payments WHERE tenant_id = '123456'"}},
			[]string{"ok_exact session 123456"}, ""},
		{"gateway-roles.yaml", "the role is another's", Case{User: "t_999", Certificate: of("organizationIdentifier=PSDDE-BAFIN-123456"), SQL: []string{"SELECT * FROM payments"}},
			[]string{"violation session 999 [CROSS_TENANT_READ]"}, "CROSS_TENANT_READ"},
		{"gateway-roles.yaml", "they disagree", Case{User: "t_999", Certificate: of("organizationIdentifier=PSDDE-BAFIN-123456"), SQL: []string{"SELECT * FROM payments WHERE tenant_id = '123456'"}},
			[]string{"unattributed/conflict session 123456,999"}, ""},
		{"reseller-hierarchy.yaml", "parent", Case{Certificate: of("O=north-resale"), SQL: []string{"SELECT * FROM orders WHERE tenant_id = 'beta'"}}, []string{"exempt literal beta"}, ""},
		{"reseller-hierarchy.yaml", "child of a child", Case{Certificate: of("O=north-group"), SQL: []string{"SELECT * FROM orders WHERE tenant_id = 'beta'"}}, []string{"exempt literal beta"}, ""},
		{"reseller-hierarchy.yaml", "sibling", Case{Certificate: of("O=acme"), SQL: []string{"SELECT * FROM orders WHERE tenant_id = 'beta'"}}, []string{"violation literal beta [CROSS_TENANT_READ]"}, "CROSS_TENANT_READ"},
		{"reseller-hierarchy.yaml", "parent's", Case{Certificate: of("O=acme"), SQL: []string{"SELECT * FROM orders WHERE tenant_id = 'north-resale'"}},
			[]string{"violation literal north-resale [CROSS_TENANT_READ]"}, "CROSS_TENANT_READ"},
		{"aggregator.yaml", "as the header says", Case{Certificate: named("spiffe://prod.example/ns/platform/sa/aggregator"), Fields: tenantHeader("acme"), SQL: []string{"SELECT * FROM orders WHERE tenant_id = 'acme'"}},
			[]string{"exempt literal acme [PRIVILEGED_ACCESS]"}, "PRIVILEGED_ACCESS"},
		{"aggregator.yaml", "not as the header says", Case{Certificate: named("spiffe://prod.example/ns/platform/sa/aggregator"), Fields: tenantHeader("acme"), SQL: []string{"SELECT * FROM orders WHERE tenant_id = 'beta'"}},
			[]string{"violation literal beta [CROSS_TENANT_READ]"}, "CROSS_TENANT_READ"},
		{"aggregator.yaml", "without a header", Case{Certificate: named("spiffe://prod.example/ns/platform/sa/aggregator"), SQL: []string{"SELECT * FROM orders WHERE tenant_id = 'acme'"}},
			[]string{"violation literal acme [CROSS_TENANT_READ]"}, "CROSS_TENANT_READ"},
		{"certificates-only.yaml", "no database", Case{Certificate: of("O=acme"), Fields: tenantHeader("beta"), SQL: []string{"SELECT * FROM orders WHERE tenant_id = 'beta'"}},
			[]string{"no_tenant"}, "REQUEST_TENANT_MISMATCH"},
		{"map.yaml", "one of two", Case{Certificate: of("CN=client-beta.clients.example.com"), SQL: []string{"DELETE FROM orders WHERE owner_tenant_id = '45c48cce2e2d4fbd8a1afc51c7c6ad26'"}},
			[]string{"ok_exact literal 45c48cce-2e2d-4fbd-8a1a-fc51c7c6ad26"}, ""},
		{"issuer-per-tenant.yaml", "by its digest", Case{Certificate: sha("4e07408562bedb8b60ce05c1decfe3ad16b72230967de01f640b7e4729b49fce"), SQL: []string{"SELECT * FROM orders WHERE tenant_id = 'beta'"}}, []string{"ok_exact literal beta"}, ""},
		{"privileged-ops.yaml", "operator", Case{Certificate: of("CN=ops-1", "O=Example Operations"), SQL: []string{"SELECT * FROM orders WHERE tenant_id = 'beta'"}},
			[]string{"exempt literal beta [PRIVILEGED_ACCESS]"}, "PRIVILEGED_ACCESS"},
		{"privileged-ops.yaml", "auditor of two", Case{Certificate: sha(ops), SQL: []string{"SELECT * FROM orders WHERE tenant_id = 'gamma'"}}, []string{"violation literal gamma [CROSS_TENANT_READ]"}, "CROSS_TENANT_READ"},
		{"privileged-ops.yaml", "job", Case{User: "metering", Certificate: of("O=acme"), SQL: []string{"SELECT * FROM orders WHERE tenant_id = 'beta'", "DELETE FROM orders WHERE tenant_id = 'beta'"}},
			[]string{"exempt literal beta", "violation literal beta [CROSS_TENANT_WRITE]"}, "CROSS_TENANT_WRITE"},
		{"path-and-header.yaml", "path", Case{Certificate: of("O=acme"), Path: "/t/beta/x", SQL: []string{"SELECT * FROM orders WHERE tenant_id = 'acme'"}}, []string{"ok_exact literal acme"}, "REQUEST_TENANT_MISMATCH"},
		{"path-and-header.yaml", "refused", Case{Certificate: of("O=acme"), Path: "/t/beta/x", Status: 403}, nil, "DENIED_ATTEMPT"},
		{"tenant-directory.yaml", "looked up", Case{Certificate: of("OU=tenant-acme"), SQL: []string{"SELECT id, slug FROM tenants"}, Rows: []Row{{"id": "7", "slug": "acme"}}}, []string{"no_tenant"}, ""},
		{"tenant-directory.yaml", "not looked up", Case{Certificate: of("OU=tenant-acme"), SQL: []string{"SELECT * FROM orders WHERE tenant_id = 7"}}, []string{"unattributed/unmapped literal 7"}, ""},
		{"several-services.yaml", "by unit", Case{Process: policy.Process{Unit: "billing@2"}, Database: "billing", Certificate: of("O=acme"), SQL: []string{"SELECT * FROM orders WHERE payer_id = 'beta'"}},
			[]string{"violation literal beta [CROSS_TENANT_READ]"}, "CROSS_TENANT_READ"},
		{"several-services.yaml", "its other database", Case{Process: policy.Process{Unit: "billing@2"}, Database: "x", Certificate: of("O=acme"), SQL: []string{"SELECT * FROM orders WHERE payer_id = 'beta'"}}, []string{"no_tenant"}, ""},
		{"several-services.yaml", "by port", Case{Process: policy.Process{Listen: []uint16{9443}}, Engine: event.MySQL, Database: "portal_acme", Certificate: of("O=acme"), Path: "/t/beta", SQL: []string{"SELECT * FROM orders"}},
			[]string{"ok_exact session acme"}, "REQUEST_TENANT_MISMATCH"},
		{"several-services.yaml", "by control group", Case{Process: policy.Process{Cgroup: "/kubepods.slice/a/b"}, Certificate: of("O=acme"), SQL: []string{"SELECT * FROM orders WHERE tenant_id = 'beta'"}}, []string{"no_tenant"}, ""},
		{"several-services.yaml", "none of them", Case{Certificate: of("O=acme"), SQL: []string{"SELECT * FROM orders WHERE tenant_id = 'acme'"}}, []string{"ok_exact literal acme"}, ""},
		{"containers.yaml", "by image and pod", Case{Process: policy.Process{Image: "registry.example.com/shop/web:1.4", Namespace: "prod", Pod: "shop-6c857864fb-z88p2", Container: "web"}, Certificate: of("O=acme"), SQL: []string{"SELECT * FROM orders WHERE shop_id = 'beta'"}},
			[]string{"violation literal beta [CROSS_TENANT_READ]"}, "CROSS_TENANT_READ"},
		{"containers.yaml", "another namespace", Case{Process: policy.Process{Image: "registry.example.com/shop/web:1.4", Namespace: "test", Pod: "shop-6c857864fb-z88p2", Container: "web"}, Certificate: of("O=acme"), SQL: []string{"SELECT * FROM orders WHERE shop_id = 'beta'"}},
			[]string{"no_tenant"}, ""},
		{"containers.yaml", "by pid file", Case{Process: policy.Process{PIDFiles: []string{"/run/legacy.pid"}}, Engine: event.MySQL, Certificate: of("O=acme"), SQL: []string{"DELETE FROM orders WHERE company_id = 'beta'"}},
			[]string{"violation literal beta [CROSS_TENANT_WRITE]"}, "CROSS_TENANT_WRITE"},
		{"hidden-tenants.yaml", "explained plainly", Case{Certificate: of("OU=tenant-acme"), Path: "/t/acme/orders", SQL: []string{"SELECT * FROM t_beta.orders"}},
			[]string{"violation literal beta [CROSS_TENANT_READ]"}, "CROSS_TENANT_READ"},
		{"key-prefix.yaml", "foreign key", Case{Certificate: of("O=acme"), SQL: []string{"SELECT * FROM orders WHERE order_key = 'beta:17'"}}, []string{"violation literal beta [CROSS_TENANT_READ]"}, "CROSS_TENANT_READ"},
	}
}

const examples = "../deploy/policies"

// withKey returns the path of an example, or of a copy of it beside the key that it wants: none is shipped.
func withKey(t *testing.T, file string) string {
	t.Helper()
	name := filepath.Join(examples, file)
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(data), "key: pseudonyms.key") {
		return name
	}
	key := keyFile(t, 1)
	copied := filepath.Join(filepath.Dir(key), file)
	if err := errors.Join(os.Rename(key, filepath.Join(filepath.Dir(key), "pseudonyms.key")), os.WriteFile(copied, data, 0o600)); err != nil {
		t.Fatal(err)
	}
	return copied
}

func TestExamples(t *testing.T) {
	used := map[string]bool{}
	for _, x := range exampleUses() {
		used[x.file] = true
		t.Run(x.file+", "+x.what, func(t *testing.T) {
			p, err := policy.Load(withKey(t, x.file))
			if err != nil {
				t.Fatal(err)
			}
			x.of.Time = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
			answer, err := Explain(p, &x.of)
			if err != nil {
				t.Fatal(err)
			}
			var got, faults []string
			for i, s := range answer.Statements {
				if word, _, _ := strings.Cut(x.of.SQL[i], " "); word != "SET" && word != "BEGIN" && word != "COMMIT" {
					got = append(got, strings.Replace(strings.Replace(summary(s.Statement), " "+string(s.Link), "", 1), "  ", " ", 1))
				}
			}
			for _, f := range answer.Findings {
				faults = append(faults, f.Name)
			}
			if len(answer.Statements) != len(x.of.SQL) || !slices.Equal(got, x.want) || strings.Join(faults, " ") != x.faults {
				t.Errorf("%d verdicts of %d statements:\n  %s\nfindings %q\nwant:\n  %s\nfindings %q", len(answer.Statements), len(x.of.SQL),
					strings.Join(got, "\n  "), faults, strings.Join(x.want, "\n  "), x.faults)
			}
		})
	}
	files, err := filepath.Glob(filepath.Join(examples, "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile(filepath.Join(examples, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if name := filepath.Base(f); name != "groups.yaml" && !used[name] {
			t.Errorf("%s is explained by no case", name)
		} else if !strings.Contains(string(readme), "`"+name+"`") {
			t.Errorf("%s is not in the README of the examples", name)
		}
	}
}

// TestExplainedIdentity holds the tenants that the examples with a hop read from what the proxy hands over.
func TestExplainedIdentity(t *testing.T) {
	for file, c := range map[string]struct {
		cert *event.Certificate
		proc policy.Process
		want string
	}{
		"rails-behind-nginx.yaml": {of("OU=account-7"), policy.Process{Exe: "/opt/puma"}, "7"},
		"php-fpm-databases.yaml":  {of("CN=acme.clients.example.com"), policy.Process{Exe: "/usr/sbin/php-fpm8.2"}, "acme"},
		"envoy-sidecar.yaml":      {named("spiffe://cluster.local/ns/acme/sa/web"), policy.Process{}, "acme"},
		"haproxy-proxy-v2.yaml":   {of("CN=acme"), policy.Process{}, "acme"},
	} {
		p, err := policy.Load(filepath.Join(examples, file))
		if err != nil {
			t.Fatal(err)
		}
		own := p.For(&c.proc)
		if got := own.Identify(PolicyCertificate(c.cert), time.Now()).Tenants; !slices.Equal(got, []string{c.want}) {
			t.Errorf("%s: %q, want %q", file, got, c.want)
		}
		if notes := strings.Join(p.Notes(), "\n"); !strings.Contains(notes, "this version reads no identity behind a proxy") {
			t.Errorf("%s does not say that it has no effect: %q", file, notes)
		}
		if hop := own.Hop(); len(hop.Trusted) == 0 || hop.From == policy.FromConnection {
			t.Errorf("%s: %+v", file, hop)
		}
	}
}
