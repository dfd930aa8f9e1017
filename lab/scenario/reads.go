package scenario

import (
	"tenantrace/lab/service"
	"tenantrace/lab/stage"
)

// reads are the scenarios in which rows of another tenant are read.
func reads() []Scenario {
	crossTenantRead := Want{Findings: []string{"CROSS_TENANT_READ"}, Evidence: []string{"row"}, Clean: okExact}
	return []Scenario{
		{
			ID: "E01", Title: "tenant of the path", Rounds: 2,
			Round: one(
				get("/t/beta/flawed/invoices").rows("beta").fault().raises("REQUEST_TENANT_MISMATCH"),
				get("/t/acme/flawed/invoices"),
				get("/t/acme/correct/invoices"),
				get("/t/gamma/correct/invoices").as("gamma").rows("gamma"),
			),
			Want: crossTenantRead,
		},
		{
			ID: "E02", Title: "tenant of a header", Rounds: 2, Want: crossTenantRead,
			Round: one(
				get("/flawed/override").header("X-Tenant-Id", "beta").rows("beta").fault().raises("REQUEST_TENANT_MISMATCH"),
				get("/correct/override").header("X-Tenant-Id", "acme"),
				get("/correct/override"),
			),
		},
		{
			ID: "E03", Title: "row of another tenant by key", Rounds: 2,
			Round: one(
				get("/flawed/invoices/27").rows("beta").fault(),
				get("/correct/invoices/27").answers(404),
				get("/correct/invoices/27").as("beta").rows("beta"),
			),
			Want: Want{Findings: []string{"CROSS_TENANT_BY_KEY"}, Evidence: []string{"row"}, Clean: okExact},
		},
		{
			ID: "E04", Title: "own row by key, the same query", Rounds: 2, Want: Want{Clean: okExact},
			Round: one(get("/flawed/invoices/7"), get("/flawed/invoices/27").as("beta").rows("beta")),
		},
		{
			ID: "E07", Title: "module-global tenant, two threads", Worker: service.GThread, Rounds: 3, Want: crossTenantRead,
			Round: func(tag string) []Step {
				return []Step{
					pair(tag, get("/flawed/global").rows("beta").fault(), get("/flawed/global").as("beta").rows("beta")),
					pair(tag, get("/correct/global"), get("/correct/global").as("beta").rows("beta")),
				}
			},
		},
		{
			ID: "E07", Title: "module-global tenant, left behind", Worker: service.Sync, Rounds: 2, Want: crossTenantRead,
			Round: one(
				get("/flawed/sticky?fail=1").as("beta").answers(400).shared(),
				get("/flawed/sticky").rows("beta").fault(),
				get("/correct/sticky?fail=1").as("beta").answers(400).shared(),
				get("/correct/sticky"),
			),
		},
		{
			ID: "E08", Title: "cache whose key lacks the tenant", Rounds: 2, Want: crossTenantRead,
			Round: func(tag string) []Step {
				return inOrder(
					get("/flawed/cached?key="+tag).as("beta").rows("beta"),
					get("/flawed/cached?key="+tag).rows("beta").fault(),
					get("/correct/cached?key="+tag).as("beta").rows("beta"),
					get("/correct/cached?key="+tag),
				)
			},
		},
		{
			ID: "E10", Title: "checked one tenant, used another", Rounds: 2,
			Round: one(
				get("/flawed/profile").header("X-User", "mia").rows("beta").fault(),
				get("/flawed/profile").header("X-User", "acme-user"),
				get("/correct/profile").header("X-User", "acme-user"),
				get("/correct/profile").header("X-User", "mia").answers(403),
			),
			Want: Want{Findings: []string{"IDENTITY_TOCTOU"}, Evidence: []string{"row"}, Clean: okExact},
		},
		{
			ID: "E21", Title: "row level security by SET LOCAL", Rounds: 4, Want: Want{Clean: okExact},
			Round: func(string) []Step {
				return []Step{everybody("/correct/ledger", 200, true), everybody("/correct/ledger-batch", 200, false)}
			},
		},
		{
			ID: "E21f", Title: "SET LOCAL of a parameter's tenant", Rounds: 2, Want: crossTenantRead,
			Round: one(get("/flawed/ledger?tenant=beta").rows("beta").fault(), get("/flawed/ledger?tenant=acme")),
		},
		{
			ID: "E38", Title: "refused before any tenant SQL", Rounds: 2,
			Round: one(get("/t/beta/correct/invoices").answers(403).raises("DENIED_ATTEMPT")),
		},
		{
			ID: "E39", Title: "operator lists all tenants", Rounds: 2, Want: Want{Clean: exempt, Info: []string{"PRIVILEGED_ACCESS"}},
			Round: one(get("/ops/invoices").as(stage.Operator).rows("acme", "beta", "delta", "gamma")),
		},
		{
			ID: "E43", Title: "shared tables", Rounds: 2,
			Round: func(string) []Step { return []Step{everybody("/plans", 200, false)} },
		},
		{
			ID: "E47", Title: "health check, empty transaction", Rounds: 2,
			Round: one(get("/healthz").answers(200), get("/pool").as("gamma").answers(200)),
		},
	}
}
