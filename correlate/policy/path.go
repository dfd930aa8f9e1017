package policy

import (
	"path"
	"strings"
)

// maxPath is the longest request path that is matched, in bytes.
const maxPath = 8192

// maxReadings is the number of ways in which one path can be read.
const maxReadings = 8

// readings are the ways in which servers read the path of a request target (RFC 9112 section 3.2). Most paths have one. Servers differ about
// an encoded slash (one segment, or two as in WSGI), about parameters (";v=1" belongs to the segment, or not as in servlets) and about dot
// and empty segments (RFC 3986 section 5.2.4: removed, or kept). What a rule says about a path holds only if it holds for every reading.
type readings struct {
	paths [maxReadings]string
	n     int
}

func readPath(target string) readings {
	var r readings
	if i := strings.Index(target, "://"); i > 0 && target[0] != '/' { // absolute form
		target = target[i+3:]
		if i = strings.IndexByte(target, '/'); i < 0 {
			target = "/"
		} else {
			target = target[i:]
		}
	}
	if i := strings.IndexAny(target, "?#"); i >= 0 {
		target = target[:i]
	}
	if target == "" || len(target) > maxPath {
		return r
	}
	r.add(unescape(target))
	r.vary("%2F", func(p string) string { return strings.ReplaceAll(p, "%2F", "/") })
	r.vary(";", dropParameters)
	r.vary("/.", cleanPath)
	r.vary("//", cleanPath)
	for i := range r.n {
		if p := r.paths[i]; len(p) > 1 && p[len(p)-1] == '/' {
			r.paths[i] = p[:len(p)-1]
		}
	}
	return r
}

func (r *readings) add(p string) {
	for _, q := range r.paths[:r.n] {
		if p == q {
			return
		}
	}
	if r.n < maxReadings {
		r.paths[r.n] = p
		r.n++
	}
}

// vary adds a second reading for each reading that holds the sign of it.
func (r *readings) vary(sign string, other func(string) string) {
	for _, p := range r.paths[:r.n] {
		if strings.Contains(p, sign) {
			r.add(other(p))
		}
	}
}

// all tells that every reading fulfils f.
func (r *readings) all(f func(string) bool) bool {
	for _, p := range r.paths[:r.n] {
		if !f(p) {
			return false
		}
	}
	return r.n > 0
}

// matches tells that every reading matches one of globs.
func (r *readings) matches(globs []pattern) bool {
	return len(globs) > 0 && r.all(func(p string) bool {
		for i := range globs {
			if globs[i].match(p) {
				return true
			}
		}
		return false
	})
}

// unescape decodes percent-encoding once (RFC 3986 section 2.1), except that of the slash, which it writes as "%2F". What is no encoding stays.
func unescape(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			high, low := hexDigit(s[i+1]), hexDigit(s[i+2])
			if high >= 0 && low >= 0 {
				i += 2
				if c := byte(high<<4 | low); c == '/' {
					b = append(b, "%2F"...)
				} else {
					b = append(b, c)
				}
				continue
			}
		}
		b = append(b, s[i])
	}
	return string(b)
}

func hexDigit(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

func dropParameters(p string) string {
	segments := strings.Split(p, "/")
	for i, s := range segments {
		segments[i], _, _ = strings.Cut(s, ";")
	}
	return strings.Join(segments, "/")
}

func cleanPath(p string) string {
	return path.Clean("/" + p)
}
