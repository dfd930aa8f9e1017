package tenantsql

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode/utf8"
)

const maxShape = 2000 // bytes of Statement.Shape

// Fingerprint gives the name of a shape: the first 8 bytes of its SHA-256 as 16 hex digits, the same on every host and in every version.
func Fingerprint(shape string) string {
	sum := sha256.Sum256([]byte(shape))
	return hex.EncodeToString(sum[:8])
}

// shape renders the tokens without the literals' content. buf is reused; secret tells that bare words behind the first = or TO are values
// as well (SET x = acme).
func (l *lexed) shape(buf []byte, secret bool) ([]byte, string) {
	buf = buf[:0]
	end, masked := 0, false
	for i := 0; i < l.n && len(buf) < maxShape; i++ {
		t := l.toks[i]
		if l.doubt >= 0 && int(t.start) >= l.doubt {
			break // what is a literal from here on is not sure
		}
		if t.kind == tString && i > 0 && l.toks[i-1].kind == tString {
			end = int(t.end)
			continue // the string goes on
		}
		if i > 0 && int(t.start) > end {
			buf = append(buf, ' ')
		}
		end = int(t.end)
		switch {
		case t.kind == tString, t.kind == tNumber, masked && t.name() && !t.word(kwDefault):
			buf = append(buf, '?')
		default:
			buf = append(buf, l.sql[t.start:t.end]...)
		}
		if t.word(kwIn) && l.op(i+1, opLeft) {
			if c := l.literals(i + 1); c > 0 {
				if l.toks[i+1].start > t.end {
					buf = append(buf, ' ')
				}
				buf = append(buf, "(?)"...)
				i, end = c, int(l.toks[c].end)
			}
		}
		masked = masked || secret && (t.op(opEqual) || t.op(opAssign) || t.word(kwTo) || t.word(kwRole) || t.word(kwAuthorization))
	}
	if len(buf) > maxShape {
		n := maxShape
		for n > 0 && n > maxShape-utf8.UTFMax && !utf8.RuneStart(buf[n]) {
			n--
		}
		buf = buf[:n]
	}
	return buf, strings.ToValidUTF8(string(buf), "?")
}

// literals gives the index of the bracket that closes the one at i if there are only literals between them, else 0.
func (l *lexed) literals(i int) int {
	c := l.close(i)
	if c == l.n || c == i+1 {
		return 0
	}
	for j := i + 1; j < c; j++ {
		switch t := l.toks[j]; {
		case t.kind == tString, t.kind == tNumber, t.op(opComma), t.op(opMinus), t.op(opPlus):
		default:
			return 0
		}
	}
	return c
}
