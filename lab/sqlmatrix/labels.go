package sqlmatrix

import "strings"

// A label names what a few statements have in common, and says what must be known of each.
type label struct {
	name string
	ops  []op
}

// op is an operation that a driver program plays. The table has it in PostgreSQL's text; where MySQL's differs it has both.
type op struct {
	do   string
	pg   string
	my   string   // "" the same as pg, "-" the label is not for MySQL
	args []string // as the program gets them, behind the SQL
	data string   // of copyin and loadin
	want []want   // of each statement in the text; one that holds for all may stand alone
}

// want is what must be known of a statement. Without tenants nothing may be known of it: it has no evidence.
type want struct {
	tenants string   // separated by blanks
	levels  []string // kinds of evidence that are right; empty any
}

// The tenants whose data the statements touch.
const (
	acme = "acme"
	beta = "beta"
	gama = "gamma"
)

// Kinds of evidence, as verdict items name them.
const (
	row     = "row"
	bind    = "bind"
	session = "session"
	literal = "literal"
)

// none is wanted of statements that show no tenant.
var none = want{}

// by says which tenants must be known by which kinds of evidence. A bind counts as a literal where the driver writes values into the text.
func by(tenants string, levels ...string) want { return want{tenants, levels} }

func ops(all ...op) []op { return all }

// q is an op with one kind of text for both engines.
func q(do, sql string, w want, args ...string) op {
	return op{do: do, pg: sql, want: []want{w}, args: args}
}

// mine gives an op another text for MySQL.
func (o op) mine(sql string) op {
	o.my = sql
	return o
}

// only keeps the op's label from MySQL.
func (o op) only() op { return o.mine("-") }

var begin, commit, rollback = op{do: "begin"}, op{do: "commit"}, op{do: "rollback"}

// Two uuids and two numbers that are tenants, too.
const (
	redUUID  = "7d44e2c0-3b8f-4d35-9c1f-2f1f6f3f0a01"
	blueUUID = "7d44e2c0-3b8f-4d35-9c1f-2f1f6f3f0a02"
)

// labels is the set of statements. None depends on what another one has left behind but for the first rows of the tables; what is inserted has an id of its
// own, which the run's number in $RUN$ makes unique.
func labels() []label {
	return []label{
		{"literal", ops(q("query", "SELECT count(*) FROM invoices WHERE tenant_id = 'acme'", by(acme, literal)))},
		{"literal-rows", ops(q("query", "SELECT id, tenant_id FROM invoices WHERE tenant_id = 'beta'", by(beta, row)))},
		{"bind-text", ops(
			q("query", "SELECT count(*) FROM invoices WHERE tenant_id = $1 AND amount > $2", by(acme, bind), "t:acme", "i:0"),
			q("query", "SELECT count(*) FROM invoices WHERE amount > $1 AND tenant_id = $2", by(beta, bind), "i:0", "t:beta"))},
		{"bind-int", ops(
			q("query", "SELECT count(*) FROM meters WHERE tenant_id = $1", by("41", bind), "i:41"),
			q("query", "SELECT reading FROM meters WHERE tenant_id = $1 AND id > $2", by("42", bind), "i:42", "i:0"))},
		{"bind-uuid", ops(
			q("query", "SELECT title FROM papers WHERE tenant_id = $1", by(redUUID, bind), "u:"+redUUID),
			q("query", "SELECT title FROM papers WHERE tenant_id = $1", by(blueUUID, bind), "u:"+blueUUID))},
		{"binary-text", ops(q("binary", "SELECT count(*) FROM invoices WHERE tenant_id = $1", by(beta, bind), "t:beta"))},
		{"binary-int", ops(q("binary", "SELECT count(*) FROM meters WHERE tenant_id = $1", by("42", bind), "i:42"))},
		{"binary-uuid", ops(q("binary", "SELECT title FROM papers WHERE tenant_id = $1", by(redUUID, bind), "u:"+redUUID))},
		{"binary-rows", ops(
			q("binary", "SELECT tenant_id, id FROM invoices WHERE id = $1", by(beta, row), "i:21"),
			q("binary", "SELECT tenant_id, id FROM meters WHERE id = $1", by("41", row), "i:1"))},
		{"any-array", ops(
			q("query", "SELECT count(*) FROM invoices WHERE tenant_id = ANY($1)", by("acme gamma", bind), "T:acme,gamma").only(),
			q("query", "SELECT count(*) FROM meters WHERE tenant_id = ANY($1)", by("41 42", bind), "I:41,42"))},
		{"in-list", ops(
			q("query", "SELECT count(*) FROM invoices WHERE tenant_id IN ($1, $2)", by("acme beta", bind), "t:acme", "t:beta"),
			q("query", "SELECT count(*) FROM invoices WHERE tenant_id IN ('beta', 'gamma')", by("beta gamma", literal)))},
		{"prepared", ops(
			q("prepare", "SELECT count(*) FROM invoices WHERE tenant_id = $1", none, "p1"),
			q("execute", "", by(acme, bind), "p1", "t:acme"),
			q("execute", "", by(beta, bind), "p1", "t:beta"),
			q("execute", "", by(gama, bind), "p1", "t:gamma"))},
		{"repeated", ops( // drivers prepare by themselves what comes often
			q("query", "SELECT number FROM invoices WHERE tenant_id = $1 AND id = $2", by(acme, bind), "t:acme", "i:1"),
			q("again", "", by(beta, bind), "t:beta", "i:21"), q("again", "", by(gama, bind), "t:gamma", "i:41"), q("again", "", by(acme, bind), "t:acme", "i:2"),
			q("again", "", by(beta, bind), "t:beta", "i:22"), q("again", "", by(gama, bind), "t:gamma", "i:42"), q("again", "", by(acme, bind), "t:acme", "i:3"),
			q("again", "", by(beta, bind), "t:beta", "i:23"))},
		{"batch-insert", ops(q("many", "INSERT INTO invoices (id, tenant_id, number, amount) VALUES ($1, $2, $3, $4)", by(acme, bind),
			"i:$ID$1", "t:acme", "t:B-1", "i:1", ";", "i:$ID$2", "t:acme", "t:B-2", "i:2", ";", "i:$ID$3", "t:acme", "t:B-3", "i:3"))},
		{"batch-update", ops(q("many", "UPDATE invoices SET amount = $1 WHERE tenant_id = $2 AND id = $3", by(beta, bind),
			"i:7", "t:beta", "i:21", ";", "i:8", "t:beta", "i:22"))},
		{"insert-literal", ops(q("query", "INSERT INTO invoices (id, tenant_id, number, amount) VALUES ($ID$, 'gamma', 'L-1', 5)", by(gama, literal)))},
		{"insert-returning", ops(q("query", "INSERT INTO invoices (id, tenant_id, number, amount) VALUES ($1, $2, $3, $4) RETURNING id, tenant_id", by(beta, row),
			"i:$ID$", "t:beta", "t:R-1", "i:5"))},
		{"insert-rows", ops(
			q("query", "INSERT INTO invoices (id, tenant_id, number, amount) VALUES ($1, $2, 'M-1', 1), ($3, $4, 'M-2', 2)", by(acme, bind), "i:$ID$1", "t:acme", "i:$ID$2", "t:acme"),
			q("query", "INSERT INTO invoices (id, tenant_id, number, amount) SELECT $ID$3, tenant_id, 'M-3', amount FROM invoices WHERE tenant_id = $1 AND id = 21",
				by(beta, bind), "t:beta"))},
		{"update", ops(
			q("query", "UPDATE invoices SET amount = amount + $1 WHERE tenant_id = $2 AND id = $3", by(acme, bind), "i:1", "t:acme", "i:1"),
			q("query", "UPDATE invoices SET number = 'x' WHERE tenant_id = 'beta' AND id = 21", by(beta, literal)))},
		{"delete", ops(q("query", "DELETE FROM invoices WHERE tenant_id = $1 AND number = $2", by(gama, bind), "t:gamma", "t:none"))},
		{"update-from", ops(
			q("query", "UPDATE invoices SET amount = invoices.amount + 1 FROM plans WHERE plans.id = invoices.plan_id AND invoices.tenant_id = $1", by(beta, bind), "t:beta").
				mine("UPDATE invoices JOIN plans ON plans.id = invoices.plan_id SET invoices.amount = invoices.amount + 1 WHERE invoices.tenant_id = $1"),
			q("query", "DELETE FROM items USING invoices WHERE invoices.id = items.invoice_id AND invoices.tenant_id = $1 AND items.tenant_id = 'beta' AND items.id < 0",
				by(beta, bind, literal), "t:beta").mine("DELETE items FROM items JOIN invoices ON invoices.id = items.invoice_id WHERE invoices.tenant_id = $1 AND items.tenant_id = 'beta' AND items.id < 0"))},
		{"join", ops(q("query", "SELECT l.what FROM invoices i JOIN items l ON l.invoice_id = i.id AND l.tenant_id = i.tenant_id WHERE i.tenant_id = $1", by(acme, bind), "t:acme"))},
		{"left-join", ops(
			q("query", "SELECT i.number, l.what FROM invoices i LEFT JOIN items l ON l.invoice_id = i.id AND l.tenant_id = $1 WHERE i.tenant_id = $2", by(beta, bind), "t:beta", "t:beta"))},
		{"cte", ops(q("query", "WITH mine AS (SELECT id, amount FROM invoices WHERE tenant_id = $1) SELECT sum(amount) FROM mine WHERE id > $2", by(acme, bind), "t:acme", "i:0"))},
		{"sub-select", ops(
			q("query", "SELECT what FROM items WHERE tenant_id = $1 AND invoice_id IN (SELECT id FROM invoices WHERE tenant_id = $2)", by(gama, bind), "t:gamma", "t:gamma"),
			q("query", "SELECT n FROM (SELECT count(*) AS n FROM invoices WHERE tenant_id = $1) AS counted", by(beta, bind), "t:beta"))},
		{"union", ops(q("query", "SELECT number FROM invoices WHERE tenant_id = $1 UNION ALL SELECT what FROM items WHERE tenant_id = $2", by("acme gamma", bind), "t:acme", "t:gamma"))},
		{"key-lookup", ops(
			q("query", "SELECT id, tenant_id, number FROM invoices WHERE id = $1", by(beta, row), "i:21"),
			q("query", "SELECT tenant_id AS owner, number FROM invoices WHERE id = $1", by(gama, row), "i:41"))},
		{"select-star", ops(q("query", "SELECT * FROM invoices WHERE id = $1", by(acme, row), "i:1"), q("query", "SELECT * FROM items WHERE id = 2", by(beta, row)))},
		{"mixed-rows", ops(q("query", "SELECT id, tenant_id FROM invoices WHERE id IN (1, 21)", by("acme beta", row)))},
		{"copy-in", ops(op{do: "copyin", pg: "COPY invoices (id, tenant_id, number, amount) FROM STDIN", my: "-", want: []want{by(acme, row)},
			data: "$ID$1\tacme\tC-1\t1\n$ID$2\tacme\tC-2\t2\n"})},
		{"copy-out", ops(
			q("copyout", "COPY (SELECT id, tenant_id FROM invoices WHERE tenant_id = 'beta') TO STDOUT", by(beta, row, literal)).only(),
			q("copyout", "COPY items (id, tenant_id) TO STDOUT", by("acme beta gamma", row)))},
		{"load-data", ops(op{do: "loadin", pg: "-", my: "LOAD DATA LOCAL INFILE 'data' INTO TABLE invoices (id, number, amount) SET tenant_id = 'acme'", want: []want{by(acme, literal)},
			data: "$ID$1\tD-1\t1\n$ID$2\tD-2\t2\n"})},
		{"cursor", ops(begin,
			q("cursor", "SELECT id, tenant_id FROM invoices WHERE tenant_id = $1 AND id < 41", by(acme, row, bind), "2", "t:acme"),
			q("cursor", "SELECT id, tenant_id FROM invoices WHERE id > 20 AND id < 41", by(beta, row), "7"), commit)},
		{"pipeline", ops(
			q("pipe", "SELECT count(*) FROM invoices WHERE tenant_id = $1", by(acme, bind), "t:acme"),
			q("pipe", "SELECT id, tenant_id FROM invoices WHERE id = $1", by(beta, row), "i:21"),
			q("pipe", "SELECT number FROM invoices WHERE tenant_id = $1", by(gama, bind), "t:gamma"),
			op{do: "sync"})},
		{"script", ops(op{do: "script", pg: "SELECT count(*) FROM invoices WHERE tenant_id = 'acme'; SELECT id, tenant_id FROM invoices WHERE id = 21; SELECT name FROM plans",
			want: []want{by(acme, literal), by(beta, row), none}})},
		{"session", ops(begin,
			q("query", "SELECT set_config('app.tenant_id', $1, true)", none, "t:acme").mine("SET @tenant_id = $1"),
			q("query", "SELECT count(*) FROM ledger", by(acme, session)), commit,
			begin, q("query", "SET LOCAL app.tenant_id = 'beta'", none).mine("SET @tenant_id = 'beta'"),
			q("query", "SELECT count(*) FROM ledger WHERE amount > $1", by(beta, session), "i:0"), commit,
			q("query", "RESET app.tenant_id", none).mine("SET @tenant_id = NULL"))},
		{"transaction", ops(begin,
			q("query", "UPDATE invoices SET amount = 1 WHERE tenant_id = $1 AND id = $2", by(acme, bind), "t:acme", "i:4"),
			q("query", "SELECT tenant_id FROM invoices WHERE id = $1", by(acme, row), "i:4"), commit)},
		{"error", ops(begin,
			q("query", "SELECT count(*) FROM invoices WHERE tenant_id = $1", by(beta, bind), "t:beta"),
			q("fail", "INSERT INTO invoices (id, tenant_id, number, amount) VALUES ($1, $2, $3, $4)", by(beta, bind), "i:21", "t:beta", "t:E-1", "i:1"), rollback,
			q("query", "SELECT tenant_id FROM invoices WHERE id = $1", by(gama, row), "i:41"))},
		{"savepoint", ops(begin,
			q("query", "SAVEPOINT a", none),
			q("fail", "INSERT INTO invoices (id, tenant_id, number, amount) VALUES (21, 'acme', 'S-1', 1)", by(acme, literal)),
			q("query", "ROLLBACK TO SAVEPOINT a", none),
			q("query", "SELECT count(*) FROM invoices WHERE tenant_id = $1", by(acme, bind), "t:acme"),
			q("query", "RELEASE SAVEPOINT a", none), commit)},
		{"no-tenant", ops(
			q("query", "SELECT 1", none), q("query", "SELECT name FROM plans WHERE id = $1", none, "i:1"),
			q("query", "SELECT name FROM plans WHERE name = 'acme'", none))},
		{"unscoped", ops(
			q("query", "SELECT count(*) FROM invoices", none), q("query", "SELECT number FROM invoices WHERE id = $1", none, "i:21"),
			q("query", "SELECT count(*) FROM invoices WHERE tenant_id <> 'acme'", none), q("query", "SELECT count(*) FROM invoices WHERE tenant_id = 'acme' OR amount = 3", none))},
		{"nothing-found", ops(q("query", "SELECT id, tenant_id FROM invoices WHERE id = $1", none, "i:-1"),
			q("query", "SELECT id, tenant_id FROM invoices WHERE tenant_id = $1 AND id = -1", by(beta, bind), "t:beta"))},
		{"large-row", ops(q("query", "SELECT note, tenant_id FROM big WHERE id = $1", by(beta, row), "i:1"),
			q("query", "SELECT tenant_id, note FROM big ORDER BY id", by("acme beta", row)))},
		{"nulls", ops(
			q("query", "SELECT tenant_id, note, number FROM invoices WHERE id IN (1, $1)", by(acme, row), "i:61"),
			q("query", "SELECT count(*) FROM invoices WHERE tenant_id = $1 AND note = $2", by(acme, bind), "t:acme", "n:"),
			q("query", "SELECT count(*) FROM invoices WHERE tenant_id IS NULL", none))},
		{"unicode", ops(
			q("query", "SELECT count(*) FROM invoices WHERE tenant_id = $1 AND number <> $2", by("münchen", bind), "t:münchen", "t:ß€😀"),
			q("query", "SELECT tenant_id AS \"größe\" FROM invoices WHERE id = 71", by("münchen", row)).mine("SELECT tenant_id AS `größe` FROM invoices WHERE id = 71"))},
		{"quotes", ops(
			q("query", "SELECT count(*) FROM invoices WHERE number = $1 AND tenant_id = $2", by(acme, bind), `t:it's a "quote" \ and ; -- more`, "t:acme"),
			q("query", "SELECT count(*) FROM invoices WHERE number = 'tenant_id = ''beta''' AND tenant_id = 'acme'", by(acme, literal)))},
		{"json", ops(
			q("query", "SELECT count(*) FROM events WHERE doc->>'tenant_id' = $1", by(acme, bind), "t:acme").mine("SELECT count(*) FROM events WHERE JSON_VALUE(doc, '$.tenant_id') = $1"),
			q("query", "INSERT INTO events (id, doc) VALUES ($1, $2)", none, "i:$ID$", `j:{"tenant_id": "acme"}`))},
		{"notify", ops(op{do: "notify", pg: "LISTEN matrix; NOTIFY matrix, 'acme'", my: "-", args: []string{"matrix"}, want: []want{none, none}})},
	}
}

// leftovers removes what the labels insert: its ids are higher than those of the first rows.
const leftovers = "DELETE FROM invoices WHERE id >= 100000; DELETE FROM events WHERE id >= 100000;"

// tag gives a statement a comment, behind the first word.
func tag(sql, comment string) string {
	sql = strings.TrimSpace(sql)
	if i := strings.IndexByte(sql, ' '); i > 0 {
		return sql[:i] + " " + comment + sql[i:]
	}
	return sql + " " + comment
}
