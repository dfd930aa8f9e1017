package crl

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// The tags that a list uses (X.690, section 8; RFC 5280, section 5.1).
const (
	tagBoolean         = 0x01
	tagInteger         = 0x02
	tagBitString       = 0x03
	tagOctetString     = 0x04
	tagOID             = 0x06
	tagEnumerated      = 0x0a
	tagUTCTime         = 0x17
	tagGeneralizedTime = 0x18
	tagSequence        = 0x30
	tagSet             = 0x31
	tagExtensions      = 0xa0 // [0] EXPLICIT Extensions
)

// maxElement bounds an element that is read as a whole, in bytes: a name, an entry, the extensions.
const maxElement = 1 << 16

var errShort = errors.New("is cut short")

// stream reads DER elements one after the other, so that a list need not be in memory.
type stream struct {
	in   *bufio.Reader
	size int64     // of the file: no list is longer, whatever it says
	at   int64     // bytes read
	tap  io.Writer // gets what is read; nil: nobody
	head [6]byte
	body []byte
}

// open reads a tag and a length. Only the definite form with at most four bytes of length is taken.
func (s *stream) open() (tag byte, n int64, err error) {
	head := s.head[:2]
	if err := s.read(head); err != nil {
		return 0, 0, err
	}
	switch {
	case head[0]&0x1f == 0x1f:
		return 0, 0, fmt.Errorf("has the tag %#x at byte %d, which no list has", head[0], s.at-2)
	case head[1] < 0x80:
		return head[0], int64(head[1]), nil
	case head[1] == 0x80 || head[1] > 0x84:
		return 0, 0, fmt.Errorf("has a length at byte %d that DER does not allow", s.at-1)
	}
	head = s.head[2 : 2+head[1]&0x7f]
	if err := s.read(head); err != nil {
		return 0, 0, err
	}
	for _, b := range head {
		n = n<<8 | int64(b)
	}
	return s.head[0], n, nil
}

// element reads a whole element. body is valid until the next call.
func (s *stream) element() (tag byte, body []byte, err error) {
	tag, n, err := s.open()
	if err != nil {
		return 0, nil, err
	}
	body, err = s.content(n)
	return tag, body, err
}

// content reads n bytes. The result is valid until the next call.
func (s *stream) content(n int64) ([]byte, error) {
	if n > maxElement {
		return nil, fmt.Errorf("has an element of %d bytes before byte %d (at most %d are read)", n, s.at, maxElement)
	}
	if int64(cap(s.body)) < n {
		s.body = make([]byte, max(n, 512))
	}
	s.body = s.body[:n]
	return s.body, s.read(s.body)
}

func (s *stream) read(p []byte) error {
	n, err := io.ReadFull(s.in, p)
	s.at += int64(n)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errShort
	}
	if err == nil && s.tap != nil {
		_, err = s.tap.Write(p)
	}
	return err
}

// take takes the first element off in.
func take(in []byte) (tag byte, body, rest []byte, ok bool) {
	if len(in) < 2 || in[0]&0x1f == 0x1f {
		return 0, nil, nil, false
	}
	n, head := int(in[1]), 2
	if n >= 0x80 {
		digits := n & 0x7f
		if digits == 0 || digits > 4 || len(in) < 2+digits {
			return 0, nil, nil, false
		}
		n = 0
		for _, b := range in[2 : 2+digits] {
			n = n<<8 | int(b)
		}
		head += digits
	}
	if n < 0 || len(in)-head < n {
		return 0, nil, nil, false
	}
	return in[0], in[head : head+n], in[head+n:], true
}

// takeTag is take for an element that must have a tag.
func takeTag(in []byte, want byte) (body, rest []byte, ok bool) {
	tag, body, rest, ok := take(in)
	return body, rest, ok && tag == want
}
