package http1

import (
	"bytes"
	"strings"

	"tenantrace/collector/event"
)

// statusSwitching is 101 Switching Protocols: the one 1xx that ends HTTP/1.x instead of preceding a final response.
const statusSwitching = 101

// response takes a header section of the oldest open request's response.
func (c *Conn) response(h event.Header, text []byte, ext extent) {
	status, ok := beginsResponse(text)
	eol := bytes.IndexByte(text, '\n')
	switch {
	case !ok || eol < 0:
		c.loseResponse(c.began || ext == cut)
		return
	case status < 200 && status != statusSwitching:
		if ext == cut {
			c.loseResponse(false)
		} else {
			c.resp.begin()
		}
		return
	}
	c.began = true
	open := c.open.oldest()
	e := &event.HTTPResponse{Header: h, Conn: c.id, Seq: open.seq, Status: status}
	if ext != cut {
		e.ID = responseID(text[eol+1:], &c.name)
	}
	c.emit(e)
	if ext == cut || c.resp.section.over {
		c.loseResponse(true)
		return
	}
	if status == statusSwitching || open.method == connectMethod && status < 300 {
		// The tunnel is the request's until the connection closes: a websocket's handler works for the request that opened it.
		c.resp.body, c.resp.phase = body{kind: untilClose}, inBody
		c.finished = true
		return
	}
	var frame framing
	rest := lines{text: text[eol+1:]}
	for {
		f, ok := rest.field(&c.name)
		if !ok {
			break
		}
		frame.field(&f)
	}
	next := frame.ofResponse(status, open.method)
	switch next.kind {
	case noBody:
		c.end(h, "")
	case lostBody:
		c.loseResponse(true)
	default:
		c.resp.body, c.resp.phase = next, inBody
	}
}

// maxResponseID is the longest identifier of a response that is kept, in bytes.
const maxResponseID = 128

// responseID gives the value of X-Request-ID in the fields of a response.
func responseID(fields []byte, scratch *[maxName]byte) string {
	id, rest := "", lines{text: fields}
	for {
		f, ok := rest.field(scratch)
		if !ok {
			return id
		}
		if string(f.name) != "x-request-id" {
			continue
		}
		if f.folded || len(f.value) > maxResponseID || id != "" && id != string(f.value) {
			return ""
		}
		id = strings.ToValidUTF8(string(f.value), "\ufffd")
	}
}

func (c *Conn) responseBody(h event.Header, got progress) {
	switch got {
	case complete:
		c.end(h, "")
	case lost:
		c.loseResponse(true)
	}
}

func (c *Conn) responseGap(h event.Header, n uint64) {
	s := &c.resp
	if s.phase == inBody {
		rest, got := s.body.gap(n)
		c.responseBody(h, got)
		if got != complete || rest == 0 {
			return
		}
	}
	switch {
	case s.phase != inSection:
	case c.open.len() == 0:
		c.loseResponse(false)
	case s.section.empty():
		c.loseResponse(true)
	default:
		c.response(h, s.section.buf, cut)
	}
}

// unasked handles a response that no known request asked for. If a request's body should still be coming, its framing was misread: the
// client may have sent the next request instead, after a refused Expect (RFC 9110, section 10.1.1).
func (c *Conn) unasked(data []byte) {
	if status, ok := beginsResponse(data); ok && status >= 200 && c.req.phase == inBody {
		c.loseRequest()
	}
	c.losses++
	c.resp.wait()
}

// resync looks for a status line where a call's data begins. Responses come in the order of their requests (RFC 9112, section 9.3.2), so the
// n-th status line since the loss belongs at the earliest to the n-th open request: those before it are over. It is a request's for certain
// only when no other is left.
func (c *Conn) resync(h event.Header, data []byte) bool {
	status, ok := beginsResponse(data)
	if !ok || c.open.len() == 0 {
		return false
	}
	interim := status < 200 && status != statusSwitching
	if c.stale && (c.began || c.open.len() > 1) {
		if interim {
			return false
		}
		if c.began {
			if c.open.len() == 1 {
				return false // there is no request whose response it could be: it is part of a body
			}
			c.end(h, "next")
			c.resp.wait()
		}
		if c.open.len() > 1 {
			c.began = true
			return false
		}
	}
	c.stale = false
	c.resp.begin()
	return true
}

// loseResponse gives up the framing of the responses. began says that the oldest open request's response had begun.
func (c *Conn) loseResponse(began bool) {
	c.losses++
	c.stale = c.open.len() > 0
	c.began = began && c.stale
	c.resp.wait()
}

// end ends the oldest open request and makes ready for the next response.
func (c *Conn) end(h event.Header, reason string) {
	c.emit(&event.HTTPResponseEnd{Header: h, Conn: c.id, Seq: c.open.pop().seq, Bytes: c.resp.body.bytes, Reason: reason})
	c.began = false
	c.resp.body = body{}
	c.resp.begin()
}

func (c *Conn) endAll(h event.Header, reason string) {
	for c.open.len() > 0 {
		c.end(h, reason)
	}
}
