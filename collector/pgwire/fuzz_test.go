package pgwire

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"tenantrace/collector/event"
)

// pack writes steps as one fuzz input: for each a byte of flags (1 the server's, 2 a gap follows, 4 the length has two bytes), the length, the bytes, and the gap.
func pack(steps []step) []byte {
	var b []byte
	for _, st := range steps {
		for {
			n := min(len(st.data), 1<<16-1)
			flags := byte(4)
			if st.server {
				flags |= 1
			}
			last := n == len(st.data)
			if last && st.gap > 0 {
				flags |= 2
			}
			b = append(append(b, flags, byte(n>>8), byte(n)), st.data[:n]...)
			st.data = st.data[n:]
			if last {
				break
			}
		}
		if st.gap > 0 {
			b = append(b, byte(min(st.gap, 255)))
		}
	}
	return b
}

// unpack reads what pack writes, and makes something of all other bytes.
func unpack(b []byte) []step {
	var steps []step
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
		st := step{server: flags&1 != 0, data: b[:n]}
		b = b[n:]
		if flags&2 != 0 {
			st.gap = next()
		}
		steps = append(steps, st)
	}
	return steps
}

// fuzzed runs steps and checks what must hold whatever the bytes are.
func fuzzed(t *testing.T, late bool, steps []step) []string {
	t.Helper()
	cfg := testConfig()
	cfg.MaxText = 4096
	s, events := fresh(cfg)
	if late {
		s.Late(tick())
	}
	for _, st := range steps {
		run(s, []step{st})
		if s.prepared.held < 0 || s.prepared.held > maxHeld || s.queue.n > maxPending || cap(s.front.buf) > 4*keepBind || cap(s.back.buf) > 4*keepDescription ||
			len(s.prepared.statements) > maxStatements || len(s.prepared.portals) > maxPortals || s.answer.tuples.Count() > event.MaxRows || cap(s.answer.tuples.Held()) > 4*event.MaxRows*maxKept*(maxValue+3) || cap(s.answer.last) > 4*maxKept*(maxValue+4) || cap(s.row.raw) > 4*maxValue || cap(s.row.row) > 4*maxKept*(maxValue+3) {
			t.Fatalf("holds too much: %d bytes, %d messages, buffers of %d and %d", s.prepared.held, s.queue.n, cap(s.front.buf), cap(s.back.buf))
		}
		if n := linked(s); n != len(s.prepared.statements) {
			t.Fatalf("%d statements, %d by their use", len(s.prepared.statements), n)
		}
		if sum := holds(s); sum != s.prepared.held {
			t.Fatalf("holds %d bytes, counts %d", sum, s.prepared.held)
		}
	}
	s.Close(tick())
	checkLast(t, *events)
	if s.prepared.held != 0 || s.queue.n != 0 {
		t.Fatalf("a closed session holds %d bytes and %d messages", s.prepared.held, s.queue.n)
	}
	for _, e := range *events {
		if st, ok := e.(*event.Statement); ok && len(st.Text) > cfg.MaxText {
			t.Fatalf("a text of %d bytes", len(st.Text))
		}
	}
	return lines(*events)
}

// linked counts the statements by their last use; -1 if the list is broken.
func linked(s *Session) (n int) {
	var newer *statement
	for st := s.prepared.recency.newest; st != nil; newer, st = st, st.older {
		if n++; st.newer != newer || s.prepared.statements[st.name] != st {
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
	sum := 0
	statement := func(st *statement) {
		for ; st != nil; st = st.before {
			sum += st.held
		}
	}
	portal := func(po *portal) {
		if po != nil {
			sum += po.held
		}
	}
	statement(s.prepared.unnamed)
	for _, st := range s.prepared.statements {
		statement(st)
	}
	portal(s.prepared.current)
	for _, po := range s.prepared.portals {
		portal(po)
	}
	for i := range s.queue.n {
		sum += len(s.queue.at(i).text)
	}
	return sum
}

func FuzzStartup(f *testing.F) {
	for _, m := range []pgproto3.FrontendMessage{
		&pgproto3.StartupMessage{ProtocolVersion: pgproto3.ProtocolVersion30, Parameters: map[string]string{"user": "u", "database": "d", "options": `-c a.b=c\ d --x-y=z`}},
		&pgproto3.SSLRequest{}, &pgproto3.GSSEncRequest{}, &pgproto3.CancelRequest{SecretKey: make([]byte, 4)}, &query{String: "SELECT 1"},
	} {
		f.Add(client(f, m).data, []byte("N"))
		f.Add(client(f, m, m).data, []byte("S"))
		f.Add(client(f, m, &pgproto3.StartupMessage{ProtocolVersion: pgproto3.ProtocolVersion32, Parameters: map[string]string{"user": "u"}}).data, []byte("E"))
	}
	f.Fuzz(func(t *testing.T, front, back []byte) {
		n := min(8, len(front))
		steps := []step{{data: front[:n]}, {server: true, data: back}, {data: front[n:]}}
		fuzzed(t, false, steps)
		SniffFrontend(front)
		SniffBackend(back)
	})
}

func FuzzFrontend(f *testing.F) {
	for _, q := range sequences {
		var front []byte
		for _, st := range q.steps(f) {
			if !st.server {
				front = append(front, st.data...)
			}
		}
		f.Add(front, uint16(len(front)/2), uint16(3))
	}
	f.Fuzz(func(t *testing.T, front []byte, at, gap uint16) {
		n := min(int(at), len(front))
		fuzzed(t, false, append(opening(t), step{data: front[:n], gap: int(gap)}, step{data: front[n:]}))
		SniffFrontend(front)
		// In pieces, all is the same as long as nothing is lost: a write is what a lost session begins with again.
		whole := fuzzed(t, false, append(opening(t), step{data: front}))
		diff(t, fuzzed(t, false, split(append(opening(t), step{data: front}), func() int { return 1 })), whole)
	})
}

func FuzzBackend(f *testing.F) {
	for _, q := range sequences {
		f.Add(pack(q.steps(f)), false)
		f.Add(pack(q.steps(f)), true)
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
		steps := unpack(b)
		if !late {
			steps = append(opening(t), steps...)
		}
		fuzzed(t, late, steps)
		SniffBackend(b)
	})
}
