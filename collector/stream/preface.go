package stream

import (
	"bytes"

	"tenantrace/bpf"
)

// preface begins what a client of HTTP/2 sends (RFC 9113, section 3.4).
const preface = "PRI * HTTP/2.0\r\n\r\n"

// version names the version of HTTP that a client speaks which is about to be found not to be understood: "2" if it began with that one's preface, else "".
// What came before the piece waits in opening.
func (s *stream) version(p piece) string {
	const in = bpf.TracerDirectionDIRECTION_IN
	before := s.opening[in]
	if s.protocol != nil || p.direction != in || p.offset != uint64(len(before)) {
		return ""
	}
	n := min(len(before), len(preface))
	if string(before[:n]) == preface[:n] && bytes.HasPrefix(p.data, []byte(preface[n:])) {
		return "2"
	}
	return ""
}
