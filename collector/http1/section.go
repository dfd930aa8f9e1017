package http1

import "bytes"

// keptBuffer is the capacity up to which a section's buffer stays with an idle connection, in bytes.
const keptBuffer = 4 << 10

// section finds the end of a header section: the start line and the field lines up to the empty line (RFC 9112, section 2.1). Empty lines before
// the start line are skipped (section 2.2). A line ends with LF; a CR before it belongs to the line end.
type section struct {
	buf   []byte // of a section that did not come in one piece: its beginning
	lines int    // complete lines
	line  int    // bytes of the incomplete line
	cr    bool   // the incomplete line is a single CR
	over  bool   // the section is longer than the limit: buf holds only its beginning
}

func (s *section) reset() {
	buf := s.buf[:0]
	if cap(buf) > keptBuffer {
		buf = nil
	}
	*s = section{buf: buf}
}

// empty tells whether nothing of a section was seen.
func (s *section) empty() bool { return s.lines == 0 && (s.line == 0 || s.cr) }

// feed takes the next bytes and tells how many belong to the section. When the section is done, text is all of it, at most limit bytes, without
// copying if it came in one piece; it is valid until reset.
func (s *section) feed(data []byte, limit int) (text []byte, n int, done bool) {
	start := 0
	for n < len(data) && !done {
		lf := bytes.IndexByte(data[n:], '\n')
		if lf < 0 {
			rest := len(data) - n
			s.cr = s.line == 0 && rest == 1 && data[n] == '\r'
			s.line += rest
			n = len(data)
			break
		}
		blank := lf == 0 && (s.line == 0 || s.cr) || lf == 1 && s.line == 0 && data[n] == '\r'
		n += lf + 1
		s.line, s.cr = 0, false
		switch {
		case !blank:
			s.lines++
		case s.lines > 0:
			done = true
		default: // before the start line
			start, s.buf = n, s.buf[:0]
		}
	}
	part := data[start:n]
	if done && len(s.buf) == 0 && !s.over {
		if len(part) > limit {
			s.over, part = true, part[:limit]
		}
		return part, n, true
	}
	if room := limit - len(s.buf); len(part) > room {
		s.over, part = true, part[:room]
	}
	s.buf = append(s.buf, part...)
	return s.buf, n, done
}

// plausible asks check about the beginning of an unfinished start line, once it is known not to be an empty line.
func (s *section) plausible(check func([]byte) bool) bool {
	return s.lines > 0 || s.empty() || check(s.buf)
}
