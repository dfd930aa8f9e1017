package http1

import (
	"bytes"
	"math"
)

// framing gathers the fields that delimit a body (RFC 9112, section 6).
type framing struct {
	hasTE, chunkedLast bool
	hasCL, badCL       bool
	length             uint64
	// doubtful: such a field was folded or had blanks before its colon. Recipients differ on whether it counts.
	doubtful bool
}

// field takes a field line if it is one of them.
func (f *framing) field(fd *field) {
	switch {
	case len(fd.name) == len("content-length") && string(fd.name) == "content-length":
		f.contentLength(fd.value)
	case len(fd.name) == len("transfer-encoding") && string(fd.name) == "transfer-encoding":
		f.hasTE = true
		last := fd.value
		if comma := bytes.LastIndexByte(last, ','); comma >= 0 {
			last = trim(last[comma+1:])
		}
		f.chunkedLast = equalFold(last, "chunked")
	default:
		return
	}
	f.doubtful = f.doubtful || fd.folded || fd.spaced
}

// contentLength takes a Content-Length. A list of equal values counts as one of them; different ones are an error (RFC 9110, section 8.6).
func (f *framing) contentLength(value []byte) {
	for again := true; again; {
		var part []byte
		part, value, again = bytes.Cut(value, []byte{','})
		n, ok := decimal(trim(part))
		if !ok || f.hasCL && n != f.length {
			f.badCL = true
		}
		f.hasCL, f.length = true, n
	}
}

// ofRequest gives the kind of a request's body, RFC 9112, section 6.3.
func (f *framing) ofRequest(version string) body {
	switch {
	case f.doubtful || f.badCL && !f.hasTE:
		return body{kind: lostBody}
	case f.hasTE && f.chunkedLast && version != "1.0":
		return body{kind: chunked}
	case f.hasTE:
		return body{kind: lostBody}
	case f.hasCL && f.length > 0:
		return body{kind: sized, left: f.length}
	}
	return body{}
}

// ofResponse gives the kind of a response's body, RFC 9112, section 6.3.
func (f *framing) ofResponse(status int, method methodKind) body {
	switch {
	case method == headMethod, status == 204, status == 304:
		return body{}
	case method == unknownMethod: // it may have been HEAD
		return body{kind: lostBody}
	case f.doubtful || f.badCL && !f.hasTE:
		return body{kind: lostBody}
	case f.hasTE && f.chunkedLast:
		return body{kind: chunked}
	case f.hasTE || !f.hasCL:
		return body{kind: untilClose}
	case f.length > 0:
		return body{kind: sized, left: f.length}
	}
	return body{}
}

func decimal(b []byte) (uint64, bool) {
	var n uint64
	for _, c := range b {
		if c < '0' || c > '9' || n > (math.MaxInt64-9)/10 {
			return 0, false
		}
		n = n*10 + uint64(c-'0')
	}
	return n, len(b) > 0
}

// equalFold compares with a lower-case ASCII word.
func equalFold(b []byte, word string) bool {
	if len(b) != len(word) {
		return false
	}
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if c != word[i] {
			return false
		}
	}
	return true
}
