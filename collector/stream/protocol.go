package stream

import (
	"tenantrace/bpf"
	"tenantrace/collector/event"
	"tenantrace/collector/http1"
	"tenantrace/collector/pgwire"
)

// httpServer is HTTP/1 as its server sees it.
type httpServer struct{ conn *http1.Conn }

func (p httpServer) feed(h event.Header, direction bpf.TracerDirection, data []byte, gap int) {
	if direction == bpf.TracerDirectionDIRECTION_IN {
		p.conn.Request(h, data, gap)
	} else {
		p.conn.Response(h, data, gap)
	}
}

func (p httpServer) desync(h event.Header, direction bpf.TracerDirection) {
	if direction == bpf.TracerDirectionDIRECTION_IN {
		p.conn.Desync(h, http1.ToServer)
	} else {
		p.conn.Desync(h, http1.ToClient)
	}
}

func (p httpServer) close(h event.Header) { p.conn.Close(h) }
func (p httpServer) over() bool           { return p.conn.Tunnel() }
func (p httpServer) encrypted() bool      { return false }
func (p httpServer) ended() bool          { return false }

// postgresClient is a PostgreSQL session as its client sees it.
type postgresClient struct{ session *pgwire.Session }

func (p postgresClient) feed(h event.Header, direction bpf.TracerDirection, data []byte, gap int) {
	if direction == bpf.TracerDirectionDIRECTION_OUT {
		p.session.Frontend(h, data, gap)
	} else {
		p.session.Backend(h, data, gap)
	}
}

func (p postgresClient) desync(h event.Header, direction bpf.TracerDirection) {
	if direction == bpf.TracerDirectionDIRECTION_OUT {
		p.session.Desync(h, pgwire.FromClient)
	} else {
		p.session.Desync(h, pgwire.FromServer)
	}
}

func (p postgresClient) close(h event.Header) { p.session.Close(h) }
func (p postgresClient) over() bool           { return p.session.Encrypted() }
func (p postgresClient) encrypted() bool      { return p.session.Encrypted() }
func (p postgresClient) ended() bool          { return p.session.Ended() }

// classify names the protocol of a piece that may begin one, and opens the connection.
func (r *Registry) classify(s *stream, p piece) protocol {
	in := p.direction == bpf.TracerDirectionDIRECTION_IN
	switch {
	case in && s.role != event.RoleClient && http1.SniffRequest(p.data):
		if s.told {
			r.cfg.Emit(&event.HTTPResponseEnd{Header: p.header, Conn: s.conn, Reason: "desync"})
		}
		r.openAs(s, p.header, event.RoleServer)
		return httpServer{http1.New(http1.Config{Fields: r.cfg.Fields}, s.conn, r.cfg.Emit)}
	case !in && s.role != event.RoleServer && pgwire.SniffFrontend(p.data):
		return r.postgres(s, p)
	case s.role != event.RoleServer:
		return r.mysql(s, p)
	}
	return nil
}

// postgres begins a session. A startup packet begins with its length, whose first byte is 0; a typed message does not.
func (r *Registry) postgres(s *stream, p piece) protocol {
	s.late = p.data[0] != 0
	r.openAs(s, p.header, event.RoleClient)
	_, _, remote := r.address(s.socket)
	session := pgwire.New(pgwire.Config{Wanted: r.cfg.Wanted, Catalog: r.catalog(s.pid, remote)}, s.conn, r.cfg.Emit)
	if s.late {
		session.Late(p.header)
	}
	return postgresClient{session}
}

// catalogsMax bounds the servers whose tables are remembered.
const catalogsMax = 256

// catalogKey names a server as a process sees it: the same address may lead elsewhere from another network namespace.
type catalogKey struct {
	pid    uint32
	server string
}

func (r *Registry) catalog(pid uint32, server string) *pgwire.Catalog {
	if server == "" { // not known: it may be any
		return pgwire.NewCatalog()
	}
	key := catalogKey{pid, server}
	c := r.catalogs[key]
	if c == nil {
		if len(r.catalogs) >= catalogsMax {
			clear(r.catalogs)
		}
		c = pgwire.NewCatalog()
		r.catalogs[key] = c
	}
	return c
}
