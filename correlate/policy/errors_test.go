package policy

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestErrors holds one wrong policy per message: what it says, and on which line. Policies begin with the line "version: 1".
func TestErrors(t *testing.T) {
	checkErrors(t, []wrongPolicy{
		{"colums: x", 2, `unknown key "colums" (known: version, service`},
		{"servce: x", 2, `unknown key "servce" (did you mean "service"?)`},
		{"version: 1", 2, `key "version" stands twice (keep one)`},
		{"service: [a]", 2, "service is a list (want one value)"},
		{"service:", 2, "service is empty"},
		{"service: \"a\\tb\"", 2, "service holds a control character"},
		{"? [a, b]\n: c", 2, "a key is a list"},
		{"identity: 7", 2, `identity is "7" (want keys: from,`},
		{"identity:", 2, "identity is empty"},
		{"identity:\n  from: nowhere", 3, `identity.from is "nowhere" (write connection or header`},
		{"identity:\n  multi: all", 3, `identity.multi is "all" (write reject or any)`},
		{"identity:\n  tenant: x", 3, `identity.tenant is "x" (want a list)`},
		{"identity:\n  tenant: []", 3, "identity.tenant has no rules"},
		{"identity:\n  tenant:\n    - {}", 4, "identity.tenant[1] says nothing about the certificate"},
		{"identity:\n  tenant:\n    - san_uri: \"spiffe://*/x\"", 4, "identity.tenant[1] names no tenant (write {tenant}"},
		{"identity:\n  tenant:\n    - san_ur: \"{tenant}\"", 4, `unknown key "san_ur" in identity.tenant[1] (did you mean "san_uri"?)`},
		{"identity:\n  tenant:\n    - { san_uri: \"{tenant}\", tenant: x }", 4, `has a "tenant" too`},
		{"identity:\n  tenant:\n    - subject: { CN: \"{tenant}\", O: \"{tenant}\" }", 4, "in several places"},
		{"identity:\n  tenant:\n    - subject: { XX: \"{tenant}\" }", 4, `unknown attribute "XX" in identity.tenant[1].subject`},
		{"identity:\n  tenant:\n    - subject: { CN: \"{tenant}\", cn: x }", 4, `attribute "cn" stands twice`},
		{"identity:\n  tenant:\n    - subject: x", 4, `identity.tenant[1].subject is "x" (write attributes`},
		{"identity:\n  tenant:\n    - subject: { CN: \"{name}\" }", 4, "unknown placeholder (only {tenant} captures"},
		{"identity:\n  tenant:\n    - subject: { CN: \"*{tenant}\" }", 4, "* next to {tenant}"},
		{"identity:\n  tenant:\n    - subject: { CN: \"{tenant}*\" }", 4, "* next to {tenant}"},
		{"identity:\n  tenant:\n    - subject: { CN: \"**{tenant}\" }", 4, "* next to {tenant}"},
		{"identity:\n  tenant:\n    - subject: { CN: \"{tenant}{tenant}\" }", 4, "has {tenant} twice"},
		{"identity:\n  tenant:\n    - san_uri: \"a**/{tenant}\"", 4, "** inside a segment"},
		{"identity:\n  tenant:\n    - san_uri: \"/{tenant}/**x\"", 4, "** inside a segment"},
		{"identity:\n  tenant:\n    - san_uri: \"/{tenant}/***\"", 4, "has ***"},
		{"identity:\n  tenant:\n    - sha256: abc\n      tenant: x", 4, "write the 64 hex digits"},
		{"identity:\n  tenant:\n    - serial: xyz\n      tenant: x", 4, "write the hex digits"},
		{"identity:\n  tenant:\n    - serial: 0a01", 4, "names no tenant"},
		{"identity:\n  tenant:\n    - sha256: \"{tenant}\"", 4, "no map turns it into a tenant"},
		{"identity:\n  tenant:\n    - serial: []\n      tenant: x", 4, "serial is an empty list"},
		{"identity:\n  tenant:\n    - serial: [\"{tenant}\"]", 4, "is {tenant} inside a list"},
		{"identity:\n  tenant:\n    - serial: [1, xyz]\n      tenant: x", 4, "identity.tenant[1].serial[2] is \"xyz\" (write the hex digits"},
		{"identity:\n  tenant:\n    - san_ip: 10.0.0.0/8\n      tenant: x", 4, "write an IPv4 or IPv6 address"},
		{"identity:\n  tenant:\n    - san_ip: \"{tenant}\"", 4, "san_ip captures, but no map turns it into a tenant"},
		{"identity:\n  tenant:\n    - subject: { \"OU[x]\": \"{tenant}\" }", 4, "has no index (write \"OU[0]\""},
		{"identity:\n  tenant:\n    - subject: { \"OU[1\": \"{tenant}\" }", 4, "has no index"},
		{"identity:\n  tenant:\n    - subject: { \"OU[256]\": \"{tenant}\" }", 4, "has no index"},
		{"identity:\n  tenant:\n    - subject: { \"OU[01]\": a, \"ou[1]\": \"{tenant}\" }", 4, "stands twice"},
		{"identity:\n  tenant:\n    - subject: {}", 4, "is empty (write attributes"},
		{"identity:\n  tenant:\n    - oid: { CN: \"{tenant}\" }", 4, "is an attribute of a name, no extension (write subject: { \"CN\""},
		{"identity:\n  tenant:\n    - oid: { 2.5.4.97: \"{tenant}\" }", 4, "is an attribute of a name, no extension"},
		{"identity:\n  tenant:\n    - oid: { 2.5.29.17: \"{tenant}\" }", 4, "is an extension of X.509 itself"},
		{"identity:\n  tenant:\n    - oid: { x: \"{tenant}\" }", 4, "unknown extension \"x\""},
		{"identity:\n  tenant:\n    - oid: x", 4, "write object identifiers: {"},
		{"identity:\n  tenant:\n    - san_other: { CN: \"{tenant}\" }", 4, "unknown type \"CN\" in identity.tenant[1].san_other (write UPN"},
		{"identity:\n  tenant:\n    - san_other: \"*@{tenant}\"", 4, "write types: { UPN:"},
		{"identity:\n  map: { entries: { a: 1 }, by: color }", 3, "identity.map.by is \"color\" (write one of name, san_uri"},
		{"identity:\n  map: { entries: { a: 1 }, by: { san_uri: x } }", 3, "is a mapping of something else"},
		{"identity:\n  map: { entries: { a: 1 }, by: { subject: XX } }", 3, "unknown attribute \"XX\" in identity.map.by.subject"},
		{"identity:\n  map: { entries: { a: 1 }, by: serial }", 3, "needs the issuer of each too"},
		{"identity:\n  map: { entries: { a: 1 }, by: sha256 }", 3, "key \"a\" of identity.map.entries is no sha256 (write the 64 hex digits"},
		{"identity:\n  map: { file: x, by: serial, key: serial }", 3, "identity.map.key is not the two columns"},
		{"identity:\n  map: { entries: { a: 1 }, by: san_dns }\n  tenant: [{ san_dns: \"{tenant}\" }]", 4, "stands beside identity.map.by"},
		{"identity:\n  map: {}", 3, "needs one of file and entries"},
		{"identity:\n  map: { file: a, entries: {} }", 3, "needs one of file and entries"},
		{"identity:\n  map: { file: missing.csv }", 3, "identity.map.file cannot be read"},
		{"identity:\n  map: { file: . }", 3, "is not a regular file"},
		{"identity:\n  map: { entries: { a: 1 }, key: x }", 3, "identity.map.key belongs to a map file"},
		{"identity:\n  map: { entries: [a] }", 3, "identity.map.entries is a list"},
		{"identity:\n  map:\n    entries:\n      Acme: 1\n      acme: 2", 6, `key "acme" stands twice`},
		{"identity:\n  map:\n    entries:\n      acme: ", 5, "identity.map.entries.acme is empty"},
		{"identity:\n  map: { url: x }", 3, `unknown key "url" in identity.map`},
		{"identity:\n  privileged:\n    - { tenants: any, until: 2027-01-01, why: x }", 4, "says nothing about the certificate"},
		{"identity:\n  privileged:\n    - { subject: { CN: a }, until: 2027-01-01, why: x }", 4, `has no "tenants"`},
		{"identity:\n  privileged:\n    - { subject: { CN: a }, tenants: [], until: 2027-01-01, why: x }", 4, "is an empty list"},
		{"identity:\n  privileged:\n    - { subject: { CN: a }, tenants: [any], until: 2027-01-01, why: x }", 4, "write tenants: any"},
		{"identity:\n  privileged:\n    - { subject: { CN: a }, tenants: [request], until: 2027-01-01, why: x }", 4, "write tenants: request"},
		{"identity:\n  privileged:\n    - { subject: { CN: a }, tenants: any, why: x }", 4, `identity.privileged[1] has no "until"`},
		{"identity:\n  privileged:\n    - { subject: { CN: a }, tenants: any, until: 2027-01-01 }", 4, `has no "why"`},
		{"identity:\n  privileged:\n    - { subject: { CN: a }, tenants: any, until: tomorrow, why: x }", 4, `until is "tomorrow" (write a day: 2027-06-30)`},
		{"identity:\n  privileged:\n    - { subject: { CN: a }, tenants: any, until: 2027-02-30, why: x }", 4, "write a day"},
		{"identity:\n  privileged:\n    - { subject: { CN: \"{tenant}\" }, tenants: any, until: 2027-01-01, why: x }", 4, "which nothing reads here"},
		{"request:\n  tenants: []", 3, `unknown key "tenants" in request (did you mean "tenant"?)`},
		{"request:\n  tenant:\n    - { path: \"/t/{tenant}\", header: X }", 4, "needs one of path and header"},
		{"request:\n  tenant:\n    - pth: \"/t/*\"", 4, `unknown key "pth" in request.tenant[1] (did you mean "path"?)`},
		{"request:\n  tenant:\n    - path: \"/t/*\"", 4, `"/t/*" has no {tenant}`},
		{"request:\n  tenant:\n    - path: \"t/{tenant}\"", 4, `does not begin with a slash (write "/t/{tenant}")`},
		{"request:\n  tenant:\n    - header: \"X Tenant\"", 4, "is no name of a request field"},
		{"request:\n  ignore: [healthz]", 3, "does not begin with a slash"},
		{"request:\n  ignore: [\"/a/\"]", 3, "ends in a slash"},
		{"request:\n  ignore: [\"/t/{tenant}\"]", 3, "which nothing reads here"},
		{"database: { engine: postgres }", 2, "database is a mapping (want a list)"},
		{"database:\n  - {}", 3, `database[1] has no "engine"`},
		{"database:\n  - engine: oracle", 3, `is "oracle" (write postgres or mysql)`},
		{"database:\n  - engine: postgres\n    tenant:\n      colums: [a]", 5, `unknown key "colums" in database[1].tenant (did you mean "columns"?)`},
		{"database:\n  - engine: postgres\n    tenant:\n      columns: [t.tenant_id]", 5, "is no name of a column"},
		{"database:\n  - engine: postgres\n    tenant:\n      columns: [[a]]", 5, "columns[1] is a list"},
		{"database:\n  - engine: postgres\n    tenant:\n      settings: [tenant]", 5, "is no name of a custom setting"},
		{"database:\n  - engine: postgres\n    tables: { shared: [a], owned: [A] }", 4, "both shared and owned"},
		{"database:\n  - engine: postgres\n    tables: { shared: [a.b.c] }", 4, "more than a schema and a table"},
		{"exempt:\n  - { route: \"/a\", why: x }", 3, `exempt[1] has no "until"`},
		{"exempt:\n  - { route: \"/a\", until: 2027-01-01 }", 3, `exempt[1] has no "why"`},
		{"exempt:\n  - { until: 2027-01-01, why: x }", 3, "exempt[1] covers everything"},
		{"exempt:\n  - { statements: any, until: 2027-01-01, why: x }", 3, "covers everything"},
		{"exempt:\n  - { statements: write, db_role: a, until: 2027-01-01, why: x }", 3, "(write select or any)"},
		{"exempt:\n  - { identity: anyone, until: 2027-01-01, why: x }", 3, "(write privileged)"},
		{"exempt:\n  - { tables: [], until: 2027-01-01, why: x }", 3, "is an empty list"},
		{"exempt:\n  - { fingerprint: xyz, until: 2027-01-01, why: x }", 3, "16 hex digits"},
		{"certificates:\n  expired: on", 3, "(write finding or off)"},
		{"certificates:\n  grace: 5", 3, `certificates.grace is "5" (write a duration`},
		{"certificates:\n  grace: -5m", 3, "not negative"},
		{"certificates:\n  max_connection_age: 0s", 3, "certificates.max_connection_age is \"0s\" (write a duration above zero"},
		{"certificates:\n  revocation: { max_age: 1h }", 3, "certificates.revocation names no file (add crl: FILE"},
		{"certificates:\n  revocation: on", 3, "certificates.revocation is \"on\" (want keys: crl"},
		{"certificates:\n  revocation: { crl: [] }", 3, "certificates.revocation.crl is an empty list"},
		{"certificates:\n  revocation: { crl: [a, a] }", 3, "names \"a\" twice"},
		{"certificates:\n  revocation: { crl: a, max_age: 1d }", 3, "certificates.revocation.max_age is \"1d\" (write a duration above zero"},
		{"certificates:\n  revocation: { crl: a, ocsp: soft }", 3, "certificates.revocation.ocsp is \"soft\" (write off, or leave it out"},
		{"certificates:\n  revocation: { crl: a, url: b }", 3, "unknown key \"url\" in certificates.revocation"},
		{"privacy:\n  tenants: hmac", 3, "privacy.tenants: hmac has no key (make one: umask 077; openssl rand -hex 32 >FILE; and add key: FILE)"},
		{"privacy: { tenants: hidden }", 2, `privacy.tenants is "hidden" (write plain or hmac)`},
		{"privacy: { tenants: hmac, key: absent }", 2, "privacy.key cannot be used"},
		{"privacy: { key: absent }", 2, "privacy.key is read only with tenants: hmac, or with evidence.values: hmac"},
		{"privacy: { path_words: [x] }", 2, "privacy.path_words is read only with tenants: hmac"},
		{"services:\n  - { service: a, select: { unit: a }, privacy: { tenants: hmac } }", 3, `unknown key "privacy" in services[1]`},
		{"service: &a x", 2, "anchor or an alias"},
		{"service: !!binary YQ==", 2, "has a YAML tag"},
		{"service: x: y", 2, "is not YAML"},
		{"---\nversion: 1", 2, "has a second document"},
		{"identity: " + strings.Repeat("[", 40) + strings.Repeat("]", 40), 2, "is nested deeper"},
	})
}

// wrongPolicy is a policy with one fault: its line, and a part of the message.
type wrongPolicy struct {
	text string
	line int
	want string
}

func checkErrors(t *testing.T, all []wrongPolicy) {
	t.Helper()
	schema := loadSchema(t)
	for _, c := range all {
		if strings.HasPrefix(c.want, "unknown key") && schema.fault(t, "version: 1\n"+c.text) == "" {
			t.Errorf("the schema accepts the unknown key of %q", c.text)
		}
		_, err := parse("x.yaml", []byte("version: 1\n"+c.text+"\n"), t.TempDir(), reader{readFile, readSecret}, Default())
		if err == nil {
			t.Errorf("%q is accepted", c.text)
			continue
		}
		lines := strings.Split(err.Error(), "\n")
		if prefix := fmt.Sprintf("policy \"x.yaml\" line %d: ", c.line); len(lines) != 1 || !strings.HasPrefix(lines[0], prefix) ||
			!strings.Contains(lines[0], c.want) {
			t.Errorf("%q:\n got %s\nwant %s… %s", c.text, err, prefix, c.want)
		}
	}
}

func TestWholeFileErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                                `policy "x.yaml": is empty (write at least: version: 1)`,
		"# nothing\n":                     "is empty",
		"~":                               "is empty",
		"service: x\n":                    `has no key "version" (add: version: 1)`,
		"version: 2\n":                    `line 1: version "2" is not supported by this version (write 1)`,
		"- a\n":                           "the policy is a list (want keys: version,",
		"just text":                       `the policy is "just text"`,
		"\t\x00":                          "is not YAML",
		strings.Repeat("#", maxFile+1):    "is larger than 1048576 bytes",
		"version: 1\nversion: &a [*a]\n":  "",
		"version: 1\nservice: *a\n":       "is not YAML: unknown anchor",
		"a: &a [x,x]\nb: &b [*a,*a]\n":    "anchor or an alias",
		"version: 1\nservice: \"\x80\"\n": "is not YAML",
	} {
		_, err := Parse("x.yaml", []byte(text), "")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, want %q", text, err, want)
		}
	}
}

func TestProblemsAreJoined(t *testing.T) {
	_, err := Parse("x.yaml", []byte("service: [x]\ncolums: a\nversion: 3\n"), "")
	want := `policy "x.yaml" line 1: service is a list (want one value)
policy "x.yaml" line 2: unknown key "colums" (known: version, service, select, services, identity, request, database, exempt, certificates, verdict, evidence, privacy)
policy "x.yaml" line 3: version "3" is not supported by this version (write 1)`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	var p *Problem
	if !errors.As(err, &p) || p.Line != 1 {
		t.Errorf("%+v", p)
	}
	_, err = Parse("x.yaml", []byte("version: 1\n"+strings.Repeat("? [a]\n: b\n", 50)), "")
	if n := strings.Count(err.Error(), "\n") + 1; n != maxProblems+1 || !strings.HasSuffix(err.Error(), "and 30 more") {
		t.Errorf("%d lines: %v", n, err)
	}
}

func TestLoadErrors(t *testing.T) {
	dir := t.TempDir()
	_, err := Load(filepath.Join(dir, "none.yaml"))
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "none.yaml") {
		t.Errorf("%v", err)
	}
	if _, err = Load(dir); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("%v", err)
	}
	big := filepath.Join(dir, "big.yaml")
	if err := os.WriteFile(big, make([]byte, maxFile+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err = Load(big); err == nil || !strings.Contains(err.Error(), "is larger than") {
		t.Errorf("%v", err)
	}
}

func TestTooManyRules(t *testing.T) {
	text := "version: 1\nrequest:\n  ignore:\n" + strings.Repeat("  - /a\n", maxRules+1)
	_, err := Parse("x.yaml", []byte(text), "")
	if err == nil || !strings.Contains(err.Error(), "line 10004: the policy has more than 10000 rules") || strings.Contains(err.Error(), "\n") {
		t.Errorf("%v", err)
	}
}

func TestNearest(t *testing.T) {
	known := []string{"columns", "settings", "shared"}
	for word, want := range map[string]string{"colums": "columns", "setings": "settings", "sharde": "shared", "x": "", "schemas": "", "": ""} {
		if got := nearest(word, known); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
}
