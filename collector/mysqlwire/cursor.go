package mysqlwire

import (
	"bytes"
	"encoding/binary"
)

// cursor reads the fields of a message. Past its end it yields zeros and is bad.
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
		return binary.LittleEndian.Uint16(v)
	}
	return 0
}

func (c *cursor) uint32() uint32 {
	if v := c.next(4); v != nil {
		return binary.LittleEndian.Uint32(v)
	}
	return 0
}

// lenenc reads a length-encoded integer. NULL and an error, which have its place in some messages, are bad.
func (c *cursor) lenenc() uint64 {
	first := c.uint8()
	if first < lenencNull {
		return uint64(first)
	}
	raw := c.next(lenencMore(first))
	if raw == nil {
		c.b, c.bad = nil, true
		return 0
	}
	return littleEndian(raw)
}

// The first bytes of a length-encoded integer that are no number by themselves.
const (
	lenencNull  = 0xfb
	lenenc2     = 0xfc
	lenenc3     = 0xfd
	lenenc8     = 0xfe
	lenencError = 0xff
)

// lenencMore is the number of bytes that follow the first one of a length-encoded integer; -1 if it is none.
func lenencMore(first byte) int {
	switch first {
	case lenenc2:
		return 2
	case lenenc3:
		return 3
	case lenenc8:
		return 8
	case lenencNull, lenencError:
		return -1
	}
	return 0
}

func littleEndian(b []byte) uint64 {
	v := uint64(0)
	for i, x := range b {
		v |= uint64(x) << (8 * i)
	}
	return v
}

// str reads a length-encoded string.
func (c *cursor) str() []byte {
	n := c.lenenc()
	if n > uint64(len(c.b)) {
		c.b, c.bad = nil, true
		return nil
	}
	return c.next(int(n))
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
