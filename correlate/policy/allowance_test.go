package policy

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestPrivileged(t *testing.T) {
	p := mustParse(t, `
identity:
  privileged:
    - { subject: { CN: "ops-*" }, tenants: any, until: 2026-06-30, why: OPS-1 }
    - { san_uri: "spiffe://x/svc/aggregator", tenants: [Acme], until: 2027-01-01, why: A }
    - { san_uri: "spiffe://x/svc/*", tenants: [beta], until: 2026-12-01, why: B }
    - { subject: { CN: "old-*" }, tenants: any, until: 2026-05-31, why: OPS-0 }
    - { subject: { CN: "*", O: Ops }, tenants: [acme], until: 2027-01-01, why: both }
`)
	end := time.Date(2026, 6, 30, 23, 59, 59, 999999999, time.UTC)
	id := p.Identify(subject("CN=OPS-alice"), today)
	if v := id.Privileged; v == nil || !v.Any || v.Why != "OPS-1" || !v.Until.Equal(end) || !slices.Equal(id.Tenants, []string{"ops-alice"}) {
		t.Errorf("%+v %+v", id, v)
	}
	if p.Identify(subject("CN=ops-alice"), end).Privileged == nil {
		t.Error("the last moment of the last day is not covered")
	}
	if p.Identify(subject("CN=ops-alice"), end.Add(1)).Privileged != nil {
		t.Error("covered after its end")
	}
	for range 2 { // the merged privilege must not change the compiled ones
		v := p.Identify(uri("spiffe://x/svc/aggregator"), today).Privileged
		if v == nil || v.Any || !slices.Equal(v.Tenants, []string{"acme", "beta"}) || v.Why != "A; B" || day(v.Until) != "2026-12-01" {
			t.Errorf("merged: %+v", v)
		}
	}
	if v := p.Identify(uri("spiffe://x/svc/other"), today).Privileged; v == nil || !slices.Equal(v.Tenants, []string{"beta"}) {
		t.Errorf("one list: %+v", v)
	}
	if p.Identify(subject("CN=old-bob"), today).Privileged != nil {
		t.Error("an ended privilege covers")
	}
	if p.Identify(subject("CN=x"), today).Privileged != nil || p.Identify(subject("O=Ops"), today).Privileged != nil {
		t.Error("half of the conditions suffice")
	}
	if p.Identify(subject("CN=ops-\x00"), today).Privileged != nil {
		t.Error("a value with NUL is privileged")
	}
	if got := p.Expired(today); len(got) != 1 || !strings.Contains(got[0], "identity.privileged[4]") || !strings.Contains(got[0], "2026-05-31: OPS-0") {
		t.Errorf("expired: %q", got)
	}
}

func TestExempt(t *testing.T) {
	p := mustParse(t, `
exempt:
  - { db_role: "meter*", statements: select, until: 2027-06-30, why: nightly }
  - { route: "/admin/**", identity: privileged, until: 2027-06-30, why: console }
  - { tables: [tenants, "ref.*"], until: 2027-06-30, why: directory }
  - { service: old.service, until: 2026-05-31, why: ended }
  - { service: [a.service, "b@*.service"], fingerprint: 00FF00ff00ff00ff, until: 2026-06-01T12:00:00Z, why: one statement }
  - { tenants: [Acme, beta], route: ["/export", "/import/*"], statements: any, until: 2027-06-30, why: exports }
`)
	for _, c := range []struct {
		name string
		use  Use
		want int
	}{
		{"role reads", Use{DatabaseRole: "metering"}, 1},
		{"role writes", Use{DatabaseRole: "metering", Write: true}, 0},
		{"other role", Use{DatabaseRole: "app"}, 0},
		{"role by case", Use{DatabaseRole: "METERING"}, 0},
		{"console", Use{Route: "/admin/users/7?x=1", Privileged: true}, 2},
		{"console, trailing slash", Use{Route: "/admin/", Privileged: true}, 2},
		{"console without privilege", Use{Route: "/admin/users"}, 0},
		{"console by dots", Use{Route: "/admin/../t/beta", Privileged: true}, 0},
		{"console by encoded dots", Use{Route: "/admin/%2e%2e/t/beta", Privileged: true}, 0},
		{"console by encoded slash", Use{Route: "/admin%2Fx", Privileged: true}, 0},
		{"no route", Use{Privileged: true}, 0},
		{"table", Use{Tables: []string{"tenants"}}, 3},
		{"tables", Use{Tables: []string{"public.Tenants", "ref.x"}, Write: true}, 3},
		{"one table more", Use{Tables: []string{"tenants", "orders"}}, 0},
		{"no tables", Use{}, 0},
		{"ended", Use{Service: "old.service"}, 0},
		{"fingerprint", Use{Service: "b@1.service", Fingerprint: "00ff00ff00ff00ff"}, 5},
		{"other fingerprint", Use{Service: "a.service", Fingerprint: "10ff00ff00ff00ff"}, 0},
		{"tenant", Use{IdentityTenant: "acme", Route: "/import/x"}, 6},
		{"tenant deeper", Use{IdentityTenant: "acme", Route: "/import/x/y"}, 0},
		{"other tenant", Use{IdentityTenant: "gamma", Route: "/export"}, 0},
	} {
		c.use.Time = today
		got := 0
		if e := p.Exempt(c.use); e != nil {
			got = e.Index
			if e.Why == "" || e.Until.IsZero() {
				t.Errorf("%s: %+v", c.name, e)
			}
		}
		if got != c.want {
			t.Errorf("%s: exemption %d, want %d", c.name, got, c.want)
		}
	}
	if p.Exempt(Use{Time: today.Add(1), Service: "a.service", Fingerprint: "00ff00ff00ff00ff"}) != nil {
		t.Error("covered after the moment of its end")
	}
	if got := p.Expired(today); len(got) != 1 || got[0] != `exempt[4] (service "old.service") ended 2026-05-31: ended` {
		t.Errorf("expired: %q", got)
	}
}
