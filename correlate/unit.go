package correlate

import (
	"tenantrace/collector/event"
	"tenantrace/correlate/tenantsql"
	"tenantrace/correlate/verdict"
)

// unit is one statement that ran, or may have run, from its answer to its verdict.
type unit struct {
	session *session
	proc    *process
	tid     uint32
	no      uint64 // counts the engine's statements from 1, in the order of their answers
	written int64  // when it was written
	ready   int64  // when the last event that its verdict needs came
	link    link
	thread  *thread    // that wrote it
	set     candidates // what may have caused it, if no link tells
	token   string     // a request's identifier in its text, as long as that may make or refute a link
	bears   *token     // that identifier, while it waits for who else may show it
	hears   *request   // whose answer it waits for, if its identifier's request has ended
	heard   int        // of the requests that may have caused it, whose answers have begun
	born    *request   // for which its thread was created, as long as that may make a link

	shape, fingerprint string
	kept               []string             // pseudonyms of its values; nil: they are not kept
	does               *tenantsql.Statement // what it runs; nil unknown or nothing
	rows               int64                // returned or changed; -1 unknown

	blind    bool // events were lost
	desync   bool // the framing of its connection was lost
	unseen   bool // its answer was not seen
	textCut  bool
	noText   bool // it runs a statement whose text is not known
	unparsed bool
	inert    bool // it is known to touch no row

	tagWrites bool // its text is not known, but its command tag says that it changes rows

	evidence
	room struct { // where the first of them are kept
		relations [1]tableName
		values    [2]observed
	}
	part *event.Result // what was seen of an answer that was not seen whole; nil: nothing
	txn  *group        // the transaction block that it ran in; nil: none
	sets []string      // settings that it set beyond its transaction
	// sharing is a request in whose transaction it ran, reader one that read its answer; nil: none but its own.
	sharing, reader *request

	group         *group
	queue         *queue
	before, after *unit
	deadline      int64
	unknownNames  []string // that it is held for
	heldAs        string   // the service that it is held as: a process may turn out to be of another later
	gaveUp        bool     // none of them became known in time
	lapsed        bool     // an exemption that has ended would have covered it
}

// precedes tells whether a statement was written before another.
func (u *unit) precedes(v *unit) bool {
	return u.written < v.written || u.written == v.written && u.no < v.no
}

// place puts an answered statement where the rest of what its verdict needs will reach it.
func (e *Engine) place(u *unit) {
	g := u.txn
	switch {
	case u.blind, u.desync, u.link.reason == verdict.Conflict:
	case u.born != nil:
		e.await(u)
		return
	case u.link.req == nil && u.expects():
		e.meet(u)
		return
	case u.link.req == nil && g != nil && !u.link.astray && (u.link.reason == verdict.NoLink || u.link.reason == verdict.Ambiguous || len(g.causes) > 0):
		if g.ended {
			e.inherit(g, u)
		} else {
			e.wait(g, u)
		}
		return
	}
	e.settle(u)
}

// settle judges a statement whose link is known, once its request has ended.
func (e *Engine) settle(u *unit) {
	r := u.link.req
	if r != nil && r.lossy {
		u.blind = true
	}
	if r == nil || r.ended || r.detached && !u.link.task || u.blind || u.desync {
		e.judge(u)
		return
	}
	r.pending = append(r.pending, u)
	e.deferred.push(u, e.now+int64(e.limits.DeferFor))
	if e.deferred.n > e.limits.Deferred {
		e.metrics.evicted("deferred")
		e.judgeEarly(e.deferred.first())
	}
}

// judgeEarly judges a statement that has waited longest for its request, which is still open.
func (e *Engine) judgeEarly(u *unit) {
	r := u.link.req
	for len(r.pending) > 0 && r.pending[0].queue != &e.deferred {
		r.pending[0] = nil
		r.pending = r.pending[1:]
	}
	if r.behind && r.response == 0 && !r.lossy {
		e.disown(r) // it may be answered by another thread
	}
	e.judge(u)
}
