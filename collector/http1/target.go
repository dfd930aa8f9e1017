package http1

import "bytes"

// requestLine is a request line (RFC 9112, section 3), as parts of the input.
type requestLine struct {
	method    []byte
	kind      methodKind
	path      []byte
	authority []byte // of the absolute form and of CONNECT, without userinfo
	version   string // "1.1"; "" if the line was cut before it
}

// parseRequestLine reads a request line. The version is the last word, so that blanks inside a target, which some servers accept, do not hide
// the request. Of a line that was cut only what is certainly complete is given.
func parseRequestLine(line []byte, isCut bool) (r requestLine, ok bool) {
	sp := bytes.IndexByte(line, ' ')
	if sp < 0 && isCut {
		return requestLine{kind: unknownMethod}, true
	}
	if sp <= 0 || sp > maxMethod {
		return r, false
	}
	r.method = line[:sp]
	for _, c := range r.method {
		if !isToken(c) {
			return r, false
		}
	}
	switch string(r.method) {
	case "HEAD":
		r.kind = headMethod
	case "CONNECT":
		r.kind = connectMethod
	}
	target := line[sp+1:]
	for len(target) > 0 && isBlank(target[0]) {
		target = target[1:]
	}
	if !isCut {
		target = trimRight(target)
	}
	last := bytes.LastIndexByte(target, ' ')
	if last >= 0 && len(target) == last+1+len("HTTP/1.1") && beginsVersion(target[last+1:]) {
		r.version = versionOf(target[len(target)-1])
		target = trim(target[:last])
	} else if !isCut {
		return r, false
	} else if last >= 0 {
		target = target[:last]
	} else if q := bytes.IndexByte(target, '?'); q >= 0 {
		target = target[:q+1]
	} else {
		return r, true
	}
	if len(target) == 0 {
		return r, false
	}
	r.split(target)
	return r, true
}

// split reads the request target in its four forms (RFC 9112, section 3.2).
func (r *requestLine) split(target []byte) {
	if r.kind == connectMethod {
		r.authority = target
		return
	}
	if target[0] != '/' {
		if scheme := bytes.Index(target, []byte("://")); scheme > 0 && isScheme(target[:scheme]) {
			target = target[scheme+3:]
			end := bytes.IndexAny(target, "/?")
			if end < 0 {
				end = len(target)
			}
			r.authority, target = target[:end], target[end:]
			r.authority = r.authority[bytes.LastIndexByte(r.authority, '@')+1:]
		}
	}
	r.path, _, _ = bytes.Cut(target, []byte{'?'})
}

func isScheme(b []byte) bool {
	for _, c := range b {
		if !isAlphanumeric(c) && c != '+' && c != '-' && c != '.' {
			return false
		}
	}
	return true
}

func versionOf(minor byte) string {
	const versions = "1.01.11.21.31.41.51.61.71.81.9"
	i := int(minor-'0') * 3
	return versions[i : i+3]
}
