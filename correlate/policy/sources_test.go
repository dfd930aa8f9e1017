package policy

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const upn = "1.3.6.1.4.1.311.20.2.3"

func everySource() *Certificate {
	return &Certificate{
		SHA256: strings.Repeat("ab", 32), Serial: "-80",
		Subject:    []Attribute{{"OU", "dept"}, {"OU", "tenant-acme"}, {"O", "Acme, Inc."}, {"CN", "api,O=beta"}, {"2.5.4.97", "PSDDE-BAFIN-1"}},
		Issuer:     []Attribute{{"O", "Acme  CA"}, {"OU", "issuer-unit"}, {"CN", "CA, one"}},
		URIs:       []string{"https://id.example/acme", "urn:x"},
		DNSNames:   []string{"acme.clients.example.", "b.example"},
		Emails:     []string{"svc@acme.example"},
		IPs:        []string{"192.0.2.7", "2001:db8::1"},
		OtherNames: []Typed{{upn, "svc@acme.example"}, {"1.2.3.4", "t-acme"}, {"1.2.3.5", ""}},
		Extensions: []Typed{{"1.3.6.1.4.1.99999.1", "8f14e45f-ceea-467f-a0e6-4f1b7f1b2c3d"}, {"1.3.6.1.4.1.99999.2", ""}, {"1.3.6.1.4.1.99999.3", "a"}, {"1.3.6.1.4.1.99999.3", "b"}},
	}
}

func TestSources(t *testing.T) {
	for _, c := range []struct{ rules, want, rule string }{
		{`[{ subject: { "OU[0]": "{tenant}" } }]`, "dept", "subject.OU[0]"},
		{`[{ subject: { "ou[1]": "tenant-{tenant}" } }]`, "acme", "subject.ou[1]"},
		{`[{ subject: { "OU[2]": "{tenant}" } }]`, "", "no identity rule"},
		{`[{ subject: { "OU[0]": dept, "OU[1]": "tenant-{tenant}" } }]`, "acme", "subject.OU[0]"},
		{`[{ subject: { "OU[0]": other, "OU[1]": "tenant-{tenant}" } }]`, "", "no identity rule"},
		{`[{ subject: { "2.5.4.97[0]": "{tenant}" } }]`, "psdde-bafin-1", ""},
		{`[{ subject: { OU: "{tenant}" } }]`, "", "names 2 tenants"},
		{`[{ subject: { OU: "issuer-{tenant}" } }]`, "", "no identity rule"}, // the issuer is not the subject
		{`[{ issuer: { OU: "issuer-{tenant}" } }]`, "unit", ""},
		{`[{ subject: { O: beta }, tenant: spoofed }, { subject: { O: "{tenant}" } }]`, "acme, inc.", "subject.O "}, // "CN=api,O=beta" is one value
		{`[{ oid: { 1.3.6.1.4.1.99999.1: "{tenant}" } }]`, "8f14e45f-ceea-467f-a0e6-4f1b7f1b2c3d", "oid.1.3.6.1.4.1.99999.1"},
		{`[{ oid: { 1.3.6.1.4.1.99999.2: "{tenant}" } }, { subject: { O: "{tenant}" } }]`, "", "is no text"},
		{`[{ oid: { 1.3.6.1.4.1.99999.3: "{tenant}" } }]`, "", "names 2 tenants"},
		{`[{ oid: { 1.3.6.1.4.1.99999: "{tenant}" } }]`, "", "no identity rule"},
		{`[{ san_other: { UPN: "*@{tenant}.example" } }]`, "acme", "san_other.UPN"},
		{`[{ san_other: { upn: "*@{tenant}" } }]`, "acme.example", ""},
		{`[{ san_other: { 1.3.6.1.4.1.311.20.2.3: "svc@{tenant}" } }]`, "acme.example", ""},
		{`[{ san_other: { 1.2.3.4: "t-{tenant}" } }]`, "acme", ""},
		{`[{ san_other: { 1.2.3.5: "{tenant}" } }, { subject: { O: "{tenant}" } }]`, "", "is no text"},
		{`[{ san_other: { XmppAddr: "*@{tenant}" } }]`, "", "no identity rule"},
		{`[{ san_ip: 192.0.2.7, tenant: x }]`, "x", "san_ip"},
		{`[{ san_ip: [192.0.2.8, "2001:DB8:0::1"], tenant: x }]`, "x", `san_ip one of "192.0.2.8", "2001:db8::1"`},
		{`[{ serial: "-0080", tenant: x }]`, "x", "serial"},
		{`[{ serial: "80", tenant: x }]`, "", "no identity rule"},
		{`[{ serial: [7f, "-80"], tenant: x }]`, "x", "serial one of"},
		{`[{ sha256: ["` + strings.Repeat("CD", 32) + `", "` + strings.Repeat("AB:", 31) + `AB"], tenant: x }]`, "x", "sha256 one of"},
		{`[{ serial: ["-80"], issuer: { CN: "CA, one" }, tenant: x }]`, "x", "issuer.CN"},
		{`[{ serial: ["-80"], issuer: { CN: "CA" }, tenant: x }]`, "", "no identity rule"},
		{`[{ san_ip: "{tenant}" }]
  multi: any
  map: { entries: { 2001:db8::1: six } }`, "six", "san_ip"},
	} {
		p := mustParse(t, "identity:\n  tenant: "+c.rules+"\n")
		if got := p.Identify(everySource(), today); strings.Join(got.Tenants, ",") != c.want || !strings.Contains(got.Rule, c.rule) {
			t.Errorf("%s\ngives %+v, want %q by %q", c.rules, got, c.want, c.rule)
		}
	}
}

// TestUnreadable holds that no rule guesses about a part that could not be read, and that others are not hindered.
func TestUnreadable(t *testing.T) {
	for _, c := range []struct{ part, rules, want, rule string }{
		{"subject", `[{ subject: { O: "{tenant}" } }]`, "", "subject could not be read"},
		{"subject", `[{ san_dns: "{tenant}.clients.example" }]`, "acme", ""},
		{"subject", `[{ subject: { O: x }, san_dns: "{tenant}.other" }, { san_dns: "{tenant}.clients.example" }]`, "acme", ""}, // it cannot match anyhow
		{"subject", `[{ subject: { O: x }, tenant: y }, { san_dns: "{tenant}.clients.example" }]`, "", "subject could not be read"},
		{"subject_alt_name", `[{ san_uri: "x:{tenant}" }, { subject: { O: "{tenant}" } }]`, "", "subject_alt_name could not be read"},
		{"subject_alt_name", `[{ san_other: { UPN: "{tenant}@*" } }, { subject: { O: "{tenant}" } }]`, "", "subject_alt_name could not be read"},
		{"subject_alt_name", `[{ subject: { O: "{tenant}" } }]`, "acme, inc.", ""},
		{"issuer", `[{ issuer: { O: x }, tenant: y }, { subject: { O: "{tenant}" } }]`, "", "issuer could not be read"},
		{"extensions", `[{ oid: { 1.2.3: "{tenant}" } }, { subject: { O: "{tenant}" } }]`, "", "extensions could not be read"},
		{"serial", `[{ serial: 7, tenant: y }, { subject: { O: "{tenant}" } }]`, "", "serial could not be read"},
		{"validity", `[{ subject: { O: "{tenant}" } }]`, "acme, inc.", ""},
	} {
		cert := everySource()
		cert.Unreadable = []string{c.part}
		p := mustParse(t, "identity:\n  tenant: "+c.rules+"\n")
		if got := p.Identify(cert, today); strings.Join(got.Tenants, ",") != c.want || !strings.Contains(got.Rule, c.rule) {
			t.Errorf("without %s, %s\ngives %+v, want %q by %q", c.part, c.rules, got, c.want, c.rule)
		}
	}
	p := mustParse(t, "identity:\n  tenant:\n    - { sha256: "+strings.Repeat("ab", 32)+", tenant: x }\n    - subject: { O: \"{tenant}\" }\n")
	if got := p.Identify(subject("O=acme"), today); len(got.Tenants) > 0 || !strings.Contains(got.Rule, "SHA-256 of the certificate is not known") {
		t.Errorf("without a hash: %+v", got)
	}
	if got := Default().Identify(subject("O=ac\ufffdme", "CN=x"), today); len(got.Tenants) > 0 || !strings.Contains(got.Rule, "could not be decoded") {
		t.Errorf("undecodable: %+v", got)
	}
}

func TestMapBy(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "m.csv"), []byte("serial,issuer,cert,db\n"+
		"-80,\"CN=CA\\, one,OU=ISSUER-unit,O=acme ca\","+strings.Repeat("AB", 32)+",t1\n"+
		"-80,\"CN=other,O=Acme CA\","+strings.Repeat("0c", 32)+",t2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ m, more, want, rule string }{
		{"{ file: m.csv, by: sha256 }", "", "t1", "map by sha256"},
		{"{ file: m.csv, by: serial }", "", "t1", "map by serial"},
		{"{ file: m.csv, by: serial, key: [serial, issuer] }", "", "t1", "map by serial"},
		{"{ entries: { \"https://id.example/ACME\": t1 }, by: san_uri }", "", "t1", "map by san_uri"},
		{"{ entries: { \"https://id.example/\": t1 }, by: san_uri }", "", "", "does not hold it"},
		{"{ entries: { acme.clients.example: t1 }, by: san_dns }", "", "t1", ""},
		{"{ entries: { acme.clients.example: t1, b.example.: t2 }, by: san_dns }", "", "", "names different tenants"},
		{"{ entries: { acme.clients.example: t1, b.example.: t1 }, by: san_dns }", "", "t1", ""},
		{"{ entries: { acme.clients.example: t1, b.example.: [t1, t2] }, by: san_dns }", "  multi: any\n", "t1,t2", ""},
		{"{ entries: { svc@acme.example: t1 }, by: san_email }", "", "t1", ""},
		{"{ entries: { 2001:db8:0::1: t1 }, by: san_ip }", "", "t1", ""},
		{"{ entries: { svc@acme.example: t1 }, by: { san_other: UPN } }", "", "t1", "map by san_other.UPN"},
		{"{ entries: { 8F14E45FCEEA467FA0E64F1B7F1B2C3D: t1 }, by: { oid: 1.3.6.1.4.1.99999.1 } }", "", "t1", ""},
		{"{ entries: { tenant-acme: t1 }, by: { subject: OU } }", "", "t1", ""},
		{"{ entries: { tenant-acme: t1 }, by: { subject: \"OU[0]\" } }", "", "", "does not hold it"},
		{"{ entries: { beta: t1 }, by: { subject: O } }", "", "", "does not hold it"},
		{"{ entries: { \"acme, inc.\": t1 }, by: name }", "  tenant: [{ subject: { O: \"{tenant}\" } }]\n", "t1", "subject.O"},
	} {
		p, err := Parse("x.yaml", []byte("version: 1\nidentity:\n  map: "+c.m+"\n"+c.more), dir)
		if err != nil {
			t.Errorf("%s: %v", c.m, err)
			continue
		}
		if got := p.Identify(everySource(), today); strings.Join(got.Tenants, ",") != c.want || !strings.Contains(got.Rule, c.rule) {
			t.Errorf("%s\ngives %+v, want %q by %q", c.m, got, c.want, c.rule)
		}
	}
	p := mustParse(t, "identity:\n  map: { entries: { \"spiffe://x/a\": t1 }, by: san_uri }\n")
	if got := p.Identify(uri("spiffe://x/a"), today); !slices.Equal(got.Tenants, []string{"t1"}) || got.Name != "spiffe://x/a" {
		t.Errorf("%+v", got)
	}
	if got := p.Identify(uri("spiffe://x/a", "urn:x"), today); len(got.Tenants) > 0 || !strings.Contains(got.Rule, "exactly one") {
		t.Errorf("two URIs: %+v", got)
	}
	if got := p.Mapped("Acme"); !slices.Equal(got, []string{"acme"}) || !slices.Equal(p.KnownTenants(), []string{"t1"}) {
		t.Errorf("Mapped %q, known %q", got, p.KnownTenants())
	}
	p = mustParse(t, "identity:\n  map: { entries: { \"a\ufffd\": t1, ab: t2 }, by: { subject: CN } }\n")
	for _, name := range []string{"a\ufffd", "ab\x00c", "a\x00b"} {
		if got := p.Identify(subject("CN="+name), today); len(got.Tenants) > 0 || !strings.Contains(got.Rule, "does not hold it") {
			t.Errorf("%q: %+v", name, got)
		}
	}
	cert := everySource()
	cert.Unreadable = []string{"issuer"}
	if p, err := Parse("x.yaml", []byte("version: 1\nidentity:\n  map: { file: m.csv, by: serial }\n"), dir); err != nil {
		t.Error(err)
	} else if got := p.Identify(cert, today); len(got.Tenants) > 0 || !strings.Contains(got.Rule, "issuer could not be read") {
		t.Errorf("%+v", got)
	}
}

func TestMapByErrors(t *testing.T) {
	dir := t.TempDir()
	for text, want := range map[string]string{
		"serial,db\n1,a\n":                    `no column "issuer"`,
		"serial,issuer,db\nxyz,CN=a,b\n":      `line 2: "xyz" is no serial (write the hex digits`,
		"serial,issuer,db\n1,,b\n":            `line 2: "1" has the issuer "": is empty`,
		"serial,issuer,db\n\n1,/CN=a/O=b,c\n": `line 3: "1" has the issuer "/CN=a/O=b": has no attribute at`,
		"serial,issuer,db\n1,CN=a;b,c\n":      `has a bare ';'`,
		"":                                    `columns "serial", "issuer", "db"`,
	} {
		if err := os.WriteFile(filepath.Join(dir, "m.csv"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Parse("x.yaml", []byte("version: 1\nidentity:\n  map: { file: m.csv, by: serial }\n"), dir)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "line 3: map") {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func TestDN(t *testing.T) {
	for text, want := range map[string]string{
		`CN=a,O=b`:                       `2.5.4.10="b"2.5.4.3="a"`,
		` cn = A  B , O = b `:            `2.5.4.10="b"2.5.4.3="a b"`,
		`CN=a\,O\=b,O=c`:                 `2.5.4.10="c"2.5.4.3="a,o=b"`,
		`CN=a+UID=b`:                     `0.9.2342.19200300.100.1.1="b"2.5.4.3="a"`,
		`CN=M\C3\BCller`:                 `2.5.4.3="müller"`,
		`CN=a\00b`:                       `2.5.4.3="a\x00b"`,
		`emailAddress=a@b,2.5.4.97=x,C=`: `2.5.4.6=""2.5.4.97="x"1.2.840.113549.1.9.1="a@b"`,
		`CN=\ a\ `:                       `2.5.4.3="a"`,
	} {
		dn, err := parseDN(text)
		if got := canonicalDN(dn); err != nil || got != want {
			t.Errorf("%s: %s, %v, want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", " ", "a", "=", "XX=a", "CN=a,", `CN=a\`, `CN=a\g`, "CN=a,,O=b", `CN="a"`, `CN=\ff`, "/CN=a"} {
		if dn, err := parseDN(text); err == nil {
			t.Errorf("%q is accepted: %q", text, dn)
		}
	}
}

// FuzzDN checks that what is written by escaping every special character is read back.
func FuzzDN(f *testing.F) {
	f.Add(`CN=a\,b,O=c`, "x")
	f.Add(`CN=\C3\BC+OU=#\ `, ` a,O="b"\`)
	f.Fuzz(func(t *testing.T, text, value string) {
		if dn, err := parseDN(text); err == nil && len(dn) == 0 {
			t.Errorf("%q has no attributes", text)
		}
		if !strings.Contains(value, "\ufffd") && unclean(value) == "" {
			var b strings.Builder
			for _, r := range value {
				if strings.ContainsRune(` "#+,;<=>\`, r) {
					b.WriteByte('\\')
				}
				b.WriteRune(r)
			}
			dn, err := parseDN("CN=" + b.String() + ",O=x")
			if err != nil || len(dn) != 2 || dn[1].Value != value || dn[0].Value != "x" {
				t.Errorf("%q is read as %q, %v", value, dn, err)
			}
		}
	})
}

func TestExplainSources(t *testing.T) {
	cert := everySource()
	cert.Malformed, cert.Unreadable = []string{"serial"}, []string{"issuer"}
	var b strings.Builder
	if err := Default().Explain(&b, cert, nil, today); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"its serial is malformed", "its issuer could not be read", `subject.OU[1] "tenant-acme"`, `issuer.CN[0] "CA, one"`, `san_ip "192.0.2.7"`,
		`san_other.1.3.6.1.4.1.311.20.2.3 "svc@acme.example"`, "oid.1.3.6.1.4.1.99999.2 is no text", `san_uri "urn:x"`, `san_dns "b.example"`, `san_email "svc@acme.example"`,
	} {
		if !strings.Contains(b.String(), "certificate: "+want) {
			t.Errorf("no %q in\n%s", want, &b)
		}
	}
}
