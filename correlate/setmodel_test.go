package correlate

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"tenantrace/collector/event"
)

// modelRequest is a request as the definitions of the set verdict see it.
type modelRequest struct {
	id         string
	tenant     string // "" unresolved; "root" has a right to everything
	conn       event.ConnID
	seq        uint64
	tid        uint32
	start, end int64 // end 0: open
	hungUp     bool
	lossy      bool
}

func (r *modelRequest) candidateAt(t int64) bool {
	linger := 2 * time.Second
	if r.hungUp {
		linger = 30 * time.Second
	}
	return r.start <= t && (r.end == 0 || t < r.end+int64(linger))
}

// modelStatement is a statement with the candidates that it had when it was written.
type modelStatement struct {
	time   int64
	tid    uint32
	tenant string // "" none
	shape  int
	of     []*modelRequest
	exact  *modelRequest
	none   bool // no request may have caused it, whoever is there
	blind  bool
}

// model holds every request that ever was and works the verdicts out the long way.
type model struct {
	tr       *trace
	r        *rand.Rand
	requests []*modelRequest
	lost     int64                    // when something was lost last; 0 never
	read     map[uint32]*modelRequest // last request by thread
	roams    map[uint32]bool
	works    map[int]bool
	txn      []*modelStatement // open transaction of the loop
	exact    []*modelStatement
	want     map[string]modelLine // by the time of the statement
	several  int                  // statements with more than one candidate, for the test's own sake
	kinds    map[string]int
}

// modelLine is what a verdict line has to say.
type modelLine struct {
	line string
	ids  []string // of the candidates
}

const (
	modelLoop     = 7  // multiplexes
	modelExecutor = 8  // descends from it
	modelSchedule = 9  // has nothing to do with requests
	modelBlocking = 20 // and the next
)

func (m *model) open(of func(*modelRequest) bool) (out []*modelRequest) {
	for _, r := range m.requests {
		if r.end == 0 && of(r) {
			out = append(out, r)
		}
	}
	return out
}

func (m *model) statement(tid uint32, tenant string, shape int) *modelStatement {
	s := &modelStatement{time: m.tr.now + int64(time.Millisecond), tid: tid, tenant: tenant, shape: shape}
	for _, r := range m.requests {
		if r.candidateAt(s.time) {
			s.of = append(s.of, r)
		}
	}
	s.blind = m.lost != 0 && s.time < m.lost+int64(30*time.Second)
	switch {
	case tid == modelSchedule:
		s.none = !s.blind
	case tid >= modelBlocking:
		mine := m.open(func(r *modelRequest) bool { return r.tid == tid })
		last := m.read[tid]
		if len(mine) > 0 {
			s.exact = mine[0]
		} else if last != nil && !last.candidateAt(s.time) && len(m.open(func(r *modelRequest) bool { return r.tid == modelLoop })) == 0 {
			s.none = true
			s.blind = s.blind && last.start < m.lost
		}
		if s.none && s.blind {
			s.none = false
		}
	}
	return s
}

// verdict gives the line of a statement whose transaction's statements are those given; nil: it stands alone.
func (m *model) verdict(s *modelStatement, txn []*modelStatement) (line string, set []*modelRequest) {
	tenants := ""
	if s.tenant != "" {
		tenants = " literal " + s.tenant
	}
	if s.tenant == "" {
		switch {
		case s.exact != nil && s.exact.lossy:
			return "blind/loss none", nil
		case s.exact != nil:
			return "no_tenant thread", nil
		case s.blind && !s.none:
			return "blind/loss none", nil
		}
		return "no_tenant none", nil
	}
	if s.exact != nil {
		switch {
		case s.exact.lossy:
			return "blind/loss none", nil
		case s.exact.tenant == "root" && s.tenant != "root":
			return "exempt thread" + tenants + " [PRIVILEGED_ACCESS]", nil
		case s.exact.tenant == "":
			return "unattributed/no_certificate thread" + tenants, nil
		case s.exact.tenant == s.tenant:
			return "ok_exact thread" + tenants, nil
		}
		return "violation thread" + tenants + " [CROSS_TENANT_READ]", nil
	}
	if s.blind && !s.none {
		return "blind/loss none", nil
	}
	x := s.of
	for _, other := range txn {
		x = slices.DeleteFunc(slices.Clone(x), func(r *modelRequest) bool { return !slices.Contains(other.of, r) })
	}
	if s.none || len(x) == 0 {
		if s.tid != modelSchedule {
			m.works[s.shape] = true
			m.roams[s.tid] = true
		}
		return "background none" + tenants, nil
	}
	if m.roams[s.tid] || m.works[s.shape] {
		return "unattributed/mixed_work none" + tenants, nil
	}
	for _, r := range x { // in the order of their beginning
		if r.lossy {
			return "blind/loss none", nil
		}
		if r.tenant == "" {
			return "unattributed/candidate_unknown none" + tenants, nil
		}
	}
	var all []string
	explained, answered := false, true
	for _, r := range x {
		explained = explained || r.tenant == s.tenant || r.tenant == "root"
		answered = answered && r.end != 0 && r.end <= s.time && !r.hungUp
		if !slices.Contains(all, r.tenant) {
			all = append(all, r.tenant)
		}
	}
	if len(all) > 1 {
		m.several++
	}
	switch {
	case explained && len(all) == 1:
		return "ok_exact set" + tenants, x
	case explained:
		return "ok_set set" + tenants, x
	case answered:
		return "violation set" + tenants + " [BACKGROUND_TENANT_DRIFT]", x
	}
	return "violation set" + tenants + " [CROSS_TENANT_READ]", x
}

func (m *model) expect(s *modelStatement, txn []*modelStatement) {
	line, set := m.verdict(s, txn)
	want := modelLine{line: line}
	for _, r := range set {
		want.ids = append(want.ids, r.id)
	}
	m.want[formatTime(s.time)] = want
	m.kinds[strings.Join(strings.Fields(line)[:2], " ")]++
}

// commit ends the transaction of the loop.
func (m *model) commit(db event.ConnID) {
	m.txn = append(m.txn, m.statement(modelLoop, "", 0))
	m.tr.sql(db, modelLoop, "COMMIT")
	for _, s := range m.txn {
		if len(s.of) > 0 || s.tenant == "" {
			m.expect(s, m.txn)
		}
	}
	m.txn = nil
}

func (m *model) step(conns map[event.ConnID]string, dbs map[uint32]event.ConnID) {
	tr, pick := m.tr, m.r.IntN
	names := []string{"acme", "beta", "gamma"}
	if m.txn != nil && m.txn[0].time < tr.now-int64(20*time.Second) { // else it would wait too long
		m.commit(dbs[modelLoop])
	}
	switch n := pick(100); {
	case n < 22: // a request, on the loop or on a blocking thread that has none
		tid := uint32(modelLoop)
		if pick(3) == 0 {
			tid = modelBlocking + uint32(pick(2))
			if len(m.open(func(r *modelRequest) bool { return r.tid == tid })) > 0 {
				return
			}
		}
		list := make([]event.ConnID, 0, len(conns))
		for c := range conns {
			if len(m.open(func(r *modelRequest) bool { return r.conn == c })) == 0 {
				list = append(list, c)
			}
		}
		if len(list) == 0 {
			return
		}
		slices.Sort(list)
		c := list[pick(len(list))]
		seq := tr.request(c, tid, "/")
		r := &modelRequest{id: fmt.Sprintf("r%d-%d", c, seq), tenant: conns[c], conn: c, seq: seq, tid: tid, start: tr.now}
		m.requests = append(m.requests, r)
		m.read[tid] = r
	case n < 44: // an answer
		open := m.open(func(*modelRequest) bool { return true })
		if len(open) == 0 {
			return
		}
		r := open[pick(len(open))]
		if pick(12) == 0 && r.tid == modelLoop { // the client hangs up
			tr.play(&event.ConnectionClosed{Header: tr.head(web, 0), Conn: r.conn})
			r.hungUp, r.end = true, tr.now
			tenant := conns[r.conn]
			delete(conns, r.conn)
			conns[m.client(tenant)] = tenant
			return
		}
		tr.respond(r.conn, r.seq, r.tid, 200)
		r.end = tr.now
	case n < 56:
		tr.now += int64(pick(700)) * int64(time.Millisecond)
	case n == 56 && m.txn == nil:
		tr.wait(time.Duration(pick(40)) * time.Second)
	case n == 57 && m.txn == nil && pick(8) == 0:
		tr.lose()
		m.lost = tr.now
		for _, r := range m.requests {
			r.lossy = r.lossy || r.end == 0
		}
	case n < 62: // a transaction of the loop begins or ends
		if m.txn != nil {
			m.commit(dbs[modelLoop])
			return
		}
		if s := m.statement(modelLoop, "", 0); !s.blind {
			m.txn = []*modelStatement{s}
			tr.sql(dbs[modelLoop], modelLoop, "BEGIN")
		}
	default:
		tid := []uint32{modelLoop, modelLoop, modelExecutor, modelSchedule, modelBlocking, modelBlocking + 1}[pick(6)]
		if tid >= modelBlocking && m.read[tid] == nil {
			return
		}
		tenant, shape := names[pick(3)], pick(60)
		if pick(10) == 0 {
			tenant = ""
		}
		s := m.statement(tid, tenant, shape)
		sql := "SELECT 1"
		if tenant != "" {
			sql = fmt.Sprintf("SELECT c%d FROM invoices WHERE tenant_id = '%s'", shape, tenant)
		}
		tr.sql(dbs[tid], tid, sql)
		switch {
		case m.txn != nil && tid == modelLoop:
			m.txn = append(m.txn, s)
			if len(s.of) == 0 { // it has no cause, whatever the others have
				m.expect(s, nil)
			}
		case s.exact != nil:
			m.exact = append(m.exact, s)
		default:
			m.expect(s, nil)
		}
	}
}

func (m *model) client(tenant string) event.ConnID {
	if tenant == "" {
		c := m.tr.open()
		m.tr.identify(c, nil, 0)
		return c
	}
	return m.tr.client(tenant)
}

// TestSetAgainstModel plays random traffic of an event loop, its executor, a scheduler and blocking threads, and compares each verdict with what the
// definitions give when they are worked out over all that ever happened.
func TestSetAgainstModel(t *testing.T) {
	kinds := make(map[string]int)
	several, statements := 0, 0
	for seed := range uint64(200) {
		tr := newTrace(t, "identity: { privileged: [{ subject: { O: root }, tenants: any, until: 2033-01-01, why: x }] }\n")
		tr.play(&event.ProcessStarted{Header: tr.head(web, web), Name: "app", Service: "app", Threads: true})
		m := &model{
			tr: tr, r: rand.New(rand.NewPCG(seed, 77)), read: make(map[uint32]*modelRequest),
			roams: make(map[uint32]bool), works: make(map[int]bool), kinds: kinds, want: make(map[string]modelLine),
		}
		tr.known("acme", "beta", "gamma")
		tr.multiplex(modelLoop)
		tr.thread(modelExecutor, modelLoop)
		tr.thread(modelSchedule, 1)
		conns := make(map[event.ConnID]string)
		tenants := []string{"acme", "acme", "beta", "beta", "gamma"}
		if seed%3 == 0 {
			tenants = append(tenants, "")
		}
		if seed%4 == 0 {
			tenants = append(tenants, "root")
		}
		for _, tenant := range tenants {
			conns[m.client(tenant)] = tenant
		}
		dbs := make(map[uint32]event.ConnID)
		for _, tid := range []uint32{modelLoop, modelExecutor, modelSchedule, modelBlocking, modelBlocking + 1} {
			dbs[tid] = tr.database()
		}
		for range 300 {
			tr.events = nil
			m.step(conns, dbs)
		}
		if m.txn != nil {
			m.commit(dbs[modelLoop])
		}
		for _, s := range m.exact {
			m.expect(s, nil)
		}
		tr.engine.Close()
		m.compare(t, seed)
		several += m.several
		statements += len(m.want)
		if t.Failed() {
			return
		}
	}
	t.Logf("%d statements, %d with candidates of several tenants: %v", statements, several, kinds)
	for _, kind := range []string{
		"ok_exact set", "ok_set set", "violation set", "ok_exact thread", "background none", "unattributed/mixed_work none",
		"unattributed/candidate_unknown none", "blind/loss none",
	} {
		if kinds[kind] < 100 {
			t.Errorf("only %d times %s", kinds[kind], kind)
		}
	}
}

func (m *model) compare(t *testing.T, seed uint64) {
	t.Helper()
	if len(m.tr.lines) != len(m.want) {
		t.Errorf("seed %d: %d verdicts for %d statements", seed, len(m.tr.lines), len(m.want))
	}
	for i, v := range m.tr.lines {
		want := m.want[v.Time]
		got := modelLine{line: summary(v)}
		for _, other := range []string{" IDENTITY_TOCTOU", " MIXED_TENANTS_IN_TRANSACTION"} { // not the model's
			got.line = strings.Replace(strings.Replace(got.line, other+"]", "]", 1), " ["+other[1:]+"]", "", 1)
		}
		for _, c := range v.Candidates {
			got.ids = append(got.ids, c.ID)
		}
		if got.line != want.line || !slices.Equal(got.ids, want.ids) {
			t.Errorf("seed %d, line %d at %s by %d: %s %v, want %s %v", seed, i, v.Time, v.TID, got.line, got.ids, want.line, want.ids)
			return
		}
	}
}
