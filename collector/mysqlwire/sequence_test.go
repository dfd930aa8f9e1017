package mysqlwire

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

const selectAll = "SELECT * FROM invoices"

// invoiceColumns is how the columns of invoices are written.
const invoiceColumns = "tenant_id@shop.invoices org@shop.invoices"

// sequences are what a client and a server say to each other after a login, and what must be seen of it.
var sequences = []struct {
	name  string
	calls []call
	want  []string
}{
	{"query", []call{
		ask("\x03" + selectAll),
		answers(result(2, invoices(), textRow("1", "acme", "NULL"), textRow("2", "beta", "o2"), textRow("3", "acme", "NULL"))...),
	}, []string{
		`statement 1 simple "SELECT * FROM invoices"`, `result 1/0 ` + invoiceColumns + ` (acme,NULL) (beta,o2) count=3 last`, `ready I`,
	}},
	{"query without EOF", []call{
		ask("\x03" + selectAll),
		answers(modernResult(3, invoices(), textRow("1", "acme", "NULL"))...),
		ask("\x03SELECT 1"),
		answers(modernResult(3, []string{def("", "", "1", typeLong, 0, charsetBinary)}, textRow("1"))...),
		ask("\x03SELECT 2 FROM invoices WHERE 0"),
		answers(modernResult(3, []string{def("", "", "2", typeLong, 0, charsetBinary)})...),
	}, []string{
		`statement 1 simple "SELECT * FROM invoices"`, `result 1/0 ` + invoiceColumns + ` (acme,NULL) count=1 last`, `ready T`,
		`statement 2 simple "SELECT 1"`, `result 2/0 count=1 last`, `ready T`,
		`statement 3 simple "SELECT 2 FROM invoices WHERE 0"`, `result 3/0 last`, `ready T`,
	}},
	{"aliases", []call{
		ask("\x03SELECT tenant_id AS t, id AS tenant_id, MAX(org) AS org FROM invoices"),
		answers(result(2, []string{
			def("invoices", "tenant_id", "t", typeString, 0, utf8mb4), def("invoices", "id", "tenant_id", typeLongLong, 0, charsetBinary), def("", "", "org", typeString, 0, utf8mb4),
		}, textRow("acme", "7", "x"))...),
	}, []string{
		`statement 1 simple "SELECT tenant_id AS t, id AS tenant_id, MAX(org) AS org FROM invoices"`,
		`result 1/0 t<tenant_id@shop.invoices tenant_id@shop.invoices[id] org[] (acme,7,x) count=1 last`, `ready I`,
	}},
	{"change and error", []call{
		ask("\x03UPDATE invoices SET paid=1"), answers(ok(3, 3)),
		ask("\x03nonsense"), answers(fail(1064, "42000")),
		ask("\x03COMMIT"), answers(ok(0, 2)),
	}, []string{
		`statement 1 simple "UPDATE invoices SET paid=1"`, `result 1/0 "OK 3" last`, `ready T`,
		`statement 2 simple "nonsense"`, `result 2/0 error=42000 last`, `ready `,
		`statement 3 simple "COMMIT"`, `result 3/0 "OK 0" last`, `ready I`,
	}},
	{"several statements", []call{
		ask("\x03SELECT 'a;b'; UPDATE t SET x=1; SELECT tenant_id FROM invoices"),
		answers(slices.Concat(
			result(2|statusMoreResults, []string{def("", "", "a;b", typeString, 0, utf8mb4)}, textRow("a;b")), []string{ok(2, 2|statusMoreResults)},
			result(2, []string{def("invoices", "tenant_id", "tenant_id", typeString, 0, utf8mb4)}, textRow("acme")))...),
	}, []string{
		`statement 1 simple "SELECT 'a;b'; UPDATE t SET x=1; SELECT tenant_id FROM invoices"`,
		`result 1/0 count=1`, `result 1/1 "OK 2"`, `result 1/2 tenant_id@shop.invoices (acme) count=1 last`, `ready I`,
	}},
	{"several statements, the second fails", []call{
		ask("\x03SELECT 1; SELECT nothing; SELECT 2"),
		answers(append(result(2|statusMoreResults, []string{def("", "", "1", typeLong, 0, charsetBinary)}, textRow("1")), fail(1054, "42S22"))...),
	}, []string{
		`statement 1 simple "SELECT 1; SELECT nothing; SELECT 2"`, `result 1/0 count=1`, `result 1/1 error=42S22 last`, `ready `,
	}},
	{"call with two results", []call{
		ask("\x03/* x; */ CALL p(1); SELECT 1"),
		answers(slices.Concat(
			result(2|statusMoreResults, invoices(), textRow("1", "acme", "NULL")),
			result(2|statusMoreResults, []string{def("accounts", "tenant_id", "tenant_id", typeString, 0, utf8mb4)}, textRow("beta")),
			[]string{ok(0, 2|statusMoreResults)},
			result(2, []string{def("", "", "1", typeLong, 0, charsetBinary)}, textRow("1")))...),
	}, []string{
		`statement 1 simple "/* x; */ CALL p(1); SELECT 1"`,
		`result 1/0 tenant_id[] org[] tenant_id[] (acme,NULL,NULL) (NULL,NULL,beta) count=2`, `result 1/1 count=1 last`, `ready I`,
	}},
	{"prepared", []call{
		ask("\x16SELECT * FROM invoices WHERE tenant_id = ? AND id > ?"), answers(preparedAs(1, 2, invoices(), true)...),
		ask(executionOf(1, true, text("acme"), int64Of(7))),
		answers(result(2, invoices(), binaryRow(le(8, 8), lenenc("acme"), "NULL"), binaryRow(le(9, 8), lenenc("acme"), lenenc("\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff\x00")))...),
		ask(executionOf(1, false, text("beta"), int64Of(1<<63))), answers(result(2, invoices())...),
		ask("\x1a" + le(1, 4)), answers(ok(0, 2)),
		ask("\x19" + le(1, 4)),
		ask(executionOf(1, false, text("beta"), int64Of(1))), answers(fail(1243, "HY000")),
	}, []string{
		`statement 1 "SELECT * FROM invoices WHERE tenant_id = ? AND id > ?" $1=acme $2=7`,
		`result 1/0 ` + invoiceColumns + ` (acme,NULL) (acme,11223344-5566-7788-99aa-bbccddeeff00) count=2 last`, `ready I`,
		`statement 2 "SELECT * FROM invoices WHERE tenant_id = ? AND id > ?" $1=beta $2=-9223372036854775808`, `result 2/0 ` + invoiceColumns + ` last`, `ready I`,
		`statement 3 "" notext`, `result 3/0 error=HY000 last`, `ready `,
	}},
	{"prepared without EOF", []call{
		ask("\x16SELECT * FROM invoices WHERE tenant_id = ?"), answers(preparedAs(1, 1, invoices(), false)...),
		ask("\x16DO ?"), answers(preparedAs(2, 1, nil, false)...),
		ask("\x16BEGIN"), answers(preparedAs(3, 0, nil, false)...),
		ask(executionOf(1, true, text("acme"))), answers(modernResult(2, invoices(), binaryRow(le(8, 8), lenenc("acme"), "NULL"))...),
		ask(executionOf(2, true, bind{kind: typeNull, null: true})), answers(ok(0, 2)),
		ask(executionOf(3, false)), answers(ok(0, 3)),
	}, []string{
		`statement 1 "SELECT * FROM invoices WHERE tenant_id = ?" $1=acme`, `result 1/0 ` + invoiceColumns + ` (acme,NULL) count=1 last`, `ready I`,
		`statement 2 "DO ?" $1=NULL`, `result 2/0 "OK 0" last`, `ready I`,
		`statement 3 "BEGIN"`, `result 3/0 "OK 0" last`, `ready T`,
	}},
	{"prepare fails", []call{
		ask("\x16nonsense"), answers(fail(1064, "42000")), ask("\x16SELECT 1"), answers(preparedAs(1, 0, []string{def("", "", "1", typeLong, 0, charsetBinary)}, true)...),
		ask(executionOf(1, false)), answers(result(2, []string{def("", "", "1", typeLong, 0, charsetBinary)}, binaryRow(le(1, 4)))...),
	}, []string{`statement 1 "SELECT 1"`, `result 1/0 count=1 last`, `ready I`}},
	{"prepared and executed in one write", []call{
		client(packet(0, "\x16INSERT INTO t VALUES (?, '?', ?)") + packet(0, executionOf(lastPrepared, true, text("acme"), int64Of(1)))),
		server(packets(1, preparedAs(5, 2, nil, true)...) + packets(1, ok(1, 2))),
		ask(executionOf(5, false, text("beta"), int64Of(2))), answers(ok(1, 2)),
	}, []string{
		`statement 1 "INSERT INTO t VALUES (?, '?', ?)" $1=acme $2=1`, `result 1/0 "OK 1" last`, `ready I`,
		`statement 2 "INSERT INTO t VALUES (?, '?', ?)" $1=beta $2=2`, `result 2/0 "OK 1" last`, `ready I`,
	}},
	{"metadata left out", []call{
		ask("\x16SELECT * FROM invoices"), answers(preparedAs(1, 0, invoices(), true)...),
		ask(executionOf(1, false)), answers("\x03\x00", eof(2), binaryRow(le(8, 8), lenenc("acme"), "NULL"), eof(2)),
		ask(executionOf(1, false)), answers(append(append([]string{"\x03\x01"}, invoices()...), eof(2), binaryRow(le(8, 8), lenenc("beta"), "NULL"), eof(2))...),
		ask(executionOf(9, false)), answers("\x03\x00", okEOF(2)),
		ask(executionOf(9, false)), answers("\x00\x03", binaryRow(le(8, 8), lenenc("beta"), "NULL"), okEOF(2)),
	}, []string{
		`statement 1 "SELECT * FROM invoices"`, `result 1/0 ` + invoiceColumns + ` (acme,NULL) count=1 last`, `ready I`,
		`statement 2 "SELECT * FROM invoices"`, `result 2/0 ` + invoiceColumns + ` (beta,NULL) count=1 last`, `ready I`,
		`statement 3 "" notext`, `result 3/0 last`, `ready I`,
		`statement 4 "" notext`, `result 4/0 count=1 rowscut last`, `ready I`,
	}},
	{"cursor", []call{
		ask("\x16SELECT * FROM invoices"), answers(preparedAs(1, 0, invoices(), true)...),
		ask("\x17" + le(1, 4) + "\x01" + le(1, 4)), answers(append(append([]string{"\x03"}, invoices()...), eof(2|statusCursor))...),
		ask("\x1c" + le(1, 4) + le(1, 4)), answers(binaryRow(le(8, 8), lenenc("acme"), "NULL"), eof(2|statusCursor)),
		ask("\x1c" + le(1, 4) + le(1, 4)), answers(eof(2 | statusLastRow)),
	}, []string{
		`statement 1 "SELECT * FROM invoices"`, `result 1/0 ` + invoiceColumns + ` suspend last`, `ready I`,
		`statement 2 "SELECT * FROM invoices" resumed`, `result 2/0 ` + invoiceColumns + ` (acme,NULL) count=1 suspend last`, `ready I`,
		`statement 3 "SELECT * FROM invoices" resumed`, `result 3/0 last`, `ready I`,
	}},
	{"long data", []call{
		ask("\x16INSERT INTO t VALUES (?, ?)"), answers(preparedAs(1, 2, nil, true)...),
		ask("\x18" + le(1, 4) + le(0, 2) + "ac"), ask("\x18" + le(1, 4) + le(0, 2) + "me"),
		ask(executionOf(1, true, bind{kind: typeBlob}, int64Of(7))), answers(ok(1, 2)),
		ask(executionOf(1, false, bind{value: lenenc("beta")}, int64Of(8))), answers(ok(1, 2)),
		ask("\x18" + le(1, 4) + le(1, 2) + strings.Repeat("x", maxValue+1)), ask("\x1a" + le(1, 4)), answers(ok(0, 2)),
		ask("\x18" + le(1, 4) + le(1, 2) + strings.Repeat("x", maxValue+1)),
		ask(executionOf(1, false, bind{value: lenenc("beta")}, bind{})), answers(ok(1, 2)),
	}, []string{
		`statement 1 "INSERT INTO t VALUES (?, ?)" $1=acme $2=7`, `result 1/0 "OK 1" last`, `ready I`,
		`statement 2 "INSERT INTO t VALUES (?, ?)" $1=beta $2=8`, `result 2/0 "OK 1" last`, `ready I`,
		`statement 3 "INSERT INTO t VALUES (?, ?)" $1=beta $2=?`, `result 3/0 "OK 1" last`, `ready I`,
	}},
	{"bulk", []call{
		ask("\x16INSERT INTO t VALUES (?, ?)"), answers(preparedAs(1, 2, nil, true)...),
		ask("\xfa" + le(1, 4) + le(bulkTypes, 2) + "\xfd\x00\x08\x00" + "\x00" + lenenc("acme") + "\x00" + le(1, 8) + "\x00" + lenenc("acme") + "\x01" + "\x00" + lenenc("acme") + "\x01"), answers(ok(3, 2)),
		ask("\xfa" + le(1, 4) + le(0, 2) + "\x00" + lenenc("acme") + "\x02"), answers(ok(1, 2)),
		ask("\xfa" + le(1, 4) + le(0, 2) + "\x00" + lenenc("acme") + "\x09"), answers(fail(1064, "42000")),
	}, []string{
		`statement 1 "INSERT INTO t VALUES (?, ?)" $1=acme $2=? set $1=acme $2=1 set $1=acme $2=NULL`, `result 1/0 "OK 3" last`, `ready I`,
		`statement 2 "INSERT INTO t VALUES (?, ?)" $1=acme $2=? set $1=acme $2=?`, `result 2/0 "OK 1" last`, `ready I`,
		`statement 3 "INSERT INTO t VALUES (?, ?)" setscut`, `result 3/0 error=42000 last`, `ready `,
	}},
	{"database", []call{
		ask("\x02other"), answers(ok(0, 2)), ask("\x02none"), answers(fail(1049, "42000")),
		ask("\x03USE third"), answers(okTracking(2, "\x01\x06"+lenenc("third"))),
		ask("\x03SET NAMES utf8mb4"), answers(okTracking(2, "\x00"+lenenc(lenenc("Character_Set_Client")+lenenc("utf8mb4")+lenenc("time_zone")+lenenc("UTC"))+"\x02"+lenenc(lenenc("1")))),
	}, []string{
		`database other`, `statement 1 simple "USE third"`, `result 1/0 "OK 0" last`, `database third`, `ready I`,
		`statement 2 simple "SET NAMES utf8mb4"`, `result 2/0 "OK 0" last`, `setting character_set_client=utf8mb4`, `setting time_zone=UTC`, `ready I`,
	}},
	{"database without tracking", []call{
		ask("\x03/* a */ use `two` ;"), answers(ok(0, 2)), ask("\x03USE none"), answers(fail(1049, "42000")),
		ask("\x03SET @x = 1; USE three; SELECT 1"), answers(append([]string{ok(0, 2|statusMoreResults), ok(0, 2|statusMoreResults)},
			result(2, []string{def("", "", "1", typeLong, 0, charsetBinary)}, textRow("1"))...)...),
		ask("\x03USE a b"), answers(ok(0, 2)), ask("\x1f"), answers(ok(0, 2)),
	}, []string{
		"statement 1 simple \"/* a */ use `two` ;\"", `result 1/0 "OK 0" last`, `database two`, `ready I`, `statement 2 simple "USE none"`, `result 2/0 error=42000 last`, `ready `,
		`statement 3 simple "SET @x = 1; USE three; SELECT 1"`, `result 3/0 "OK 0"`, `result 3/1 "OK 0"`, `database three`, `result 3/2 count=1 last`, `ready I`,
		`statement 4 simple "USE a b"`, `result 4/0 "OK 0" last`, `ready I`, `started app@three`, `ready I`,
	}},
	{"another user", []call{
		ask("\x16SELECT 1"), answers(preparedAs(1, 0, nil, true)...),
		ask("\x11boss\x00\x04salttwo\x00" + le(45, 2) + "plugin\x00"), answers("\xfemysql_native_password\x00saltsaltsaltsaltsalt\x00"),
		client(packet(2, "secretsecretsecret12")), server(packet(3, ok(0, 2))),
		ask(executionOf(1, false)), answers(fail(1243, "HY000")),
	}, []string{
		`started boss@two`, `ready I`, `statement 1 "" notext`, `result 1/0 error=HY000 last`, `ready `,
	}},
	{"reset", []call{
		ask("\x03BEGIN"), answers(ok(0, 3)), ask("\x1f"), answers(ok(0, 2)),
	}, []string{`statement 1 simple "BEGIN"`, `result 1/0 "OK 0" last`, `ready T`, `started app@shop`, `ready I`}},
	{"commands without statements", []call{
		ask("\x0e"), answers(ok(0, 2)), ask("\x09"), answers("Uptime: 7"), ask("\x1b\x00\x00"), answers(eof(2)), ask("\x0d"), answers(eof(2)),
		ask("\x04invoices\x00"), answers(append(invoices(), eof(2))...), ask("\x0a"), answers(result(2, invoices(), textRow("1", "acme", "NULL"))...),
		ask("\x03SELECT 1"), answers(result(2, []string{def("", "", "1", typeLong, 0, charsetBinary)}, textRow("1"))...),
		ask("\x01"),
	}, []string{`statement 1 simple "SELECT 1"`, `result 1/0 count=1 last`, `ready I`}},
	{"file", []call{
		ask("\x03LOAD DATA LOCAL INFILE 'f' INTO TABLE t"), answers("\xfbf"), client(packets(2, "1\tacme\n", "\x03SELECT 9", "")), server(packet(5, ok(1, 2))),
		ask("\x03LOAD DATA LOCAL INFILE 'g' INTO TABLE t"), answers("\xfbg"), client(packet(2, "")), server(packet(3, fail(1148, "42000"))),
	}, []string{
		`statement 1 simple "LOAD DATA LOCAL INFILE 'f' INTO TABLE t"`, `result 1/0 rowscut "OK 1" last`, `ready I`,
		`statement 2 simple "LOAD DATA LOCAL INFILE 'g' INTO TABLE t"`, `result 2/0 rowscut error=42000 last`, `ready `,
	}},
	{"file of a prepared statement", []call{ // MariaDB
		ask("\x16LOAD DATA LOCAL INFILE 'f' INTO TABLE t SET tenant_id = ?"), answers(preparedAs(1, 1, nil, true)...),
		ask(executionOf(1, true, text("acme"))), answers("\xfbf"), client(packets(2, "1\n", "")), server(packet(4, ok(1, 2))),
		ask("\x03SELECT 1"), answers(result(2, []string{def("", "", "1", typeLong, 0, charsetBinary)}, textRow("1"))...),
	}, []string{
		`statement 1 "LOAD DATA LOCAL INFILE 'f' INTO TABLE t SET tenant_id = ?" $1=acme`, `result 1/0 rowscut "OK 1" last`, `ready I`,
		`statement 2 simple "SELECT 1"`, `result 2/0 count=1 last`, `ready I`,
	}},
	{"progress", []call{
		ask("\x03ALTER TABLE t FORCE"), answers("\xff\xff\xff\x01\x01\x02\x00\x00\x00\x05copy ", ok(0, 2)),
	}, []string{`statement 1 simple "ALTER TABLE t FORCE"`, `result 1/0 "OK 0" last`, `ready I`}},
	{"the server ends the connection", []call{server(packet(0, fail(1927, "70100")))}, nil},
	{"binary text", []call{
		ask("\x03SELECT org FROM invoices"), answers(result(2, []string{def("invoices", "org", "org", typeString, 0, charsetBinary)}, textRow("\xff\x01"), textRow("plain"))...),
		ask("\x03SELECT org FROM latin"), answers(result(2, []string{def("latin", "org", "org", typeString, 0, 8)}, textRow("M\xfcller"))...),
	}, []string{
		`statement 1 simple "SELECT org FROM invoices"`, `result 1/0 org@shop.invoices (0xff01) (plain) count=2 last`, `ready I`,
		`statement 2 simple "SELECT org FROM latin"`, `result 2/0 org@shop.latin count=1 rowscut last`, `ready I`,
	}},
	{"an answer that does not fit", []call{
		ask("\x03SELECT 1"), answers("\x00\x00"), ask("\x03SELECT 2"), answers(ok(0, 2)), ask("\x03SELECT 3"), server(packet(2, ok(0, 2))),
		ask("\x03SELECT 4"), answers(result(2, invoices(), textRow("1", "acme", "NULL"))...),
		ask("\x03SELECT 5"), answers(result(2, invoices(), textRow("1", "acme", "NULL"))...),
	}, []string{
		`statement 1 simple "SELECT 1"`, `desync`, `result 1/0 unseen last`, `statement 2 simple "SELECT 2"`, `result 2/0 "OK 0" last`, `ready I`,
		`statement 3 simple "SELECT 3"`, `desync`, `result 3/0 unseen last`,
		`statement 4 simple "SELECT 4"`, `result 4/0 count=1 rowscut last`, `ready I`,
		`statement 5 simple "SELECT 5"`, `result 5/0 ` + invoiceColumns + ` (acme,NULL) count=1 last`, `ready I`,
	}},
	{"unasked", []call{ask("\x0e"), server(packets(1, ok(0, 2)) + packets(1, ok(0, 2)))}, []string{`desync`}},
	{"replication", []call{ask("\x12" + le(4, 4) + le(0, 2) + le(1, 4) + "log.1"), answers("\x00event"), ask("\x03SELECT 1")}, []string{`unreadable replication`}},
}

func TestSequences(t *testing.T) {
	for _, q := range sequences {
		t.Run(q.name, func(t *testing.T) {
			diff(t, lines(play(t, testConfig(), append(opening(modern), q.calls...))), append(slices.Clone(openingLines), q.want...))
		})
	}
}

// TestAttributes has a login that agreed on attributes of queries.
func TestAttributes(t *testing.T) {
	attributes := string([]byte{2, 1}) + values(true, "ab", text("SELECT 9"), bind{kind: typeLong, null: true})
	counted := "\x17" + le(1, 4) + string([]byte{executeCounted}) + le(1, 4) + "\x02" + values(true, "ab", text("acme"), text("x"))
	calls := []call{
		ask("\x03\x00\x01SELECT 1"), answers(ok(0, 2)), ask("\x03" + attributes + "SELECT 2"), answers(ok(0, 2)),
		ask("\x16DO ?"), answers(preparedAs(1, 1, nil, true)...), ask(counted), answers(ok(0, 2)),
	}
	want := []string{
		`statement 1 simple "SELECT 1"`, `result 1/0 "OK 0" last`, `ready I`, `statement 2 simple "SELECT 2"`, `result 2/0 "OK 0" last`, `ready I`,
		`statement 3 "DO ?" $1=acme`, `result 3/0 "OK 0" last`, `ready I`,
	}
	diff(t, lines(play(t, testConfig(), append(opening(modern|capQueryAttributes), calls...))), append(slices.Clone(openingLines), want...))
	// The login was not seen.
	s, events := fresh(testConfig())
	s.Late(tick())
	run(s, calls)
	diff(t, lines(*events), append([]string{"started unknown"}, want...))
}

// TestManyDefinitions has answers to a Prepare whose packets' numbers go round: what follows may have the number that an EOF would have.
func TestManyDefinitions(t *testing.T) {
	for _, eofs := range []bool{true, false} {
		caps := modern
		if !eofs {
			caps |= capDeprecateEOF
		}
		for n := 250; n < 260; n++ {
			calls := append(opening(caps), ask("\x16SELECT *"), answers(preparedAs(1, 0, slices.Repeat([]string{def("", "", "x", typeLong, 0, charsetBinary)}, n), eofs)...),
				ask(executionOf(1, false)), answers(ok(0, 2)))
			diff(t, lines(play(t, testConfig(), calls)), append(slices.Clone(openingLines), `statement 1 "SELECT *"`, `result 1/0 "OK 0" last`, `ready I`))
		}
	}
}

// TestLargePackets has messages of 16 MiB and more, which take several packets.
func TestLargePackets(t *testing.T) {
	for _, size := range []int{maxPayload - 1, maxPayload, maxPayload + 1, 2 * maxPayload} {
		big := "\x03" + strings.Repeat("x", size-1)
		row := textRow(strings.Repeat("y", size-10), "acme", "NULL")
		row = textRow(strings.Repeat("y", size-10-(len(row)-size)), "acme", "NULL") // with as much less as the length takes
		if len(row) != size {
			t.Fatalf("a row of %d bytes", len(row))
		}
		calls := append(opening(modern), ask(big), server(packet(byte(size/maxPayload+1), ok(0, 2))), ask("\x03"+selectAll), answers(result(2, invoices(), row, textRow("1", "beta", "o"))...))
		got := lines(play(t, testConfig(), calls))
		got[2] = strings.ReplaceAll(got[2], "x", "")
		diff(t, got, append(slices.Clone(openingLines), `statement 1 simple "" cut`, `result 1/0 "OK 0" last`, `ready I`, `statement 2 simple "`+selectAll+`"`,
			`result 2/0 `+invoiceColumns+` (acme,NULL) (beta,o) count=2 last`, `ready I`))
	}
}

// TestNothingLeftOut has more rows, columns and parameters than are kept: what is not kept is said to be cut.
func TestNothingLeftOut(t *testing.T) {
	rows := func(n int) (out []string) {
		for i := range n {
			out = append(out, textRow("1", fmt.Sprint("t", i), "NULL"))
		}
		return out
	}
	for n, want := range map[int]bool{64: false, 65: true} {
		got := lines(play(t, testConfig(), append(opening(modern), ask("\x03"+selectAll), answers(result(2, invoices(), rows(n)...)...))))
		if strings.Contains(got[3], "rowscut") != want {
			t.Errorf("%d rows: %s", n, got[3])
		}
	}
	var many []string
	for range maxKept + 1 {
		many = append(many, def("t", "tenant_id", "tenant_id", typeString, 0, utf8mb4))
	}
	got := lines(play(t, testConfig(), append(opening(modern), ask("\x03SELECT"), answers(result(2, many, textRow(slices.Repeat([]string{"a"}, len(many))...))...))))
	if !strings.Contains(got[3], "rowscut") || strings.Count(got[3], "tenant_id") != maxKept {
		t.Error(got[3])
	}
	calls := append(opening(modern), ask("\x16DO ?"), answers(preparedAs(1, 1, nil, true)...))
	for i := range maxLong + 1 {
		calls = append(calls, ask("\x18"+le(1, 4)+le(uint64(i), 2)+"a"))
	}
	got = lines(play(t, testConfig(), append(calls, ask(executionOf(1, true, text("acme"))), answers(ok(0, 2)))))
	if want := `statement 1 "DO ?" $1=?`; got[2] != want {
		t.Errorf("got %s, want %s", got[2], want)
	}
}
