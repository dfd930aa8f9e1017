package stream

import (
	"slices"
	"time"

	"tenantrace/collector/event"
)

// patience is how long the calls of a TLS library may take to show a session that has gone over to TLS on its socket.
const patience = 10 * time.Second

// covert is a database session whose bytes on its socket are encrypted from some point on.
type covert struct {
	since int64 // nanoseconds since the Unix epoch; 0: they are not
	shown bool  // a followed library's connection is on the socket: it shows the session
	told  bool  // that nothing shows it
}

// veil notes that a session goes over to TLS.
func (r *Registry) veil(s *stream, h event.Header) {
	if s.covert.since != 0 || s.tls || s.protocol == nil || !s.protocol.encrypted() {
		return
	}
	s.covert.since = max(h.Time, 1)
	s.covert.shown = r.bySocket[s.socket] != nil
	r.veiled = append(r.veiled, s)
}

// unveil says of a session that goes over to TLS, at its end or after the patience, that it cannot be read, if no library's connection shows it.
func (r *Registry) unveil(s *stream, h event.Header) {
	if s.covert.since == 0 || s.covert.shown || s.covert.told || !s.protocol.encrypted() {
		return
	}
	s.covert.told = true
	r.cfg.Emit(&event.SessionUnreadable{Header: h, Conn: s.conn, Reason: event.UnreadableTLS})
}

// Tick says which sessions cannot be read.
func (r *Registry) Tick(now int64) {
	r.veiled = slices.DeleteFunc(r.veiled, func(s *stream) bool {
		if r.streams[s.key] != s || s.covert.shown {
			return true
		}
		if now-s.covert.since < int64(patience) {
			return false
		}
		r.unveil(s, event.Header{Time: now, PID: s.pid})
		return true
	})
}
