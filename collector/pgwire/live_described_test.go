package pgwire

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"tenantrace/collector/event"
)

// TestLiveDescriptions looks at which table a server says that columns are of, and at which results say that their description came whole.
func TestLiveDescriptions(t *testing.T) {
	socket := startServer(t)
	w := startWire(t, socket)
	ctx := context.Background()
	host, port, _ := net.SplitHostPort(w.listener.Addr().String())
	c, err := pgconn.Connect(ctx, fmt.Sprintf("host=%s port=%s user=app dbname=postgres sslmode=disable", host, port))
	if err != nil {
		t.Fatal(err)
	}
	do := func(sql string) string {
		t.Helper()
		results, err := c.Exec(ctx, sql).ReadAll()
		if err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		if rows := results[len(results)-1].Rows; len(rows) > 0 {
			return string(rows[0][0])
		}
		return ""
	}
	do(`CREATE TABLE plans (id int, name text); INSERT INTO plans VALUES (1, 'x');
		CREATE TABLE parent (id int, tenant_id text) PARTITION BY LIST (tenant_id); CREATE TABLE child PARTITION OF parent DEFAULT; INSERT INTO parent VALUES (1, 'acme');
		CREATE VIEW bills AS SELECT tenant_id, id FROM parent; CREATE VIEW renamed AS SELECT id AS tenant_id, name FROM plans;
		CREATE SCHEMA other; CREATE TABLE other.plans (tenant_id text, id int); INSERT INTO other.plans VALUES ('beta', 1)`)
	oids := make(map[string]string)
	for _, name := range []string{"plans", "parent", "bills", "renamed", "other.plans"} {
		oids[do("SELECT '"+name+"'::regclass::oid::int")] = name
	}
	queries := []struct{ sql, want string }{
		{"SELECT * FROM plans", "described"},
		{"SELECT id FROM plans", ""},
		{"SELECT * FROM parent", "described tenant_id@parent#2=acme"},
		{"SELECT * FROM child", "described tenant_id@#0=acme"}, // this one is not among those that are looked up above
		{"SELECT * FROM bills", "described tenant_id@bills#1=acme"},
		{"SELECT * FROM renamed", "described tenant_id@renamed#1=1"},
		{"SELECT p.id, b.tenant_id FROM plans p, bills b", "described tenant_id@bills#1=acme"},
		// Another column under that name teaches nothing: what follows shows no tenant.
		{"WITH w (tenant_id) AS (SELECT id FROM plans) SELECT tenant_id FROM w", "described tenant_id@#0=1"},
		{"SELECT id FROM plans", ""},
		{"SELECT n.tenant_id FROM plans n (id, tenant_id)", "described tenant_id@#0=x"},
		{"SELECT name FROM plans", ""},
		{"SET search_path = other, public", ""},
		{"SELECT * FROM plans", "described tenant_id@other.plans#1=beta"},
		{"RESET search_path", ""},
		{"CREATE TEMP TABLE plans (i int, tenant_id text); INSERT INTO plans VALUES (1, 'temp')", ""},
		{"SELECT * FROM plans", "described tenant_id@#0=temp"},
		{"SELECT * FROM public.plans", "described"},
	}
	for _, q := range queries {
		do(q.sql)
	}
	// The description of a prepared statement is told with its first result.
	st, err := c.Prepare(ctx, "s", "SELECT * FROM public.plans WHERE id = $1", nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if r := c.ExecStatement(ctx, st, [][]byte{[]byte("1")}, nil, nil).Read(); r.Err != nil {
			t.Fatal(r.Err)
		}
		want := ""
		if i == 0 {
			want = "described"
		}
		queries = append(queries, struct{ sql, want string }{"SELECT * FROM public.plans WHERE id = $1", want})
	}
	c.Close(ctx)
	w.stop(t)

	text := make(map[uint64]string)
	var got []string
	for _, e := range w.events[1] {
		switch e := e.(type) {
		case *event.Statement:
			text[e.Seq] = e.Text
		case *event.Result:
			if sql := text[e.Seq]; e.Index == 0 && !e.None && slices.ContainsFunc(queries, func(q struct{ sql, want string }) bool { return q.sql == sql }) {
				got = append(got, sql+": "+describedLine(e, oids))
			}
		}
	}
	var want []string
	for _, q := range queries {
		want = append(want, q.sql+": "+q.want)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got:\n  %s\nwant:\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

func describedLine(r *event.Result, oids map[string]string) string {
	var parts []string
	if r.Described {
		parts = append(parts, "described")
	}
	for i, col := range r.Columns {
		table, attr := oids[fmt.Sprint(col.Table)], col.Attr
		if table == "" {
			attr = 0
		}
		value := "NULL"
		if len(r.Rows) > 0 && r.Rows[0][i] != nil {
			value = *r.Rows[0][i]
		}
		parts = append(parts, fmt.Sprintf("%s@%s#%d=%s", col.Name, table, attr, value))
	}
	return strings.Join(parts, " ")
}
