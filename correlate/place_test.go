package correlate

import (
	"strings"
	"testing"

	"tenantrace/collector/event"
)

// sessionAs opens a database session as somebody, of an engine.
func (tr *trace) sessionAs(engine event.Engine, database, user string, settings map[string]string) event.ConnID {
	tr.conns++
	server := "127.0.0.1:5432"
	if engine == event.MySQL {
		server = "127.0.0.1:3306"
	}
	tr.play(&event.ConnectionOpened{Header: tr.head(web, web), Conn: tr.conns, Role: event.RoleClient, Net: "tcp", Local: "127.0.0.1:50000", Remote: server})
	tr.play(&event.SessionStarted{Header: tr.head(web, web), Conn: tr.conns, Engine: engine, Database: database, User: user, Settings: settings})
	tr.status[tr.conns] = event.TxIdle
	return tr.conns
}

// visit runs statements of one request of acme on one session, and returns the verdicts of those that are no_tenant for no other reason.
func (tr *trace) visit(db event.ConnID, statements ...string) {
	c := tr.client("acme")
	r := tr.request(c, 7, "/")
	for _, s := range statements {
		if failing, ok := strings.CutPrefix(s, "FAIL "); ok {
			tr.sql(db, 7, failing, failure("42000"))
			continue
		}
		tr.runScript(db, s)
	}
	tr.respond(c, r, 7, 200)
}

// placeCase is a visit of acme, with the verdicts of what it does beyond SET and the like.
type placeCase struct {
	name       string
	policy     string
	database   string
	user       string
	settings   map[string]string
	statements []string
	want       []string
}

func runPlaces(t *testing.T, engine event.Engine, cases []placeCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			tr := newTrace(t, c.policy)
			tr.known("beta")
			tr.visit(tr.sessionAs(engine, c.database, c.user, c.settings), c.statements...)
			var got []string
			for _, v := range tr.lines {
				if kind, _, _ := strings.Cut(strings.ToUpper(v.SQL.Shape), " "); kind != "SET" && kind != "BEGIN" && kind != "COMMIT" && kind != "USE" {
					got = append(got, summary(v))
				}
			}
			if strings.Join(got, "\n") != strings.Join(c.want, "\n") {
				t.Errorf("verdicts:\n  %s\nwant:\n  %s", strings.Join(got, "\n  "), strings.Join(c.want, "\n  "))
			}
		})
	}
}

func TestPlaces(t *testing.T) {
	const bySchema = `
database:
  - engine: postgres
    tenant: { schemas: { tenant: "t_{tenant}", shared: public } }
    tables: { shared: [plans] }
`
	const ownedBySchema = bySchema + "    # every other table is in a tenant's schema\n"
	const django = `
database:
  - engine: postgres
    tenant: { schemas: "{tenant}" }
    tables: { shared: ["public.*", "django_*"], owned: "*" }
`
	const byDatabase = `
database:
  - engine: postgres
    tenant: { databases: { tenant: "app_{tenant}", shared: app_global } }
`
	const byRole = `
database:
  - engine: postgres
    tenant: { roles: { tenant: "r_{tenant}", shared: r_all }, columns: [tenant_id] }
    tables: { owned: invoices }
`
	const orders = "SELECT id FROM orders"
	const path = "SET search_path TO "
	runPlaces(t, event.PostgreSQL, []placeCase{
		{"own schema, qualified", bySchema, "shop", "app", nil, []string{"SELECT id FROM t_acme.orders"}, []string{"ok_exact thread literal acme"}},
		{"foreign schema, qualified", bySchema, "shop", "app", nil, []string{"SELECT id FROM t_beta.orders"}, []string{"violation thread literal beta [CROSS_TENANT_READ]"}},
		{"foreign schema, written", bySchema, "shop", "app", nil, []string{"DELETE FROM t_beta.orders"}, []string{"violation thread literal beta [CROSS_TENANT_WRITE]"}},
		{"join over schemas", bySchema, "shop", "app", nil, []string{"SELECT 1 FROM t_acme.orders a JOIN t_beta.orders b ON a.id = b.id"},
			[]string{"violation thread literal acme,beta [CROSS_TENANT_READ]"}},
		{"shared schema", bySchema, "shop", "app", nil, []string{"SELECT id FROM public.orders"}, []string{"no_tenant thread"}},
		{"shared table in a tenant's schema", bySchema, "shop", "app", nil, []string{"SELECT id FROM t_beta.plans"}, []string{"no_tenant thread"}},
		{"path of one tenant", bySchema, "shop", "app", nil, []string{path + "t_acme", orders}, []string{"ok_exact thread session acme"}},
		{"path of another tenant", bySchema, "shop", "app", nil, []string{path + "'t_beta'", orders}, []string{"violation thread session beta [CROSS_TENANT_READ]"}},
		{"path at the start", bySchema, "shop", "app", map[string]string{"search_path": "t_beta"}, []string{orders}, []string{"violation thread session beta [CROSS_TENANT_READ]"}},
		{"path with a shared schema behind", bySchema, "shop", "app", nil, []string{path + "t_beta, public", orders}, []string{"unattributed/no_evidence thread session beta"}},
		{"own path with a shared schema behind", bySchema, "shop", "app", nil, []string{path + "t_acme, public", orders}, []string{"ok_exact thread session acme"}},
		{"catalog", bySchema, "shop", "app", nil, []string{path + "t_beta", "SELECT oid FROM pg_class"}, []string{"no_tenant thread"}},
		{"path of two tenants", bySchema, "shop", "app", nil, []string{path + "t_acme, t_beta", orders}, []string{"unattributed/no_evidence thread session acme,beta"}},
		{"$user", bySchema, "shop", "t_beta", nil, []string{path + `"$user"`, orders}, []string{"violation thread session beta [CROSS_TENANT_READ]"}},
		{"path never set", bySchema, "shop", "app", nil, []string{orders}, []string{"no_tenant thread"}},
		{"path never set, nothing shared", "\ndatabase: [{ engine: postgres, tenant: { schemas: \"t_{tenant}\" } }]\n", "shop", "app", nil, []string{orders}, []string{"unattributed/no_evidence thread"}},
		{"path of nobody", bySchema, "shop", "app", nil, []string{path + "public", orders}, []string{"no_tenant thread"}},
		{"unreadable path", bySchema, "shop", "app", map[string]string{"search_path": `"t_beta`}, []string{orders, "SELECT id FROM plans"},
			[]string{"unattributed/session_unknown thread", "no_tenant thread"}},
		{"same, with remark", ownedBySchema, "shop", "app", nil, []string{path + "t_acme", orders}, []string{"ok_exact thread session acme"}},

		{"django, own", django, "shop", "app", nil, []string{path + "'acme','public'", orders}, []string{"ok_exact thread session acme"}},
		{"django, foreign", django, "shop", "app", nil, []string{path + "'beta','public'", orders}, []string{"violation thread session beta [CROSS_TENANT_READ]"}},
		{"django, shared by name", django, "shop", "app", nil, []string{path + "'beta','public'", "SELECT id FROM django_session"}, []string{"no_tenant thread"}},
		{"django, public", django, "shop", "app", nil, []string{path + "'public'", orders}, []string{"no_tenant thread"}},

		{"own database", byDatabase, "app_acme", "app", nil, []string{orders}, []string{"ok_exact thread session acme"}},
		{"foreign database", byDatabase, "app_beta", "app", nil, []string{orders, "INSERT INTO orders VALUES (1)"},
			[]string{"violation thread session beta [CROSS_TENANT_READ]", "violation thread session beta [CROSS_TENANT_WRITE]"}},
		{"shared database", byDatabase, "app_global", "app", nil, []string{orders}, []string{"no_tenant thread"}},
		{"database of nobody", byDatabase, "postgres", "app", nil, []string{orders}, []string{"no_tenant thread"}},
		{"no table in a foreign database", byDatabase, "app_beta", "app", nil, []string{"SELECT 1"}, []string{"no_tenant thread"}},

		{"own login role", byRole, "shop", "r_acme", nil, []string{"SELECT id FROM invoices"}, []string{"ok_exact thread session acme"}},
		{"foreign login role", byRole, "shop", "r_beta", nil, []string{"SELECT id FROM invoices"}, []string{"violation thread session beta [CROSS_TENANT_READ]"}},
		{"SET ROLE", byRole, "shop", "app", nil, []string{"SET ROLE r_beta", "SELECT id FROM invoices"}, []string{"violation thread session beta [CROSS_TENANT_READ]"}},
		{"SET LOCAL ROLE ends", byRole, "shop", "r_acme", nil, []string{"BEGIN", "SET LOCAL ROLE r_beta", "COMMIT", "SELECT id FROM invoices"}, []string{"ok_exact thread session acme"}},
		{"a table that may be shared", byRole, "shop", "r_beta", nil, []string{orders}, []string{"unattributed/no_evidence thread session beta"}},
		{"shared role", byRole, "shop", "r_all", nil, []string{"SELECT id FROM invoices"}, []string{"unattributed/no_evidence thread"}},
		{"both agree", byRole, "shop", "r_acme", nil, []string{"SELECT id FROM invoices WHERE tenant_id = 'acme'"}, []string{"ok_exact thread session acme"}},
		{"the role disagrees", byRole, "shop", "r_beta", nil, []string{"SELECT id FROM invoices WHERE tenant_id = 'acme'"}, []string{"unattributed/conflict thread session acme,beta"}},
		{"the column disagrees", byRole, "shop", "r_acme", nil, []string{"SELECT id FROM invoices WHERE tenant_id = 'beta'"},
			[]string{"violation thread literal acme,beta [CROSS_TENANT_READ]"}},
	})
}

func TestPlacesOfMySQL(t *testing.T) {
	const policy = `
database:
  - engine: mysql
    tenant: { databases: { tenant: "app_{tenant}", shared: app_global }, settings: ["@tenant_id"], columns: [company_id] }
    tables: { shared: [plans] }
`
	const orders = "SELECT id FROM orders"
	const foreign = "violation thread session beta [CROSS_TENANT_READ]"
	runPlaces(t, event.MySQL, []placeCase{
		{"own database", policy, "app_acme", "app", nil, []string{orders}, []string{"ok_exact thread session acme"}},
		{"foreign database", policy, "app_beta", "app", nil, []string{orders}, []string{foreign}},
		{"USE", policy, "app_acme", "app", nil, []string{"USE app_beta", orders, "use `app_acme`", orders}, []string{foreign, "ok_exact thread session acme"}},
		{"USE in a rolled back transaction", policy, "app_acme", "app", nil, []string{"BEGIN", "USE app_beta", "ROLLBACK", orders}, []string{"no_tenant thread", foreign}},
		{"USE that failed", policy, "app_acme", "app", nil, []string{"FAIL USE app_beta", orders}, []string{"ok_exact thread session acme"}},
		{"USE that cannot be read", policy, "app_acme", "app", nil, []string{"USE app beta", orders}, []string{"unattributed/session_unknown thread"}},
		{"qualified", policy, "app_acme", "app", nil, []string{"SELECT id FROM app_beta.orders"}, []string{"violation thread literal beta [CROSS_TENANT_READ]"}},
		{"shared database", policy, "app_global", "app", nil, []string{orders, "SELECT 1 FROM app_beta.plans"}, []string{"no_tenant thread", "no_tenant thread"}},
		{"variable", policy, "", "app", nil, []string{"SET @tenant_id = 'beta'", "SELECT id FROM x.orders WHERE company_id = @tenant_id"}, []string{foreign}},
		{"no database", policy, "", "app", nil, []string{orders}, []string{"unattributed/session_unknown thread"}},
	})
}

// TestCurrentDatabaseFromServer holds that what the server says of the current database counts, and that one that is lost is not the first one again.
func TestCurrentDatabaseFromServer(t *testing.T) {
	tr := newTrace(t, "database: [{ engine: mysql, tenant: { databases: \"app_{tenant}\" } }]\n")
	tr.known("beta")
	db := tr.sessionAs(event.MySQL, "app_acme", "app", nil)
	tr.play(&event.SessionSetting{Header: tr.head(web, web), Conn: db, Name: "database", Value: "app_beta"})
	tr.visit(db, "SELECT id FROM orders")
	tr.expect("violation thread session beta [CROSS_TENANT_READ]")
	tr.play(&event.Lost{Header: tr.head(web, web), Reason: "ringbuf", Count: 1})
	tr.wait(40e9)
	tr.visit(db, "SELECT id FROM orders")
	tr.expect("unattributed/session_unknown thread")
}

func TestPoolerByTransaction(t *testing.T) {
	const policy = `
database:
  - engine: postgres
    pooler: transaction
    tenant: { schemas: "t_{tenant}", settings: [app.tenant_id], columns: [tenant_id], roles: "r_{tenant}" }
    tables: { owned: "*" }
`
	const orders = "SELECT id FROM orders"
	runPlaces(t, event.PostgreSQL, []placeCase{
		{"session setting", policy, "shop", "app", nil, []string{"SET app.tenant_id = 'beta'", orders}, []string{"unattributed/session_unknown thread"}},
		{"own session setting", policy, "shop", "app", nil, []string{"SET search_path = t_acme", orders}, []string{"unattributed/session_unknown thread"}},
		{"current_setting", policy, "shop", "app", nil, []string{"SET app.tenant_id = 'beta'", "SELECT id FROM t_acme.orders WHERE tenant_id = current_setting('app.tenant_id')"},
			[]string{"ok_exact thread literal acme"}},
		{"local setting", policy, "shop", "app", nil, []string{"BEGIN", "SET LOCAL search_path = t_beta", orders, "COMMIT"}, []string{"violation thread session beta [CROSS_TENANT_READ]"}},
		{"login role", policy, "shop", "r_beta", nil, []string{"BEGIN", "SET LOCAL search_path = x", orders, "COMMIT"}, []string{"violation thread session beta [CROSS_TENANT_READ]"}},
		{"session role", policy, "shop", "r_acme", nil, []string{"SET ROLE r_beta", "BEGIN", "SET LOCAL search_path = x", orders, "COMMIT"}, []string{"unattributed/session_unknown thread"}},
	})
}

func TestJSONSetting(t *testing.T) {
	const policy = `
database:
  - engine: postgres
    tenant: { settings: ["request.jwt.claims#app_metadata.org"], roles: { shared: authenticated } }
    tables: { owned: "*" }
`
	claims := func(org string) string {
		return `SELECT set_config('request.jwt.claims', '{"sub": "u", "app_metadata": {"org": "` + org + `"}}', true)`
	}
	runPlaces(t, event.PostgreSQL, []placeCase{
		{"own", policy, "shop", "authenticator", nil, []string{"BEGIN", claims("acme"), "SET LOCAL ROLE authenticated", "SELECT id FROM orders", "COMMIT"},
			[]string{"no_tenant thread", "ok_exact thread session acme"}},
		{"foreign", policy, "shop", "authenticator", nil, []string{"BEGIN", claims("beta"), "SET LOCAL ROLE authenticated", "SELECT id FROM orders", "COMMIT"},
			[]string{"no_tenant thread", "violation thread session beta [CROSS_TENANT_READ]"}},
	})
}

func TestKeyPrefix(t *testing.T) {
	const policy = `
database:
  - engine: postgres
    tenant: { columns: [tenant_id], key_prefix: { id: "t-{tenant}:*", ref: "{tenant}/*" } }
    tables: { shared: [plans] }
`
	const foreign = "violation thread literal beta [CROSS_TENANT_READ]"
	runPlaces(t, event.PostgreSQL, []placeCase{
		{"own", policy, "shop", "app", nil, []string{"SELECT n FROM orders WHERE id = 't-acme:17'"}, []string{"ok_exact thread literal acme"}},
		{"foreign", policy, "shop", "app", nil, []string{"SELECT n FROM orders WHERE id = 't-beta:17'"}, []string{foreign}},
		{"foreign, second column", policy, "shop", "app", nil, []string{"SELECT n FROM orders WHERE x = 1 AND ref = 'beta/1'"}, []string{foreign}},
		{"written", policy, "shop", "app", nil, []string{"INSERT INTO orders (id) VALUES ('t-beta:1')"}, []string{"violation thread literal beta [CROSS_TENANT_WRITE]"}},
		{"another key", policy, "shop", "app", nil, []string{"SELECT n FROM orders WHERE id = 17"}, []string{"no_tenant thread"}},
		{"a key that is no value", policy, "shop", "app", nil, []string{"SELECT n FROM orders WHERE id = f(1) AND tenant_id = 'acme'"}, []string{"ok_exact thread literal acme"}},
		{"shared", policy, "shop", "app", nil, []string{"SELECT n FROM plans WHERE id = 't-beta:17'"}, []string{"no_tenant thread"}},
		{"under OR", policy, "shop", "app", nil, []string{"SELECT n FROM orders WHERE id = 't-beta:17' OR true"}, []string{"no_tenant thread"}},
		{"both", policy, "shop", "app", nil, []string{"SELECT n FROM orders WHERE id = 't-beta:17' AND tenant_id = 'acme'"}, []string{"violation thread literal acme,beta [CROSS_TENANT_READ]"}},
	})
	tr := newTrace(t, policy)
	tr.known("beta")
	c, db := tr.client("acme"), tr.database()
	r := tr.request(c, 7, "/")
	key := "t-beta:1"
	tr.sql(db, 7, "SELECT * FROM orders WHERE n = 1", &event.Result{
		Tag: "SELECT 1", Count: 1, Columns: []event.Column{{Name: "id", Table: 1, Attr: 1, Owner: "id"}}, Rows: [][]*string{{&key}},
	})
	tr.respond(c, r, 7, 200)
	tr.expect("violation thread row beta [CROSS_TENANT_BY_KEY]")
}

func TestPathSchemas(t *testing.T) {
	for text, want := range map[string]string{
		"": "", " ": "", "a": "a", "A, b ,c": "a|b|c", `"A", "b,c","d""e"`: `A|b,c|d"e`, `"$user", public`: "$user|public", `""`: "",
	} {
		got, ok := pathSchemas(text)
		if !ok || strings.Join(got, "|") != want {
			t.Errorf("%q: %q, %v", text, got, ok)
		}
	}
	for _, text := range []string{`"a`, `"a"b`, "a,", ",a", "a b", `a"b"`, "a,,b", `'a'`, strings.Repeat("a,", maxSchemas) + "a"} {
		if got, ok := pathSchemas(text); ok {
			t.Errorf("%q is accepted: %q", text, got)
		}
	}
}

func FuzzSearchPath(f *testing.F) {
	f.Add(`"$user", public`)
	f.Add(`"a""b",C`)
	f.Fuzz(func(t *testing.T, text string) {
		schemas, ok := pathSchemas(text)
		if !ok {
			return
		}
		quoted := make([]string, len(schemas))
		for i, s := range schemas {
			quoted[i] = `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
		}
		again, ok := pathSchemas(strings.Join(quoted, ","))
		if !ok || strings.Join(again, "\x00") != strings.Join(schemas, "\x00") {
			t.Errorf("%q: %q, then %q", text, schemas, again)
		}
	})
}

func TestUsedDatabase(t *testing.T) {
	for shape, want := range map[string]string{"USE a": "a", "use  `a``b`;": "a`b", "Use a ;": "a", "USE ?": "", "USE a b": "", "USE": ""} {
		if name, ok := usedDatabase(shape); !ok || name != want {
			t.Errorf("%q: %q, %v", shape, name, ok)
		}
	}
	for _, shape := range []string{"", "USER x", "SELECT 1", "EXPLAIN USE a"} {
		if _, ok := usedDatabase(shape); ok {
			t.Errorf("%q is USE", shape)
		}
	}
}
