package correlate

import (
	"time"

	"tenantrace/correlate/verdict"
)

// partFor is how long a process outlives a thread that ended by itself, and not with the process.
const partFor = 2 * time.Second

// idleFor is how long after its last statement a thread that was created for one request ends at the latest.
const idleFor = time.Second

// candidates are the requests that may have caused a statement, as they were when it was written (facts of the set verdict: every request of the
// process that was open then, or had ended no longer ago than it may linger).
type candidates struct {
	members []*request     // by number; shared, not to be changed
	lacks   verdict.Reason // why they are no sound set; "" if they are
	asked   bool           // they were looked for
	loose   bool           // the statement's task descends from none of them, as far as it is known: they may explain it, not be accused of it
}

// candidatesOf returns what may have caused a statement that a thread writes now.
func (e *Engine) candidatesOf(p *process, t *thread) candidates {
	if e.now < p.blindUntil {
		return candidates{lacks: verdict.Loss, asked: true}
	}
	members, ok := p.window.at(e.now)
	c := candidates{members: members, asked: true}
	switch {
	case !ok:
		c.lacks = verdict.Ambiguous
	case e.now < p.window.missing:
		c.lacks = verdict.Evicted
	case e.now < p.unobservedUntil:
		c.lacks = verdict.Unobserved
	case t.hasRead || t.descends || t.multiplexing:
	case p.forgot:
		c.lacks = verdict.Evicted
	default:
		c.lacks = verdict.NoLink
	}
	return c
}

// narrow makes a transaction's candidates those of each of its statements: they have one cause.
func (g *group) narrow(c candidates) {
	switch {
	case !c.asked || c.lacks != "":
	case !g.narrowed:
		g.narrowed, g.common = true, c.members
	default:
		if len(g.common) != len(c.members) || len(g.common) > 0 && &g.common[0] != &c.members[0] {
			g.common = common(g.common, c.members)
		}
	}
}

// narrows tells whether all statements of the transaction have one cause, among known candidates.
func (g *group) narrows() bool { return g.narrowed && !g.lone }

// noteWork notes that a statement on tenants' data ran without any request that could have caused it. What such statements do, and threads that
// write them between requests, are not known to work for requests alone. That is not forgotten: the next time may be tomorrow, and among requests. Where
// tasks tell such statements from others of their thread, the thread is none the worse for them.
func (e *Engine) noteWork(u *unit) {
	t := u.thread
	if u.link.apart && !t.hasRead && !t.descends {
		t.early.note(u.fingerprint)
		return
	}
	t.roams = t.roams || !u.link.apart && !u.set.loose && (t.hasRead || t.descends)
	u.proc.works.note(u.fingerprint)
}

// works are fingerprints of statements that ran without a request.
type works struct {
	known map[string]struct{}
	more  bool // there were more than are kept
}

func (w *works) note(fingerprint string) {
	if len(w.known) >= maxWorks {
		w.more = true
		return
	}
	if w.known == nil {
		w.known = make(map[string]struct{})
	}
	w.known[fingerprint] = struct{}{}
}

// serves notes that a thread works for requests: what it did before there were any, it may do among them.
func (p *process) serves(t *thread) {
	p.works.more = p.works.more || t.early.more
	for fingerprint := range t.early.known {
		p.works.note(fingerprint)
	}
	t.early = works{}
}

// maxWorks bounds the statements of a process that are known to run without a request.
const maxWorks = 256

// roams tells whether a statement may be such work although requests are there.
func (u *unit) roams() bool {
	if u.thread.roams || u.proc.works.more {
		return true
	}
	_, ok := u.proc.works.known[u.fingerprint]
	return ok
}
