package mysqlwire

import "tenantrace/collector/event"

// lose gives up framing or pairing: what is in flight is unseen, and what was prepared may have been replaced meanwhile.
func (s *Session) lose(h event.Header) { s.giveIn(h, false) }

// loseServer is lose because of bytes of the server that were not captured, while what the client said is known: but for the command in flight, which must not
// be one that ends what was prepared, each statement keeps its number. While the client waits for one answer at a time, that is.
func (s *Session) loseServer(h event.Header) {
	p := s.commands.head()
	s.giveIn(h, s.phase == running && s.front.have == 0 && !s.front.open && (p == nil || s.commands.n == 1 && p.kind != expectUser && p.kind != expectSession))
}

func (s *Session) giveIn(h event.Header, keep bool) {
	if s.phase == over || s.phase == lost || s.phase == secured {
		return
	}
	s.phase = lost
	s.trails, s.trailing = false, false
	if !s.started {
		s.late = true
		s.start(h, true)
	}
	s.emit(&event.SessionDesync{Header: h, Conn: s.conn})
	s.abandon(h)
	s.front.drop()
	s.back.drop()
	if !keep {
		s.prepared.forget()
	}
}

// resync takes up the session again with a write of the client that is nothing but commands: a client asks only once it was answered. One that does not
// wait may have an older answer on its way, which must not pass for this one's: no row and no description of the first answer is kept, and an
// answer that nobody waits for, or whose packets are not numbered from 1, loses the session again. What is anything else may change what is prepared.
func (s *Session) resync(data []byte, length int, within bool) {
	if within || !commands(data, length) {
		s.prepared.forget()
		return
	}
	s.front.drop()
	s.back.drop()
	s.phase, s.unproven = running, true
}

// commands tells whether a write of which data was captured is a row of commands. What was not captured can only be the rest of the last one.
func commands(data []byte, length int) bool {
	if len(data) <= headerSize {
		return false
	}
	for len(data) > headerSize {
		size := int(data[0]) | int(data[1])<<8 | int(data[2])<<16
		if data[3] != 0 || size == 0 || size > length-headerSize || !commandPlausible(data[headerSize], size) {
			return false
		}
		n := min(headerSize+size, len(data))
		if !commandBody(data[headerSize:n]) {
			return false
		}
		data = data[n:]
		length -= headerSize + size
	}
	return len(data) == 0 && length == 0
}

// sniffedText is how many bytes of a text are looked at.
const sniffedText = 64

// commandBody tells whether a command can begin with part.
func commandBody(part []byte) bool {
	switch part[0] {
	case comQuery, comPrepare:
		text := part[1:]
		if len(text) > 0 && text[0] < '\t' && part[0] == comQuery { // attributes come first
			return len(text) < 2 || text[1] == 1
		}
		for _, b := range text[:min(len(text), sniffedText)] {
			if b < ' ' && b != '\t' && b != '\n' && b != '\r' {
				return false
			}
		}
	case comExecute:
		// Its count is always 1.
		return len(part) < 10 || part[6] == 1 && part[7] == 0 && part[8] == 0 && part[9] == 0
	}
	return true
}
