// Package stream puts the captured pieces of each connection together, finds out what protocol it speaks, and hands its bytes to that protocol's
// parser. Positions come from the kernel, so a piece that was lost shows as a gap of known size.
package stream

import (
	"container/list"

	"tenantrace/bpf"
	"tenantrace/collector/event"
	"tenantrace/collector/pgwire"
)

// sniffTries is how many payloads, of the side that speaks first, are looked at before a connection is said to carry something else: one that is older
// than the tracing may be in the middle of a long message. What a TLS server reads is looked at for good, lest its client hide behind nonsense.
const sniffTries = 64

// maxOpening is the most bytes of a connection's beginning that are put together for a look, in bytes.
const maxOpening = 64

// protocol is a parser of one connection's two directions.
type protocol interface {
	// feed takes captured bytes that are followed by gap bytes which were not captured.
	feed(h event.Header, direction bpf.TracerDirection, data []byte, gap int)
	// desync says that an unknown number of bytes was lost.
	desync(h event.Header, direction bpf.TracerDirection)
	close(h event.Header)
	// over tells that what follows on this connection is not this protocol any more.
	over() bool
	// encrypted tells that what follows on a socket was agreed to be encrypted: only its library's calls can show it.
	encrypted() bool
	// ended tells that the connection said goodbye: nothing follows on it.
	ended() bool
}

// stream is one connection: a plain socket, or a TLS connection on one.
type stream struct {
	conn     event.ConnID
	pid      uint32
	role     event.Role
	tls      bool
	opened   bool // ConnectionOpened was emitted
	late     bool
	other    bool // carries nothing of interest
	tries    int
	opening  [2][]byte // the first bytes by direction, while they were too few to tell
	opaque   bool      // it serves a client whose bytes are not understood
	asked    bool      // all that it has read are messages of PostgreSQL's clients
	told     bool      // of that
	random   [bpf.RandomSize]byte
	socket   bpf.TracerSocketId
	sought   int       // of TLS: reads without a socket
	given    bool      // and the search has ended
	position [2]uint64 // bytes seen by direction
	base     [2]uint64 // of TLS: where the kernel's count of the bytes began
	protocol protocol
	held     *event.Identity // until the role is known
	peer     *event.Identity // of TLS: the last one with a certificate
	handshake
	covert covert
	recent *list.Element
	key    any // in the registry's table
}

// piece is what one record brings.
type piece struct {
	header    event.Header
	direction bpf.TracerDirection
	offset    uint64 // bytes of this direction before it
	length    uint64 // bytes that it stands for
	data      []byte // the captured ones: the first of them
}

// deliver feeds a piece to the stream's protocol. classify is asked while the protocol is not known.
func (s *stream) deliver(p piece, classify func(*stream, piece) protocol) {
	if s.other {
		return
	}
	before := s.position[p.direction]
	s.position[p.direction] = p.offset + p.length
	if s.protocol == nil {
		if p.offset != before || p.offset > 0 && s.tries == 0 {
			s.late = true
		}
		if p = s.sniff(p, classify); s.protocol == nil {
			return
		}
	} else if p.offset > before {
		s.protocol.feed(p.header, p.direction, nil, int(p.offset-before))
	} else if p.offset < before {
		s.protocol.desync(p.header, p.direction)
	}
	s.protocol.feed(p.header, p.direction, p.data, int(p.length)-len(p.data))
	if s.protocol.over() {
		s.other = true
	}
}

// sniff asks for the protocol of a piece, together with what came before it if that was the very beginning. It gives the bytes to begin with.
func (s *stream) sniff(p piece, classify func(*stream, piece) protocol) piece {
	if before := s.opening[p.direction]; len(before) > 0 && p.offset == uint64(len(before)) {
		whole := p
		whole.data = append(before, p.data...)
		whole.length += uint64(len(before))
		whole.offset = 0
		if s.protocol = classify(s, whole); s.protocol != nil {
			s.opening = [2][]byte{}
			return whole
		}
	}
	if s.protocol = classify(s, p); s.protocol != nil {
		s.opening = [2][]byte{}
		return p
	}
	in := p.direction == bpf.TracerDirectionDIRECTION_IN
	if s.tls && s.role == event.RoleServer && s.database(p, in) {
		return p
	}
	if n := len(s.opening[p.direction]); p.offset == uint64(n) && n+len(p.data) <= maxOpening && int(p.length) == len(p.data) {
		s.opening[p.direction] = append(s.opening[p.direction], p.data...)
	} else {
		s.opening[p.direction] = nil
	}
	s.opaque = s.opaque || s.tls && in && s.role == event.RoleServer && s.opening[p.direction] == nil
	if s.role == "" || in == (s.role == event.RoleServer) {
		s.tries++
	}
	s.other = s.tries >= sniffTries && !(s.tls && s.role == event.RoleServer)
	return p
}

// database tells whether a piece is, so far, that of a PostgreSQL server: what it reads is no request of HTTP. Its client alone cannot say so, lest anybody
// hide behind such a message: the server's answer decides.
func (s *stream) database(p piece, in bool) bool {
	switch {
	case in && (s.asked || s.tries == 0 && !s.opaque):
		if s.asked = pgwire.SniffFrontend(p.data); s.asked {
			s.tries++
		}
		return s.asked
	case !in && s.asked:
		s.asked = false
		s.other = pgwire.SniffBackend(p.data)
		s.opaque = !s.other
		return true
	}
	return false
}
