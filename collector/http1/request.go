package http1

import (
	"bytes"

	"tenantrace/collector/event"
)

// extent says how much of a header section there is.
type extent uint8

const (
	whole extent = iota
	cut          // its end lies in a gap
)

// minBlind is the shortest gap at a message boundary that is taken for a request, in bytes: less may be empty lines.
const minBlind = 5

// request takes a header section, emits its request, and prepares for the body.
func (c *Conn) request(h event.Header, text []byte, ext extent) {
	s := &c.req
	over, all := s.section.over, text
	var seen marks
	if over {
		seen |= headerTooLarge
	}
	if ext == cut {
		seen |= headerCut
	}
	if ext == cut || over {
		// An incomplete field line is no evidence: the rest of its value is not known.
		text = text[:bytes.LastIndexByte(text, '\n')+1]
	}
	rest := lines{text: text}
	line, ok := rest.next()
	if !ok { // the request line itself is incomplete
		line = all
	}
	target, ok := parseRequestLine(line, !ok)
	if !ok || s.unsure && target.version == "" {
		c.loseRequest()
		return
	}
	e, frame := c.build(h, &target, &rest, seen)
	c.arrive(e, target.kind)

	next := frame.ofRequest(target.version)
	switch {
	case ext == cut || over || next.kind == lostBody:
		c.loseRequest()
	case next.kind == noBody:
		s.begin()
	default:
		s.body, s.phase = next, inBody
	}
}

// arrive emits a request and makes it open. It shows that responses whose end was lost are over.
func (c *Conn) arrive(e *event.HTTPRequest, kind methodKind) {
	if c.stale {
		c.end(e.Header, "next")
		c.endAll(e.Header, "desync")
		c.stale = false
		c.resp.wait()
	}
	if c.open.len() >= c.cfg.MaxOpen {
		c.endAll(e.Header, "desync")
		c.losses++
		c.resp.wait()
	}
	c.seq++
	e.Conn, e.Seq = c.id, c.seq
	c.open.push(pending{seq: c.seq, method: kind})
	c.emit(e)
}

func (c *Conn) requestBody(got progress) {
	switch got {
	case complete:
		c.req.begin()
	case lost:
		c.loseRequest()
	}
}

func (c *Conn) requestGap(h event.Header, n uint64) {
	s := &c.req
	if s.phase == inBody {
		rest, got := s.body.gap(n)
		c.requestBody(got)
		if got != complete || rest == 0 {
			return
		}
		n = rest
	}
	if s.phase != inSection {
		return
	}
	if s.section.empty() && n < minBlind {
		c.loseRequest()
		return
	}
	c.cutRequest(h)
}

// cutRequest tells what is known of a request whose header section lies partly, or wholly, in a gap.
func (c *Conn) cutRequest(h event.Header) {
	if c.req.section.empty() {
		c.arrive(&event.HTTPRequest{Header: h, Anomalies: headerCut.names()}, unknownMethod)
		c.loseRequest()
		return
	}
	c.request(h, c.req.section.buf, cut)
}

func (c *Conn) loseRequest() {
	c.losses++
	c.req.wait()
}
