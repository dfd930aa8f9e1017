package stream

import (
	"container/list"
	"maps"

	"tenantrace/bpf"
	"tenantrace/collector/event"
	"tenantrace/collector/mysqlwire"
	"tenantrace/collector/pgwire"
)

// DefaultMax is the most connections held at once; over it the least recently used is closed, and counted.
const DefaultMax = 65536

// Config says what is kept and where events go.
type Config struct {
	Emit   func(event.Event)
	Fields func(name []byte) bool   // HTTP fields, by lower-case name
	Wanted func(column string) bool // result columns, by lower-case name
	Max    int                      // connections; 0 means DefaultMax
	Seek   func(event.Header)       // a TLS connection of the process has read, and its socket is not known; may be nil
}

// Registry holds the connections that are being followed. It is for use from one goroutine.
type Registry struct {
	cfg      Config
	streams  map[any]*stream // by tlsKey or bpf.TracerSocketId
	sockets  map[bpf.TracerSocketId]*socket
	bySocket map[bpf.TracerSocketId]*stream // TLS connections
	catalogs map[catalogKey]*pgwire.Catalog
	names    *mysqlwire.Names
	recent   *list.List // front: most recently used
	last     event.ConnID
	evicted  uint64
	veiled   []*stream      // sessions whose bytes are encrypted, until it is known whether their library shows them
	found    [Rungs]uint64  // TLS connections
	unfound  map[uint32]int // TLS connections by process
}

// tlsKey is an SSL object of a process. The stream under it also has the client's random: addresses are reused at once.
type tlsKey struct {
	pid uint32
	ssl uint64
}

// New returns an empty Registry.
func New(cfg Config) *Registry {
	if cfg.Max == 0 {
		cfg.Max = DefaultMax
	}
	return &Registry{cfg: cfg, streams: map[any]*stream{}, sockets: map[bpf.TracerSocketId]*socket{},
		bySocket: map[bpf.TracerSocketId]*stream{}, catalogs: map[catalogKey]*pgwire.Catalog{}, names: mysqlwire.NewNames(), recent: list.New(), unfound: map[uint32]int{}}
}

// Len is the number of connections held; Evicted of those closed for want of room.
func (r *Registry) Len() int        { return len(r.streams) }
func (r *Registry) Evicted() uint64 { return r.evicted }

func (r *Registry) add(h event.Header, key any, s *stream) *stream {
	if len(r.streams) >= r.cfg.Max {
		r.evicted++
		r.remove(h, r.recent.Back().Value.(*stream))
	}
	r.last++
	s.conn, s.pid, s.key = r.last, h.PID, key
	s.recent = r.recent.PushFront(s)
	r.streams[key] = s
	return s
}

func (r *Registry) find(key any) *stream {
	s := r.streams[key]
	if s != nil {
		r.recent.MoveToFront(s.recent)
	}
	return s
}

// take hands a piece to a stream, and forgets the stream if that ended it.
func (r *Registry) take(s *stream, p piece) {
	version := s.version(p)
	s.deliver(p, r.classify)
	r.veil(s, p.header)
	if s.opaque && !s.told && s.protocol == nil {
		s.told = true
		r.open(s, p.header)
		r.cfg.Emit(&event.HTTPRequest{Header: event.Header{Time: p.header.Time, PID: p.header.PID}, Conn: s.conn, Version: version, Anomalies: []string{"header_cut"}})
	}
	if s.protocol != nil && s.protocol.ended() {
		r.remove(p.header, s)
	}
}

func (r *Registry) open(s *stream, h event.Header) {
	if s.opened {
		return
	}
	s.opened = true
	net, local, remote := r.address(s.socket)
	r.cfg.Emit(&event.ConnectionOpened{Header: h, Conn: s.conn, Role: s.role, TLS: s.tls, Net: net, Local: local, Remote: remote, Late: s.late})
}

// openAs opens a connection whose first bytes tell the role, and says who its peer is if that had to wait.
func (r *Registry) openAs(s *stream, h event.Header, role event.Role) {
	s.role = role
	r.open(s, h)
	if s.held != nil {
		s.held.Role = role
		r.cfg.Emit(s.held)
		s.held = nil
	}
}

// remove ends a connection: its parser says what stays unanswered.
func (r *Registry) remove(h event.Header, s *stream) {
	delete(r.streams, s.key)
	if r.bySocket[s.socket] == s {
		delete(r.bySocket, s.socket)
	}
	r.unfounded(s)
	r.unveil(s, h)
	r.recent.Remove(s.recent)
	if s.protocol != nil {
		s.protocol.close(h)
	}
	if s.opened {
		r.cfg.Emit(&event.ConnectionClosed{Header: h, Conn: s.conn})
	}
}

// ProcessExited ends the connections of a process.
func (r *Registry) ProcessExited(h event.Header) {
	var ended []*stream
	for e := r.recent.Back(); e != nil; e = e.Prev() {
		if s := e.Value.(*stream); s.pid == h.PID {
			ended = append(ended, s)
		}
	}
	for _, s := range ended {
		r.remove(h, s)
	}
	maps.DeleteFunc(r.catalogs, func(k catalogKey, _ *pgwire.Catalog) bool { return k.pid == h.PID })
}

// Close ends all connections at the time of h.
func (r *Registry) Close(h event.Header) {
	for e := r.recent.Back(); e != nil; e = r.recent.Back() {
		s := e.Value.(*stream)
		r.remove(event.Header{Time: h.Time, PID: s.pid}, s)
	}
}
