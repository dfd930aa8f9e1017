package access

import "context"

// switched are the scenarios of a database for each tenant, to which a connection is switched.
func switched() []take {
	databases := policy{database: `{ engine: mysql, tenant: { columns: [tenant_id], databases: "app_{tenant}" }, tables: { owned: [invoices] } }`}
	turns := func(whose string, query ...string) func(context.Context, *calls) error {
		return atOnce(request{"acme", whose, "/databases", append([]string{"turn", "first"}, query...)},
			request{"beta", "beta", "/databases", append([]string{"turn", "second"}, query...)})
	}
	return []take{
		{"E55", "USE app_beta on the connection that acme's thread uses too", databases, turns("beta", "shared", "1"), want{
			findings: []string{"CROSS_TENANT_READ Critical acme 1"},
			verdicts: map[string]int{"no_tenant thread - ->-": 2, "ok_exact thread session beta>beta": 1, "violation thread session acme>beta": 1},
		}},
		{"E55", "the same by the protocol's own command", databases, turns("beta", "shared", "1", "command", "1"), want{
			findings: []string{"CROSS_TENANT_READ Critical acme 1"},
			verdicts: map[string]int{"ok_exact thread session beta>beta": 1, "violation thread session acme>beta": 1},
		}},
		{"E55", "  clean: a connection for each tenant", databases, turns("acme"), want{
			verdicts: map[string]int{"no_tenant thread - ->-": 2, "ok_exact thread session beta>beta": 1, "ok_exact thread session acme>acme": 1},
		}},
		{"E55", "  clean: the same by the protocol's own command", databases, turns("acme", "command", "1"), want{
			verdicts: map[string]int{"ok_exact thread session beta>beta": 1, "ok_exact thread session acme>acme": 1},
		}},
	}
}
