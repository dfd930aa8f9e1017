package correlate

import (
	"testing"

	"tenantrace/collector/event"
)

// TestPlacedProcess holds that a process is judged by the rules of the place that was said of it last.
func TestPlacedProcess(t *testing.T) {
	tr := newTrace(t, `
services:
  - service: shop
    select: { container_image: shop, k8s: { ns: prod } }
    database: [{ engine: postgres, tenant: { columns: [shop_id] } }]
  - service: legacy
    select: { pid_file: /run/legacy.pid }
    database: [{ engine: postgres, tenant: { columns: [company_id] } }]
`)
	run := func() {
		t.Helper()
		c, db := tr.client("acme"), tr.database()
		tr.known("beta")
		r := tr.request(c, 7, "/")
		for _, column := range []string{"tenant_id", "shop_id", "company_id"} {
			tr.sql(db, 7, "SELECT 1 FROM of_"+column+" WHERE "+column+" = 'acme'")
		}
		tr.respond(c, r, 7, 200)
	}
	const own = "ok_exact thread literal acme"
	run()
	tr.expect(own, "no_tenant thread", "no_tenant thread")
	place := func(ev event.ProcessPlaced) {
		ev.Header = tr.head(web, web)
		tr.play(&ev)
	}
	place(event.ProcessPlaced{Image: "shop:1", Namespace: "prod", Pod: "shop-0"})
	run()
	if tr.last().Service != "shop" {
		t.Errorf("service %q", tr.last().Service)
	}
	tr.expect("no_tenant thread", own, "no_tenant thread")
	place(event.ProcessPlaced{Image: "shop:1", Namespace: "test", PIDFiles: []string{"/run/legacy.pid"}})
	run()
	if tr.last().Service != "legacy" {
		t.Errorf("service %q", tr.last().Service)
	}
	tr.expect("no_tenant thread", "no_tenant thread", own)
	place(event.ProcessPlaced{})
	run()
	if tr.last().Service != "app" {
		t.Errorf("service %q", tr.last().Service)
	}
	tr.expect(own, "no_tenant thread", "no_tenant thread")
}
