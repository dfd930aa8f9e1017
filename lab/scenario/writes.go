package scenario

// writes are the scenarios in which rows are made or changed.
func writes() []Scenario {
	crossTenantWrite := Want{Findings: []string{"CROSS_TENANT_WRITE"}, Evidence: []string{"literal", "bind", "row"}, Clean: okExact}
	return []Scenario{
		{
			ID: "W1", Title: "INSERT for another tenant", Rounds: 2, Want: crossTenantWrite,
			Round: func(tag string) []Step {
				return inOrder(
					get("/flawed/invoices").post(invoice("beta", tag)).rows("beta").fault(),
					get("/flawed/invoices").post(invoice("acme", tag)),
					get("/correct/invoices").post(invoice("beta", tag)),
				)
			},
		},
		{
			ID: "W2", Title: "UPDATE of another tenant's row", Rounds: 2, Want: crossTenantWrite,
			Round: one(
				get("/flawed/invoices/28/pay").post(`{"tenant": "beta"}`).answers(200).fault(),
				get("/flawed/invoices/8/pay").post(`{"tenant": "acme"}`).answers(200),
				get("/correct/invoices/8/pay").post(`{}`).answers(200),
				get("/correct/invoices/28/pay").post(`{}`).answers(404),
			),
		},
		{
			ID: "E06", Title: "UPDATE by key, no tenant to be seen", Rounds: 2, Want: Want{Clean: unattributed, CleanReason: noEvidence},
			Round: one(get("/unscoped/invoices/29/pay").post(`{}`).answers(200)),
		},
	}
}
