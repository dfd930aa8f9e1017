package correlate

import (
	"maps"
	"slices"

	"tenantrace/collector/event"
)

// connection is a connection of a traced process: to its clients (requests), or to a database (db).
type connection struct {
	id       event.ConnID
	proc     *process // that opened it
	opened   bool     // ConnectionOpened was seen, so that role, tls and the addresses are known
	role     event.Role
	tls      bool
	local    string
	remote   string
	peer     *peer      // who the peer is now; nil before the first Identity
	met      int64      // when the first Identity came
	since    int64      // when it was first seen
	named    *peer      // the last verified one that had a tenant
	counted  tlsState   // under which state tls_connections counts it, "" not at all
	service  string     // that counts it
	requests []*request // open ones, in the order of their beginning
	answered []*request // the last ones that have ended, where tasks are followed
	served   bool       // one has ended
	db       *session   // nil: no database protocol seen
}

func (e *Engine) connectionOpened(ev *event.ConnectionOpened) {
	if old, ok := e.conns.Peek(ev.Conn); ok && old.opened {
		old.local, old.remote = ev.Local, ev.Remote // the socket became known
		if old.role == event.RoleServer {
			e.reached(old.proc, old.local)
		}
		return
	}
	c := e.connection(ev.Conn, ev.PID)
	c.opened, c.role, c.tls, c.local, c.remote = true, ev.Role, ev.TLS, ev.Local, ev.Remote
	if c.role == event.RoleServer {
		e.reached(c.proc, c.local)
	}
	e.countTLS(c)
}

// connection returns the connection of an event, also if its beginning was not seen.
func (e *Engine) connection(id event.ConnID, pid uint32) *connection {
	if c, ok := e.conns.Get(id); ok {
		return c
	}
	p := e.process(pid)
	c := &connection{id: id, proc: p, since: e.now}
	p.conns[id] = c
	e.conns.Put(id, c)
	return c
}

func (e *Engine) connectionClosed(ev *event.ConnectionClosed) {
	if c, ok := e.conns.Peek(ev.Conn); ok {
		e.conns.Delete(ev.Conn)
		e.endConnection(c)
	}
}

// endConnection ends the requests and statements of a connection that has left the table.
func (e *Engine) endConnection(c *connection) {
	delete(c.proc.conns, c.id)
	if c.db != nil {
		c.proc.sessions--
		for _, pid := range slices.Sorted(maps.Keys(c.db.writers)) {
			if p, ok := e.processes.Peek(pid); ok {
				delete(p.conns, c.id)
			}
		}
		e.endSession(c.db)
	}
	for len(c.requests) > 0 {
		e.strayed(c.requests[0])
		e.endRequest(c.requests[0])
	}
	e.uncountTLS(c)
	if len(c.answered) > 0 {
		e.gone.Put(c.id, c)
	}
}

// server returns the address of the database server that a connection leads to.
func (c *connection) server() string {
	if c.role == event.RoleServer || c.remote == "" {
		return c.local
	}
	return c.remote
}
