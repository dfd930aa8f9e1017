package pgwire

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"tenantrace/collector/event"
)

// binaryRows writes binary COPY data.
func binaryRows(rows ...[]string) string {
	b := append([]byte(copySignature), 0, 0, 0, 0, 0, 0, 0, 2, 'e', 'x')
	for _, row := range rows {
		b = binary.BigEndian.AppendUint16(b, uint16(len(row)))
		for _, v := range row {
			if v == "NULL" {
				b = append(b, 0xff, 0xff, 0xff, 0xff)
				continue
			}
			b = append(binary.BigEndian.AppendUint32(b, uint32(len(v))), v...)
		}
	}
	return string(append(b, 0xff, 0xff))
}

// copyCase is a COPY and its data, and the rows that it shows.
type copyCase struct {
	name, text, data string
	columns          int // as the server says
	want             string
}

var copyCases = []copyCase{
	{"a list", "COPY t (id, tenant_id, note) FROM STDIN", "1\tacme\tx\n2\tbeta\ty\n3\tacme\tz\n", 3, "tenant_id (acme) (beta)"},
	{"the last line without its end, the mark of the end", "COPY t (tenant_id) FROM STDIN", "acme\n\\N\nbeta", 1, "tenant_id (acme) (NULL) (beta)"},
	{"the mark of the end", "COPY t (tenant_id) FROM STDIN", "acme\n\\.\nbeta\n", 1, "tenant_id (acme)"},
	{"carriage returns", "COPY t (id, tenant_id) FROM STDIN", "1\tacme\r\n2\tbeta\r\n", 2, "tenant_id (acme) (beta)"},
	{"carriage returns alone", "COPY t (id, tenant_id) FROM STDIN", "1\tacme\r2\tbeta\r", 2, "tenant_id (acme) (beta)"},
	{"escapes", "COPY t (tenant_id, note) FROM STDIN", "a\\x63m\\145\tx\\\ty\\\nz\\\\\nb\\teta\\1019\t\\n\n\\xZ\\b\t1\n", 2, `tenant_id (acme) (b	etaA9) (xZ` + "\b)"},
	{"empty values", "COPY t (id, tenant_id) FROM STDIN", "\t\n1\t\n", 2, "tenant_id ()"},
	{"delimiter and null", "COPY t (id, tenant_id) FROM STDIN WITH (DELIMITER '|', NULL 'nil')", "1|acme\n2|nil\n3|\\nil\n", 2, "tenant_id (acme) (NULL) (\nil)"},
	{"as psycopg2 writes it", `COPY "t" ("id","tenant_id") FROM stdin WITH DELIMITER AS E'\t' NULL AS E'\\N'`, "1\tacme\n2\t\\\\N\n", 2, `tenant_id (acme) (\N)`},
	{"quoted names, comments", "/* a /* b */ */ COPY \"S\".\"T\" (\"id\" -- c\n, \"Tenant_ID\") FROM STDIN;", "1\tacme\n", 2, "Tenant_ID (acme)"},
	{"CSV", "COPY t (id, tenant_id, note) FROM STDIN CSV", "1,acme,\"x\ny\"\n2,\"be\"\"ta\",\n3,,a\n4,\"\",b\n5,ga\"m,m\"a,c", 3, `tenant_id (acme) (be"ta) (NULL) () (gam,ma)`},
	{"CSV, header, quote and escape", `COPY t (id, tenant_id) FROM STDIN WITH (FORMAT csv, HEADER, DELIMITER ';', QUOTE '''', ESCAPE E'\\', NULL '-', FORCE_NOT_NULL (id))`,
		"tenant_id;acme\n1;'a\\'c\\\\m\\e'\n2;-\n3;'-'\n", 2, `tenant_id (a'c\m\e) (NULL) (-)`},
	{"CSV of before 9.0", `COPY t (id, tenant_id) FROM STDIN DELIMITERS ';' CSV HEADER QUOTE AS '"' ESCAPE '"' FORCE NOT NULL id, tenant_id`, "a;b\n1;acme\n", 2, "tenant_id (acme)"},
	{"a header that is checked", "COPY t FROM STDIN WITH (HEADER match)", "id\tTENANT_ID\n1\tacme\n", 2, "TENANT_ID (acme)"},
	{"a header that is not checked", "COPY t FROM STDIN WITH (HEADER)", "id\ttenant_id\n1\tacme\n", 2, "rowscut"},
	{"no list", "COPY t FROM STDIN", "1\tacme\n", 2, "rowscut"},
	{"another number of columns", "COPY t (id, tenant_id) FROM STDIN", "1\tacme\n", 3, "rowscut"},
	{"nothing wanted", "COPY t (id, note) FROM STDIN", "1\tacme\n", 2, ""},
	{"a short line", "COPY t (id, tenant_id) FROM STDIN", "1\n2\tacme\n", 2, "tenant_id (acme) rowscut"},
	{"too long", "COPY t (id, tenant_id) FROM STDIN", "1\t" + strings.Repeat("x", maxValue+1) + "\n1\t" + strings.Repeat("y", 5000) + "\n2\tacme\n", 2, "tenant_id (acme) rowscut"},
	{"rows that the server may pass over", "COPY t (id, tenant_id) FROM STDIN WHERE id > 1", "1\tacme\n", 2, "rowscut"},
	{"rows that the server may pass over, by error", "COPY t (id, tenant_id) FROM STDIN (ON_ERROR ignore)", "1\tacme\n", 2, "rowscut"},
	{"a default", "COPY t (id, tenant_id) FROM STDIN (DEFAULT 'x')", "1\tx\n2\tacme\n", 2, "tenant_id (acme) rowscut"},
	{"an encoding that cannot be split", "COPY t (id, tenant_id) FROM STDIN (ENCODING 'SJIS')", "1\tacme\n", 2, "rowscut"},
	{"another encoding", "COPY t (id, tenant_id) FROM STDIN ENCODING 'LATIN1'", "1\tacme\n", 2, "tenant_id (acme)"},
	{"an unknown option", "COPY t (id, tenant_id) FROM STDIN (NEW 1)", "1\tacme\n", 2, "rowscut"},
	{"two of them", "COPY t (id, tenant_id) FROM STDIN; COPY t (tenant_id, id) FROM STDIN", "1\tacme\n", 2, "rowscut"},
	{"binary", "COPY t (id, tenant_id, note) FROM STDIN WITH (FORMAT binary)", binaryRows([]string{"1", "acme", "NULL"}, []string{"NULL", "NULL", ""}, []string{"", "", strings.Repeat("x", 9000)}), 3,
		"tenant_id (acme) (NULL) ()"},
	{"binary, too long", "COPY BINARY t (id, tenant_id) FROM STDIN", binaryRows([]string{"1", strings.Repeat("x", maxValue+1)}, []string{"2", "acme"}), 2, "tenant_id (acme) rowscut"},
	{"binary, not so", "COPY t (id, tenant_id) FROM STDIN BINARY", "1\tacme and more than the header\n", 2, "tenant_id rowscut"},
}

// taught is what a session sees before the COPY of a case: the type of tenant_id, without the places of all columns.
func taught(t testing.TB, star bool) []step {
	text, described := "SELECT tenant_id FROM t LIMIT 1", fields(field("tenant_id", 9, 2, oidText, 0))
	if star {
		text, described = "SELECT * FROM t", fields(field("id", 9, 1, oidInt4, 0), field("tenant_id", 9, 3, oidText, 0))
	}
	return []step{client(t, &query{String: text}), server(t, described, tag("SELECT 0"), ready('I'))}
}

// copyIn runs a COPY whose data comes in messages of size bytes.
func copyIn(t testing.TB, c copyCase, size int) []step {
	t.Helper()
	format := byte(0)
	if strings.HasPrefix(c.data, copySignature) || strings.Contains(c.name, "binary") {
		format = 1
	}
	var data []pgproto3.FrontendMessage
	for d := []byte(c.data); len(d) > 0; d = d[min(size, len(d)):] {
		data = append(data, &pgproto3.CopyData{Data: d[:min(size, len(d))]})
	}
	return []step{
		client(t, &query{String: c.text}),
		server(t, &pgproto3.CopyInResponse{OverallFormat: format, ColumnFormatCodes: make([]uint16, c.columns)}),
		client(t, append(data, &pgproto3.CopyDone{})...),
		server(t, tag("COPY 3"), ready('I')),
	}
}

// copied gives the line of the first result of COPY, without what all have in common.
func copied(t testing.TB, events []event.Event) string {
	t.Helper()
	for _, e := range events {
		if r, ok := e.(*event.Result); ok && r.Copy != "" {
			out := *r
			out.Seq, out.Tag, out.Copy, out.Last = 0, "", "", false
			return strings.TrimPrefix(strings.TrimPrefix(line(&out), "result 0/0"), " ")
		}
	}
	t.Fatal("no result of COPY")
	return ""
}

func TestCopyIn(t *testing.T) {
	for _, c := range copyCases {
		for _, size := range []int{1, 3, 1 << 20} {
			steps := append(taught(t, false), copyIn(t, c, size)...)
			if got := copied(t, play(t, testConfig(), steps)); got != c.want {
				t.Errorf("%s, messages of %d: %q, want %q", c.name, size, got, c.want)
			}
			if got := copied(t, play(t, testConfig(), split(steps, func() int { return 1 }))); got != c.want {
				t.Errorf("%s, messages of %d in single bytes: %q, want %q", c.name, size, got, c.want)
			}
		}
	}
}

func TestCopyOut(t *testing.T) {
	for _, c := range []copyCase{
		{"text", "COPY t (id, tenant_id) TO STDOUT", "1\tacme\n|2\tbe\\tta\n", 2, "tenant_id (acme) (be\tta)"},
		{"a query without a header", "COPY (SELECT id, tenant_id FROM t) TO STDOUT", "1\tacme\n", 2, "rowscut"},
		{"a query's header", "COPY (SELECT id, (tenant_id) FROM t) TO STDOUT CSV HEADER", "id,tenant_id\n|1,acme\n", 2, "tenant_id (acme)"},
		{"a table's header", "COPY t TO STDOUT (FORMAT csv, HEADER)", "id,tenant_id\n|1,acme\n", 2, "tenant_id (acme)"},
		{"a header without it", "COPY t TO STDOUT (FORMAT csv, HEADER)", "id,x\n|1,acme\n", 2, ""},
		{"filtered", "COPY t (tenant_id) TO STDOUT", "acme\n", 1, "tenant_id (acme)"},
		{"the other way", "COPY t (tenant_id) FROM STDIN", "acme\n", 1, "rowscut"},
		{"binary", "COPY t (id, tenant_id) TO STDOUT BINARY", binaryRows([]string{"1", "acme"}, []string{"2", "NULL"}), 2, "tenant_id (acme) (NULL)"},
		{"to the other name of it, as PHP does", "COPY t (id, tenant_id) TO STDIN", "1\tacme\n", 2, "tenant_id (acme)"},
	} {
		var before []step
		format := byte(0)
		if c.name == "binary" { // whose values have a type by the table alone
			before, format = taught(t, false), 1
		}
		messages := []pgproto3.BackendMessage{&pgproto3.CopyOutResponse{OverallFormat: format, ColumnFormatCodes: make([]uint16, c.columns)}}
		for _, d := range strings.Split(c.data, "|") {
			messages = append(messages, &pgproto3.CopyData{Data: []byte(d)})
		}
		steps := append(before, client(t, &parse{Query: c.text}, &bind{}, &execute{}, &syncing{}),
			server(t, append([]pgproto3.BackendMessage{&pgproto3.ParseComplete{}, &pgproto3.BindComplete{}}, append(messages, &pgproto3.CopyDone{}, tag("COPY 1"), ready('I'))...)...))
		if got := copied(t, play(t, testConfig(), steps)); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		if got := copied(t, play(t, testConfig(), split(steps, func() int { return 1 }))); got != c.want {
			t.Errorf("%s, in single bytes: %q, want %q", c.name, got, c.want)
		}
	}
}

// Without a list the places of the columns are those of SELECT *, unless the table may have changed since, or the name stood for two.
func TestCopyOfLearnedColumns(t *testing.T) {
	c := copyCase{"no list", "COPY t FROM STDIN", "1\tacme\n2\tbeta\n", 2, ""}
	const known = "tenant_id (acme) (beta)"
	done := func(text, answer string) []step {
		return []step{client(t, &query{String: text}), server(t, tag(answer), ready('I'))}
	}
	for _, test := range []struct {
		name   string
		before []step
		want   string
	}{
		{"learned", taught(t, true), known},
		{"not all of them", taught(t, false), "rowscut"},
		{"changed", append(taught(t, true), done("ALTER TABLE t ADD x int", "ALTER TABLE")...), "rowscut"},
		{"hidden", append(taught(t, true), done("CREATE TEMP TABLE t (a int)", "CREATE TABLE")...), "rowscut"},
		{"learned again", append(append(taught(t, true), done("ALTER TABLE t ADD x int", "ALTER TABLE")...), taught(t, true)...), known},
		{"of two tables", append(taught(t, true), client(t, &query{String: "SELECT * FROM t"}),
			server(t, fields(field("tenant_id", 10, 1, oidText, 0), field("id", 10, 2, oidInt4, 0)), tag("SELECT 0"), ready('I'))), "rowscut"},
		{"of a join", []step{client(t, &query{String: "SELECT * FROM t, u"}),
			server(t, fields(field("id", 9, 1, oidInt4, 0), field("tenant_id", 9, 3, oidText, 0)), tag("SELECT 0"), ready('I'))}, "rowscut"},
	} {
		if got := copied(t, play(t, testConfig(), append(test.before, copyIn(t, c, 100)...))); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
	// Binary values have a type by the table alone.
	b := copyCase{"binary", "COPY t (tenant_id) FROM STDIN BINARY", binaryRows([]string{"\x00\x00\x00\x07"}), 1, ""}
	typed := []step{client(t, &query{String: "SELECT tenant_id FROM t"}), server(t, fields(field("tenant_id", 9, 3, oidInt4, 0)), tag("SELECT 0"), ready('I'))}
	if got := copied(t, play(t, testConfig(), append(typed, copyIn(t, b, 100)...))); got != "tenant_id (7)" {
		t.Errorf("a typed value: %q", got)
	}
	if got := copied(t, play(t, testConfig(), copyIn(t, b, 100))); got != "tenant_id rowscut" {
		t.Errorf("a value without a type: %q", got)
	}
}

// What was not captured of the data hides rows, and makes up none.
func TestCopyGaps(t *testing.T) {
	text := copyCase{"text", "COPY t (id, tenant_id, note) FROM STDIN", "1\tacme\tx\n2\tbeta\ty\\\n3\tgamma\tz\n4\tdelta\tz\n5\tacme\t\n", 3, ""}
	whole := []string{"(acme)", "(beta)", "(delta)"} // what looks like gamma's row is the rest of beta's note
	csv := copyCase{"csv", "COPY t (id, tenant_id, note) FROM STDIN CSV", "1,acme,x\n2,beta,\"y\n3,gamma,z\"\n4,delta,z\n", 3, ""}
	bin := copyCase{"binary", "COPY t (id, tenant_id, note) FROM STDIN BINARY", binaryRows([]string{"1", "acme", "xxxxxxxxxx"}, []string{"2", "beta", "\x00\x03\x00\x00\x00\x011\x00\x00\x00\x05gamma"}, []string{"3", "delta", "NULL"}), 3, ""}
	for _, c := range []copyCase{text, csv, bin} {
		steps := append(taught(t, false), copyIn(t, c, len(c.data))...)
		if got := copied(t, play(t, testConfig(), steps)); got != "tenant_id "+strings.Join(whole, " ") {
			t.Fatalf("%s, whole: %q", c.name, got)
		}
		data := &steps[4].data
		most := 0
		for from := headerSize; from < headerSize+len(c.data); from++ {
			for to := from + 1; to <= headerSize+len(c.data); to++ {
				gapped := slices.Clone(steps)
				gapped[4] = step{data: (*data)[:from], gap: to - from}
				gapped = slices.Insert(gapped, 5, step{data: (*data)[to:]})
				got := strings.Fields(copied(t, play(t, testConfig(), gapped)))
				for _, row := range got[1:] {
					if row != "rowscut" && !slices.Contains(whole, row) {
						t.Fatalf("%s without %d to %d shows %q", c.name, from, to, got)
					}
				}
				if len(got) < 1+len(whole) && !slices.Contains(got, "rowscut") {
					t.Fatalf("%s without %d to %d hides that a row is missing: %q", c.name, from, to, got)
				}
				most = max(most, len(got))
			}
		}
		if most < 3 {
			t.Errorf("%s: a gap hides all rows, always", c.name)
		}
	}
}

// Some clients send the data before the server asks for it.
func TestEarlyCopyData(t *testing.T) {
	data := func(text string) pgproto3.FrontendMessage { return &pgproto3.CopyData{Data: []byte(text)} }
	answered := func(columns int) []pgproto3.BackendMessage {
		return []pgproto3.BackendMessage{&pgproto3.CopyInResponse{ColumnFormatCodes: make([]uint16, columns)}}
	}
	done := []pgproto3.BackendMessage{tag("COPY 2"), ready('I')}
	ask := &query{String: "COPY t (tenant_id) FROM STDIN"}
	for _, c := range []struct {
		name  string
		steps []step
		want  string
	}{
		{"all of it", []step{client(t, ask, data("acme\nbe"), data("ta\n"), &pgproto3.CopyDone{}), server(t, append(answered(1), done...)...)}, "tenant_id (acme) (beta)"},
		{"a part", []step{client(t, ask, data("acme\nbe")), server(t, answered(1)...), client(t, data("ta\n"), &pgproto3.CopyDone{}), server(t, done...)}, "tenant_id (acme) (beta)"},
		{"a part of a message", append(append([]step{client(t, ask)}, client(t, data("acme\nbeta\n")).hole(9, 9)[0], server(t, answered(1)...)),
			client(t, data("acme\nbeta\n")).hole(9, 9)[1], client(t, &pgproto3.CopyDone{}), server(t, done...)), "tenant_id (acme) (beta)"},
		{"extended", []step{client(t, &parse{Query: ask.String}, &bind{}, &execute{}, data("acme\n"), &pgproto3.CopyDone{}, &syncing{}),
			server(t, append([]pgproto3.BackendMessage{&pgproto3.ParseComplete{}, &pgproto3.BindComplete{}}, append(answered(1), done...)...)...)}, "tenant_id (acme)"},
		{"of another number of columns", []step{client(t, ask, data("acme\n"), &pgproto3.CopyDone{}), server(t, append(answered(2), done...)...)}, "rowscut"},
		{"of another statement", []step{client(t, ask, &query{String: "SELECT 1"}, data("acme\n")), server(t, answered(1)...), client(t, data("beta\n"), &pgproto3.CopyDone{}), server(t, done...)}, "rowscut"},
		{"a part behind Sync", []step{client(t, &parse{Query: ask.String}, &bind{}, &execute{}, &syncing{}, data("acme\tx")),
			server(t, append([]pgproto3.BackendMessage{&pgproto3.ParseComplete{}, &pgproto3.BindComplete{}}, answered(1)...)...), client(t, data("beta\n"), &pgproto3.CopyDone{}, &syncing{}), server(t, done...)}, "rowscut"},
		{"behind Sync", []step{client(t, &parse{Query: ask.String}, &bind{}, &execute{}, &syncing{}, data("acme\n"), &pgproto3.CopyDone{}, &syncing{}),
			server(t, append([]pgproto3.BackendMessage{&pgproto3.ParseComplete{}, &pgproto3.BindComplete{}}, append(answered(1), done...)...)...)}, "rowscut"},
	} {
		// What comes next is read again.
		next := []step{client(t, ask), server(t, answered(1)...), client(t, data("zeta\n"), &pgproto3.CopyDone{}), server(t, done...)}
		events := play(t, testConfig(), append(c.steps, next...))
		if got := copied(t, events); got != c.want {
			t.Errorf("%s: shows %q, want %q", c.name, got, c.want)
		}
		if got := strings.Join(lines(events), "\n"); c.name != "of another statement" && !strings.Contains(got, "(zeta)") {
			t.Errorf("%s: the next one is not read:\n%s", c.name, got)
		}
	}
	failed := play(t, testConfig(), []step{client(t, ask, data("acme\n"), &pgproto3.CopyDone{}), server(t, fail("42P01"), ready('I')), client(t, ask), server(t, answered(1)...),
		client(t, data("zeta\n"), &pgproto3.CopyDone{}), server(t, done...)})
	if got := copied(t, failed); got != "tenant_id (zeta)" {
		t.Errorf("after one that failed: %q", got)
	}
}

// A client that encodes in two bytes may have delimiters inside of characters; one without standard strings has others in its text.
func TestCopySettings(t *testing.T) {
	c := copyCase{"text", `COPY t (tenant_id, id) FROM STDIN (NULL '\N')`, "acme\t1\n", 2, ""}
	for name, set := range map[string]*pgproto3.ParameterStatus{
		"encoding": {Name: "client_encoding", Value: "SJIS"}, "strings": {Name: "standard_conforming_strings", Value: "off"},
	} {
		steps := append([]step{server(t, set)}, copyIn(t, c, 99)...)
		if got := copied(t, play(t, testConfig(), steps)); got != "rowscut" {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got := copied(t, play(t, testConfig(), copyIn(t, c, 99))); got != "tenant_id (acme)" {
		t.Errorf("otherwise: %q", got)
	}
}

func FuzzCopy(f *testing.F) {
	for _, c := range copyCases {
		f.Add(c.text, []byte(c.data), byte(c.columns), uint16(3))
	}
	f.Fuzz(func(t *testing.T, text string, data []byte, columns byte, at uint16) {
		if strings.Contains(text, "\x00") || len(data) > 1<<16 {
			return
		}
		relation, star := plainSelect(text)
		if star && relation == "" {
			t.Fatal("all columns of nothing")
		}
		c := copyCase{"", text, string(data), int(columns), ""}
		rows := func(steps []step) []string {
			return fuzzed(t, false, append(append(opening(t), taught(t, true)...), steps...))
		}
		whole := rows(copyIn(t, c, max(1, len(data))))
		if got := rows(copyIn(t, c, 1+int(at)%7)); !slices.Equal(got, whole) {
			t.Fatalf("in pieces %q, else %q", got, whole)
		}
		steps := copyIn(t, c, max(1, len(data)))
		if n := len(steps[2].data); n > headerSize {
			cut := headerSize + int(at)%(n-headerSize)
			steps[2] = step{data: steps[2].data[:cut], gap: n - cut}
			rows(steps)
		}
	})
}
