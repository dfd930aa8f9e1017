package stream

import (
	"tenantrace/bpf"
	"tenantrace/collector/event"
)

// Rung is how the socket of a TLS connection became known.
type Rung int

// The rungs of the ladder, in the order in which they are tried.
const (
	RungNone       Rung = iota // the connection ended, and its socket was not known
	RungNested                 // its bytes were received inside of a call on the SSL object
	RungRandom                 // one socket alone received the ClientHello with its random
	RungCiphertext             // one socket alone received the ciphertext that the library read for it
	Rungs
)

// String is the rung in one lower-case word, as the metric has it.
func (g Rung) String() string {
	return [Rungs]string{"none", "nested", "client_random", "ciphertext"}[g]
}

func rungOf(flags uint32) Rung {
	switch {
	case flags&uint32(bpf.TracerTlsFlagsTLS_SOCKET_BY_CIPHERTEXT) != 0:
		return RungCiphertext
	case flags&uint32(bpf.TracerTlsFlagsTLS_SOCKET_BY_RANDOM) != 0:
		return RungRandom
	}
	return RungNested
}

// seekMax is after how many reads without a socket a connection is given up: what it reads does not begin with a record, or shows what another one does.
const seekMax = 256

// Found gives the TLS connections by how their socket became known; Unfound the open ones of a process whose socket is still sought.
func (r *Registry) Found(g Rung) uint64    { return r.found[g] }
func (r *Registry) Unfound(pid uint32) int { return r.unfound[pid] }

// onto puts a TLS connection on a socket. One that was opened without an address is opened anew with it.
func (r *Registry) onto(h event.Header, s *stream, id bpf.TracerSocketId, flags uint32) {
	if s.socket.Sk == 0 {
		r.found[rungOf(flags)]++
		r.endSeek(s)
	} else if r.bySocket[s.socket] == s {
		delete(r.bySocket, s.socket)
	}
	s.socket = id
	r.bySocket[id] = s
	if plain := r.streams[id]; plain != nil {
		plain.covert.shown = true
	}
	if _, known := r.sockets[id]; s.opened && known {
		s.opened = false
		r.open(s, h)
	}
}

// seek asks for the socket of a TLS connection that has read without one.
func (r *Registry) seek(h event.Header, s *stream) {
	if s.socket.Sk != 0 || s.sought >= seekMax {
		return
	}
	if s.sought++; s.sought == 1 {
		r.unfound[s.pid]++
	}
	if s.sought == seekMax {
		r.endSeek(s)
	} else if r.cfg.Seek != nil {
		r.cfg.Seek(h)
	}
}

// endSeek gives the search up.
func (r *Registry) endSeek(s *stream) {
	if s.sought == 0 || s.given {
		return
	}
	s.given = true
	if r.unfound[s.pid]--; r.unfound[s.pid] == 0 {
		delete(r.unfound, s.pid)
	}
}

// unfounded counts a TLS connection that ends without a socket.
func (r *Registry) unfounded(s *stream) {
	if s.tls && s.socket.Sk == 0 {
		r.found[RungNone]++
		r.endSeek(s)
	}
}
