package http1

import "bytes"

// maxName bounds a field name that is compared or kept, in bytes; longer ones are passed over.
const maxName = 128

// lines reads the lines of a header section's text.
type lines struct {
	text   []byte
	bareLF bool // a line ended without CR
}

// next gives the next line without its end. What follows the last line end is no line.
func (l *lines) next() (line []byte, ok bool) {
	lf := bytes.IndexByte(l.text, '\n')
	if lf < 0 {
		return nil, false
	}
	line, l.text = l.text[:lf], l.text[lf+1:]
	if lf > 0 && line[lf-1] == '\r' {
		return line[:lf-1], true
	}
	l.bareLF = true
	return line, true
}

// folds tells whether the next line continues this one (obs-fold: RFC 9112, section 5.2).
func (l *lines) folds() bool {
	return len(l.text) > 0 && (l.text[0] == ' ' || l.text[0] == '\t')
}

// field is a field line (RFC 9112, section 5).
type field struct {
	name   []byte // lower case
	value  []byte // without surrounding blanks; of a folded one the first line
	spaced bool   // blanks stood before the colon
	folded bool   // continuation lines follow
}

// field gives the next field line, its name in lower case in scratch. What is no field line, or has too long a name, is passed over. The caller
// reads the continuation lines of a folded one with fold; those not read are passed over too.
func (l *lines) field(scratch *[maxName]byte) (f field, ok bool) {
	for {
		line, ok := l.next()
		if !ok {
			return field{}, false
		}
		colon := bytes.IndexByte(line, ':')
		if colon <= 0 || len(line) > 0 && isBlank(line[0]) {
			continue
		}
		name := trimRight(line[:colon])
		if len(name) > maxName {
			continue
		}
		f = field{
			name:   lower(scratch, name),
			value:  trim(line[colon+1:]),
			spaced: len(name) < colon,
			folded: l.folds(),
		}
		return f, true
	}
}

// fold gives the next continuation line, without surrounding blanks.
func (l *lines) fold() (line []byte, ok bool) {
	if !l.folds() {
		return nil, false
	}
	line, ok = l.next()
	return trim(line), ok
}

func lower(scratch *[maxName]byte, name []byte) []byte {
	for i, c := range name {
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		scratch[i] = c
	}
	return scratch[:len(name)]
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

func trimRight(b []byte) []byte {
	for len(b) > 0 && isBlank(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

// trim removes optional white space (RFC 9110, section 5.6.3).
func trim(b []byte) []byte {
	for len(b) > 0 && isBlank(b[0]) {
		b = b[1:]
	}
	return trimRight(b)
}
