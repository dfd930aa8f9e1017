package http1

import "bytes"

// maxMethod bounds a method's name, in bytes.
const maxMethod = 24

// minPrefix is the shortest beginning of a method or a version that says anything.
const minPrefix = 3

// SniffRequest tells whether b, the first bytes of a stream or a beginning of them, looks like an HTTP/1.x request: a method (one of RFC 9110's,
// PATCH and WebDAV's, or another token if the target begins with "/" or "*"), one space, a target, and HTTP/1.x as far as b goes. Fewer than
// three bytes are not enough. The preface of HTTP/2 is none.
func SniffRequest(b []byte) bool {
	b = trimLeading(b)
	return len(b) >= minPrefix && looksLikeRequest(b)
}

// SniffResponse tells whether b looks like the beginning of a status line of HTTP/1.x: at least "HTTP/" of it.
func SniffResponse(b []byte) bool {
	b = trimLeading(b)
	return len(b) >= len("HTTP/") && plausibleResponse(b)
}

// beginsRequest is SniffRequest for a stream that waits: method, space and the target's first byte must be there.
func beginsRequest(b []byte) bool {
	b = trimLeading(b)
	sp := bytes.IndexByte(b, ' ')
	return sp > 0 && sp+1 < len(b) && looksLikeRequest(b)
}

// beginsResponse is SniffResponse for a stream that waits: the whole status code must be there, and is returned.
func beginsResponse(b []byte) (status int, ok bool) {
	b = trimLeading(b)
	if len(b) < len("HTTP/1.1 200") || !plausibleResponse(b) {
		return 0, false
	}
	return int(b[9]-'0')*100 + int(b[10]-'0')*10 + int(b[11]-'0'), true
}

func trimLeading(b []byte) []byte {
	for len(b) > 0 && (b[0] == '\r' || b[0] == '\n') {
		b = b[1:]
	}
	return b
}

// plausibleRequest tells whether a start line may still become a request line, given its beginning: a token, and a space soon.
func plausibleRequest(b []byte) bool {
	b = trimLeading(b)
	for i, c := range b[:min(len(b), maxMethod+1)] {
		if c == ' ' {
			return i > 0
		}
		if !isToken(c) {
			return false
		}
	}
	return len(b) <= maxMethod
}

func looksLikeRequest(b []byte) bool {
	sp := bytes.IndexByte(b[:min(len(b), maxMethod+1)], ' ')
	if sp < 0 {
		return len(b) <= maxMethod && beginsMethod(b)
	}
	method, b := b[:sp], b[sp+1:]
	if len(method) == 0 || string(method) == "PRI" {
		return false
	}
	for _, c := range method {
		if !isToken(c) {
			return false
		}
	}
	if len(b) > 0 {
		if c := b[0]; c != '/' && c != '*' && !(isMethod(method) && (isAlphanumeric(c) || c == '[')) {
			return false
		}
	} else if !isMethod(method) {
		return false
	}
	if sp = bytes.IndexByte(b, ' '); sp < 0 {
		sp = len(b)
	}
	for _, c := range b[:sp] {
		if c < ' ' || c == 0x7f {
			return false
		}
	}
	return sp == len(b) || beginsVersion(b[sp+1:])
}

// plausibleResponse tells whether b may become a status line (RFC 9112, section 4), given its beginning.
func plausibleResponse(b []byte) bool {
	b = trimLeading(b)
	if !beginsVersion(b) {
		return false
	}
	for i, c := range b[min(len(b), 8):min(len(b), 13)] {
		switch i {
		case 0:
			if c != ' ' {
				return false
			}
		case 1:
			if c < '1' || c > '9' {
				return false
			}
		case 2, 3:
			if c < '0' || c > '9' {
				return false
			}
		case 4:
			if c != ' ' && c != '\r' && c != '\n' {
				return false
			}
		}
	}
	return true
}

// beginsVersion tells whether b begins with HTTP/1.x, or is the beginning of it.
func beginsVersion(b []byte) bool {
	const want = "HTTP/1."
	n := min(len(b), len(want))
	return string(b[:n]) == want[:n] && (len(b) == n || '0' <= b[n] && b[n] <= '9')
}

func isMethod(b []byte) bool { return methodOf(b) != "" }

// methodOf gives a well-known method (RFC 9110, RFC 5789, RFC 4918, RFC 3253, RFC 5323) as a constant, else "".
func methodOf(b []byte) string {
	switch string(b) {
	case "GET":
		return "GET"
	case "POST":
		return "POST"
	case "PUT":
		return "PUT"
	case "HEAD":
		return "HEAD"
	case "DELETE":
		return "DELETE"
	case "PATCH":
		return "PATCH"
	case "OPTIONS":
		return "OPTIONS"
	}
	for _, m := range methods() {
		if string(b) == m {
			return m
		}
	}
	return ""
}

func beginsMethod(b []byte) bool {
	for _, m := range methods() {
		if len(b) <= len(m) && string(b) == m[:len(b)] {
			return true
		}
	}
	return false
}

func methods() [18]string {
	return [...]string{"GET", "POST", "PUT", "HEAD", "DELETE", "PATCH", "OPTIONS", "CONNECT", "TRACE",
		"PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "REPORT", "SEARCH"}
}

// isToken tells whether c is a tchar (RFC 9110, section 5.6.2).
func isToken(c byte) bool {
	return isAlphanumeric(c) || bytes.IndexByte([]byte("!#$%&'*+-.^_`|~"), c) >= 0
}

func isAlphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}
