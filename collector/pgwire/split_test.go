package pgwire

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"tenantrace/collector/event"
)

// split cuts each step into pieces of a size that next gives.
func split(steps []step, next func() int) []step {
	var out []step
	for _, st := range steps {
		data := st.data
		for n := next(); n < len(data); n = next() {
			out = append(out, step{server: st.server, data: data[:n]})
			data = data[n:]
		}
		out = append(out, step{server: st.server, data: data, gap: st.gap})
	}
	return out
}

func TestSequencesInPieces(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, q := range sequences {
		t.Run(q.name, func(t *testing.T) {
			// While a session is lost, the client's write is what begins a message: pieces of one would be writes of their own.
			if slices.Contains(q.want, "desync") {
				t.Log("the boundaries of writes matter here; pieces are tested without a loss")
				return
			}
			want := append(slices.Clone(openingLines), q.want...)
			for name, next := range map[string]func() int{
				"bytes":  func() int { return 1 },
				"random": func() int { return 1 + rng.IntN(20) },
			} {
				s, events := fresh(testConfig())
				run(s, split(append(opening(t), q.steps(t)...), next))
				s.Close(tick())
				checkLast(t, *events)
				t.Log(name)
				diff(t, lines(*events), want)
			}
		})
	}
}

// conversation makes up what a client and a server may say to each other after the start-up.
type conversation struct {
	t     testing.TB
	rng   *rand.Rand
	steps []step
	named int
}

func (c *conversation) pick(values ...string) string { return values[c.rng.IntN(len(values))] }

func (c *conversation) value() string {
	return c.pick("acme", "beta", "NULL", "", strings.Repeat("v", c.rng.IntN(maxValue+20)), "Z\x00\x00\x00\x05I")
}

// result is a server's answer that completes one statement. Without a description the rows are those of c's prepared statements.
func (c *conversation) result(described bool) []pgproto3.BackendMessage {
	var out []pgproto3.BackendMessage
	if c.rng.IntN(4) == 0 {
		return append(out, tag("UPDATE 3"))
	}
	if described {
		out = append(out, c.description(0))
	}
	for range c.rng.IntN(6) {
		out = append(out, row(c.value(), c.value(), c.value()))
	}
	if c.rng.IntN(8) == 0 {
		out = append(out, &pgproto3.NoticeResponse{Severity: "NOTICE", Message: c.value()})
	}
	return append(out, tag("SELECT 5"))
}

func (c *conversation) description(format int16) *pgproto3.RowDescription {
	return fields(field("id", 5, 1, oidText, format), field("tenant_id", 5, 2, oidText, format), field("org", 5, 3, oidVarchar, format))
}

func (c *conversation) simple() {
	c.steps = append(c.steps, client(c.t, &query{String: c.pick("SELECT 1", "BEGIN", strings.Repeat("x", c.rng.IntN(300)))}))
	var out []pgproto3.BackendMessage
	for range c.rng.IntN(3) {
		out = append(out, c.result(true)...)
	}
	if c.rng.IntN(4) == 0 {
		out = append(out, fail("42601"))
	}
	c.steps = append(c.steps, server(c.t, append(out, ready('I'))...))
}

func (c *conversation) extended() {
	var ask []pgproto3.FrontendMessage
	var answer []pgproto3.BackendMessage
	failed := false
	add := func(m pgproto3.FrontendMessage, answers ...pgproto3.BackendMessage) {
		ask = append(ask, m)
		if !failed && c.rng.IntN(20) == 0 {
			failed = true
			answer = append(answer, fail("22P02"))
		}
		if !failed {
			answer = append(answer, answers...)
		}
	}
	for range 1 + c.rng.IntN(3) {
		name := ""
		if c.rng.IntN(2) == 0 {
			c.named++
			name = fmt.Sprint("s", c.named)
		}
		add(&parse{Name: name, Query: "SELECT " + c.value(), ParameterOIDs: []uint32{oidText, 0}}, &pgproto3.ParseComplete{})
		if c.rng.IntN(2) == 0 {
			add(&describe{ObjectType: 'S', Name: name}, &pgproto3.ParameterDescription{ParameterOIDs: []uint32{oidText, oidText}}, c.description(0))
		}
		add(&bind{PreparedStatement: name, Parameters: bytesOf(c.value(), c.value()), ResultFormatCodes: []int16{1}}, &pgproto3.BindComplete{})
		if c.rng.IntN(2) == 0 {
			add(&describe{ObjectType: 'P'}, c.description(1))
		}
		add(&execute{}, c.result(false)...)
		if c.rng.IntN(4) == 0 {
			add(&closing{ObjectType: 'S', Name: name}, &pgproto3.CloseComplete{})
		}
	}
	ask = append(ask, &syncing{})
	c.steps = append(c.steps, client(c.t, ask...), server(c.t, append(answer, ready('T'))...))
}

// TestRandomConversations compares what a session sees of a conversation that comes whole, and the same in pieces and with gaps.
func TestRandomConversations(t *testing.T) {
	for seed := range uint64(300) {
		c := &conversation{t: t, rng: rand.New(rand.NewPCG(seed, 7))}
		for range 1 + c.rng.IntN(6) {
			if c.rng.IntN(2) == 0 {
				c.simple()
			} else {
				c.extended()
			}
		}
		all := play(t, testConfig(), c.steps)
		whole := lines(all)
		if slices.Contains(whole, "desync") {
			t.Fatalf("seed %d: the conversation itself does not hold", seed)
		}
		size := 1
		if seed%2 == 0 {
			size = 40
		}
		pieces := lines(play(t, testConfig(), split(c.steps, func() int { return 1 + c.rng.IntN(size) })))
		diff(t, pieces, whole)
		gapped := play(t, testConfig(), withGaps(c.rng, c.steps))
		diff(t, outline(lines(gapped)), outline(whole))
		checkEvidence(t, gapped, all)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// checkEvidence fails if a session with gaps saw a text, a value or a row that was not there, or took a part for the whole.
func checkEvidence(t *testing.T, gapped, all []event.Event) {
	t.Helper()
	for i := range min(len(gapped), len(all)) { // their kinds and numbers are the same, or the outlines differ
		switch got := gapped[i].(type) {
		case *event.Statement:
			want := all[i].(*event.Statement)
			if got.Text != want.Text && !got.NoText && !(got.Cut && strings.HasPrefix(want.Text, got.Text)) {
				t.Errorf("got %s\nwant %s", line(got), line(want))
			}
			for j, p := range got.Params {
				if p.Known && (j >= len(want.Params) || p.Null != want.Params[j].Null || p.Value != want.Params[j].Value) {
					t.Errorf("got %s\nwant %s", line(got), line(want))
				}
			}
		case *event.Result:
			want := all[i].(*event.Result)
			rows := func(r *event.Result) (out []string) {
				for _, row := range r.Rows {
					for j, v := range row {
						if v == nil {
							out = append(out, r.Columns[j].Owner+" is null")
						} else {
							out = append(out, r.Columns[j].Owner+"="+*v)
						}
					}
				}
				return out
			}
			there := rows(want)
			for _, v := range rows(got) {
				if !want.RowsCut && !slices.Contains(there, v) {
					t.Errorf("got %s\nwant %s", line(got), line(want))
				}
			}
			if len(rows(got)) < len(there) && !got.RowsCut || got.Count != want.Count {
				t.Errorf("got %s\nwant %s", line(got), line(want))
			}
		}
	}
}

// withGaps takes bytes out of bodies, never out of a header.
func withGaps(rng *rand.Rand, steps []step) []step {
	var out []step
	for _, st := range steps {
		data := st.data
		from := 0 // start of the bytes that go into the next step
		for at := 0; at < len(data); {
			size := messageSize(data[at:]) + 1
			if body := size - headerSize; body > 0 && rng.IntN(3) == 0 {
				first := at + headerSize + rng.IntN(body)
				last := first + 1 + rng.IntN(at+size-first)
				out = append(out, step{server: st.server, data: data[from:first], gap: last - first})
				from = last
			}
			at += size
		}
		if from < len(data) {
			out = append(out, step{server: st.server, data: data[from:]})
		}
	}
	return out
}

// outline keeps of each event what no gap in a body may change. What was not captured may hide an error's class, a name or a value.
func outline(events []string) []string {
	var out []string
	for _, e := range events {
		words := strings.Fields(e)
		switch words[0] {
		case "statement":
			out = append(out, strings.Join(words[:2], " "))
		case "result":
			s := strings.Join(words[:2], " ")
			for _, flag := range []string{"error", "skipped", "none", "unseen", "last"} {
				for _, w := range words[2:] {
					if w == flag || strings.HasPrefix(w, flag+"=") {
						s += " " + flag
						break
					}
				}
			}
			out = append(out, s)
		default:
			out = append(out, words[0])
		}
	}
	return out
}
