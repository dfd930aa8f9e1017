package pgwire

import "tenantrace/collector/event"

// lose gives up framing or pairing: what is in flight is unseen, and what was prepared may have been replaced meanwhile.
func (s *Session) lose(h event.Header, dir Direction) {
	if s.phase == over {
		return
	}
	s.idle = 0
	s.unproven = false
	s.tail = [6]byte{}
	s.copyLost = false
	if s.adrift {
		s.adrift, s.hidden = false, false
		dir = FromServer
	}
	if dir == FromServer || s.asked != 0 {
		s.framed = false
	}
	if s.phase == lost {
		return
	}
	s.phase = lost
	s.asked = 0
	s.start(h, &event.SessionStarted{Unknown: true})
	s.emit(&event.SessionDesync{Header: h, Conn: s.conn})
	s.abandon(h)
	s.front = stream{}
	if s.back.keep == byPiece {
		s.back.keep = 0 // nothing is left to keep the row for
	}
	s.prepared.forget()
	s.skipping, s.copying, s.early = false, false, nil
}

// resync takes up the session again if the server is idle and data, the beginning of a write of the client, can begin a message.
// A client that pipelines may have written more before the server became idle for a moment; then the next answers do not fit the
// requests, which loses the session again.
func (s *Session) resync(h event.Header, data []byte) bool {
	status := s.idle
	s.idle = 0
	s.tail = [6]byte{}
	if status == 0 || len(data) == 0 || !plausibleStart(data) {
		return false
	}
	if !s.framed {
		s.back, s.framed = stream{}, true
	}
	s.front = stream{}
	s.phase = running
	s.emit(&event.SessionReady{Header: h, Conn: s.conn, Status: event.TxStatus(statusText(status))})
	return true
}

// beginQuiet takes up a late session whose client is the first to speak, with one whole Query, or with whole messages of the extended protocol up to a
// Sync or Flush. Clients send the former to an idle server only, for libpq refuses it in a pipeline; of the latter one that pipelines may have sent
// more before. Should an older answer be on its way, it must not pass for this one's: no row and no description is kept until the server is ready and
// has nothing more to answer.
func (s *Session) beginQuiet(data []byte, gap int) bool {
	quiet := s.quiet
	s.quiet = false
	if !quiet || gap > 0 || len(data) < headerSize || !sniff(data, frontendPlausible, frontendBody) || !wholeGroup(data) {
		return false
	}
	s.front, s.back, s.framed = stream{}, stream{}, true
	s.phase, s.unproven = running, true
	return true
}

// wholeGroup tells whether data, plausible messages, is one Query, or messages of the extended protocol that end with Sync or Flush.
func wholeGroup(data []byte) bool {
	if data[0] == 'Q' {
		return messageSize(data) == len(data)-1
	}
	last := byte(0)
	for len(data) >= headerSize {
		last = data[0]
		switch last {
		case 'P', 'B', 'D', 'E', 'C', 'S', 'H':
		default:
			return false
		}
		size := messageSize(data) + 1
		if size > len(data) {
			return false
		}
		data = data[size:]
	}
	return len(data) == 0 && (last == 'S' || last == 'H')
}

// plausibleStart tells whether a client's write can begin with a message other than the start-up's.
func plausibleStart(data []byte) bool {
	if len(data) < headerSize {
		return frontendType(data[0])
	}
	return frontendPlausible(data[0], messageSize(data))
}

// watch follows the server's bytes while their framing is unknown: idle when the last ones are a ReadyForQuery.
func (s *Session) watch(data []byte, gap int) {
	if gap > 0 {
		s.tail, s.idle = [6]byte{}, 0
		return
	}
	if n := len(data); n >= len(s.tail) {
		copy(s.tail[:], data[n-len(s.tail):])
	} else {
		copy(s.tail[:], s.tail[n:])
		copy(s.tail[len(s.tail)-n:], data)
	}
	s.idle = 0
	if [5]byte(s.tail[:5]) == [5]byte{'Z', 0, 0, 0, 5} && statusText(s.tail[5]) != "" {
		s.idle = s.tail[5]
	}
}

// statusText names a transaction status byte without a copy; "" for bytes that are none.
func statusText(b byte) string {
	switch b {
	case 'I':
		return "I"
	case 'T':
		return "T"
	case 'E':
		return "E"
	}
	return ""
}
