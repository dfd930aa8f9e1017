// Package stream puts the captured pieces of each connection together, finds out what protocol it speaks, and hands its bytes to that protocol's
// parser. Positions come from the kernel, so a piece that was lost shows as a gap of known size.
package stream

import (
	"container/list"

	"tenantrace/bpf"
	"tenantrace/collector/event"
)

// sniffTries is how many payloads are looked at before a connection is said to carry something else.
const sniffTries = 8

// protocol is a parser of one connection's two directions.
type protocol interface {
	// feed takes captured bytes that are followed by gap bytes which were not captured.
	feed(h event.Header, direction bpf.TracerDirection, data []byte, gap int)
	// desync says that an unknown number of bytes was lost.
	desync(h event.Header, direction bpf.TracerDirection)
	close(h event.Header)
	// over tells that what follows on this connection is not this protocol any more.
	over() bool
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
	random   [bpf.RandomSize]byte
	socket   bpf.TracerSocketId
	position [2]uint64 // bytes seen by direction
	protocol protocol
	held     *event.Identity // until the role is known
	recent   *list.Element
	key      any // in the registry's table
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
		if s.protocol = classify(s, p); s.protocol == nil {
			if s.tries++; s.tries >= sniffTries {
				s.other = true
			}
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
