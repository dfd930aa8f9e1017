package correlate

import (
	"slices"
	"strings"

	"tenantrace/collector/event"
	"tenantrace/correlate/verdict"
)

// token is an identifier that a server made for a request: it stands in its response, and no client had sent it.
type token struct {
	req     *request
	void    bool    // another request has it too: it tells nothing
	waiting []*unit // statements that bear it
}

// tokenSeen takes in the identifier in a response. What a client sent is no proof of anything, also if the server repeats it.
func (e *Engine) tokenSeen(r *request, ev *event.HTTPResponse) {
	if ev.ID == "" || !r.proc.tagged {
		return
	}
	t, known := e.tokens.Get(ev.ID)
	if r.sent(ev.ID) {
		if known {
			t.void = true
			e.meetAll(t)
		}
		return
	}
	r.proc.tokens = true
	switch {
	case !known:
		e.tokens.Put(ev.ID, &token{req: r})
	case t.req == nil:
		t.req = r
	case t.req != r:
		t.void = true
	}
}

// sent tells whether the client of a request had sent an identifier.
func (r *request) sent(id string) bool {
	return r.seen.ID == id || strings.Contains(r.seen.Traceparent, id)
}

// expects tells whether a statement bears an identifier that the response of its request may show.
func (u *unit) expects() bool {
	return u.token != "" && u.proc.tokens && !u.link.background && u.set.asked && (u.set.lacks == "" || u.set.lacks == verdict.NoLink)
}

// meet keeps a statement until the response with its identifier has come, and its request has ended.
func (e *Engine) meet(u *unit) {
	t, ok := e.tokens.Get(u.token)
	if !ok {
		t = new(token)
		e.tokens.Put(u.token, t)
	}
	over := t.req != nil && t.req.ended
	if t.void || slices.ContainsFunc(u.set.members, func(r *request) bool { return r.sent(u.token) }) || over && !u.mustHear(t) {
		e.met(u, t)
		return
	}
	u.bears = t
	if over {
		u.hear()
	} else {
		t.waiting = append(t.waiting, u)
	}
	e.meeting.push(u, e.now+int64(e.limits.DeferFor))
	if e.meeting.n > e.limits.Deferred {
		e.metrics.evicted("deferred")
		e.missed(e.meeting.first())
	}
}

// mustHear tells whether the answer of another request may still show whose the identifier of a statement is, after that of one which is over.
func (u *unit) mustHear(t *token) bool {
	return !t.void && slices.Contains(u.set.members, t.req) && u.unheard() != nil
}

// unheard is the first request that may have caused a statement and whose answer, which may show the same identifier, has not begun; nil: none.
func (u *unit) unheard() *request {
	for ; u.heard < len(u.set.members); u.heard++ {
		if r := u.set.members[u.heard]; r.response == 0 && !r.ended {
			return r
		}
	}
	return nil
}

// hear keeps a statement, whose token's request has ended, until the next request has been heard.
func (u *unit) hear() {
	r := u.unheard()
	u.hears = r
	r.awaited = append(r.awaited, u)
}

// heard goes on with the statements that wait for what the answer of a request shows.
func (e *Engine) heard(r *request) {
	awaited := r.awaited
	r.awaited = nil
	for _, u := range awaited {
		switch {
		case u.queue != &e.meeting:
		case u.mustHear(u.bears):
			u.hear()
		default:
			e.meeting.remove(u)
			e.met(u, u.bears)
		}
	}
}

// shed takes out the first of a list of statements as far as they wait no more.
func (e *Engine) shed(list []*unit) []*unit {
	for len(list) > 0 && list[0].queue != &e.meeting {
		list[0] = nil
		list = list[1:]
	}
	return list
}

// missed gives up waiting for a response.
func (e *Engine) missed(u *unit) {
	u.bears.waiting = e.shed(u.bears.waiting)
	if u.hears != nil {
		u.hears.awaited = e.shed(u.hears.awaited)
	}
	u.token, u.bears, u.hears = "", nil, nil
	e.place(u)
}

// meetAll judges the statements that bear the identifier of a request which has ended, once nobody else can show it.
func (e *Engine) meetAll(t *token) {
	waiting := t.waiting
	t.waiting = nil
	for _, u := range waiting {
		switch {
		case u.queue != &e.meeting:
		case u.mustHear(t):
			u.hear()
		default:
			e.meeting.remove(u)
			e.met(u, t)
		}
	}
}

// met ties a statement to the request whose identifier it bears, if that can be nobody else's.
func (e *Engine) met(u *unit, t *token) {
	id := u.token
	u.token, u.bears, u.hears = "", nil, nil
	u.ready = max(u.ready, e.now)
	r := t.req
	fits := false
	for _, m := range u.set.members {
		fits = fits || m == t.req
		if m.sent(id) || m != t.req && (m.named == "" || m.named == id) { // an answer that shows none does not tell whose the statement is
			r = nil
		}
	}
	if r == nil || t.void || !fits {
		e.place(u)
		return
	}
	if e.disagrees(u, r) {
		u.link = link{rule: verdict.LinkNone, reason: verdict.Conflict}
	} else {
		u.link = link{rule: verdict.LinkToken, req: r}
	}
	e.settle(u)
}

// disagrees tells whether the transaction of a statement is tied to another request.
func (e *Engine) disagrees(u *unit, r *request) bool {
	if u.txn == nil {
		return false
	}
	for _, c := range u.txn.causes {
		if c.req != r && c.valid() {
			return true
		}
	}
	return false
}

// contradicted tells whether a statement that is tied by another link bears the identifier of another request.
func (e *Engine) contradicted(u *unit) bool {
	if u.token == "" || u.link.req == nil || u.link.rule == verdict.LinkToken {
		return false
	}
	t, ok := e.tokens.Peek(u.token)
	return ok && t.req != nil && !t.void && t.req.proc == u.proc && t.req != u.link.req && t.req.conn != u.link.req.conn
}
