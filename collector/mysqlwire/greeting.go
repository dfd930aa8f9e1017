package mysqlwire

import "tenantrace/collector/event"

// Greeting is what the server's first message says that matters later.
type Greeting struct {
	caps  capabilities
	known bool
}

// protocolVersion is the first byte of the greeting.
const protocolVersion = 10

// greetingMin and greetingMax are the sizes that a greeting may have, in bytes: the version is of any length, but never longer than a name.
const (
	greetingMin = 1 + 1 + 4 + 8 + 1 + 2 + 1 + 2 + 2 + 1 + 10 // with an empty version
	greetingMax = 512
)

// readGreeting reads HandshakeV10.
func readGreeting(body []byte) Greeting {
	c := cursor{b: body}
	c.next(1)
	c.text() // the server's version
	c.next(4 + 8 + 1)
	caps := capabilities(c.uint16())
	c.next(1 + 2)
	caps |= capabilities(c.uint16()) << 16
	c.next(1 + 6)
	own := c.uint32()
	if c.bad {
		return Greeting{}
	}
	if caps&capLongPassword == 0 {
		caps |= capabilities(own) << 32
	}
	return Greeting{caps: caps, known: true}
}

// login acts on the client's first message: it asks for TLS, or logs in.
func (s *Session) login(h event.Header, body []byte, cut bool) {
	c := cursor{b: body}
	caps := capabilities(c.uint16())
	if caps&capProtocol41 == 0 {
		s.giveUp(h, event.UnreadableOld)
		return
	}
	caps |= capabilities(c.uint16()) << 16
	c.next(4 + 1 + 19)
	own := c.uint32()
	switch {
	case c.bad:
		s.lose(h)
		return
	case caps&capSSL != 0 && len(c.b) == 0 && !cut:
		s.phase = secured
		s.front.drop()
		s.back.drop()
		return
	}
	if caps&capLongPassword == 0 {
		caps |= capabilities(own) << 32
	}
	s.caps = caps
	if s.greeting.known {
		s.caps &= s.greeting.caps // a client may ask for what the server has not got
	}
	user := string(c.text())
	switch {
	case s.caps&capAuthLenenc != 0:
		c.str()
	case s.caps&capSecure != 0:
		c.next(int(c.uint8()))
	default:
		c.text()
	}
	database := ""
	if s.caps&capConnectWithDB != 0 {
		database = string(c.text())
	}
	if c.bad && !cut {
		s.lose(h)
		return
	}
	s.user, s.database = user, database
	s.phase = running
	s.start(h, c.bad)
	s.expect(h, pending{kind: expectLogin})
}

// changeUser acts on COM_CHANGE_USER: another login on the same connection.
func (s *Session) changeUser(h event.Header, body []byte) {
	c := cursor{b: body[1:]}
	p := pending{kind: expectUser}
	p.user = string(c.text())
	c.next(int(c.uint8())) // the answer to the challenge, in all versions since 4.1
	p.database = string(c.text())
	p.unknown = c.bad
	s.expect(h, p)
}
