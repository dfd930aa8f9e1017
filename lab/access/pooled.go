package access

import "context"

// pooled are the scenarios of state in sessions that requests share, by a pool or by a pooler.
func pooled() []take {
	const schemas = `{ engine: postgres, pooler: transaction, tenant: { columns: [tenant_id], schemas: { tenant: "t_{tenant}", shared: public } }, tables: { owned: [orders] } }`
	apartment := policy{database: schemas}
	security := policy{database: "{ engine: postgres, tenant: { columns: [tenant_id], settings: [app.current_tenant] }, tables: { owned: [bookings] } }"}
	turns := func(whose string, query ...string) func(context.Context, *calls) error {
		return atOnce(request{"acme", whose, "/apartment", append([]string{"turn", "first"}, query...)},
			request{"beta", "beta", "/apartment", append([]string{"turn", "second"}, query...)})
	}
	bookings := func(who, whose string, query ...string) request { return request{who, whose, "/bookings", query} }
	return []take{
		{"E18", "schema asked for through PgBouncer, another's answers", apartment, turns("beta"), want{
			findings: []string{"CROSS_TENANT_READ Critical acme 1", "SESSION_STATE_UNDER_TXN_POOLING Medium - 2"},
			verdicts: map[string]int{"no_tenant thread - ->-": 2, "ok_exact thread row beta>beta": 1, "violation thread row acme>beta": 1},
		}},
		{"E18", "  clean: the schema is set for the transaction", apartment, turns("acme", "local", "1"), want{
			verdicts: map[string]int{"no_tenant thread - ->-": 6, "ok_exact thread row beta>beta": 1, "ok_exact thread row acme>acme": 1},
		}},
		{"E20", "row security by the setting that beta left in the pool", security, oneByOne(bookings("beta", "beta", "set", "1"), bookings("acme", "beta")), want{
			findings: []string{"CROSS_TENANT_READ Critical acme 1", "SESSION_STATE_CARRYOVER High acme 1"},
			verdicts: map[string]int{"no_tenant thread - ->-": 1, "ok_exact thread session beta>beta": 1, "violation thread session acme>beta": 1},
		}},
		{"E20", "the same, and the rows show whose they are", security, oneByOne(bookings("beta", "beta", "set", "1", "owner", "1"), bookings("acme", "beta", "owner", "1")), want{
			findings: []string{"CROSS_TENANT_READ Critical acme 1", "SESSION_STATE_CARRYOVER High acme 1"},
			verdicts: map[string]int{"no_tenant thread - ->-": 1, "ok_exact thread row beta>beta": 1, "violation thread row acme>beta": 1},
		}},
		{"E20", "  clean: each request sets it", security, oneByOne(bookings("beta", "beta", "set", "1"), bookings("acme", "acme", "set", "1")), want{
			verdicts: map[string]int{"no_tenant thread - ->-": 2, "ok_exact thread session beta>beta": 1, "ok_exact thread session acme>acme": 1},
		}},
		{"E20", "  clean: the same, and the rows show whose they are", security,
			oneByOne(bookings("beta", "beta", "set", "1", "owner", "1"), bookings("acme", "acme", "set", "1", "owner", "1")), want{
				verdicts: map[string]int{"no_tenant thread - ->-": 2, "ok_exact thread row beta>beta": 1, "ok_exact thread row acme>acme": 1},
			}},
	}
}

// many are the scenarios of many tenants whose requests share connections and threads, as they should.
func many() []take {
	security := policy{database: "{ engine: postgres, tenant: { columns: [tenant_id], settings: [app.current_tenant] }, tables: { owned: [bookings] } }"}
	schemas := policy{database: `{ engine: postgres, tenant: { schemas: { tenant: "t_{tenant}", shared: public } }, tables: { owned: [orders] } }`}
	return []take{
		{"E21", "  clean: SET LOCAL in each transaction, 200 tenants", security, crowd(200, 2, "/bookings/local"), want{
			verdicts: map[string]int{"no_tenant thread - ->-": 1200, "ok_exact thread session many>own": 400},
		}},
		{"E23", "  clean: search_path before each use of a cursor, 40 tenants", schemas, crowd(40, 6, "/orders"), want{
			verdicts: map[string]int{"no_tenant thread - ->-": 240, "ok_exact thread session many>own": 240},
		}},
	}
}
