package pgwire

import (
	"bytes"
	"encoding/binary"
)

// headerSize is the size of a typed message's header: the type and the length, which counts itself but not the type.
const headerSize = 5

// stream frames one direction: header, then body, of which no more than keep bytes are kept.
type stream struct {
	head [headerSize]byte
	have int  // bytes of head read
	open bool // a header was read, its body is not complete
	kind byte // message type
	left int  // bytes of the body to come
	keep int
	buf  []byte // kept bytes of a body that did not come in one piece
	cut  bool   // bytes that were to be kept are missing, after buf or at the end
}

// messageSize reads the length of a header of at least headerSize bytes.
func messageSize(head []byte) int { return int(binary.BigEndian.Uint32(head[1:])) }

// header reads a header, or as much of it as there is, and returns the rest of data.
func (st *stream) header(data []byte) (rest []byte, complete bool) {
	if st.have == 0 && len(data) >= headerSize {
		st.head, st.have = [headerSize]byte(data), headerSize
		return data[headerSize:], true
	}
	n := copy(st.head[st.have:], data)
	st.have += n
	return data[n:], st.have == headerSize
}

// begin opens the body of the message whose header was read.
func (st *stream) begin(keep int) {
	st.open, st.have = true, 0
	st.kind, st.left, st.keep = st.head[0], messageSize(st.head[:])-4, keep
	st.cut = false
}

// take reads body bytes and returns the rest of data. When the body is complete, body are its kept bytes, valid until the next call.
func (st *stream) take(data []byte) (body, rest []byte, complete bool) {
	n := min(st.left, len(data))
	part, rest := data[:n], data[n:]
	st.left -= n
	if st.left == 0 && len(st.buf) == 0 && !st.cut {
		if n > st.keep {
			part, st.cut = part[:st.keep], true
		}
		return part, rest, true
	}
	if !st.cut {
		if room := st.keep - len(st.buf); n > room {
			part, st.cut = part[:room], true
		}
		st.buf = append(st.buf, part...)
	}
	return st.buf, rest, st.left == 0
}

// skip passes over body bytes that were not captured; n is at most left.
func (st *stream) skip(n int) (body []byte, complete bool) {
	st.left -= n
	st.cut = true
	return st.buf, st.left == 0
}

// end closes the message. A large buffer is not kept for the next one.
func (st *stream) end() {
	st.open = false
	if cap(st.buf) > 1024 {
		st.buf = nil
	}
	st.buf = st.buf[:0]
}

// cursor reads the fields of a body. Past its end it yields zeros and is bad.
type cursor struct {
	b   []byte
	bad bool
}

func (c *cursor) next(n int) []byte {
	if n < 0 || n > len(c.b) {
		c.b, c.bad = nil, true
		return nil
	}
	v := c.b[:n]
	c.b = c.b[n:]
	return v
}

func (c *cursor) uint8() byte {
	if v := c.next(1); v != nil {
		return v[0]
	}
	return 0
}

func (c *cursor) uint16() uint16 {
	if v := c.next(2); v != nil {
		return binary.BigEndian.Uint16(v)
	}
	return 0
}

func (c *cursor) uint32() uint32 {
	if v := c.next(4); v != nil {
		return binary.BigEndian.Uint32(v)
	}
	return 0
}

// text reads a string up to its terminating NUL. Without one it is what is left, and c is bad.
func (c *cursor) text() []byte {
	if i := bytes.IndexByte(c.b, 0); i >= 0 {
		v := c.b[:i]
		c.b = c.b[i+1:]
		return v
	}
	v := c.b
	c.b, c.bad = nil, true
	return v
}
