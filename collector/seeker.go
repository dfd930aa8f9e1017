package collector

import "time"

// The search for the sockets of connections that are older than the tracing costs each read of the process while it lasts. It ends when all are found, when
// nothing moves on those that are not, and when it has lasted too long: a client that hides its ClientHello must not be able to keep it up.
const (
	seekHysteresis = 5 * time.Second  // that it goes on after the last one was found
	seekIdle       = 2 * time.Minute  // without a read on one that is not
	seekFree       = 2 * time.Minute  // that it may last in any case
	seekShare      = 10               // of the process's time, 1 in this many, beyond that
	seekLeast      = 10 * time.Second // that it may last when it begins: to attach costs too
	seekForget     = 30 * time.Minute // after which a process without any is forgotten
)

// seeker decides for which processes sockets are sought. It is for use from one goroutine.
type seeker struct {
	ask       func(pid uint32, on bool) bool // false: not now
	unfound   func(pid uint32) int
	processes map[uint32]*seeking
}

// seeking is the search in one process; times are nanoseconds since the Unix epoch.
type seeking struct {
	first, last int64 // that a connection without a socket was read
	needed      int64 // when there was last one
	since       int64 // when the search began
	spent       int64 // in searches before, nanoseconds
	on          bool
	exited      bool
}

func newSeeker(ask func(pid uint32, on bool) bool, unfound func(pid uint32) int) *seeker {
	return &seeker{ask: ask, unfound: unfound, processes: map[uint32]*seeking{}}
}

// want says that a connection without a socket was read.
func (s *seeker) want(pid uint32, now int64) {
	p := s.processes[pid]
	if p == nil {
		p = &seeking{first: now}
		s.processes[pid] = p
	}
	p.last = now
	if !p.on && p.left(now) >= int64(seekLeast) && s.ask(pid, true) {
		p.on, p.since = true, now
	}
}

// left is how long the search may last on, in nanoseconds.
func (p *seeking) left(now int64) int64 {
	spent := p.spent
	if p.on {
		spent += now - p.since
	}
	return int64(seekFree) + (now-p.first)/seekShare - spent
}

// tick ends what is not needed any more.
func (s *seeker) tick(now int64) {
	for pid, p := range s.processes {
		if s.unfound(pid) > 0 {
			p.needed = now
		}
		switch {
		case p.exited:
			s.exited(pid)
		case p.on && (now-p.needed >= int64(seekHysteresis) || now-p.last >= int64(seekIdle) || p.left(now) <= 0):
			if s.ask(pid, false) {
				p.on = false
				p.spent += now - p.since
			}
		case !p.on && now-p.last >= int64(seekForget):
			delete(s.processes, pid)
		}
	}
}

// exited ends the search in a process.
func (s *seeker) exited(pid uint32) {
	if p := s.processes[pid]; p != nil {
		if p.on && !s.ask(pid, false) {
			p.exited = true // at the next tick again
			return
		}
		delete(s.processes, pid)
	}
}
