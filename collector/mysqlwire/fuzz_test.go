package mysqlwire

import (
	"os"
	"path/filepath"
	"testing"

	"tenantrace/collector/event"
)

// pack writes calls as one fuzz input: for each a byte of flags (1 the server's, 2 a gap follows, 4 the length has two bytes), the length, the bytes, and the gap.
func pack(calls []call) []byte {
	var b []byte
	for _, c := range calls {
		for {
			n := min(len(c.data), 1<<16-1)
			flags := byte(4)
			if c.server {
				flags |= 1
			}
			last := n == len(c.data)
			if last && c.gap > 0 {
				flags |= 2
			}
			b = append(append(b, flags, byte(n>>8), byte(n)), c.data[:n]...)
			c.data = c.data[n:]
			if last {
				break
			}
		}
		if c.gap > 0 {
			b = append(b, byte(min(c.gap, 255)))
		}
	}
	return b
}

// unpack reads what pack writes, and makes something of all other bytes.
func unpack(b []byte) []call {
	var calls []call
	next := func() int {
		if len(b) == 0 {
			return 0
		}
		v := b[0]
		b = b[1:]
		return int(v)
	}
	for len(b) > 0 {
		flags := next()
		n := next()
		if flags&4 != 0 {
			n = n<<8 | next()
		}
		n = min(n, len(b))
		c := call{server: flags&1 != 0, data: string(b[:n])}
		b = b[n:]
		if flags&2 != 0 {
			c.gap = next()
		}
		calls = append(calls, c)
	}
	return calls
}

// fuzzed runs calls and checks what must hold whatever the bytes are.
func fuzzed(t *testing.T, late bool, calls []call) []string {
	t.Helper()
	cfg := testConfig()
	cfg.MaxText = 4096
	s, events := fresh(cfg)
	if late {
		s.Late(tick())
	}
	for _, c := range calls {
		run(s, []call{c})
		a := &s.answer
		if s.prepared.held < 0 || s.prepared.held > maxHeld || s.commands.n > maxPending || len(s.prepared.statements) > maxStatements || cap(s.front.buf) > 4*keepExecute ||
			cap(s.back.buf) > 4*keepOK || a.tuples.Count() > event.MaxRows || cap(a.tuples.Held()) > 4*event.MaxRows*maxKept*(maxValue+3) || cap(a.last) > 4*maxKept*(maxValue+3) || a.total > event.MaxRows || len(a.sets) > maxKept || len(a.types) > maxColumns || len(a.kept) > maxKept ||
			cap(s.row.raw) > 4*maxValue || cap(s.row.row) > 4*maxKept*(maxValue+3) || cap(s.row.nulls) > maxColumns || len(s.cfg.Names.known) > maxNames {
			t.Fatalf("holds too much: %d bytes, %d commands, buffers of %d and %d", s.prepared.held, s.commands.n, cap(s.front.buf), cap(s.back.buf))
		}
		if n := listed(s); n != len(s.prepared.statements) {
			t.Fatalf("%d statements, %d by their use", len(s.prepared.statements), n)
		}
		if sum := holds(s); sum != s.prepared.held {
			t.Fatalf("holds %d bytes, counts %d", sum, s.prepared.held)
		}
	}
	s.Close(tick())
	checkLast(t, *events)
	if s.prepared.held != 0 || s.commands.n != 0 {
		t.Fatalf("a closed session holds %d bytes and %d commands", s.prepared.held, s.commands.n)
	}
	for _, e := range *events {
		if st, ok := e.(*event.Statement); ok && (len(st.Text) > cfg.MaxText || len(st.Sets) > event.MaxRows) {
			t.Fatalf("a text of %d bytes, %d sets", len(st.Text), len(st.Sets))
		}
	}
	return lines(*events)
}

// listed counts the statements by their last use; -1 if the list is broken.
func listed(s *Session) (n int) {
	var newer *statement
	for st := s.prepared.recency.newest; st != nil; newer, st = st, st.older {
		if n++; st.newer != newer || s.prepared.statements[st.id] != st {
			return -1
		}
	}
	if s.prepared.recency.oldest != newer {
		return -1
	}
	return n
}

// holds adds up what the session's budget should say.
func holds(s *Session) int {
	all := make(map[*statement]bool)
	for _, st := range s.prepared.statements {
		all[st] = true
	}
	if s.prepared.last != nil {
		all[s.prepared.last] = true
	}
	sum := 0
	for i := range s.commands.n {
		p := s.commands.at(i)
		sum += len(p.text)
		if p.statement != nil {
			all[p.statement] = true
		}
	}
	for st := range all {
		sum += st.held
		parts := len(st.types)
		if st.gone {
			parts = 0
		}
		if st.columns != nil {
			parts += st.columns.size()
		}
		for _, l := range st.long {
			parts += len(l.value)
		}
		for _, p := range st.cursor {
			parts += paramSize + len(p.Value)
		}
		if st.held != 0 && st.held != len(st.text)+parts {
			return -1
		}
	}
	return sum
}

func FuzzStartup(f *testing.F) {
	for _, caps := range []capabilities{modern, maria, modern | capSSL, modern | capCompress, modern | capQueryAttributes} {
		f.Add([]byte(greetingOf(caps)), []byte(loginOf(1, caps)), []byte(packet(2, ok(0, 2))))
		f.Add([]byte(greetingOf(caps)), []byte(loginOf(1, caps)[:36]), []byte(packets(2, "\xfeplugin\x00salt", "\x01\x04")))
	}
	f.Fuzz(func(t *testing.T, greeting, login, answer []byte) {
		n := len(login) / 2
		fuzzed(t, false, []call{server(string(greeting)), client(string(login[:n])), client(string(login[n:])), server(string(answer)), ask("\x03SELECT 1")})
		SniffGreeting(greeting)
		SniffLogin(login)
	})
}

func FuzzFrontend(f *testing.F) {
	for _, q := range sequences {
		front := ""
		for _, c := range q.calls {
			if !c.server {
				front += c.data
			}
		}
		f.Add([]byte(front), uint16(len(front)/2), uint16(3))
	}
	f.Fuzz(func(t *testing.T, front []byte, at, gap uint16) {
		n := min(int(at), len(front))
		fuzzed(t, false, append(opening(modern), call{data: string(front[:n]), gap: int(gap)}, client(string(front[n:]))))
		SniffCommands(front, len(front)+int(gap))
		// In pieces, all is the same as long as nothing is lost: a write is what a lost session begins with again.
		whole := fuzzed(t, false, append(opening(modern), client(string(front))))
		diff(t, fuzzed(t, false, split(append(opening(modern), client(string(front))), func() int { return 1 })), whole)
	})
}

func FuzzBackend(f *testing.F) {
	for _, q := range sequences {
		f.Add(pack(q.calls), false)
		f.Add(pack(q.calls), true)
	}
	files, err := filepath.Glob("testdata/*.stream")
	if err != nil || len(files) == 0 {
		f.Fatalf("%d recorded streams: %v", len(files), err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, true)
	}
	f.Fuzz(func(t *testing.T, b []byte, late bool) {
		calls := unpack(b)
		if !late {
			calls = append(opening(modern), calls...)
		}
		fuzzed(t, late, calls)
	})
}

func FuzzText(f *testing.F) {
	f.Add("SELECT tenant_id FROM invoices; WITH x (a) AS (SELECT 1) SELECT ?", "invoices", "tenant_id")
	f.Add("/*!50003 CALL */ p('\\'', \"\", `a``b`); -- x\n# y", "p", "a")
	f.Fuzz(func(t *testing.T, text, table, column string) {
		trace(text, table, column, len(text)%2 == 0)
		if n := placeholders(text); n > len(text) {
			t.Errorf("%d parameters", n)
		}
		var s script
		for i := 0; !s.last; i++ {
			if i > len(text) {
				t.Fatal("no end")
			}
			s.step(text, len(text)%2 == 0)
		}
	})
}
