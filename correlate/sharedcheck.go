package correlate

import (
	"fmt"

	"tenantrace/collector/event"
	"tenantrace/correlate/verdict"
)

// checkShared looks, as a statement is written, whether two processes or two requests use one database connection at a time: a process writes while
// another's statement is without its answer, or in a transaction that is another's; a request writes in the transaction of another one that is
// open too. Requests whose statements merely overlap are no fault: there are drivers that pipeline for several.
func (e *Engine) checkShared(s *session, m *message) {
	p := m.proc
	if s.void || m.blind || e.now < p.blindUntil {
		return
	}
	other := uint32(0)
	for _, earlier := range s.inFlight {
		if earlier.proc.pid != p.pid && !earlier.blind && !earlier.desync {
			other = earlier.proc.pid
		}
	}
	if g := s.group; g != nil && !g.lossy {
		if g.by != nil && g.by.pid != p.pid {
			other = g.by.pid
		}
		if m.link.exact() && !m.link.shared {
			for _, c := range g.causes {
				if c.req != m.link.req && !c.req.ended && c.req.thread != nil {
					m.sharing = c.req
				}
			}
		}
	}
	if other != 0 {
		e.raiseSession(s, m, ConnectionShared, fmt.Sprintf("Process %d wrote to a database connection that process %d was using.", p.pid, other))
	}
}

// checkReader looks whether an answer reaches another request than the one which asked: a process reads the answer to another's statement, or a thread reads
// the answer to a request that is not its own (any more), while it waits for that of its own on the same connection.
func (e *Engine) checkReader(s *session, m *message, ev *event.Result) {
	if s.void || m.blind || m.desync || m.misread || ev.Unseen || ev.PID == 0 {
		return
	}
	if ev.PID != m.seen.PID {
		if e.now >= m.proc.blindUntil {
			m.misread = true
			e.raiseSession(s, m, ResponseDesync, fmt.Sprintf("Process %d read the database's answer to a statement of process %d.", ev.PID, m.seen.PID))
		}
		return
	}
	if !m.link.exact() || m.link.shared {
		return
	}
	t, ok := m.proc.threads.Get(ev.TID)
	if !ok || t.multiplexing || t.unsure || len(t.open) != 1 || t.open[0] == m.link.req {
		return
	}
	for _, later := range s.inFlight[1:] {
		if later.link.req == t.open[0] && later.link.exact() && later.seen.TID == ev.TID && !later.blind {
			m.reader = t.open[0]
		}
	}
}

// detectShared tells what checkShared and checkReader saw of two requests, now that the link of one is certain.
func (e *Engine) detectShared(u *unit, o *outcome) {
	sure := func(r *request) bool { return r != nil && o.req != nil && r != o.req && !r.detached && !r.lossy }
	if u.reader == nil && u.sharing == nil {
		return
	}
	scope := fmt.Sprintf("session %d", u.session.conn.id)
	if sure(u.reader) {
		o.findings = append(o.findings, fault{name: ResponseDesync, scope: scope, anyTenant: true,
			detail: "The database's answer to this request was read by another one, which was waiting for its own on the same connection."})
	}
	if sure(u.sharing) {
		o.findings = append(o.findings, fault{name: ConnectionShared, scope: scope, anyTenant: true,
			detail: "Two requests that were open at the same time used one database connection in one transaction."})
	}
}

// raiseSession raises a finding about a database session, with the statement that shows it.
func (e *Engine) raiseSession(s *session, m *message, name, detail string) {
	line := &verdict.Statement{
		Version: verdict.FormatVersion, Time: formatTime(m.seen.Time), Findings: []string{}, Link: verdict.LinkNone, DatabaseTenants: []string{},
		Candidates: []verdict.Candidate{}, Service: e.service(m.proc), PID: m.proc.pid, TID: m.seen.TID, Process: m.proc.name, Policy: e.policy.Hash(),
		SQL: verdict.SQL{Engine: string(s.engine), Server: s.conn.server(), Database: s.database, Rows: -1},
	}
	line.Timeline.Use = m.seen.Time
	if r := m.link.req; r != nil && m.link.exact() && !m.link.shared {
		line.Link = m.link.rule
		e.describe(line, r, e.standing(r))
	}
	e.hide(line, m.proc, e.standingOf(m.link.req), &unit{session: s, proc: m.proc})
	e.findings.raise(e, occurrence{
		name: name, severity: severityOf(name), evidence: line, detail: detail, anyRoute: true, anyTenant: true,
		scope: fmt.Sprintf("session %d", s.conn.id),
	})
}
