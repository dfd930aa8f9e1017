package http1

import "bytes"

type bodyKind uint8

const (
	noBody     bodyKind = iota
	sized               // Content-Length
	chunked             // Transfer-Encoding
	untilClose          // ends with the connection
	lostBody            // its framing is not known
)

// body skips a message body (RFC 9112, sections 6 and 7) without keeping any of it.
type body struct {
	kind   bodyKind
	step   chunkStep
	digits uint8
	left   uint64 // bytes to come: of the sized body, or of the chunk
	bytes  uint64 // content bytes so far, without chunk framing and trailers
}

type chunkStep uint8

const (
	chunkSize chunkStep = iota
	chunkExtension
	chunkSizeLF
	chunkData
	chunkEnd
	chunkEndLF
	trailerStart
	trailerLine
	trailerLF
)

// progress is what skipping came to.
type progress uint8

const (
	more progress = iota
	complete
	lost
)

// maxDigits bounds the digits of a chunk size, leading zeros included.
const maxDigits = 16

func (b *body) skip(data []byte) (n int, got progress) {
	switch b.kind {
	case sized:
		n, got = b.take(data)
		return n, got
	case chunked:
		for n < len(data) {
			if b.step == chunkData {
				used, end := b.take(data[n:])
				n += used
				if end == complete {
					b.step = chunkEnd
				}
				continue
			}
			used, got := b.frame(data[n:])
			n += used
			if got != more {
				return n, got
			}
		}
		return n, more
	case untilClose:
		b.bytes += uint64(len(data))
		return len(data), more
	}
	return 0, complete
}

// take skips up to left bytes.
func (b *body) take(data []byte) (int, progress) {
	n := len(data)
	if uint64(n) >= b.left {
		n = int(b.left)
	}
	b.left -= uint64(n)
	b.bytes += uint64(n)
	if b.left == 0 {
		return n, complete
	}
	return n, more
}

// frame reads chunk framing: at least one byte of it.
func (b *body) frame(data []byte) (int, progress) {
	c := data[0]
	switch b.step {
	case chunkSize:
		if digit, ok := unhex(c); ok {
			b.digits++
			b.left = b.left<<4 | uint64(digit)
			if b.digits > maxDigits || b.left >= 1<<60 {
				return 1, lost
			}
			return 1, more
		}
		switch {
		case b.digits == 0:
			return 1, lost
		case c == '\r':
			b.step = chunkSizeLF
		case c == '\n':
			b.startChunk()
		case c == ';' || c == ' ' || c == '\t':
			b.step = chunkExtension
		default:
			return 1, lost
		}
	case chunkExtension:
		lf := bytes.IndexByte(data, '\n')
		if lf < 0 {
			return len(data), more
		}
		b.startChunk()
		return lf + 1, more
	case chunkSizeLF:
		if c != '\n' {
			return 1, lost
		}
		b.startChunk()
	case chunkEnd, chunkEndLF:
		switch {
		case c == '\n':
			b.step, b.digits, b.left = chunkSize, 0, 0
		case c == '\r' && b.step == chunkEnd:
			b.step = chunkEndLF
		default:
			return 1, lost
		}
	case trailerStart:
		switch c {
		case '\n':
			return 1, complete
		case '\r':
			b.step = trailerLF
		default:
			b.step = trailerLine
		}
	case trailerLF:
		if c == '\n' {
			return 1, complete
		}
		b.step = trailerLine
	case trailerLine:
		lf := bytes.IndexByte(data, '\n')
		if lf < 0 {
			return len(data), more
		}
		b.step = trailerStart
		return lf + 1, more
	}
	return 1, more
}

func (b *body) startChunk() {
	b.step = chunkData
	if b.left == 0 {
		b.step = trailerStart
	}
}

// gap skips n bytes that were not captured; rest of them lie behind the body's end.
func (b *body) gap(n uint64) (rest uint64, got progress) {
	switch b.kind {
	case sized:
		if n < b.left {
			b.left -= n
			b.bytes += n
			return 0, more
		}
		b.bytes += b.left
		return n - b.left, complete
	case chunked:
		if b.step != chunkData || n > b.left {
			return 0, lost
		}
		b.left -= n
		b.bytes += n
		if b.left == 0 {
			b.step = chunkEnd
		}
		return 0, more
	case untilClose:
		b.bytes += n
		return 0, more
	}
	return 0, lost
}

func unhex(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}
