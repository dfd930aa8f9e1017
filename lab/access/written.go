package access

import "fmt"

// written are the scenarios of an UPDATE by key in MySQL: it is another tenant's only where something has shown whose row the key is.
func written() []take {
	const columns = "{ engine: mysql, tenant: { columns: [tenant_id] }, tables: { owned: [invoices] }%s }"
	plain, aggregate := policy{database: fmt.Sprintf(columns, "")}, policy{database: fmt.Sprintf(columns, ", unscoped: aggregate")}
	pay := func(who, key, whose string, query ...string) request {
		return request{who, whose, "/pay/" + key, query}
	}
	// A transaction is BEGIN, what it does, and COMMIT.
	read := map[string]int{"no_tenant thread - ->-": 2, "violation thread row acme>beta": 2}
	return []take{
		{"E05", "UPDATE by the key of a row that the transaction has read", plain, oneByOne(known("beta"), pay("acme", "7", "beta", "read", "1")), want{
			findings: []string{"CROSS_TENANT_BY_KEY Critical acme 1", "CROSS_TENANT_WRITE Critical acme 1"}, verdicts: read,
		}},
		{"E05", "the same, in a transaction that began by itself", plain, oneByOne(known("beta"), pay("acme", "7", "beta", "read", "1", "implicit", "1")), want{
			findings: []string{"CROSS_TENANT_BY_KEY Critical acme 1", "CROSS_TENANT_WRITE Critical acme 1"}, verdicts: read,
		}},
		{"E05", "  clean: the row is the client's own", plain, oneByOne(known("beta"), pay("acme", "1", "acme", "read", "1")), want{
			verdicts: map[string]int{"no_tenant thread - ->-": 2, "ok_exact thread row acme>acme": 2},
		}},
		{"E05", "  clean: both statements name the tenant", aggregate, oneByOne(known("beta"), pay("acme", "1", "acme", "read", "1", "scoped", "acme")), want{
			verdicts: map[string]int{"no_tenant thread - ->-": 2, "ok_exact thread row acme>acme": 1, "ok_exact thread literal acme>acme": 1},
		}},
		{"E06", "UPDATE by key, and nothing shows whose row it is", aggregate, oneByOne(known("beta"), pay("acme", "7", "")), want{
			findings: []string{"UNSCOPED_LOOKUP Low acme 1"},
			verdicts: map[string]int{"no_tenant thread - ->-": 2, "unattributed/no_evidence thread - acme>-": 1},
		}},
		{"E06", "  clean: UPDATE by key and tenant", aggregate, oneByOne(known("beta"), pay("acme", "1", "", "scoped", "acme")), want{
			verdicts: map[string]int{"no_tenant thread - ->-": 2, "ok_exact thread literal acme>acme": 1},
		}},
	}
}
