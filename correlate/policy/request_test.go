package policy

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

const requestPolicy = `
request:
  tenant:
    - path: "/t/{tenant}/**"
    - path: "/api/*/tenants/{tenant}"
    - header: X-Tenant-Id
    - header: x-org
    - header: X-ORG
  ignore: ["/healthz", "/static/**", "/v*/ping"]
`

func TestRequestTenants(t *testing.T) {
	p := mustParse(t, requestPolicy)
	if got := p.Headers(); !slices.Equal(got, []string{"x-org", "x-tenant-id"}) {
		t.Errorf("headers %q", got)
	}
	for _, c := range []struct{ path, want string }{
		{"/t/Acme/invoices/7", "acme path /t/{tenant}/**"},
		{"/t/acme", "acme path /t/{tenant}/**"},
		{"/t/acme/?tenant=beta", "acme path /t/{tenant}/**"},
		{"/t/acme#x", "acme path /t/{tenant}/**"},
		{"https://host/t/acme/x", "acme path /t/{tenant}/**"},
		{"/t/b%65ta/x", "beta path /t/{tenant}/**"},
		{"/%74/beta", "beta path /t/{tenant}/**"},
		{"/t/a%20b", "a b path /t/{tenant}/**"},
		{"/t/50%", "50% path /t/{tenant}/**"},
		{"/t/%zz", "%zz path /t/{tenant}/**"},
		{"/api/v1/tenants/gamma/", "gamma path /api/*/tenants/{tenant}"},
		{"/T/acme", ""},
		{"/t/", ""},
		{"/t", ""},
		{"/t//acme", ""},
		{"/api/v1/x/tenants/gamma", ""},
		{"/api/v1/tenants/gamma/x", ""},
		{"/t/acme/../beta/x", ""}, // acme or "beta"
		{"/t/acme/../acme/x", "acme path /t/{tenant}/**"},
		{"/t/acme/%2e%2e/beta", ""},
		{"/t/acme%2Fx/y", ""}, // "acme/x" or acme
		{"/t/acme/a%2fb", "acme path /t/{tenant}/**"},
		{"/t/acme;v=1/x", ""}, // "acme;v=1" or acme
		{"/t/acme/x;v=1", "acme path /t/{tenant}/**"},
		{"/t/acme%00/x", ""},
		{"/t/%ff/x", ""},
		{"/t/" + strings.Repeat("a", 513), ""},
		{"/t/acme/" + strings.Repeat("a", maxPath), ""},
		{"*", ""},
		{"", ""},
	} {
		var got string
		for _, r := range p.RequestTenants(c.path, nil) {
			got += fmt.Sprintf("%s %s %s", r.Tenant, r.Source, r.Rule)
		}
		if got != c.want {
			t.Errorf("%.60q: %q, want %q", c.path, got, c.want)
		}
	}
}

func TestRequestTenantsOfHeaders(t *testing.T) {
	p := mustParse(t, requestPolicy)
	fields := map[string][]string{"x-tenant-id": {" Acme ", "beta", "ACME", "", "x\x00y"}}
	got := p.RequestTenants("/t/gamma", func(name string) []string { return fields[name] })
	want := []RequestTenant{{"gamma", "path", "/t/{tenant}/**"}, {"acme", "header", "X-Tenant-Id"}, {"beta", "header", "X-Tenant-Id"}}
	if !slices.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestIgnored(t *testing.T) {
	p := mustParse(t, requestPolicy)
	for path, want := range map[string]bool{
		"/healthz": true, "/healthz/": true, "/healthz?x": true, "/health": false, "/healthz/x": false, "/HEALTHZ": false,
		"/static": true, "/static/a/b.css": true, "/static/../t/beta": false, "/static/%2e%2e/t/beta": false, "/v1/ping": true,
		"/v/ping": true, "/v1/x/ping": false, "//healthz": false, "": false, "/t/../healthz": false,
	} {
		if got := p.Ignored(path); got != want {
			t.Errorf("%q: %v, want %v", path, got, want)
		}
	}
}

func TestRoute(t *testing.T) {
	p := mustParse(t, requestPolicy)
	for path, want := range map[string]string{
		"/t/acme/invoices":                          "/t/{tenant}/invoices",
		"/t/acme/invoices/42?x=1":                   "/t/{tenant}/invoices/{id}",
		"/t/42/invoices":                            "/t/{tenant}/invoices",
		"/x/8f14e45f-ceea-467f-a0e6-4f1b7f1b2c3d/y": "/x/{id}/y",
		"/x/8f14e45fceea467fa0e64f1b":               "/x/{id}",
		"/x/deadbeef/y":                             "/x/deadbeef/y",
		"/":                                         "/",
		"/a%0Ab":                                    "/a�b",
		"*":                                         "*",
		"":                                          "",
		"/" + strings.Repeat("ab/", 40):             strings.Repeat("/ab", 16) + "/…",
		"/ok/" + strings.Repeat("x", 300):           "/ok/…",
		"/api/v1/tenants/acme":                      "/api/v1/tenants/{tenant}",
	} {
		if got := p.Route(path); got != want {
			t.Errorf("%.60q: %q, want %q", path, got, want)
		}
	}
	if got := Default().Route("/t/acme/7"); got != "/t/acme/{id}" {
		t.Errorf("%q", got)
	}
}
