package lab

import (
	"fmt"

	"tenantrace/lab/stage"
	"tenantrace/lab/traffic"
)

// planned is a request of the load, with what it must bring.
type planned struct {
	request traffic.Request
	status  int
	rows    []string
	fault   bool
	raises  string // finding about the request as a whole; "" none
}

// faultEvery is the share of planted faults: one request in so many.
const faultEvery = 100

// rowsPerTenant is how many invoices the schema gives each tenant: the n-th tenant's keys are n*rowsPerTenant+1 and up.
const rowsPerTenant = 20

// plan makes request i for the tenant with the given index. It depends on nothing else, so that each load is the same.
func plan(tenant, i int) planned {
	name, other := stage.Tenants[tenant], (tenant+1+i/faultEvery%(len(stage.Tenants)-1))%len(stage.Tenants)
	key := func(tenant int) int { return tenant*rowsPerTenant + 1 + i%rowsPerTenant }
	p := planned{status: 200, rows: []string{name}}
	p.request = traffic.Request{ID: fmt.Sprintf("load-%06d", i), Method: "GET"}
	if i%faultEvery == faultEvery/2 {
		p.fault, p.rows = true, []string{stage.Tenants[other]}
		p.request.ID += "-fault"
		switch i / faultEvery % 5 {
		case 0:
			p.request.Target, p.raises = "/t/"+stage.Tenants[other]+"/flawed/invoices", "REQUEST_TENANT_MISMATCH"
		case 1:
			p.request.Target = fmt.Sprintf("/flawed/invoices/%d", key(other))
		case 2:
			p.raises = "REQUEST_TENANT_MISMATCH"
			p.request.Target, p.request.Header = "/flawed/override", map[string]string{"X-Tenant-Id": stage.Tenants[other]}
		case 3:
			p.request.Target = "/flawed/ledger?tenant=" + stage.Tenants[other]
		case 4:
			p.request.Method, p.rows = "POST", nil
			p.request.Target, p.request.Body = fmt.Sprintf("/flawed/invoices/%d/pay", key(other)), fmt.Sprintf(`{"tenant": %q}`, stage.Tenants[other])
		}
		return p
	}
	switch i % 10 {
	case 0, 1, 2:
		p.request.Target = "/load/list"
	case 3, 4:
		p.request.Target = fmt.Sprintf("/load/key?key=%d", key(tenant))
	case 5:
		p.request.Target = "/load/ledger"
	case 6:
		p.request.Target, p.rows = "/load/batch", nil
	case 7:
		p.request.Method, p.request.Body, p.rows = "POST", "{}", nil
		p.request.Target = fmt.Sprintf("/load/pay?key=%d", key(tenant))
	case 8:
		p.request.Target, p.rows = "/load/plans", nil
	case 9:
		p.request.Target = "/t/" + name + "/correct/invoices"
	}
	return p
}
