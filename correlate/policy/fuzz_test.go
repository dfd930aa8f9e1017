package policy

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzTemplate checks templates against an oracle of regular expressions, and Normalize for idempotence.
func FuzzTemplate(f *testing.F) {
	for _, s := range [][2]string{
		{"spiffe://*/tenant/{tenant}/**", "spiffe://lab.example/tenant/acme"}, {"/t/{tenant}/**", "/t/acme/x"}, {"**/a*b/**/{tenant}", "x/ab/y/z"},
		{"tenant-{tenant}", "TENANT-acme"}, {"/a/**/c", "/a/b/c"}, {"*", "ÄÖ"}, {"/**", "/"}, {"{tenant}.*", "a.b.c"}, {"**/**/x", "x"}, {"İ", "i"},
	} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, template, text string) {
		if n := Normalize(text); Normalize(n) != n {
			t.Errorf("Normalize(%q) is %q, and then %q", text, n, Normalize(n))
		}
		p, err := compile(template, '/', false)
		if err != nil || len(text) > 200 || len(template) > 100 {
			return
		}
		from, to, n := p.find(text)
		if n == 1 && (from >= to || strings.Contains(text[from:to], "/")) {
			t.Errorf("%q captures %q in %q", template, text[from:to], text)
		}
		if folded, err := compile(template, '/', true); err != nil {
			t.Errorf("%q compiles only without folding: %v", template, err)
		} else if utf8.ValidString(text) && p.match(text) && !folded.match(text) {
			t.Errorf("%q matches %q only with case", template, text)
		}
		if !utf8.ValidString(text) {
			return
		}
		re := oracle(t, template)
		if got, want := p.match(text), re.MatchString(text); got != want && !strings.Contains(template, placeholder) {
			t.Errorf("%q matches %q: %v, the oracle says %v", template, text, got, want)
		}
		if n > 0 && !re.MatchString(text) {
			t.Errorf("%q captures in %q, the oracle says no", template, text)
		}
		if m := re.FindStringSubmatch(text); n == 0 && m != nil && len(m) > 1 && strings.TrimSpace(m[1]) != "" {
			t.Errorf("%q captures nothing in %q, the oracle %q", template, text, m[1])
		}
	})
}

// oracle translates a template into a regular expression.
func oracle(t *testing.T, template string) *regexp.Regexp {
	for strings.Contains(template, "**/**") {
		template = strings.ReplaceAll(template, "**/**", "**")
	}
	var b strings.Builder
	b.WriteString(`(?s)\A`)
	for i := 0; i < len(template); {
		rest := template[i:]
		switch {
		case rest == "/**":
			b.WriteString(`(?:/.*)?`)
			i = len(template)
		case strings.HasPrefix(rest, "/**/"):
			b.WriteString(`/(?:.*/)?`)
			i += 4
		case strings.HasPrefix(rest, "**/"):
			b.WriteString(`(?:.*/)?`)
			i += 3
		case rest == "**":
			b.WriteString(`.*`)
			i += 2
		case rest[0] == '*':
			b.WriteString(`[^/]*`)
			i++
		case strings.HasPrefix(rest, placeholder):
			b.WriteString(`([^/]+)`)
			i += len(placeholder)
		default:
			_, n := utf8.DecodeRuneInString(rest)
			b.WriteString(regexp.QuoteMeta(rest[:n]))
			i += n
		}
	}
	b.WriteString(`\z`)
	re, err := regexp.Compile(b.String())
	if err != nil {
		t.Fatalf("oracle of %q: %v", template, err)
	}
	return re
}

// discreet is all that a log may tell of a broken policy that hides names.
var discreet = regexp.MustCompile(`^policy "x\.yaml" line \d+(, "x\.yaml" line \d+)*: wrong, in words that may name tenants \[[a-z ]+\]$`)

// FuzzParse checks that no policy, however wrong, does harm, and that one that is accepted can be used.
func FuzzParse(f *testing.F) {
	f.Add(defaultYAML)
	f.Add([]byte("version: 1" + requestPolicy))
	f.Add([]byte("version: 1\nidentity:\n  map: { entries: { a: [b, c] } }\n  privileged:\n    - { subject: { CN: x }, tenants: any, until: 2027-01-01, why: y }\n"))
	f.Add([]byte("version: 1\nexempt: [{ route: /a/**, tables: [a.b, c*], until: 2027-01-01, why: x }]\n"))
	f.Add([]byte("version: 1\ndatabase: [{ engine: postgres, tables: { shared: [a, b*], owned: '*' } }]\n"))
	f.Add([]byte("version: 1\nidentity: { map: { entries: { x: [y] }, by: { subject: 'CN[0]' } } }\n"))
	f.Add([]byte("version: 1\nidentity: { map: { entries: { a.b: y }, by: san_dns } }\n"))
	f.Add([]byte("version: 1\nidentity:\n  tenant:\n    - { oid: { 1.2.3: '{tenant}' }, san_other: { UPN: '*@x' }, serial: [1, -2], san_ip: ::1 }\n    - { subject: { 'OU[1]': '{tenant}' } }\n"))
	f.Add([]byte("version: 1\nservices: [{ service: a, select: { unit: a, listen: [1] }, database: [{ engine: mysql, match: { port: 1 }, tenant: { databases: { tenant: 'a_{tenant}', shared: b } } }] }]\n"))
	f.Add([]byte("version: 1\nservice: a\nselect: { exe: a }\nidentity: { hierarchy: { entries: { a: [b], b: c } }, from: proxy_v2, trusted_proxies: [::1, 'unix:/x'], require: cert_conn }\n"))
	f.Add([]byte("version: 1\ndatabase: [{ engine: postgres, pooler: transaction, tenant: { schemas: '{tenant}', roles: ~, key_prefix: { k: '{tenant}:*' }, settings: [a.b#c.d] }, directory: { table: a.b, key: c, id: d } }]\n"))
	f.Add([]byte("version: 1\nverdict: { links: [set], linger: 2s, min_identity: asserted }\nevidence: { path: template, retention: 30d }\n"))
	f.Add([]byte("version: 1\nservices: [{ service: a, select: { pid_file: [/a, /run//b], container_image: 'a/**', k8s: { ns: a, pod: 'b-*', container: c, labels: {} } }, evidence: { values: hmac } }]\n"))
	f.Add([]byte("version: 1\nprivacy: { tenants: hmac, key: k, path_words: [a, 'v*'] }\nevidence: { values: hmac }\nidentity: { hierarchy: { entries: { a: [a] } } }\n"))
	examples, err := filepath.Glob("../../deploy/policies/*.yaml")
	if err != nil || len(examples) == 0 {
		f.Fatal(err)
	}
	for _, name := range examples {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("a: &a [*a]"))
	f.Add([]byte("version: 1\nidentity: { map: { file: x, key: a } }"))
	base := Default()
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := parse("x.yaml", data, "", noFiles, base)
		if (p == nil) == (err == nil) {
			t.Fatalf("policy %v and error %v", p, err)
		}
		if err != nil {
			if !strings.HasPrefix(err.Error(), `policy "x.yaml"`) {
				t.Errorf("error without its file: %v", err)
			}
			if text := Discreet(err, true).Error(); !discreet.MatchString(text) {
				t.Errorf("an error tells more than its lines: %s", text)
			}
			return
		}
		c := &Certificate{SHA256: "00", Serial: "1", Subject: []Attribute{{"CN", "x"}, {"O", "y"}}, URIs: []string{"spiffe://x/tenant/y"},
			IPs: []string{"::1"}, OtherNames: []Typed{{"1.2.3", ""}}, Extensions: []Typed{{"1.2.3", "x"}}, Unreadable: []string{"issuer"}}
		p.Identify(c, today)
		p.Expired(today)
		p.Lapsed(Use{Time: today.AddDate(9, 0, 0), Process: &Process{Unit: "a"}})
		for _, process := range []*Process{{}, {Unit: "a", Exe: "/a", Listen: []uint16{1}}} {
			q := p.For(process)
			q.IdentifyBy(c, today, func(name string) []string { return []string{name} })
			for _, engine := range []string{Postgres, MySQL} {
				if db := q.Database(engine, "[::1]:1", "a_x"); db != nil {
					db.Table("a_x", "t")
					db.Named("", "t")
					db.TenantOf("a_x")
					if db.Hides("a_x") && db.Schemas.Tenant("a_x") == "" && db.Databases.Tenant("a_x") == "" && db.Roles.Tenant("a_x") == "" {
						t.Error("a name is hidden that is nobody's")
					}
					db.HidesAny()
					db.Roles.Tenant("r")
				}
			}
		}
		p.RequestTenants("/t/acme/x%2fy/../z;w", func(string) []string { return []string{"x"} })
		p.Route("/t/acme/7")
		p.Ignored("/x")
		p.Places()
		if s := p.Pseudonyms(); s != nil {
			route := p.HiddenRoute(s, "/t/acme/x/7/acme", func(name string) bool { return name == "acme" })
			if strings.Contains(route, "acme") {
				t.Errorf("route %q", route)
			}
			p.Mentions("acme")
		}
		tableOf(p, "", "x")
		p.Exempt(Use{Time: today, Route: "/a", Tables: []string{"c"}})
		if err := p.Explain(&strings.Builder{}, c, p.Database(Postgres, "", ""), today, "a.b"); err != nil {
			t.Error(err)
		}
	})
}

// FuzzMap checks the reader of map files.
func FuzzMap(f *testing.F) {
	f.Add([]byte("cert,db\nacme,1\n"))
	f.Add([]byte("\xef\xbb\xbfdb,cert\n\"a\"\"b\",x\n#\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		pairs, err := readCSV(data, columns{key: "cert", value: "db"})
		if err != nil {
			return
		}
		for _, p := range pairs {
			if p.key == "" || p.value == "" || len(newNameMap(pairs).find(p.key)) == 0 {
				t.Errorf("%q is lost", p)
			}
		}
	})
}
