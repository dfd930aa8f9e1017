package pgwire

import "testing"

func TestLabeled(t *testing.T) {
	wanted := func(name string) bool { return name == "tenant_id" }
	for text, want := range map[string]string{
		"SELECT items.id AS items_id, items.tenant_id AS label, items.what AS items_what FROM items": "tenant_id",
		"SELECT /* by report */ big.tenant_id AS label, count(*) AS n FROM big":                      "tenant_id",
		`SELECT "items"."id" AS "items_id", "items"."tenant_id" AS "label" FROM "items"`:             "tenant_id",
		"SELECT Tenant_ID as\n\tLABEL FROM items":                                                    "tenant_id",
		"INSERT INTO items (id) VALUES (1) RETURNING items.tenant_id AS label":                       "tenant_id",
		"SELECT items.what AS label FROM items":                                                      "",
		"SELECT items.tenant_id label FROM items":                                                    "",
		"SELECT label FROM items":                                                                    "",
		"SELECT what AS label FROM items UNION SELECT tenant_id AS label FROM items":                 "",
		"SELECT tenant_id AS label FROM items ORDER BY label":                                        "",
		"SELECT i.*, (SELECT u.tenant_id AS label FROM u) FROM i":                                    "",
		"SELECT * FROM i WHERE EXISTS (SELECT u.tenant_id AS label FROM u)":                          "",
		"WITH u AS (SELECT tenant_id AS label FROM v) TABLE i":                                       "",
		"SELECT my_tenant_id AS label FROM items":                                                    "",
		"SELECT f(a) tenant_id AS label FROM items":                                                  "",
		"SELECT -- \nitems.tenant_id AS label FROM items":                                            "",
		"DECLARE c CURSOR FOR SELECT tenant_id AS label FROM items; FETCH 1 FROM c":                  "",
		`SELECT items.tenant_id AS label" FROM items`:                                                "",
		`SELECT tenant_id" AS label FROM items`:                                                      "",
		"AS label":                                                                                   "",
		"label":                                                                                      "",
		"":                                                                                           "",
	} {
		if got := labeled(text, "label", wanted); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// TestLabelsAreLearned: SQLAlchemy calls each column by its table and its name, so that none of its descriptions has a column's own name.
func TestLabelsAreLearned(t *testing.T) {
	var db tables
	a := attribute{7, 2}
	for range maxLooks {
		if !db.look(a) {
			t.Fatal("not looked at")
		}
	}
	if db.look(a) {
		t.Error("looked at for ever")
	}
	for i := range 2 * maxAttributes {
		db.look(attribute{uint32(i), 1})
	}
	if len(db.looks) > maxAttributes {
		t.Errorf("%d attributes are looked at", len(db.looks))
	}
}

func FuzzLabeled(f *testing.F) {
	f.Add("SELECT items.tenant_id AS items_tenant_id FROM items", "items_tenant_id")
	f.Add(`SELECT /* a */ "i"."tenant_id" as "x" FROM i`, "x")
	f.Add("SELECT count(*), i.* FROM i", "i")
	f.Fuzz(func(t *testing.T, text, name string) {
		if name == "" {
			return // a column without a name is not asked for
		}
		got := labeled(text, name, func(column string) bool { return column == "tenant_id" })
		if got != "" && (got != "tenant_id" || only(text, name) < 0 || !mentions(text, got)) {
			t.Errorf("%q is called %q in %q", got, name, text)
		}
	})
}
