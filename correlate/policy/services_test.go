package policy

import (
	"slices"
	"testing"
)

func TestServices(t *testing.T) {
	p := mustParse(t, `
identity:
  tenant: [{ subject: { O: "{tenant}" } }]
  privileged: [{ subject: { CN: ops }, tenants: any, until: 2027-01-01, why: all }]
request: { tenant: [{ header: X-A }] }
services:
  - service: shop
    select: { unit: ["shop@*.service", shop], exe: "/srv/**" }
    identity:
      map: { entries: { acme: 1 } }
    database: [{ engine: mysql, tenant: { columns: [shop_id] } }]
  - service: api
    select: { listen: [8443, 9443] }
    identity:
      tenant: [{ subject: { CN: "{tenant}" } }]
      privileged: [{ subject: { CN: root }, tenants: any, until: 2027-01-01, why: api }]
    request: { tenant: [{ header: X-B }] }
  - service: pods
    select: { cgroup: "/kubepods/**/pod42/*" }
  - service: base
    select: { exe: bash, name: sh }
  - service: daemon
    select: { pid_file: [/run/a.pid, /run//b.pid] }
  - service: image
    select: { container_image: ["nginx", "registry.example/shop/*", "quay.io/x:2"] }
  - service: pod
    select: { k8s: { ns: prod, pod: "billing-*" } }
  - service: container
    select: { k8s: { container: web } }
`)
	for _, c := range []struct {
		process Process
		want    string
	}{
		{Process{Unit: "shop", Exe: "/srv/a/b"}, "shop"},
		{Process{Unit: "shop@1", Exe: "/srv/a"}, "shop"},
		{Process{Unit: "shop@1", Exe: "/usr/a"}, ""},
		{Process{Unit: "shopx", Exe: "/srv/a"}, ""},
		{Process{Listen: []uint16{80, 9443}}, "api"},
		{Process{Cgroup: "/kubepods/burstable/pod42/c1"}, "pods"},
		{Process{Cgroup: "/kubepods/pod42"}, ""},
		{Process{Exe: "/bin/bash", Name: "sh"}, "base"},
		{Process{Exe: "/bin/bash", Name: "bash"}, ""},
		{Process{PIDFiles: []string{"/run/x.pid", "/run/b.pid"}}, "daemon"},
		{Process{PIDFiles: []string{"/run/x.pid"}}, ""},
		{Process{Image: "nginx"}, "image"},
		{Process{Image: "docker.io/library/nginx:1.25"}, "image"},
		{Process{Image: "docker.io/library/nginx@sha256:aa"}, "image"},
		{Process{Image: "docker.io/shop/nginx"}, ""},
		{Process{Image: "registry.example/nginx"}, ""},
		{Process{Image: "registry.example/shop/web:1@sha256:aa"}, "image"},
		{Process{Image: "registry.example:5000/shop/web"}, ""},
		{Process{Image: "quay.io/x:2"}, "image"},
		{Process{Image: "quay.io/x:3"}, ""},
		{Process{Namespace: "prod", Pod: "billing-6c857864fb-z88p2", Container: "x"}, "pod"},
		{Process{Namespace: "test", Pod: "billing-6c857864fb-z88p2"}, ""},
		{Process{Pod: "billing-1"}, ""},
		{Process{Namespace: "test", Pod: "x", Container: "web"}, "container"},
	} {
		if got := p.For(&c.process).Service(); got != c.want {
			t.Errorf("%+v is %q, want %q", c.process, got, c.want)
		}
	}
	if !p.ListensMatter() || !slices.Equal(p.Headers(), []string{"x-a", "x-b"}) || !slices.Equal(p.Columns(), []string{"tenant_id", "shop_id"}) {
		t.Errorf("fields %q columns %q", p.Headers(), p.Columns())
	}
	if at := p.Places(); !at.Asks() || !at.Containers || !slices.Equal(at.PIDFiles, []string{"/run/a.pid", "/run/b.pid"}) {
		t.Errorf("places %+v", at)
	}
	if at := Default().Places(); at.Asks() {
		t.Errorf("the embedded policy asks %+v", at)
	}
	shop, api := p.Services()[0], p.Services()[1]
	if shop.Hash() != p.Hash() || shop.Hash() == "" {
		t.Errorf("hash %q", shop.Hash())
	}
	if id := shop.Identify(subject("O=acme", "CN=ops"), today); !slices.Equal(id.Tenants, []string{"1"}) || id.Privileged == nil {
		t.Errorf("shop: %+v", id)
	}
	if id := api.Identify(subject("O=acme", "CN=ops"), today); !slices.Equal(id.Tenants, []string{"ops"}) || id.Privileged != nil {
		t.Errorf("api: %+v", id)
	}
	if id := p.Identify(subject("O=acme", "CN=root"), today); !slices.Equal(id.Tenants, []string{"acme"}) || id.Privileged != nil {
		t.Errorf("others: %+v", id)
	}
	if shop.Database(Postgres, "", "").Columns[0] != "tenant_id" || shop.Database(MySQL, "", "").Columns[0] != "shop_id" || !shop.Knows("1") || p.Knows("1") {
		t.Error("databases of shop")
	}
}

func TestDatabaseMatch(t *testing.T) {
	p := mustParse(t, `
database:
  - { engine: postgres, match: { port: [5433, 6432], server: "10.*" }, tenant: { columns: [a] } }
  - { engine: postgres, match: { server: ["/run/pg/*", "[::1]:7000"] }, tenant: { columns: [b] } }
  - { engine: postgres, match: { port: 5555 }, tenant: { columns: [c] } }
  - { engine: postgres, match: { database: "shop_*" }, tenant: { columns: [d] } }
`)
	for _, c := range []struct{ server, name, want string }{
		{"10.0.0.1:5433", "x", "a"}, {"10.0.0.1:5432", "x", ""}, {"192.0.2.1:5433", "x", ""}, {"/run/pg/.s.PGSQL.5432", "x", "b"}, {"[::1]:7000", "x", "b"},
		{"/tmp/.s.PGSQL.5555", "x", "c"}, {"[::1]:5555", "", "c"}, {"10.0.0.1:1", "shop_1", "d"}, {"", "", ""},
	} {
		got := ""
		if db := p.Database(Postgres, c.server, c.name); db != nil {
			got = db.Columns[0]
		}
		if got != c.want {
			t.Errorf("%q %q: %q, want %q", c.server, c.name, got, c.want)
		}
	}
	if db := p.Database(MySQL, "x:1", ""); db == nil || db.Columns[0] != "tenant_id" {
		t.Errorf("the engine that is left out: %+v", db)
	}
}

func TestPlaces(t *testing.T) {
	p := mustParse(t, `
database:
  - engine: postgres
    tenant:
      schemas: { tenant: ["t_{tenant}", "{tenant}-eu"], shared: [public, "ref_*", t_all] }
      roles: { shared: authenticated }
    tables: { shared: [plans], owned: ["t_x.special"] }
  - engine: mysql
    tenant: { databases: { tenant: "app_{tenant}", shared: app_global } }
`)
	db := p.Database(Postgres, "", "")
	for name, want := range map[string]string{"t_acme": "acme", "T_Acme": "acme", "t_all": "", "beta-eu": "beta", "public": "", "ref_x": "", "t_": "", "": "", "x": ""} {
		if got := db.Schemas.Tenant(name); got != want {
			t.Errorf("schema %q: %q, want %q", name, got, want)
		}
	}
	if db.Roles.Tenant("authenticated") != "" || !db.Roles.Shared("authenticated") || db.Databases.Used() || !db.Roles.Used() {
		t.Error("roles")
	}
	my := p.Database(MySQL, "", "")
	for _, c := range []struct {
		db           *Database
		schema, name string
		want         TableClass
	}{
		{db, "t_acme", "orders", TableOwned}, {db, "t_acme", "plans", TableShared}, {db, "public", "orders", TableShared}, {db, "", "orders", TableShared},
		{db, "other", "orders", TableUnknown}, {db, "ref_1", "x", TableShared}, {db, "pg_catalog", "x", TableShared}, {db, "mysql", "user", TableUnknown},
		{my, "app_acme", "orders", TableOwned}, {my, "app_global", "orders", TableShared}, {my, "mysql", "user", TableShared}, {my, "sys", "x", TableShared},
		{my, "", "pg_x", TableUnknown}, {my, "information_schema", "tables", TableShared},
	} {
		if got := c.db.Table(c.schema, c.name); got != c.want {
			t.Errorf("%s %q.%q is %v, want %v", c.db.Engine, c.schema, c.name, got, c.want)
		}
	}
}
