package stream

import (
	"tenantrace/bpf"
	"tenantrace/collector/event"
	"tenantrace/collector/mysqlwire"
)

// mysqlClient is a MySQL session as its client sees it.
type mysqlClient struct{ session *mysqlwire.Session }

func (p mysqlClient) feed(h event.Header, direction bpf.TracerDirection, data []byte, gap int) {
	if direction == bpf.TracerDirectionDIRECTION_OUT {
		p.session.Frontend(h, data, gap)
	} else {
		p.session.Backend(h, data, gap)
	}
}

func (p mysqlClient) desync(h event.Header, direction bpf.TracerDirection) {
	if direction == bpf.TracerDirectionDIRECTION_OUT {
		p.session.Desync(h, mysqlwire.FromClient)
	} else {
		p.session.Desync(h, mysqlwire.FromServer)
	}
}

func (p mysqlClient) close(h event.Header) { p.session.Close(h) }
func (p mysqlClient) over() bool           { return p.session.Unreadable() }
func (p mysqlClient) encrypted() bool      { return p.session.Encrypted() }
func (p mysqlClient) ended() bool          { return p.session.Ended() }

// mysql begins a session if the piece begins one: with the server's greeting; over TLS, whose greeting went over the socket before, with the client's login;
// or, if it is late, with a command.
func (r *Registry) mysql(s *stream, p piece) protocol {
	in := p.direction == bpf.TracerDirectionDIRECTION_IN
	greeting := in && !s.tls && s.role == event.RoleClient && mysqlwire.SniffGreeting(p.data)
	login := !in && s.tls && p.offset == 0 && mysqlwire.SniffLogin(p.data)
	if !greeting && !login && (in || !mysqlwire.SniffCommands(p.data, int(p.length))) {
		return nil
	}
	s.late = !greeting && !login
	r.openAs(s, p.header, event.RoleClient)
	session := mysqlwire.New(mysqlwire.Config{Wanted: r.cfg.Wanted, Names: r.names}, s.conn, r.cfg.Emit)
	switch {
	case login:
		session.Secured(r.greeting(s.socket))
	case s.late:
		session.Late(p.header)
	}
	return mysqlClient{session}
}

// greeting gives what the server of a TLS connection's socket said before it began.
func (r *Registry) greeting(id bpf.TracerSocketId) mysqlwire.Greeting {
	if plain := r.streams[id]; plain != nil {
		if client, ok := plain.protocol.(mysqlClient); ok {
			return client.session.Greeting()
		}
	}
	return mysqlwire.Greeting{}
}
