package command

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// explainedPolicy has every kind of rule, for both engines.
const explainedPolicy = `version: 1
identity:
  tenant: [{ san_uri: "spiffe://x/{tenant}" }, { subject: { O: "{tenant}" } }]
  privileged:
    - { subject: { CN: api }, tenants: [gamma], until: 2027-01-01, why: OPS-1 }
    - { subject: { CN: "*" }, tenants: request, until: 2026-01-01, why: OPS-2 }
    - { subject: { CN: ops }, tenants: any, until: 2027-01-01, why: OPS-3 }
  hierarchy: { entries: { acme: [sub], sub: [deep] } }
request:
  tenant: [{ path: "/t/{tenant}/**" }, { header: X-Tenant }]
  ignore: ["/healthz"]
exempt:
  - { route: "/admin/**", until: 2026-01-01, why: OPS-4 }
  - { db_role: job, statements: select, until: 2027-01-01, why: OPS-5 }
  - { tables: [audit], tenants: [acme], until: 2027-01-01, why: OPS-6 }
services:
  - service: web
    select: { container_image: "shop/*", k8s: { ns: prod } }
    database:
      - { engine: postgres, tenant: { columns: [web_id] }, unscoped: finding }
  - service: old
    select: { pid_file: /run/old.pid }
    database:
      - { engine: postgres, tenant: { columns: [tenant_id] }, directory: { table: tenants, key: slug, id: id } }
      - { engine: mysql, tenant: { columns: [tenant_id] }, directory: { table: app.tenants, key: slug, id: id } }
  - service: mapped
    select: { unit: mapped }
    identity: { map: { entries: { acme: [42, 43] } } }
database:
  - engine: postgres
    pooler: transaction
    match: { port: 6432 }
    tenant: { columns: [tenant_id], schemas: "s_{tenant}" }
  - engine: postgres
    tenant:
      columns: [tenant_id, "doc#org"]
      settings: ["my.jwt#app.org"]
      schemas: { tenant: "s_{tenant}", shared: ref }
      databases: "d_{tenant}"
      roles: "r_{tenant}"
      key_prefix: { k: "{tenant}:*" }
    tables: { shared: [plans], owned: "*" }
  - engine: mysql
    tenant: { columns: [tenant_id], settings: ["@t"], databases: { tenant: "d_{tenant}", shared: app } }
    unscoped: aggregate
`

// TestPolicyExplainKinds holds that explain says of each kind of rule what it did, for statements of both dialects.
func TestPolicyExplainKinds(t *testing.T) {
	_, cert := certificate(t)
	file := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(file, []byte(explainedPolicy), 0o600); err != nil {
		t.Fatal(err)
	}
	const beta = "SELECT * FROM orders WHERE tenant_id = 'beta'"
	my := func(args ...string) []string { return append([]string{"--engine", "mysql"}, args...) }
	old := func(args ...string) []string { return append([]string{"--pid-file", "/run/old.pid"}, args...) }
	for name, c := range map[string]struct {
		args []string
		want []string
	}{
		"identity rules": {[]string{"--sql", beta}, []string{`rule 1: san_uri "spiffe://x/{tenant}": no match: the certificate has no san_uri`, `rule 2: subject.O "{tenant}": matches, tenant "acme"`, `identity: "acme" by subject.O`}},
		"map":            {[]string{"--unit", "mapped", "--sql", "SELECT * FROM orders WHERE tenant_id = 43"}, []string{`service "mapped": selected`, `tenant: "acme" -> "42", "43" in the database`, "verdict: ok_exact"}},
		"privileges": {[]string{"--sql", "SELECT * FROM orders WHERE tenant_id = 'gamma'"}, []string{`privilege 1: subject.CN "api": covers "gamma" until 2027-01-01 (OPS-1)`,
			`privilege 2: subject.CN "*": ended 2026-01-01 (OPS-2)`, `privilege 3: subject.CN "ops": no match`, "verdict: exempt: PRIVILEGED_ACCESS: OPS-1", "ended: identity.privileged[2]"}},
		"hierarchy": {[]string{"--sql", "SELECT * FROM orders WHERE tenant_id = 'deep'"}, []string{`hierarchy: may act for "deep", "sub" as well`, "verdict: exempt: the hierarchy puts the tenant below the certificate's"}},
		"above":     {[]string{"--sql", beta}, []string{"verdict: violation: CROSS_TENANT_READ"}},
		"ended exemption": {[]string{"--path", "/admin/x", "--sql", beta}, []string{`exempt[1] (route "/admin/**"): would cover it, but ended 2026-01-01 (OPS-4)`,
			`exempt[2] (db_role "job", statements "select"): does not cover it: db_role does not hold`, `exempt[3] (tables ["audit"], tenants ["acme"]): does not cover it: tables does not hold`, "verdict: violation", "ended: exempt[1]"}},
		"exemption by role":  {[]string{"--user", "job", "--sql", beta}, []string{"verdict: exempt, by exempt[2]: OPS-5", `exempt[2] (db_role "job", statements "select"): covers it until 2027-01-01 (OPS-5)`}},
		"not a write":        {[]string{"--user", "job", "--sql", "DELETE FROM orders WHERE tenant_id = 'beta'"}, []string{"verdict: violation: CROSS_TENANT_WRITE", "does not cover it: statements does not hold"}},
		"exemption by table": {my("--sql", "DELETE FROM audit WHERE tenant_id = 'beta'"), []string{"verdict: exempt, by exempt[3]: OPS-6"}},
		"path":               {[]string{"--path", "/t/beta/x"}, []string{`request: tenant "beta" by path "/t/{tenant}/**"`, "finding: REQUEST_TENANT_MISMATCH", "request: exempt[2]"}},
		"header":             {[]string{"--header", "X-Tenant: acme"}, []string{`request: tenant "acme" by header "X-Tenant"`}},
		"no request tenant":  {[]string{"--path", "/x"}, []string{"request: no rule of request.tenant reads a tenant from it"}},
		"ignored":            {[]string{"--path", "/healthz"}, []string{"request: request.ignore leaves it alone"}},
		"no service":         {[]string{"--sql", beta}, []string{`service "web": not selected: select.container_image does not hold`, `service "old": not selected: select.pid_file does not hold`, "no service is selected"}},
		"service by image":   {[]string{"--container-image", "shop/web:1", "--namespace", "prod", "--sql", "SELECT * FROM orders WHERE web_id = 'beta'"}, []string{`service "web": selected`, "service: web", "tenant columns: web_id", "unscoped: finding", "verdict: violation"}},
		"of another pod":     {[]string{"--container-image", "shop/web:1", "--namespace", "test", "--pod", "x", "--container", "y", "--sql", beta}, []string{`service "web": not selected: select.k8s.ns does not hold`}},
		"directory": {old("--directory", "Acme=7", "--directory", "beta=8", "--sql", "SELECT * FROM orders WHERE tenant_id = 8"), []string{"service: old", `tenant: "acme" -> "7" in the database`,
			`identity: "7" by subject.O`, "tenant directory: tenants, name in slug, id in id", "verdict: violation: CROSS_TENANT_READ"}},
		"directory, own":           {old("--directory", "acme=7", "--directory", "acme=9", "--sql", "SELECT * FROM orders WHERE tenant_id = 9"), []string{`"acme" -> "7", "9" in the database`, "verdict: ok_exact"}},
		"directory, mysql":         {append(old("--directory", "acme=7", "--directory", "beta=8"), my("--sql", "SELECT * FROM `orders` WHERE `tenant_id` = 8; SELECT * FROM app.tenants")...), []string{"tenant directory: tenants", `table "app.tenants": shared by "the tenant directory"`, "verdict: violation"}},
		"directory, not looked up": {old("--sql", "SELECT * FROM orders WHERE tenant_id = 7"), []string{`directory: "acme" has not been looked up by the application yet: unmapped`, "verdict: unattributed, unmapped"}},
		"pooler":                   {[]string{"--server", "h:6432", "--sql", "SET search_path = s_acme; SELECT * FROM orders"}, []string{"database: entry 1, postgres", "pooler: transaction", "finding: SESSION_STATE_UNDER_TXN_POOLING"}},
		"schema":                   {[]string{"--sql", "SELECT * FROM s_beta.orders"}, []string{"tenant schemas: s_{tenant}; shared: ref", `table "s_beta.orders": owned by`, `shows "beta" by literal evidence`, "verdict: violation"}},
		"search path":              {[]string{"--sql", "SET search_path = s_acme; SELECT * FROM orders"}, []string{`shows "acme" by session evidence`, "verdict: ok_exact"}},
		"database":                 {[]string{"--database", "d_beta", "--sql", "SELECT * FROM x"}, []string{"tenant databases: d_{tenant}", `shows "beta" by session evidence`, "verdict: violation"}},
		"role":                     {[]string{"--sql", "SET ROLE r_beta; SELECT * FROM x"}, []string{"tenant roles: r_{tenant}", `shows "beta" by session evidence of the session`, "verdict: violation"}},
		"setting":                  {[]string{"--setting", `my.jwt={"app":{"org":"acme"}}`, "--sql", "SELECT * FROM x"}, []string{"tenant settings: my.jwt#app.org", "verdict: ok_exact"}},
		"key prefix":               {[]string{"--sql", "SELECT * FROM x WHERE k = 'beta:1'"}, []string{`tenant in values of: k, as "{tenant}:*"`, `shows "beta"`, "verdict: violation"}},
		"json":                     {[]string{"--sql", "SELECT * FROM x WHERE doc->>'org' = 'beta'"}, []string{"doc#org", `tenant "beta"`, "verdict: violation"}},
		"shared table":             {[]string{"--sql", "SELECT * FROM plans WHERE tenant_id = 'beta'"}, []string{`table "plans": shared by "plans"`, "verdict: no_tenant", "because it touches no table"}},
		"owned table":              {[]string{"--user", "app", "--sql", "SELECT * FROM anything"}, []string{`table "anything": owned by "*"`, "verdict: unattributed, no_evidence"}},
		"mysql, place":             {my("--sql", "USE d_beta; SELECT * FROM `orders`; SELECT * FROM app.plans"), []string{"database: entry 3, mysql", "tenant databases: d_{tenant}; shared: app", `shows "beta" by session evidence`, `table "app.plans": shared by`, "unscoped: aggregate"}},
		"mysql, qualifier":         {my("--sql", "UPDATE d_beta.orders SET n = 1"), []string{`shows "beta" by literal evidence`, "verdict: violation: CROSS_TENANT_WRITE"}},
		"mysql, variable":          {my("--sql", "SET @t := 'acme'; SELECT * FROM x WHERE tenant_id = @t"), []string{`sets @t to "acme"`, "tenant settings: @t", "verdict: ok_exact"}},
		"mysql, bind":              {my("--sql", "SELECT * FROM x WHERE tenant_id = ?", "--bind", "beta"), []string{"tenant bind value $1", `shows "beta" by bind evidence`}},
		"both dialects' literals":  {my("--sql", `SELECT * FROM x WHERE tenant_id = "beta"`), []string{`tenant "beta"`, "verdict: violation"}},
		"a name in quotes":         {[]string{"--sql", `SELECT * FROM x WHERE tenant_id = "beta"`}, []string{"a tenant is named where it guarantees nothing"}},
	} {
		i := newInvocation()
		args := append([]string{"policy", "explain", "--policy", file, "--cert", cert, "--when", "2026-06-01T00:00:00Z"}, c.args...)
		if code := i.run(t, args...); code != exitOK {
			t.Errorf("%s: exit %d, %q", name, code, &i.stderr)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(i.stdout.String(), want) {
				t.Errorf("%s: no %q in\n%s", name, want, &i.stdout)
			}
		}
	}
	for _, args := range [][]string{{"--directory", "acme"}, {"--directory", "=7"}, {"--directory", "acme="}} {
		i := newInvocation()
		if code := i.run(t, append([]string{"policy", "explain", "--sql", "SELECT 1"}, args...)...); code != exitUsage || !strings.Contains(i.stderr.String(), args[0]) {
			t.Errorf("%q: exit %d, %q", args, code, &i.stderr)
		}
	}
}
