package correlate

import (
	"testing"

	"tenantrace/collector/event"
)

// E05 and E06: a change of rows by their key is another tenant's where the transaction has read those rows, and nobody's where it has not.
func TestChangeOfRowsThatWereRead(t *testing.T) {
	const (
		read, change = "SELECT * FROM invoices WHERE id = 7", "UPDATE invoices SET paid = true WHERE id = 7"
		byKey        = "violation thread row beta [CROSS_TENANT_BY_KEY]"
		written      = "violation thread row beta [CROSS_TENANT_WRITE]"
		nothing      = "unattributed/no_evidence thread"
	)
	for _, c := range []struct {
		name       string
		statements []string // "=beta": the one before it returned a row of beta
		want       []string
	}{
		{"read, changed", []string{"BEGIN", read, "=beta", change, "COMMIT"}, []string{byKey, written}},
		{"read, deleted", []string{"BEGIN", read, "=beta", "DELETE FROM invoices WHERE id = 7", "COMMIT"}, []string{byKey, written}},
		{"the own row", []string{"BEGIN", read, "=acme", change, "COMMIT"}, []string{"ok_exact thread row acme", "ok_exact thread row acme"}},
		{"more is asked of it", []string{"BEGIN", read, "=beta", change + " AND paid = 'f'", "COMMIT"}, []string{byKey, written}},
		{"less is asked of it", []string{"BEGIN", read + " AND paid = 'f'", "=beta", change, "COMMIT"}, []string{byKey, nothing}},
		{"Django's get", []string{"BEGIN", read + " LIMIT 21", "=beta", change, "COMMIT"}, []string{byKey, written}},
		{"there may be more", []string{"BEGIN", read + " LIMIT 1", "=beta", change, "COMMIT"}, []string{byKey, nothing}},
		{"nothing is read", []string{"BEGIN", change, "COMMIT"}, []string{nothing}},
		{"another row is read", []string{"BEGIN", "SELECT * FROM invoices WHERE id = 8", "=beta", change, "COMMIT"}, []string{byKey, nothing}},
		{"another table is read", []string{"BEGIN", "SELECT * FROM orders WHERE id = 7", "=beta", change, "COMMIT"}, []string{byKey, nothing}},
		{"in another transaction", []string{"BEGIN", read, "=beta", "COMMIT", "BEGIN", change, "COMMIT"}, []string{byKey, nothing}},
		{"without a transaction", []string{read, "=beta", change}, []string{byKey, nothing}},
		{"no row is changed", []string{"BEGIN", read, "=beta", change, "#0", "COMMIT"}, []string{byKey, nothing}},
		{"more rows are changed", []string{"BEGIN", read, "=beta", change, "#2", "COMMIT"}, []string{byKey, nothing}},
		{"two rows of two tenants", []string{"BEGIN", read, "=beta acme", change, "COMMIT"}, []string{"violation thread row acme,beta [CROSS_TENANT_BY_KEY MIXED_TENANTS_IN_RESULT]", nothing}},
		{"a row is added", []string{"BEGIN", read, "=beta", "INSERT INTO invoices (id, tenant_id) VALUES (9, 'acme')", change, "COMMIT"},
			[]string{byKey, "ok_exact thread literal acme", nothing}},
		{"its tenant is changed", []string{"BEGIN", read, "=beta", "UPDATE invoices SET tenant_id = 'acme' WHERE id = 7", change, "COMMIT"},
			[]string{byKey, "violation thread row acme,beta [CROSS_TENANT_WRITE]", nothing}},
		{"another change may have moved one there", []string{"BEGIN", read, "=beta", "UPDATE invoices SET id = 7 WHERE id = 9", change, "COMMIT"}, []string{byKey, nothing, nothing}},
		{"back to a savepoint", []string{"BEGIN", "SAVEPOINT s", read, "=beta", "ROLLBACK TO s", change, "COMMIT"}, []string{byKey, nothing}},
		{"code that is not seen", []string{"BEGIN", read, "=beta", "DO $$ x $$", change, "COMMIT"}, []string{byKey, "unattributed/unparsed thread", nothing}},
		{"another schema", []string{"BEGIN", read, "=beta", "SET LOCAL search_path = other", change, "COMMIT"}, []string{byKey, nothing}},
		{"by a function", []string{"BEGIN", read, "=beta", "SELECT set_config('search_path', 'other', true)", change, "COMMIT"}, []string{byKey, nothing}},
		{"as another user", []string{"BEGIN", read, "=beta", "SET LOCAL SESSION AUTHORIZATION other", change, "COMMIT"}, []string{byKey, nothing}},
		{"a row that was read is moved there", []string{"BEGIN", read, "=beta", "SELECT * FROM invoices WHERE id = 9", "=acme", "UPDATE invoices SET id = 7 WHERE id = 9", change, "COMMIT"},
			[]string{byKey, "ok_exact thread row acme", "ok_exact thread row acme", nothing}},
		{"two rows", []string{"BEGIN", read, "=beta", "SELECT * FROM invoices WHERE id = 9", "=acme", "UPDATE invoices SET paid = true WHERE id = 9", change, "COMMIT"},
			[]string{byKey, "ok_exact thread row acme", "ok_exact thread row acme", written}},
		{"twice", []string{"BEGIN", read, "=beta", change, change, "COMMIT"}, []string{byKey, written, written}},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr := newTrace(t, "database: [{engine: postgres, tenant: {columns: [tenant_id]}, tables: {owned: [invoices, orders]}}]\n")
			acme, db := tr.client("acme"), tr.database()
			tr.known("beta")
			r := tr.request(acme, 7, "/")
			for i, s := range c.statements {
				next := ""
				if i+1 < len(c.statements) {
					next = c.statements[i+1]
				}
				switch {
				case s[0] == '=', s[0] == '#':
				case next == "=beta":
					tr.sql(db, 7, s, rows("beta"))
				case next == "=acme":
					tr.sql(db, 7, s, rows("acme"))
				case next == "=beta acme":
					tr.sql(db, 7, s, rows("beta", "acme"))
				case next == "#0", next == "#2":
					tr.sql(db, 7, s, result("UPDATE "+next[1:]))
				default:
					tr.sql(db, 7, s)
				}
			}
			tr.respond(acme, r, 7, 200)
			tr.judged()
			for i := range tr.lines { // that follow from the look-up, and are not what is asked here
				kept := tr.lines[i].Findings[:0:0]
				for _, f := range tr.lines[i].Findings {
					if f != IdentityTOCTOU && f != MixedInTransaction {
						kept = append(kept, f)
					}
				}
				tr.lines[i].Findings = kept
			}
			tr.expect(c.want...)
		})
	}
}

// Parameters are compared by value.
func TestChangeByParameter(t *testing.T) {
	tr := newTrace(t, "database: [{engine: postgres, tenant: {columns: [tenant_id]}, tables: {owned: [invoices]}}]\n")
	acme, db := tr.client("acme"), tr.database()
	tr.known("beta")
	r := tr.request(acme, 7, "/")
	tr.sql(db, 7, "BEGIN")
	tr.execute(db, 7, "SELECT * FROM invoices WHERE id = $1", []string{"7"}, rows("beta"))
	tr.execute(db, 7, "UPDATE invoices SET paid = $1 WHERE id = $2", []string{"t", "7"}, result("UPDATE 1"))
	tr.execute(db, 7, "UPDATE invoices SET paid = $1 WHERE id = $2", []string{"t", "8"}, result("UPDATE 1"))
	tr.sql(db, 7, "COMMIT")
	tr.respond(acme, r, 7, 200)
	tr.judged()
	tr.expect("violation thread row beta [CROSS_TENANT_BY_KEY]", "violation thread row beta [CROSS_TENANT_WRITE]", "unattributed/no_evidence thread")
}

// A name means another table after USE, and after the command that does the same. Neither ends the transaction.
func TestChangeInAnotherDatabase(t *testing.T) {
	for how, want := range map[string]string{
		"":        "violation thread row beta [CROSS_TENANT_WRITE]",
		"USE":     "unattributed/no_evidence thread",
		"command": "unattributed/no_evidence thread",
	} {
		tr := newTrace(t, "database: [{engine: mysql, tenant: {columns: [tenant_id]}, tables: {owned: [invoices]}}]\n")
		acme, db := tr.client("acme"), tr.mysql("one")
		tr.known("beta")
		r := tr.request(acme, 7, "/")
		tr.sql(db, 7, "BEGIN")
		tr.sql(db, 7, "SELECT * FROM invoices WHERE id = 7", rows("beta"))
		switch how {
		case "USE":
			tr.sql(db, 7, "USE other", result("OK 0"))
		case "command":
			tr.play(&event.SessionDatabase{Header: tr.head(web, web), Conn: db, Database: "other"})
		}
		tr.sql(db, 7, "UPDATE invoices SET paid = 1 WHERE id = 7", result("OK 1"))
		tr.sql(db, 7, "COMMIT")
		tr.respond(acme, r, 7, 200)
		tr.judged()
		tr.expect("violation thread row beta [CROSS_TENANT_BY_KEY]", want)
	}
}
