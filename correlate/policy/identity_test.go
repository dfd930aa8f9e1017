package policy

import (
	"strings"
	"testing"
)

func TestDefaultIdentity(t *testing.T) {
	p := Default()
	for _, c := range []struct {
		name string
		cert *Certificate
		want string // tenant, "" unmapped
		rule string // part of Rule
	}{
		{"spiffe", uri("spiffe://lab.example/tenant/Acme/svc/api"), "acme", "san_uri"},
		{"spiffe ends at the tenant", uri("spiffe://lab.example/tenant/acme"), "acme", "san_uri"},
		{"spiffe elsewhere", uri("spiffe://lab.example/ns/acme/sa/api"), "", "no identity rule"},
		{"spiffe without a name", uri("spiffe://lab.example/tenant"), "", "no identity rule"},
		{"two SPIFFE names", uri("spiffe://lab.example/tenant/acme", "spiffe://lab.example/tenant/beta"), "", "exactly one"},
		{"SPIFFE name and another URI", uri("spiffe://lab.example/tenant/acme", "https://acme.example"), "", "exactly one"},
		{"dot segments", uri("spiffe://lab.example/tenant/acme/../beta"), "", "no valid SPIFFE"},
		{"encoding", uri("spiffe://lab.example/tenant/ac%6de"), "", "no valid SPIFFE"},
		{"query", uri("spiffe://lab.example/tenant/acme?x"), "", "no valid SPIFFE"},
		{"two SPIFFE names are not passed over for O", &Certificate{URIs: []string{"spiffe://x/tenant/beta", "urn:x"}, Subject: []Attribute{{"O", "acme"}}}, "", "exactly one"},
		{"other URIs", &Certificate{URIs: []string{"https://x/tenant/beta", "urn:x"}, Subject: []Attribute{{"O", "acme"}}}, "acme", "subject.O"},
		{"OU", subject("CN=api", "O=other", "OU=tenant-acme"), "acme", "subject.OU"},
		{"OU of another kind", subject("CN=api", "O=acme", "OU=Engineering"), "acme", "subject.O "},
		{"O", subject("CN=api", "O=Acme GmbH"), "acme gmbh", "subject.O "},
		{"O as OID", subject("2.5.4.3=api", "2.5.4.10=Acme"), "acme", "subject.O "},
		{"CN", subject("CN= ACME "), "acme", "subject.CN"},
		{"UUID", subject("CN={8F14E45F-CEEA-467F-A0E6-4F1B7F1B2C3D}"), "8f14e45f-ceea-467f-a0e6-4f1b7f1b2c3d", "subject.CN"},
		{"SPIFFE before subject", &Certificate{URIs: []string{"spiffe://x/tenant/beta"}, Subject: []Attribute{{"O", "acme"}}}, "beta", "san_uri"},
		{"several O", subject("O=acme", "O=beta", "CN=gamma"), "", `names 2 tenants: "acme", "beta"`},
		{"the same O twice", subject("O=acme", "O=ACME"), "acme", "subject.O "},
		{"NUL", subject("CN=acme\x00.evil.example"), "", "control character"},
		{"NUL in O does not fall to CN", subject("O=acme\x00", "CN=beta"), "", "control character"},
		{"newline", subject("CN=acme\nCN=beta"), "", "control character"},
		{"not UTF-8", subject("CN=acm\xe9"), "", "not UTF-8"},
		{"too long", subject("CN=" + strings.Repeat("a", 513)), "", "longer than"},
		{"RDN injection stays a value", subject("CN=api/O=acme"), "api/o=acme", "subject.CN"},
		{"blank", subject("O= ", "CN="), "", "no identity rule"},
		{"empty certificate", &Certificate{}, "", "no identity rule"},
		{"no certificate", nil, "", "no certificate"},
	} {
		id := p.Identify(c.cert, today)
		if got := strings.Join(id.Tenants, ","); got != c.want || !strings.Contains(id.Rule, c.rule) || id.Privileged != nil {
			t.Errorf("%s: %+v, want %q by %q", c.name, id, c.want, c.rule)
		}
	}
}

func TestIdentityRules(t *testing.T) {
	cert := &Certificate{
		SHA256:   "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b",
		Serial:   "a01",
		Subject:  []Attribute{{"CN", "client-7.api"}, {"O", "acme"}, {"O", "beta"}, {"2.5.4.97", "PSDDE-BAFIN-123456"}},
		Issuer:   []Attribute{{"CN", "Acme Tenant CA"}},
		DNSNames: []string{"acme.clients.example.com."},
		Emails:   []string{"svc@acme.example"},
		URIs:     []string{"https://id.example/c/acme"},
	}
	for _, c := range []struct{ rules, want string }{
		{`[{ subject: { CN: "client-{tenant}.api" } }]`, "7"},
		{`[{ subject: { CN: "client-{tenant}.*" } }]`, "7"},
		{`[{ subject: { organizationIdentifier: "PSD*-BAFIN-{tenant}" } }]`, "123456"},
		{`[{ subject: { 2.5.4.97: "{tenant}" } }]`, "psdde-bafin-123456"},
		{`[{ issuer: { CN: "{tenant} Tenant CA" } }]`, "acme"},
		{`[{ subject: { CN: "client-*" }, issuer: { CN: "{tenant} tenant ca" } }]`, "acme"},
		{`[{ subject: { CN: "server-*" }, issuer: { CN: "{tenant} Tenant CA" } }]`, ""},
		{`[{ san_dns: "{tenant}.clients.example.com" }]`, "acme"},
		{`[{ san_dns: "*.{tenant}.example.com" }]`, "clients"},
		{`[{ san_dns: "{tenant}.example.com" }]`, ""}, // one label
		{`[{ san_dns: "{tenant}.**" }]`, "acme"},
		{`[{ san_email: "*@{tenant}.example" }]`, "acme"},
		{`[{ san_email: "*@{tenant}" }]`, "acme.example"},
		{`[{ san_uri: "https://id.example/c/{tenant}" }]`, "acme"},
		{`[{ san_uri: "spiffe://**" , tenant: x }]`, ""},
		{`[{ serial: "0A:01", tenant: Gamma }]`, "gamma"},
		{`[{ serial: "0B", tenant: gamma }]`, ""},
		{`[{ sha256: "6B:86:b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b", tenant: delta }]`, "delta"},
		{`[{ sha256: "{tenant}" }]
  map: { entries: { 6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b: delta } }`, "delta"},
		{`[{ serial: "{tenant}" }]
  map: { entries: { a01: delta } }`, "delta"},
		{`[{ subject: { O: "{tenant}" } }]`, ""},
		{`[{ subject: { O: "{tenant}" } }]
  multi: any`, "acme,beta"},
		{`[{ subject: { O: "{tenant}" } }]
  multi: any
  map: { entries: { acme: [2, 1], beta: [2, 3] } }`, "1,2,3"},
		{`[{ subject: { O: "be*" }, tenant: b }]`, "b"}, // one of several values
		{`[{ subject: { CN: "{tenant}-*" } }, { subject: { CN: "{tenant}" } }]`, "client"},
		{`[{ subject: { CN: "none" }, tenant: x }, { subject: { CN: "client*" }, tenant: y }]`, "y"},
	} {
		p := mustParse(t, "identity:\n  tenant: "+c.rules+"\n")
		if got := p.Identify(cert, today); strings.Join(got.Tenants, ",") != c.want {
			t.Errorf("%s\ngives %+v, want %q", c.rules, got, c.want)
		}
	}
}

func TestAmbiguousCapture(t *testing.T) {
	p := mustParse(t, `
identity:
  tenant:
    - subject: { CN: "{tenant}-*" }
    - subject: { CN: "{tenant}" }
`)
	id := p.Identify(subject("CN=a-b-c"), today)
	if len(id.Tenants) != 0 || !strings.Contains(id.Rule, "several ways") {
		t.Errorf("%+v, want unmapped", id)
	}
}
