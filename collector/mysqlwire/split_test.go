package mysqlwire

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"tenantrace/collector/event"
)

// split cuts each call into pieces of a size that next gives.
func split(calls []call, next func() int) []call {
	var out []call
	for _, c := range calls {
		data := c.data
		for n := next(); n < len(data); n = next() {
			out = append(out, call{server: c.server, data: data[:n]})
			data = data[n:]
		}
		out = append(out, call{server: c.server, data: data, gap: c.gap})
	}
	return out
}

// TestEveryCut cuts the bytes of each sequence in two at every place, and into single bytes.
func TestEveryCut(t *testing.T) {
	cuts := 0
	for _, q := range sequences {
		calls := append(opening(modern), q.calls...)
		want := append(slices.Clone(openingLines), q.want...)
		for i, c := range calls {
			// While a session is lost, the client's write is what begins a command: pieces of one would be writes of their own.
			if slices.Contains(q.want, "desync") && !c.server {
				continue
			}
			for at := 1; at < len(c.data); at++ {
				cuts++
				pieces := slices.Concat(calls[:i], c.cutAt(at, 0), calls[i+1:])
				if got := lines(play(t, testConfig(), pieces)); !slices.Equal(got, want) {
					diff(t, got, want)
					t.Fatalf("%s, call %d cut at %d", q.name, i, at)
				}
			}
		}
		if !slices.Contains(q.want, "desync") {
			diff(t, lines(play(t, testConfig(), split(calls, func() int { return 1 }))), want)
		}
	}
	t.Logf("%d cuts", cuts)
}

// conversation makes up what a client and a server may say to each other after the login. Some payloads are loose: a gap in them hides nothing but what they hold.
type conversation struct {
	rng        *rand.Rand
	calls      []call
	loose      []map[int]int // of each call: where the body of a loose payload begins, and its size
	statements uint32
}

func (c *conversation) pick(values ...string) string { return values[c.rng.IntN(len(values))] }

func (c *conversation) value() string {
	return c.pick("acme", "beta", "NULL", "", strings.Repeat("v", c.rng.IntN(maxValue+20)), "\x05\x00\x00\x01\xfe\x00\x00\x02\x00")
}

// say adds a call with payloads, of which those given are loose.
func (c *conversation) say(server bool, seq byte, payloads []string, loose ...int) {
	at := make(map[int]int)
	data := ""
	for i, p := range payloads {
		if slices.Contains(loose, i) {
			at[len(data)+headerSize] = len(p)
		}
		data += packet(seq, p)
		seq++
	}
	c.calls = append(c.calls, call{server: server, data: data})
	c.loose = append(c.loose, at)
}

// result is the answer to a query or an execution.
func (c *conversation) result(columns bool, binary bool, flags status) (payloads []string, loose []int) {
	if c.rng.IntN(4) == 0 {
		return []string{ok(3, flags)}, nil
	}
	payloads = append(payloads, "\x03")
	payloads = append(payloads, invoices()...)
	eofs := c.rng.IntN(2) == 0
	if eofs {
		payloads = append(payloads, eof(flags))
	}
	for range c.rng.IntN(6) {
		loose = append(loose, len(payloads))
		if binary {
			payloads = append(payloads, binaryRow(le(7, 8), c.binary(), c.binary()))
		} else {
			payloads = append(payloads, textRow(c.value(), c.value(), c.value()))
		}
	}
	if eofs {
		return append(payloads, eof(flags)), loose
	}
	return append(payloads, okEOF(flags)), loose
}

func (c *conversation) binary() string {
	if v := c.value(); v != "NULL" {
		return lenenc(v)
	}
	return "NULL"
}

func (c *conversation) query() {
	n := 1 + c.rng.IntN(3)
	c.say(false, 0, []string{"\x03" + strings.Repeat(c.pick("SELECT 1;", "SELECT ';' /*;*/;"), n)}, 0)
	var payloads []string
	var loose []int
	for i := range n {
		flags := status(2)
		if i < n-1 {
			flags |= statusMoreResults
		}
		if c.rng.IntN(8) == 0 {
			payloads = append(payloads, fail(1054, "42S22"))
			break
		}
		more, at := c.result(true, false, flags)
		for _, j := range at {
			loose = append(loose, len(payloads)+j)
		}
		payloads = append(payloads, more...)
	}
	c.say(true, 1, payloads, loose...)
}

func (c *conversation) execution() {
	c.statements++
	id := c.statements
	c.say(false, 0, []string{"\x16SELECT ? " + c.value()})
	c.say(true, 1, preparedAs(id, 2, invoices(), c.rng.IntN(2) == 0))
	for i := range 1 + c.rng.IntN(3) {
		binds := []bind{text(c.value()), {kind: typeLongLong, value: le(uint64(i), 8), null: c.rng.IntN(4) == 0}}
		c.say(false, 0, []string{executionOf(id, i == 0 || c.rng.IntN(2) == 0, binds...)})
		payloads, loose := c.result(false, true, 3)
		c.say(true, 1, payloads, loose...)
	}
	if c.rng.IntN(2) == 0 {
		c.say(false, 0, []string{"\x19" + le(uint64(id), 4)})
	}
}

// withGaps takes bytes out of loose payloads, never the first.
func (c *conversation) withGaps() []call {
	var out []call
	for i, one := range c.calls {
		from := 0
		for at := 0; at < len(one.data); at++ {
			size := c.loose[i][at]
			if size < 2 || c.rng.IntN(3) > 0 {
				continue
			}
			first := at + 1 + c.rng.IntN(size-1)
			last := first + 1 + c.rng.IntN(at+size-first)
			out = append(out, call{server: one.server, data: one.data[from:first], gap: last - first})
			from = last
		}
		if from < len(one.data) {
			out = append(out, call{server: one.server, data: one.data[from:]})
		}
	}
	return out
}

// TestRandomConversations compares what a session sees of a conversation that comes whole, and the same in pieces and with gaps.
func TestRandomConversations(t *testing.T) {
	for seed := range uint64(300) {
		c := &conversation{rng: rand.New(rand.NewPCG(seed, 7))}
		for _, o := range opening(modern) {
			c.calls, c.loose = append(c.calls, o), append(c.loose, nil)
		}
		for range 1 + c.rng.IntN(6) {
			if c.rng.IntN(2) == 0 {
				c.query()
			} else {
				c.execution()
			}
		}
		all := play(t, testConfig(), c.calls)
		whole := lines(all)
		if slices.Contains(whole, "desync") {
			t.Fatalf("seed %d: the conversation itself does not hold:\n%s", seed, strings.Join(whole, "\n"))
		}
		size := 1
		if seed%2 == 0 {
			size = 40
		}
		diff(t, lines(play(t, testConfig(), split(c.calls, func() int { return 1 + c.rng.IntN(size) }))), whole)
		checkEvidence(t, play(t, testConfig(), c.withGaps()), all)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// checkEvidence fails if a session with gaps saw a text, a value or a row that was not there, or took a part for the whole.
func checkEvidence(t *testing.T, gapped, all []event.Event) {
	t.Helper()
	if len(gapped) != len(all) {
		t.Fatalf("%d events, want %d:\n%s\nwant\n%s", len(gapped), len(all), strings.Join(lines(gapped), "\n"), strings.Join(lines(all), "\n"))
	}
	for i := range all {
		switch got := gapped[i].(type) {
		case *event.Statement:
			want := all[i].(*event.Statement)
			if got.Text != want.Text && !(got.Cut && strings.HasPrefix(want.Text, got.Text)) {
				t.Errorf("got %s\nwant %s", line(got), line(want))
			}
			for j, p := range got.Params {
				if p.Known && (j >= len(want.Params) || p != want.Params[j]) {
					t.Errorf("got %s\nwant %s", line(got), line(want))
				}
			}
		case *event.Result:
			want := all[i].(*event.Result)
			there := tuples(want)
			for _, v := range tuples(got) {
				if !want.RowsCut && !slices.Contains(there, v) {
					t.Errorf("got %s\nwant %s", line(got), line(want))
				}
			}
			if len(tuples(got)) < len(there) && !got.RowsCut || got.Count != want.Count || got.Index != want.Index || got.Last != want.Last || got.Tag != want.Tag || got.Error != want.Error {
				t.Errorf("got %s\nwant %s", line(got), line(want))
			}
		default:
			if line(got) != line(all[i]) {
				t.Errorf("got %s\nwant %s", line(got), line(all[i]))
			}
		}
	}
}

// tuples are the rows of a result as text.
func tuples(r *event.Result) (out []string) {
	for _, row := range r.Rows {
		s := ""
		for j, v := range row {
			if v == nil {
				s += fmt.Sprintf("%s is null ", r.Columns[j].Owner)
			} else {
				s += fmt.Sprintf("%s=%q ", r.Columns[j].Owner, *v)
			}
		}
		out = append(out, s)
	}
	return out
}
