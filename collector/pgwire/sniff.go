package pgwire

import "bytes"

// maxSniffed is the longest first message that is taken for one of this protocol.
const maxSniffed = 1 << 24

// SniffFrontend tells whether b, the first bytes captured of what a client sends, look like this protocol: an untyped start-up message,
// or, on a connection that is older, a typed one.
func SniffFrontend(b []byte) bool {
	return isStartup(b) || sniff(b, frontendPlausible, frontendBody)
}

// SniffBackend is SniffFrontend for the server's bytes. A single byte, the answer to an encryption request, says too little.
func SniffBackend(b []byte) bool { return sniff(b, backendPlausible, backendBody) }

// sniff walks over the messages of b: all headers must be plausible, and the bodies as far as they are there.
func sniff(b []byte, plausible func(byte, int) bool, body func(kind byte, part []byte, whole bool) bool) bool {
	if len(b) < headerSize {
		return false
	}
	for len(b) >= headerSize {
		kind, size := b[0], messageSize(b)
		if !plausible(kind, size) || size > maxSniffed {
			return false
		}
		part, whole := b[headerSize:], false
		if size-4 <= len(part) {
			part, whole = part[:size-4], true
		}
		if !body(kind, part, whole) {
			return false
		}
		b = b[headerSize+len(part):]
	}
	return true
}

// frontendBody tells whether a client's message can have a body that begins with part.
func frontendBody(kind byte, part []byte, whole bool) bool {
	switch kind {
	case 'Q', 'f', 'p':
		return kind == 'p' || oneString(part, whole)
	case 'D', 'C':
		return len(part) == 0 || (part[0] == 'S' || part[0] == 'P') && oneString(part[1:], whole)
	case 'E':
		return !whole || oneString(part[:len(part)-4], true)
	case 'P', 'B':
		return !whole || bytes.Count(part, []byte{0}) >= 2
	}
	return true
}

// backendBody tells whether a server's message can have a body that begins with part.
func backendBody(kind byte, part []byte, whole bool) bool {
	switch kind {
	case 'Z':
		return len(part) == 0 || statusText(part[0]) != ""
	case 'C':
		return oneString(part, whole)
	case 'S':
		return !whole || bytes.Count(part, []byte{0}) == 2 && part[len(part)-1] == 0
	case 'E', 'N':
		return len(part) == 0 || (part[0] == 'S' || part[0] == 'V') && (!whole || part[len(part)-1] == 0)
	case 'R':
		return len(part) < 2 || part[0] == 0 && part[1] == 0
	}
	return true
}

// oneString tells whether part can be one string with its terminating NUL.
func oneString(part []byte, whole bool) bool {
	i := bytes.IndexByte(part, 0)
	if whole {
		return i == len(part)-1 && i >= 0
	}
	return i < 0
}
