// Package http1 follows one HTTP/1.x connection (RFC 9112) from the captured bytes of both directions and tells its requests and responses.
// It is incremental and pure: bytes may be split anywhere, bodies are skipped without being kept, and bytes that were not captured are skipped
// exactly where the framing allows it. Where it does not, a direction waits for the next message that begins a call's data: it never guesses
// inside one.
package http1

import "tenantrace/collector/event"

// Limits of a connection, used where Config leaves them zero.
const (
	DefaultMaxHeader = 64 << 10 // bytes of a header section that are kept
	DefaultMaxFields = 64       // kept field lines of a request
	DefaultMaxOpen   = 4096     // requests without a complete response
)

// Config says what is kept of a request. The zero value keeps no field lines.
type Config struct {
	// Fields tells whether the field of this lower-case name is kept. It must not keep or change name. Nil: none.
	Fields func(name []byte) bool
	// MaxHeader bounds the bytes of one header section that are looked at; a longer one is header_too_large and its framing is lost.
	MaxHeader int
	// MaxFields bounds the kept field lines of one request; more are dropped as header_too_large.
	MaxFields int
	// MaxOpen bounds the pipelined requests that await their response. One more ends all of them as "desync".
	MaxOpen int
}

// Direction is a way along the connection.
type Direction uint8

// The directions.
const (
	ToServer Direction = iota // requests
	ToClient                  // responses
)

// Conn is the state of one connection. It is not safe for concurrent use.
type Conn struct {
	cfg  Config
	id   event.ConnID
	emit func(event.Event)

	seq       uint64
	req, resp side
	open      queue
	began     bool // a response to the oldest open request is known to have begun
	stale     bool // response bytes were lost while the open requests were already there
	finished  bool // it stopped being HTTP, or it was closed
	losses    uint64
	scratch   []byte        // the text of the request being built
	kept      []kept        // its kept field lines
	name      [maxName]byte // of the field line being read
}

// side is one direction: it reads a header section, then skips a body, or waits for a message to begin.
type side struct {
	phase   phase
	unsure  bool // the message was found by its looks alone
	section section
	body    body
}

type phase uint8

const (
	inSection phase = iota
	inBody
	waiting
)

func (s *side) begin() {
	s.phase, s.unsure = inSection, false
	s.section.reset()
}

func (s *side) wait() {
	s.phase, s.unsure = waiting, false
	s.section.reset()
}

// New gives the state of a connection seen from its first byte; call Late for one that was not. emit gets *event.HTTPRequest,
// *event.HTTPResponse and *event.HTTPResponseEnd, from within the methods of Conn.
func New(cfg Config, conn event.ConnID, emit func(event.Event)) *Conn {
	if cfg.Fields == nil {
		cfg.Fields = func([]byte) bool { return false }
	}
	if cfg.MaxHeader <= 0 {
		cfg.MaxHeader = DefaultMaxHeader
	}
	if cfg.MaxFields <= 0 {
		cfg.MaxFields = DefaultMaxFields
	}
	if cfg.MaxOpen <= 0 {
		cfg.MaxOpen = DefaultMaxOpen
	}
	return &Conn{cfg: cfg, id: conn, emit: emit}
}

// Request takes bytes from client to server: data, then gap bytes that were not captured. data is not kept. h is of the call that moved them, and
// becomes the header of the events whose last byte they bring.
func (c *Conn) Request(h event.Header, data []byte, gap int) {
	if c.finished {
		return
	}
	s := &c.req
	if s.phase == waiting {
		if !beginsRequest(data) {
			return
		}
		s.begin()
		s.unsure = true
	}
	for len(data) > 0 {
		switch s.phase {
		case inSection:
			text, n, done := s.section.feed(data, c.cfg.MaxHeader)
			data = data[n:]
			if done {
				c.request(h, text, whole)
			} else if !s.section.plausible(plausibleRequest) {
				c.loseRequest()
			}
		case inBody:
			n, got := s.body.skip(data)
			data = data[n:]
			c.requestBody(got)
		case waiting:
			return
		}
	}
	if gap > 0 {
		c.requestGap(h, uint64(gap))
	}
}

// Response is Request for bytes from server to client.
func (c *Conn) Response(h event.Header, data []byte, gap int) {
	s := &c.resp
	if c.finished || s.phase == waiting && !c.resync(h, data) {
		return
	}
	for len(data) > 0 && !c.finished {
		switch s.phase {
		case inSection:
			if c.open.len() == 0 {
				c.unasked(data)
				return
			}
			text, n, done := s.section.feed(data, c.cfg.MaxHeader)
			data = data[n:]
			if done {
				c.response(h, text, whole)
			} else if !s.section.plausible(plausibleResponse) {
				c.loseResponse(c.began)
			}
		case inBody:
			n, got := s.body.skip(data)
			data = data[n:]
			c.responseBody(h, got)
		case waiting:
			return
		}
	}
	if gap > 0 && !c.finished {
		c.responseGap(h, uint64(gap))
	}
}

// Late says that the connection existed before: each direction waits for a message that begins a call's data. What was open ends as "desync".
func (c *Conn) Late(h event.Header) {
	c.endAll(h, "desync")
	c.req.wait()
	c.resp.wait()
	c.began, c.stale = false, false
}

// Desync says that an unknown number of bytes of one direction were lost. A request of which something was seen is told as header_cut; a
// response that was under way ends when something that follows it is seen.
func (c *Conn) Desync(h event.Header, dir Direction) {
	switch {
	case c.finished:
	case dir == ToClient:
		c.loseResponse(c.began)
	case c.req.phase == inSection && !c.req.section.empty():
		c.cutRequest(h)
	default:
		c.loseRequest()
	}
}

// Close ends the connection. A response that lasts until the close is complete with it, as is the tunnel that began with a 101 or with a 2xx to
// CONNECT; other open requests end as "desync". Later calls do nothing.
func (c *Conn) Close(h event.Header) {
	if c.open.len() > 0 && c.began && c.resp.phase == inBody && c.resp.body.kind == untilClose {
		c.end(h, "")
	}
	c.endAll(h, "desync")
	c.finished = true
	c.req.wait()
	c.resp.wait()
}

// Tunnel tells whether the connection stopped being HTTP/1.x, by Upgrade or CONNECT, or was closed: bytes are no longer looked at.
func (c *Conn) Tunnel() bool { return c.finished }

// Losses counts the times that the framing of a direction was lost.
func (c *Conn) Losses() uint64 { return c.losses }
