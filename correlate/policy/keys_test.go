package policy

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestKeyErrors holds wrong policies about services, hops, hierarchies, places, directories, verdicts and evidence.
func TestKeyErrors(t *testing.T) {
	const db, tenant = "database:\n  - engine: postgres\n    ", "database:\n  - engine: postgres\n    tenant:\n      "
	const my = "database:\n  - engine: mysql\n    tenant:\n      "
	checkErrors(t, []wrongPolicy{
		{"select: { unit: x }", 2, "select needs a name for what it selects (add: service: NAME)"},
		{"service: x\nselect: { unt: x }", 3, `unknown key "unt" in select (did you mean "unit"?)`},
		{"service: x\nselect: { pid_file: run/x.pid }", 3, `select.pid_file: "run/x.pid" is no path (write the whole path of one file: /run/NAME.pid)`},
		{"service: x\nselect: { pid_file: [/run/x, \"/run/*.pid\"] }", 3, `select.pid_file[2]: "/run/*.pid" is no path`},
		{"service: x\nselect: { container_image: \"{tenant}\" }", 3, "which nothing reads here"},
		{"service: x\nselect: { k8s: { ns: x, labels: { app: y } } }", 3, `key "labels" in select.k8s cannot be read on the host: the labels of pods are in the cluster's API alone`},
		{"service: x\nselect: { k8s: {} }", 3, "select.k8s says nothing about the pod (add one of ns, pod, container)"},
		{"service: x\nselect: { k8s: billing }", 3, `select.k8s is "billing" (want keys: ns, pod, container)`},
		{"service: x\nselect: { k8s: { namespace: x } }", 3, `unknown key "namespace" in select.k8s`},
		{"service: x\nselect: {}", 3, "select says nothing about the processes"},
		{"service: x\nselect: { listen: 0 }", 3, `select.listen is "0" (write a port from 1 to 65535)`},
		{"service: x\nselect: { listen: [80, http] }", 3, `select.listen[2] is "http"`},
		{"service: x\nselect: { unit: \"{tenant}\" }", 3, "which nothing reads here"},
		{"services: []", 2, "services is an empty list"},
		{"services:\n  - { service: a, select: { unit: a } }\nselect: { unit: b }", 4, "select stands beside services"},
		{"service: x\nservices:\n  - { service: a, select: { unit: a } }", 2, "service stands beside services"},
		{"services:\n  - { select: { unit: a } }", 3, `services[1] has no "service"`},
		{"services:\n  - { service: a }", 3, `services[1] has no "select"`},
		{"services:\n  - { service: a, select: { unit: a } }\n  - { service: a, select: { unit: b } }", 4, `service "a" stands twice`},
		{"services:\n  - { service: a, select: { unit: a }, version: 1 }", 3, `unknown key "version" in services[1]`},
		{"services:\n  - service: a\n    select: { unit: a }\n    certificates: { expired: on }", 5, `services[1]: certificates.expired is "on"`},
		{"services:\n  - service: a\n    select: { unit: a }\n    certificates: { revocation: { crl: x } }", 5, "revocation lists are asked for the whole host"},

		{"identity:\n  from: header\n  headers: { cert: X }", 3, "identity.from header trusts nobody (add trusted_proxies"},
		{"identity:\n  from: header\n  trusted_proxies: [10.0.0.1]", 3, "identity.from header reads no field"},
		{"identity:\n  from: proxy_v2", 3, "identity.from proxy_v2 trusts nobody"},
		{"identity:\n  trusted_proxies: [10.0.0.1]", 3, "stands beside from: connection"},
		{"identity:\n  headers: { cert: X }", 3, "identity.headers is read only with from: header"},
		{"identity:\n  from: header\n  headers: {}\n  trusted_proxies: [10.0.0.1]", 4, "identity.headers names no field"},
		{"identity:\n  from: header\n  headers: { cert: \"a b\", xfcc: last }\n  trusted_proxies: [10.0.0.1]", 4, `"a b" is no name of a request field`},
		{"identity:\n  from: header\n  headers: { xfcc: all }\n  trusted_proxies: [10.0.0.1]", 4, `identity.headers.xfcc is "all" (write last or first)`},
		{"identity:\n  from: fastcgi\n  trusted_proxies: [10.0.0.300]", 4, `identity.trusted_proxies[1] is "10.0.0.300" (write unix:`},
		{"identity:\n  from: fastcgi\n  trusted_proxies: [\"unix:x\"]", 4, `"unix:x" is no path of a socket`},
		{"identity:\n  from: fastcgi\n  trusted_proxies: [{ subject: { CN: \"{tenant}\" } }]", 4, "which nothing reads here"},
		{"identity:\n  from: fastcgi\n  trusted_proxies: [{ tenant: x }]", 4, `unknown key "tenant" in identity.trusted_proxies[1]`},
		{"identity:\n  require: cert_conn", 3, "identity.require is read only with from: proxy_v2"},
		{"identity:\n  from: proxy_v2\n  trusted_proxies: [10.0.0.1]\n  require: cert_sess", 5, `identity.require is "cert_sess" (write cert_conn)`},

		{"identity:\n  hierarchy: {}", 3, "identity.hierarchy needs one of file and entries"},
		{"identity:\n  hierarchy: { file: x }", 3, "identity.hierarchy.file cannot be read"},
		{"identity:\n  hierarchy: { entries: [a] }", 3, "identity.hierarchy.entries is a list (write parent: [child, child])"},
		{"identity:\n  hierarchy: { entries: { a: [a] } }", 3, `"a" is its own child`},
		{"identity:\n  hierarchy: { entries: { a: [b], A: [c] } }", 3, `parent "A" stands twice`},
		{"identity:\n  hierarchy:\n    entries: { a: [b], b: [c], c: [a] }", 4, `goes in a circle through "a"`},

		{db + "match: {}", 4, "database[1].match says nothing"},
		{db + "match: { prt: 1 }", 4, `unknown key "prt" in database[1].match (did you mean "port"?)`},
		{db + "match: { port: 70000 }", 4, "database[1].match.port is \"70000\" (write a port"},
		{db + "pooler: statement", 4, "database[1].pooler is \"statement\" (write none or session or transaction)"},
		{db + "unscoped: on", 4, "database[1].unscoped is \"on\" (write off or aggregate or finding)"},
		{"database:\n  - engine: postgres\n  - engine: postgres", 4, "database[2] comes behind an entry for every database of engine postgres"},
		{tenant + "schemas: tenants", 5, `database[1].tenant.schemas: "tenants" has no {tenant}`},
		{tenant + "schemas: [\"{tenant}\", x]", 5, `schemas[2]: "x" has no {tenant}`},
		{tenant + "schemas: { shard: x }", 5, `unknown key "shard" in database[1].tenant.schemas (did you mean "shared"?)`},
		{tenant + "schemas: {}", 5, "database[1].tenant.schemas says nothing"},
		{tenant + "roles: \"{tenant}*\"", 5, "* next to {tenant}"},
		{tenant + "roles: { shared: \"{tenant}\" }", 5, "which nothing reads here"},
		{tenant + "settings: [\"request.jwt.claims#\"]", 5, "names no member of the setting's JSON"},
		{tenant + "settings: [\"request.jwt.claims#a..b\"]", 5, "names no member of the setting's JSON"},
		{tenant + "settings: [\"@x\"]", 5, `"@x" is no name of a custom setting`},
		{my + "settings: [tenant.id]", 5, `"tenant.id" is no user variable (write it like @tenant_id)`},
		{my + "settings: [\"@@sql_mode\"]", 5, "is no user variable"},
		{my + "schemas: \"t_{tenant}\"", 5, "a schema of mysql is a database (write databases)"},
		{tenant + "key_prefix: \"{tenant}:*\"", 5, "database[1].tenant.key_prefix is \"{tenant}:*\" (write columns: { order_key:"},
		{tenant + "key_prefix: {}", 5, "database[1].tenant.key_prefix is empty"},
		{tenant + "key_prefix: { id: x }", 5, `database[1].tenant.key_prefix.id: "x" has no {tenant}`},
		{tenant + "key_prefix: { a.b: \"{tenant}:*\" }", 5, "is no name of a column"},
		{tenant + "key_prefix: { id: \"{tenant}:*\", ID: \"{tenant}\" }", 5, `column "id" stands twice`},
		{tenant + "columns: [id]\n      key_prefix: { id: \"{tenant}:*\" }", 6, `"id" is one of the tenant columns`},
		{tenant + "key_prefix: { a: \"{tenant}\", b: \"{tenant}\", c: \"{tenant}\", d: \"{tenant}\", e: \"{tenant}\" }", 5, "has more than 4 columns"},
		{db + "directory: { table: t, key: a }", 4, `database[1].directory has no "id"`},
		{db + "directory: { table: a.b.c, key: a, id: b }", 4, `"a.b.c" is no name of a table`},
		{db + "directory: { table: t, key: a.b, id: b }", 4, `"a.b" is no name of a column`},
		{db + "directory: { table: t, key: a, id: A }", 4, "key and id are the same column"},
		{"identity:\n  map: { entries: { a: b } }\ndatabase: [{ engine: postgres, directory: { table: t, key: a, id: b } }]", 1, "a directory of database stands beside identity.map"},

		{"verdict: { links: [thread, guess] }", 2, `verdict.links[2] is "guess" (write one of token, thread, task, transaction, set)`},
		{"verdict: { links: [] }", 2, "verdict.links is an empty list"},
		{"verdict: { linger: soon }", 2, `verdict.linger is "soon" (write a duration`},
		{"verdict: { min_identity: any }", 2, `verdict.min_identity is "any" (write verified or asserted)`},
		{"verdict: { link: x }", 2, `unknown key "link" in verdict (did you mean "links"?)`},
		{"evidence: { sql: text }", 2, `evidence.sql is "text" (write shape)`},
		{"evidence: { values: hmac }", 2, "evidence.values: hmac has no key (make one: umask 077; openssl rand -hex 32 >FILE; and add privacy: { key: FILE })"},
		{"evidence: { values: plain }", 2, `evidence.values is "plain" (write none or hmac)`},
		{"services:\n  - service: a\n    select: { unit: a }\n    evidence: { values: hmac }", 5, "evidence.values: hmac has no key"},
		{"evidence: { headers: all }", 2, `evidence.headers is "all" (write none)`},
		{"evidence: { path: none }", 2, `evidence.path is "none" (write full or template)`},
		{"evidence: { retention: 0d }", 2, `evidence.retention is "0d" (write a duration above zero: 30d, 12h)`},
		{"exempt:\n  - { application_name: \"{tenant}\", until: 2027-01-01, why: x }", 3, "which nothing reads here"},
		{"exempt:\n  - { cgroup: [], until: 2027-01-01, why: x }", 3, "exempt[1].cgroup is an empty list"},
	})
}

// TestWholeFile reads every key that policies are documented to have.
func TestWholeFile(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"tenants.csv": "cert,db\nacme,7\n", "groups.yaml": "7: [8, 9]\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const text = `
version: 1
service: billing-api
select: { unit: billing-api.service }
identity:
  from: connection
  trusted_proxies: []
  tenant:
    - san_uri: "spiffe://prod.example/tenant/{tenant}/**"
    - subject: { OU: "tenant-{tenant}" }
  map: { file: tenants.csv, key: cert, value: db }
  hierarchy: { file: groups.yaml }
  privileged:
    - { subject: { CN: "ops-*" }, tenants: any, until: 2027-01-01, why: OPS-12 }
request:
  tenant:
    - path: "/t/{tenant}/**"
    - header: X-Tenant-Id
  ignore: [ "/healthz", "/metrics" ]
database:
  - engine: postgres
    match: { port: 5432 }
    pooler: none
    tenant:
      columns: [tenant_id]
      settings: [app.current_tenant]
      schemas: "t_{tenant}"
      databases: ~
      roles: ~
      key_prefix: ~
    tables: { shared: [plans, "django_*", auth_permission], owned: "*" }
    unscoped: aggregate
    directory: ~
exempt:
  - { db_role: metering, statements: select, until: 2027-06-30, why: "nightly usage job" }
  - { route: "/admin/**", identity: privileged, until: 2027-06-30, why: console }
certificates:
  expired: finding
  grace: 5m
  revocation: { crl: /etc/pki/crl.pem, ocsp: off, max_age: 24h }
  max_connection_age: 24h
verdict: { links: [token, thread, task, transaction, set], linger: 2s, min_identity: verified }
evidence: { sql: shape, values: none, headers: none, path: template, retention: 30d }
privacy: { tenants: plain }
`
	p, err := Parse("policy.yaml", []byte(text), dir)
	if err != nil {
		t.Fatal(err)
	}
	if wrong := loadSchema(t).fault(t, text); wrong != "" {
		t.Errorf("the schema refuses it: %s", wrong)
	}
	own := p.For(&Process{Unit: "billing-api"})
	if own == p || own.Service() != "billing-api" || p.Service() != "" || p.For(&Process{Unit: "other"}) != p || p.For(&Process{}) != p {
		t.Errorf("selects %q", own.Service())
	}
	id := own.Identify(subject("OU=tenant-acme"), today)
	if !slices.Equal(id.Tenants, []string{"7"}) || !slices.Equal(id.Below, []string{"8", "9"}) || !own.Knows("9") || own.Knows("acme") {
		t.Errorf("%+v", id)
	}
	if len(p.Files()) != 2 || !slices.Equal(p.Columns(), []string{"tenant_id"}) || !slices.Equal(p.Headers(), []string{"x-tenant-id"}) {
		t.Errorf("files %q columns %q fields %q", p.Files(), p.Columns(), p.Headers())
	}
	db := own.Database(Postgres, "127.0.0.1:5432", "x")
	if db == nil || db.Pooler != PoolerNone || db.Unscoped != UnscopedAggregate || db.Schemas.Tenant("T_Acme") != "acme" || own.Database(Postgres, "127.0.0.1:5433", "x") != nil {
		t.Errorf("%+v", db)
	}
	if !own.EvidenceRules().PathTemplate || own.EvidenceRules().Retention != 30*24*time.Hour || p.EvidenceRules().PathTemplate {
		t.Errorf("%+v", own.EvidenceRules())
	}
	if r := own.VerdictRules(); r.Linger != 2*time.Second || !r.AllowsLink("thread") || r.MinIdentity != "verified" {
		t.Errorf("%+v", r)
	}
	notes := strings.Join(p.Notes(), "\n")
	if !strings.Contains(notes, "line 43: evidence.retention is for") || len(p.Notes()) != 1 {
		t.Errorf("notes:\n%s", notes)
	}
}
