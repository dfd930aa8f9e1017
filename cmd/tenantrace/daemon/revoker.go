package daemon

import (
	"strings"
	"sync/atomic"

	"tenantrace/collector/event"
	"tenantrace/correlate/bounded"
	"tenantrace/correlate/crl"
)

// maxWatched bounds the connections whose certificates are watched: as many as the engine keeps, and those used last, as it does.
const maxWatched = 65_536

// revoker asks the revocation lists about the certificate of each client, and again when the lists change. It puts the answers among the events,
// before they are recorded: a replay needs no list, and judges by what was known at the time.
type revoker struct {
	next    Handler
	lists   *atomic.Pointer[crl.Set] // in force; nil: none
	asked   *crl.Set                 // those that the answers so far are from
	watched *bounded.Map[event.ConnID, *watched]
}

// watched is a client's certificate. One whose connection ended with its process stays until others push it out: nobody minds what is said of it.
type watched struct {
	pid            uint32
	issuer, serial string
	revoked        bool
}

func newRevoker(next Handler, lists *atomic.Pointer[crl.Set]) *revoker {
	return &revoker{next: next, lists: lists, watched: bounded.New[event.ConnID, *watched](maxWatched, nil)}
}

// Handle implements Handler.
func (r *revoker) Handle(e event.Event) {
	if now := r.lists.Load(); now != r.asked {
		r.asked = now
		r.askAgain(e.Meta().Time)
	}
	r.next.Handle(e)
	switch e := e.(type) {
	case *event.Identity:
		r.identified(e)
	case *event.HTTPRequest:
		r.watched.Get(e.Conn) // it is in use
	case *event.ConnectionClosed:
		r.watched.Delete(e.Conn)
	}
}

func (r *revoker) identified(e *event.Identity) {
	if e.Role != event.RoleServer {
		return
	}
	if e.Certificate == nil || e.Certificate.Serial == "" {
		r.watched.Delete(e.Conn)
		return
	}
	w := &watched{pid: e.PID, issuer: crl.IssuerKey(e.Certificate.Issuer), serial: strings.Clone(e.Certificate.Serial)}
	r.watched.Put(e.Conn, w)
	r.ask(e.Conn, w, e.Time)
}

func (r *revoker) askAgain(at int64) {
	lists := &event.RevocationLists{Header: event.Header{Time: at}}
	if r.asked != nil {
		lists.Digest, lists.Lists, lists.Entries = r.asked.Digest(), len(r.asked.Lists()), r.asked.Len()
	}
	r.next.Handle(lists)
	for conn, w := range r.watched.All() {
		r.ask(conn, w, at)
	}
}

// ask says what the lists say of a certificate, if that is news.
func (r *revoker) ask(conn event.ConnID, w *watched, at int64) {
	var entry crl.Entry
	revoked := false
	if r.asked != nil {
		entry, revoked = r.asked.Find(w.issuer, w.serial)
	}
	if revoked == w.revoked {
		return
	}
	w.revoked = revoked
	answer := &event.Revocation{Header: event.Header{Time: at, PID: w.pid}, Conn: conn, Lifted: !revoked, Reason: entry.Reason}
	if revoked {
		answer.Since = entry.Since.UnixNano()
	}
	r.next.Handle(answer)
}
