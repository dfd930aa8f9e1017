package correlate

import (
	"maps"
	"slices"

	"tenantrace/collector/event"
	"tenantrace/correlate/bounded"
	"tenantrace/correlate/policy"
)

// unknownService is the service of a process whose start was not seen.
const unknownService = "unknown"

// process is a traced process.
type process struct {
	pid      uint32
	name     string
	exe      string
	cgroup   string
	ports    []uint16             // see reached
	placed   *event.ProcessPlaced // where it belongs; nil: nothing was said
	service  string
	ruled    *policy.Policy // what the policy below has for this process
	ruledBy  *policy.Policy
	threads  *bounded.Map[uint32, *thread]
	conns    map[event.ConnID]*connection // those it opened, and database connections that it wrote to
	requests map[uint64]*request          // open ones
	// Until strayUntil, the handler of a request that has ended unseen may still run; until blindUntil, one of a request that was lost, unless its thread
	// has read a request after the one with number blindAt.
	strayUntil, blindUntil int64
	blindAt                uint64

	wary    bool // a thread that multiplexes was forgotten: no thread met later is taken for a blocking one
	forgot  bool // one that worked for requests was forgotten
	lineage bool // all creations of its threads were seen, but of those that were there before any request
	ended   bool
	tagged  bool // its statements bear identifiers of requests
	tokens  bool // its responses do, such that no client sent

	sessions int // of databases, that it opened

	window          window
	unobservedUntil int64 // requests may be open that began before it was traced
	works           works // that ran without a request
	direct          bool  // a thread has answered a request that it had read
	handsOff        bool  // one has answered a request that another had read
}

// thread is what is known of a thread. Its open requests are a set: with more than one of them nothing can be told by thread.
type thread struct {
	open         []*request
	hasRead      bool   // it has read a request before
	read         uint64 // number of the last one
	unsure       bool   // that one ended without its answer being seen whole: the thread may still work for it
	multiplexing bool

	last     *request // the last one that it read, until it waits; nil: it works for none that it read
	proven   bool     // it has read a request, and not waited before the answer: it is a blocking one
	known    bool     // it is known whether it descends from a thread that had read a request
	descends bool     // it does
	born     *request // that it was created for, if for one alone; nil: none, or not known
	roams    bool     // it wrote statements on tenants' data, since its first request, that no request can have caused
	waiting  []*unit  // statements that wait for its end
	wrote    int64    // when it wrote its last statement
	early    works    // before it had read any request
}

func (e *Engine) processStarted(ev *event.ProcessStarted) {
	if old, ok := e.processes.Peek(ev.PID); ok {
		e.processes.Delete(ev.PID)
		e.endProcess(old)
	}
	p := e.newProcess(ev.PID)
	p.name, p.exe, p.cgroup = ev.Name, ev.Exe, ev.Cgroup
	p.lineage = ev.Threads
	if !ev.Late {
		p.unobservedUntil = 0
	}
	if ev.Service != "" {
		p.service = ev.Service
	}
}

func (e *Engine) newProcess(pid uint32) *process {
	p := &process{
		pid: pid, service: unknownService,
		conns: make(map[event.ConnID]*connection), requests: make(map[uint64]*request),
		unobservedUntil: e.now + int64(e.limits.DeferFor),
	}
	p.threads = bounded.New(e.limits.Threads, func(_ uint32, t *thread) {
		e.metrics.evicted("threads")
		if t.multiplexing || len(t.open) > 0 {
			p.wary = true
		}
		p.forgot = p.forgot || t.hasRead || t.descends
	})
	e.processes.Put(pid, p)
	return p
}

// process returns the process of an event, also if its start was not seen.
func (e *Engine) process(pid uint32) *process {
	if p, ok := e.processes.Get(pid); ok {
		return p
	}
	return e.newProcess(pid)
}

func (p *process) thread(tid uint32) *thread {
	t, ok := p.threads.Get(tid)
	if !ok {
		t = &thread{multiplexing: p.wary, known: p.lineage && !p.forgot}
		p.threads.Put(tid, t)
	}
	return t
}

// threadOf returns the thread of an event; one without a name is nobody's.
func (p *process) threadOf(tid uint32) *thread {
	if tid == 0 {
		return &thread{multiplexing: p.wary}
	}
	return p.thread(tid)
}

func (e *Engine) processExited(ev *event.ProcessExited) {
	if p, ok := e.processes.Peek(ev.PID); ok {
		e.processes.Delete(ev.PID)
		e.endProcess(p)
	}
}

// endProcess ends the connections, requests and statements of a process that has left the table.
func (e *Engine) endProcess(p *process) {
	p.ended = true
	for _, id := range slices.Sorted(maps.Keys(p.conns)) {
		c := p.conns[id]
		delete(p.conns, id)
		if c.proc == p {
			e.conns.Delete(id)
			e.endConnection(c)
		} else if c.db != nil {
			e.abandon(c.db, func(m *message) bool { return m.proc == p })
		}
	}
	for _, no := range slices.Sorted(maps.Keys(p.requests)) {
		e.endRequest(p.requests[no])
	}
	e.endThreads(p)
}

// service is the name under which a process is counted and judged: the policy's, if it names one.
func (e *Engine) service(p *process) string {
	if s := e.policyOf(p).Service(); s != "" {
		return s
	}
	return p.service
}
