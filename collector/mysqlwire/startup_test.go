package mysqlwire

import (
	"slices"
	"strings"
	"testing"
)

func TestStartup(t *testing.T) {
	select1 := []call{ask("\x03SELECT 1"), answers(ok(0, 2))}
	seen := []string{`statement 1 simple "SELECT 1"`, `result 1/0 "OK 0" last`, `ready I`}
	request := packet(1, le(uint64(modern|capSSL), 4)+le(1<<24, 4)+"\x2d"+strings.Repeat("\x00", 23))
	for _, q := range []struct {
		name  string
		calls []call
		want  []string
	}{
		{"MariaDB's flags", append(opening(maria|1<<36), select1...), append(slices.Clone(openingLines), seen...)},
		{"another authentication", append([]call{
			server(greetingOf(modern)), client(loginOf(1, modern)), server(packet(2, "\xfecaching_sha2_password\x00saltsaltsaltsaltsalt\x00")), client(packet(3, "secretsecretsecretsecret")),
			server(packet(4, "\x01\x04")), client(packet(5, "\x03secret")), server(packet(6, "\x01key")), client(packet(7, "")), server(packet(8, ok(0, 2))),
		}, select1...), append(slices.Clone(openingLines), seen...)},
		{"refused", []call{server(greetingOf(modern)), client(loginOf(1, modern)), server(packet(2, fail(1045, "28000")))}, openingLines[:1]},
		{"turned away", []call{server(packet(0, "\xff\x10\x04Too many connections"))}, nil},
		{"flags the server has not got", append([]call{
			server(greetingOf(modern)), client(loginOf(1, modern|capCompress|capQueryAttributes)), server(packet(2, ok(0, 2)))}, select1...), append(slices.Clone(openingLines), seen...)},
		{"compression", append([]call{
			server(greetingOf(modern | capCompress)), client(loginOf(1, modern|capCompress)), server(packet(2, ok(0, 2)))}, select1...), append(slices.Clone(openingLines[:1]), "unreadable compressed")},
		{"zstd", append([]call{
			server(greetingOf(modern | capZstd)), client(loginOf(1, modern|capZstd)), server(packet(2, ok(0, 2)))}, select1...), append(slices.Clone(openingLines[:1]), "unreadable compressed")},
		{"before 4.1", []call{server(greetingOf(modern)), client(packet(1, "\x05\xa4\x00\x00\x00app\x00secret")), server(packet(2, ok(0, 2)))}, []string{"unreadable old"}},
		{"TLS in a library that is followed", []call{server(greetingOf(modern | capSSL)), client(request)}, nil},
		{"TLS in another one", []call{server(greetingOf(modern | capSSL)), client(request), client("\x16\x03\x01\x00\x05hello"), server("\x16\x03\x03\x00\x05hello")}, []string{"unreadable tls"}},
	} {
		t.Run(q.name, func(t *testing.T) {
			diff(t, lines(play(t, testConfig(), q.calls)), q.want)
			if !slices.ContainsFunc(q.want, func(l string) bool { return strings.HasPrefix(l, "unreadable") }) {
				diff(t, lines(play(t, testConfig(), split(q.calls, func() int { return 1 }))), q.want)
			}
		})
	}
}

// TestSecured has a login over TLS, whose greeting came before it.
func TestSecured(t *testing.T) {
	plain, _ := fresh(testConfig())
	run(plain, []call{server(greetingOf(modern | capSSL))})
	for _, g := range []Greeting{{}, plain.Greeting()} {
		s, events := fresh(testConfig())
		s.Secured(g)
		login := loginOf(2, modern|capSSL)
		if !SniffLogin([]byte(login)) {
			t.Error("a login is not known as such")
		}
		run(s, []call{client(login), server(packet(3, ok(0, 2))), ask("\x03SELECT 1"), answers(ok(0, 2))})
		diff(t, lines(*events), append(slices.Clone(openingLines), `statement 1 simple "SELECT 1"`, `result 1/0 "OK 0" last`, `ready I`))
	}
}

// TestNothingOfTheLoginStays looks for the answers to the server's challenges in what a session holds.
func TestNothingOfTheLoginStays(t *testing.T) {
	s, _ := fresh(testConfig())
	calls := append(opening(modern), ask("\x11boss\x00\x04salttwo\x00"+le(45, 2)+"plugin\x00"), answers("\xfemysql_native_password\x00saltsaltsaltsaltsalt\x00"), client(packet(2, "secretsecretsecret12")))
	run(s, split(calls, func() int { return 3 }))
	for name, buf := range map[string][]byte{"client": s.front.buf, "server": s.back.buf} {
		for _, secret := range []string{"secret", "salt"} {
			if strings.Contains(string(buf[:cap(buf)]), secret) {
				t.Errorf("the %s's buffer holds %q", name, buf[:cap(buf)])
			}
		}
	}
}

// TestLate begins sessions at a command.
func TestLate(t *testing.T) {
	rows := result(2, invoices(), textRow("1", "acme", "NULL"))
	for _, q := range []struct {
		name  string
		calls []call
		want  []string
	}{
		{"query", []call{ask("\x03" + selectAll), answers(rows...), ask("\x03" + selectAll), answers(rows...)}, []string{
			`statement 1 simple "SELECT * FROM invoices"`, `result 1/0 count=1 rowscut last`, `ready I`,
			`statement 2 simple "SELECT * FROM invoices"`, `result 2/0 ` + invoiceColumns + ` (acme,NULL) count=1 last`, `ready I`,
		}},
		{"in the middle of an answer", []call{answers(rows...), ask("\x03SELECT 1"), answers(ok(0, 2))}, []string{`statement 1 simple "SELECT 1"`, `result 1/0 "OK 0" last`, `ready I`}},
		{"an execution", []call{ask(executionOf(7, true, text("acme"))), answers(result(2, invoices(), binaryRow(le(1, 8), lenenc("acme"), "NULL"))...),
			ask(executionOf(7, true, text("acme"))), answers(result(2, invoices(), binaryRow(le(1, 8), lenenc("acme"), "NULL"))...)}, []string{
			`statement 1 "" notext`, `result 1/0 count=1 rowscut last`, `ready I`, `statement 2 "" notext`, `result 2/0 tenant_id[] org[] (acme,NULL) count=1 last`, `ready I`,
		}},
		{"not a command", []call{client("\x03\x00\x00\x01\x03ab"), client("\x03\x00\x00\x00\x03a"), client("\x03\x00\x00\x00\x99ab"), client(packet(0, "\x03\x7f\x01")), answers(ok(0, 2))}, nil},
		{"one that does not wait", []call{ask("\x03SELECT 2"), server(packets(1, ok(0, 2)) + packets(1, ok(0, 2))), ask("\x03SELECT 3"), answers(ok(0, 2))}, []string{
			`statement 1 simple "SELECT 2"`, `result 1/0 "OK 0" last`, `ready I`, `desync`, `statement 2 simple "SELECT 3"`, `result 2/0 "OK 0" last`, `ready I`,
		}},
		{"one that does not wait for a Prepare", []call{ask("\x03SELECT 2"), server(packets(1, preparedAs(117, 1, nil, true)...)), ask("\x03SELECT 3"), answers(ok(0, 2))}, []string{
			`statement 1 simple "SELECT 2"`, `desync`, `result 1/0 unseen last`, `statement 2 simple "SELECT 3"`, `result 2/0 "OK 0" last`, `ready I`,
		}},
		{"compression", []call{client("\x0d\x00\x00\x00\x00\x00\x00" + packet(0, "\x03SELECT 1")), server("\x0b\x00\x00\x01\x00\x00\x00" + packet(1, ok(0, 2)))}, nil},
		{"another user", []call{ask("\x11boss\x00\x04salttwo\x00" + le(45, 2) + "plugin\x00"), answers(ok(0, 2))}, []string{"started boss@two", "ready I"}},
		{"reset", []call{ask("\x1f"), answers(ok(0, 2))}, []string{"started unknown", "ready I"}},
	} {
		t.Run(q.name, func(t *testing.T) {
			s, events := fresh(testConfig())
			s.Late(tick())
			run(s, q.calls)
			s.Close(tick())
			checkLast(t, *events)
			diff(t, lines(*events), append([]string{"started unknown"}, q.want...))
		})
	}
}

func TestGaps(t *testing.T) {
	select1 := append(ask("\x03"+selectAll).cutAt(9, 3), answers(ok(0, 2)))
	diff(t, lines(play(t, testConfig(), append(opening(modern), select1...))), append(slices.Clone(openingLines), `statement 1 simple "SELE" cut`, `result 1/0 "OK 0" last`, `ready I`))
	// What follows a header, or more than one packet, was not captured: what it is, is not known.
	for _, n := range []int{0, headerSize, 40} {
		whole := packets(1, result(2, invoices(), textRow("1", "acme", "NULL"))...)
		calls := append(opening(modern), ask("\x03"+selectAll), call{server: true, data: whole[:n], gap: len(whole) - n})
		got := lines(play(t, testConfig(), append(calls, ask("\x03SELECT 2"), answers(ok(0, 2)))))
		diff(t, got[2:], []string{`statement 1 simple "SELECT * FROM invoices"`, `desync`, `result 1/0 unseen last`, `statement 2 simple "SELECT 2"`, `result 2/0 "OK 0" last`, `ready I`})
	}
	s, events := fresh(testConfig())
	run(s, append(opening(modern), ask("\x03SELECT 1")))
	s.Desync(tick(), FromServer)
	s.Desync(tick(), FromClient)
	diff(t, lines(*events)[3:], []string{`desync`, `result 1/0 unseen last`})
}

func TestSniff(t *testing.T) {
	for data, want := range map[string]bool{
		greetingOf(modern): true, greetingOf(modern)[:8]: true, greetingOf(modern)[:7]: false, "\x4a\x00\x00\x00\x0a\x00\x00\x00\x00": false, "\x4a\x00\x00\x01\x0a8.0": false,
		"HTTP/1.1 200 OK\r\n": false, "\x4a\x00\x00\x00\x09\x358.0": false, "220 mail ESMTP\r\n": false,
	} {
		if SniffGreeting([]byte(data)) != want {
			t.Errorf("greeting %q: %v", data, !want)
		}
	}
	for data, want := range map[string]bool{
		packet(0, "\x03SELECT 1"): true, packet(0, "\x0e"): true, packet(0, "\x19"+le(1, 4)) + packet(0, "\x03SELECT 1"): true,
		packet(0, "\x03SELECT 1") + "x": false, packet(0, "\x03SELECT 1")[:8]: false, "Q\x00\x00\x00\x0dSELECT 1\x00": false, "GET / HTTP/1.1\r\n\r\n": false, "\x01\x00\x00\x00": false,
	} {
		if SniffCommands([]byte(data), len(data)) != want {
			t.Errorf("commands %q: %v", data, !want)
		}
	}
	long := packet(0, "\x03"+strings.Repeat("x", 5000))
	if !SniffCommands([]byte(long[:4096]), len(long)) || SniffCommands([]byte(long[:4096]), len(long)+1) {
		t.Error("a long command whose end was not captured")
	}
	if SniffLogin([]byte(loginOf(2, modern))) || SniffLogin([]byte(loginOf(1, modern|capSSL))) {
		t.Error("a login without TLS is taken for one with it")
	}
}

// TestGapOfTheServer has bytes of the server that were not captured. What the client said is known: what was prepared before keeps its text, unless the client said
// something meanwhile that could not be read.
func TestGapOfTheServer(t *testing.T) {
	const sql = "SELECT * FROM invoices WHERE tenant_id = ?"
	whole := packets(1, result(2, invoices(), binaryRow(le(8, 8), lenenc("acme"), "NULL"), binaryRow(le(9, 8), lenenc("beta"), "NULL"))...)
	gap := call{server: true, data: whole[:len(whole)-50], gap: 50}
	begin := append(opening(modern), ask("\x16"+sql), answers(preparedAs(1, 1, invoices(), true)...), ask(executionOf(1, true, text("acme"))))
	again := []call{ask(executionOf(1, false, text("beta"))), server(whole), ask(executionOf(1, false, text("beta"))), server(whole)}
	want := []string{`statement 1 "` + sql + `" $1=acme`, `desync`, `result 1/0 ` + invoiceColumns + ` unseen last`}
	known := []string{
		`statement 2 "` + sql + `" $1=beta`, `result 2/0 count=2 rowscut last`, `ready I`,
		`statement 3 "` + sql + `" $1=beta`, `result 3/0 ` + invoiceColumns + ` (acme,NULL) (beta,NULL) count=2 last`, `ready I`,
	}
	for _, c := range []struct {
		name  string
		calls []call
		want  []string
	}{
		{"kept", append([]call{gap}, again...), known},
		{"lost as a whole", append([]call{{server: true, gap: 500}}, again...), known},
		{"the client said something else", []call{gap, client("\x03\x00\x00\x07abc"), again[0], again[1]}, []string{`statement 2 "" notext $1=?`, `result 2/0 count=2 rowscut last`, `ready I`}},
		{"bytes of the client were not captured either", []call{gap, {gap: 30}, again[0], again[1]}, []string{`statement 2 "" notext $1=?`, `result 2/0 count=2 rowscut last`, `ready I`}},
		{"an answer that does not fit", []call{answers("\x00\x00"), again[0], again[1]}, []string{`statement 2 "" notext $1=?`, `result 2/0 count=2 rowscut last`, `ready I`}},
	} {
		got := lines(play(t, testConfig(), append(slices.Clone(begin), c.calls...)))
		for i, l := range got {
			if strings.HasPrefix(l, "result 1/0") {
				got[i] = want[2] // how many rows came before does not matter here
			}
			if strings.HasPrefix(l, `statement 2 "" notext`) {
				got[i] = `statement 2 "" notext $1=?`
			}
		}
		t.Log(c.name)
		diff(t, got, append(append(slices.Clone(openingLines), want...), c.want...))
	}
	// A Prepare whose answer was not captured has no number that is known.
	calls := append(slices.Clone(begin), server(whole), ask("\x16DELETE FROM invoices"), call{server: true, gap: 40}, ask(executionOf(2, false)), answers(ok(1, 2)), ask(executionOf(lastPrepared, false)), answers(ok(1, 2)))
	got := lines(play(t, testConfig(), calls))
	diff(t, got[len(got)-7:], []string{`desync`, `statement 2 "" notext`, `result 2/0 "OK 1" last`, `ready I`, `statement 3 "" notext`, `result 3/0 "OK 1" last`, `ready I`})
}
