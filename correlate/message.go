package correlate

import (
	"slices"

	"tenantrace/collector/event"
	"tenantrace/correlate/tenantsql"
	"tenantrace/correlate/verdict"
)

// message is SQL that was written and whose answer is not complete: a Query message with any number of statements, or one Execute.
type message struct {
	seen   *event.Statement
	proc   *process
	thread *thread
	link   link
	set    candidates
	born   *request // that its thread was created for
	split  bool
	parts  []string      // statements of a Query's text; of an Execute its text
	one    [1]string     // what parts are, of an Execute
	next   int           // index of the next answer
	part   *event.Result // what was seen of the answer that was not seen whole; nil: nothing
	blind  bool          // events were lost while it was in flight
	desync bool
	// misread: it is reported that another request read its answer.
	misread bool
	sharing *request // another one in whose transaction it was written; nil: none
	reader  *request // another one that read its answer; nil: none
}

func (e *Engine) statementWritten(ev *event.Statement) {
	p := e.process(ev.PID) // first: it may push out another process with its connections
	c := e.connection(ev.Conn, ev.PID)
	s := e.session(c)
	if p != c.proc {
		p.conns[c.id] = c
		if s.writers == nil {
			s.writers = make(map[uint32]struct{})
		}
		s.writers[ev.PID] = struct{}{}
	}
	m := &message{seen: ev, proc: p, thread: p.threadOf(ev.TID)}
	m.link, m.set = e.linkOf(p, m.thread, ev.Task)
	m.thread.wrote = e.now
	m.blind = m.link.blind || m.set.lacks == verdict.Loss && m.link.req == nil
	if r := m.thread.born; r != nil && !r.detached && m.link.req == nil && !m.link.astray && !m.blind {
		m.born = r
	}
	e.checkShared(s, m)
	s.inFlight = append(s.inFlight, m)
	if len(s.inFlight) > e.limits.InFlight {
		e.metrics.evicted("in_flight")
		first := s.inFlight[0]
		s.inFlight = slices.Delete(s.inFlight, 0, 1)
		e.unseen(s, first)
	}
}

func (e *Engine) resultSeen(ev *event.Result) {
	c, ok := e.conns.Get(ev.Conn)
	if !ok || c.db == nil {
		return
	}
	s := c.db
	// Answers come in the order of the questions: what precedes this one gets none any more.
	if len(s.inFlight) > 0 && s.inFlight[0].seen.Seq < ev.Seq {
		e.abandon(s, func(m *message) bool { return m.seen.Seq < ev.Seq })
	}
	if len(s.inFlight) == 0 || s.inFlight[0].seen.Seq != ev.Seq {
		return
	}
	m := s.inFlight[0]
	e.checkReader(s, m, ev)
	if ev.Last || ev.Unseen {
		s.inFlight = slices.Delete(s.inFlight, 0, 1)
	}
	if ev.Unseen {
		m.part = ev
		e.unseen(s, m)
		return
	}
	if ev.None || ev.Index < m.next {
		return
	}
	e.separate(s, m)
	for m.next < ev.Index && m.next < len(m.parts) { // their answers were not seen
		e.answer(s, m, nil)
	}
	m.next = ev.Index
	if ev.Skipped || ev.Empty && m.seen.Simple && m.next >= len(m.parts) {
		return
	}
	e.answer(s, m, ev)
}

// separate finds the statements of a message's text.
func (e *Engine) separate(s *session, m *message) {
	if m.split {
		return
	}
	m.split = true
	if !m.seen.Simple {
		m.one[0] = m.seen.Text
		m.parts = m.one[:]
		return
	}
	m.parts = tenantsql.Split(s.dialect(), m.seen.Text, m.seen.Cut)
}

// unseen ends a message whose further answers will not be seen: each statement left in its text counts.
func (e *Engine) unseen(s *session, m *message) {
	e.separate(s, m)
	for m.next < len(m.parts) {
		e.answer(s, m, nil)
	}
}

// answer takes in the answer to the next statement of a message; nil if it was not seen.
func (e *Engine) answer(s *session, m *message, result *event.Result) {
	i := m.next
	m.next++
	e.unitNo++
	u := &unit{
		no: e.unitNo, session: s, proc: m.proc, tid: m.seen.TID, written: m.seen.Time, ready: e.now, link: m.link,
		thread: m.thread, set: m.set, born: m.born,
		blind: m.blind, desync: m.desync, unseen: result == nil, rows: -1,
	}
	u.relations, u.values = u.room.relations[:0], u.room.values[:0]
	text, cut, unknown := "", m.seen.Cut && i >= len(m.parts)-1, m.seen.NoText
	switch {
	case i < len(m.parts):
		text = m.parts[i]
	case m.seen.Cut:
		unknown = true
	default: // the server found more statements in the text than we did: none of them can be told
		unknown, u.unparsed = true, true
	}
	r := reading{}
	if !unknown {
		r = e.read(s, text, cut, m.seen.Params)
		if e.teach(s, &r, result) && r.ran.asks {
			r = e.read(s, text, cut, m.seen.Params) // it has answered itself
		}
		r.sets, r.setsCut = m.seen.Sets, m.seen.SetsCut
	}
	if m.seen.Simple && !cut { // a prepared statement may bear the identifier of the request that prepared it
		u.token = tenantsql.RequestID(text)
		m.proc.tagged = m.proc.tagged || u.token != ""
	}
	u.textCut, u.noText = cut, unknown && !cut && !u.unparsed || r.unknown
	u.kept = e.keepValues(s, m, text, cut)
	if r.said != nil {
		u.shape, u.fingerprint = r.said.sql.Shape, r.said.fingerprint
	}
	kind := r.kind(result)
	u.does, u.inert = r.does, r.inert(kind)
	if result == nil && m.part != nil && m.part.Index == i {
		u.part = m.part
	}
	u.tagWrites = r.said == nil && (kind == tenantsql.Insert || kind == tenantsql.Update || kind == tenantsql.Delete)
	u.gather(e, &r, result)
	e.apply(s, u, &r, result)
	e.applyUse(s, &r, result)
	e.applyTables(s, &r, result)
	if s.group != nil {
		u.txn = s.group
		s.group.lone = s.group.lone || s.group.by != nil && s.group.by != m.proc
		s.group.by = m.proc
		if u.link.exact() {
			s.group.cause(u.link.req, u.link.task)
		}
		s.group.narrow(u.set)
		s.group.lone = s.group.lone || m.proc.sessions < 2
	}
	u.sharing, u.reader = m.sharing, m.reader
	e.place(u)
	e.endEffects(s, &r, result)
}
