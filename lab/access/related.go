package access

import "context"

// related are the scenarios of tenants that are above and below one another.
func related() []take {
	resellers := policy{database: "{ engine: postgres, tenant: { columns: [tenant_id] }, tables: { owned: [invoices] } }", groups: "acme: [acme-eu, acme-us]\n"}
	read := func(who, whose string) request { return request{who: who, whose: whose, path: "/invoices/" + whose} }
	all := []request{known("acme"), known("acme-eu"), known("acme-us")}
	play := func(r ...request) func(context.Context, *calls) error {
		return oneByOne(append(all[:len(all):len(all)], r...)...)
	}
	return []take{
		{"E40", "  clean: parent reads its children", resellers, play(read("acme", "acme-eu"), read("acme", "acme-us"), read("acme", "acme")), want{
			verdicts: map[string]int{"exempt thread row acme>acme-eu": 1, "exempt thread row acme>acme-us": 1, "ok_exact thread row acme>acme": 1},
		}},
		{"E42", "child reads its parent", resellers, play(read("acme-eu", "acme")), want{
			findings: []string{"CROSS_TENANT_READ Critical acme-eu 1"}, verdicts: map[string]int{"violation thread row acme-eu>acme": 1},
		}},
		{"E42", "child reads its sibling", resellers, play(read("acme-eu", "acme-us")), want{
			findings: []string{"CROSS_TENANT_READ Critical acme-eu 1"}, verdicts: map[string]int{"violation thread row acme-eu>acme-us": 1},
		}},
		{"E42", "  clean: child reads itself", resellers, play(read("acme-eu", "acme-eu"), read("acme-us", "acme-us")), want{
			verdicts: map[string]int{"ok_exact thread row acme-eu>acme-eu": 1, "ok_exact thread row acme-us>acme-us": 1},
		}},
	}
}

// unique are the scenarios of a look-up that has to look at all tenants.
func unique() []take {
	members := policy{database: "{ engine: postgres, tenant: { columns: [tenant_id] }, tables: { owned: [members] }, unscoped: aggregate }"}
	member := func(who, whose, address string, query ...string) request {
		return request{who, whose, "/members", append(query, "address", address)}
	}
	return []take{
		{"E44", "whether anybody has an address: no violation", members, oneByOne(known("beta"), member("acme", "anybody", "info@beta.example"),
			member("acme", "", "new@acme.example"), member("beta", "anybody", "info@acme.example")), want{
			findings: []string{"UNSCOPED_LOOKUP Low beta 3"},
			verdicts: map[string]int{"unattributed/no_evidence thread - acme>-": 2, "unattributed/no_evidence thread - beta>-": 1},
		}},
		{"E44", "  clean: whether the tenant has it", members, oneByOne(known("beta"), member("acme", "anybody", "info@acme.example", "scoped", "1"),
			member("acme", "", "new@acme.example", "scoped", "1")), want{
			verdicts: map[string]int{"ok_exact thread literal acme>acme": 2},
		}},
	}
}
