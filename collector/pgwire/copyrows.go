package pgwire

import (
	"bytes"
	"encoding/binary"
)

// copyRows takes the wanted values out of COPY data, which comes in pieces of any size: a row need not begin with a message.
type copyRows struct {
	of     copyText
	answer *answer
	lined  bool // the first line, which is no row, is passed
	// naming: the first line is read for the names of the columns; resolve makes the columns of them.
	naming  bool
	resolve func(names []string) *columns
	names   []string
	done    bool // the end of the rows was read, or nothing more is wanted of them

	col    int  // the column being read
	kept   int  // wanted columns done
	bad    bool // the row cannot be told
	row    []byte
	field  []byte // the value being read: text as it was sent, CSV without its quotes
	long   bool   // it is too long to be kept
	quoted bool   // a quote was in it

	size   int     // bytes of the line so far, counted to 3
	start  [2]byte // its first two
	escape bool    // the last byte was a backslash; in CSV, an escape within quotes
	quotes bool    // within quotes
	cr     bool    // the last byte was a carriage return
	skip   bool    // passing over the line that a gap is in
	last   byte    // while skipping: the byte before; a backslash if it was not captured

	num  [19]byte // binary: a number or the header, as far as it was read
	have int
	want int // of num; 0: a value is being read
	left int // of the value
	cols int // of the tuple
	step func(r *copyRows, num []byte)

	special, within [256]bool // bytes that end a run of plain ones; within quotes
}

func newCopyRows(of copyText, a *answer, resolve func([]string) *columns) *copyRows {
	r := &copyRows{of: of, answer: a, naming: resolve != nil, resolve: resolve}
	if of.format == 'b' {
		r.want, r.step = 19, (*copyRows).header
		return r
	}
	for _, b := range []byte{'\n', '\r', of.delimiter} {
		r.special[b] = true
	}
	if of.format == 't' {
		r.special['\\'] = true
		return r
	}
	r.special[of.quote], r.within[of.quote], r.within[of.escape] = true, true, true
	return r
}

// feed reads a piece of the data.
func (r *copyRows) feed(data []byte) {
	if r.done {
		return
	}
	switch r.of.format {
	case 't':
		r.text(data)
	case 'c':
		r.csv(data)
	default:
		r.binary(data)
	}
}

// gap passes over n bytes that were not captured.
func (r *copyRows) gap(n int) {
	switch {
	case r.done:
	case r.of.format == 'b' && r.want == 0 && n <= r.left && !r.wanted():
		if r.left -= n; r.left == 0 {
			r.endValue()
		}
	case r.of.format == 't' && (r.lined || !r.of.header):
		// Lines end where they end: what follows the next line feed can be told again.
		r.answer.cut = true
		r.skip, r.last = true, '\\'
	default:
		r.stop()
	}
}

// stop ends the reading before the rows' end.
func (r *copyRows) stop() { r.done, r.answer.cut = true, true }

// end says that the data is complete.
func (r *copyRows) end() {
	if r.done {
		return
	}
	if r.quotes && r.escape && r.of.escape == r.of.quote { // the last byte closed them
		r.quotes, r.escape = false, false
	}
	switch {
	case r.of.format == 'b': // without its trailer
	case r.skip || r.quotes || r.escape && r.of.format == 't':
		r.answer.cut = true
	case r.size > 0 || r.cr:
		r.endLine()
	}
	r.done = true
}

// wanted tells whether the value being read is to be kept.
func (r *copyRows) wanted() bool {
	if r.naming {
		return true
	}
	c := r.answer.columns
	return r.kept < len(c.at) && int(c.at[r.kept]) == r.col && (r.lined || !r.of.header)
}

// text reads lines whose values are separated by a delimiter, with backslashes as escapes.
func (r *copyRows) text(data []byte) {
	for i := 0; i < len(data) && !r.done; i++ {
		b := data[i]
		if r.skip {
			if b == '\n' && r.last != '\\' {
				r.skip = false
				r.beginLine()
				continue
			}
			r.last = b
			continue
		}
		if r.escape {
			r.escape = false
			r.keep(b)
			continue
		}
		if r.cr {
			r.cr = false
			r.endLine()
			if b == '\n' || r.done {
				continue
			}
		}
		switch b {
		case '\n':
			r.endLine()
		case '\r':
			r.cr = true
		case r.of.delimiter:
			r.endField()
		case '\\':
			r.escape = true
			r.keep(b)
		default:
			i += r.keepRun(data[i:], &r.special) - 1
		}
	}
}

// csv reads lines whose values may stand in quotes.
func (r *copyRows) csv(data []byte) {
	for i := 0; i < len(data) && !r.done; i++ {
		b := data[i]
		if r.quotes {
			if r.escape {
				r.escape = false
				if b == r.of.quote || b == r.of.escape {
					r.keep(b)
					continue
				}
				if r.of.escape != r.of.quote {
					r.keep(r.of.escape)
				} else {
					r.quotes = false
				}
			}
			switch {
			case !r.quotes: // b follows the closing quote
			case b == r.of.escape:
				r.escape = true
				continue
			case b == r.of.quote:
				r.quotes = false
				continue
			default:
				i += r.keepRun(data[i:], &r.within) - 1
				continue
			}
		}
		if r.cr {
			r.cr = false
			r.endLine()
			if b == '\n' || r.done {
				continue
			}
		}
		switch b {
		case '\n':
			r.endLine()
		case '\r':
			r.cr = true
		case r.of.delimiter:
			r.endField()
		case r.of.quote:
			r.quotes, r.quoted = true, true
			r.count(b)
		default:
			i += r.keepRun(data[i:], &r.special) - 1
		}
	}
}

// keepRun takes the bytes of the value being read up to a special one, and gives their number. The first one is none.
func (r *copyRows) keepRun(data []byte, special *[256]bool) int {
	n := 1
	for n < len(data) && !special[data[n]] {
		n++
	}
	for _, b := range data[:min(n, 2)] {
		r.count(b)
	}
	if n > 2 {
		r.size = 3
	}
	if r.wanted() {
		room := 4*maxValue - len(r.field)
		r.long = r.long || n > room
		r.field = append(r.field, data[:min(n, room)]...)
	}
	return n
}

// keep takes a byte of the value being read.
func (r *copyRows) keep(b byte) {
	r.count(b)
	if !r.wanted() {
		return
	}
	if len(r.field) == 4*maxValue { // an escape is of up to four bytes
		r.long = true
		return
	}
	r.field = append(r.field, b)
}

// count counts a byte of the line.
func (r *copyRows) count(b byte) {
	if r.size < 2 {
		r.start[r.size] = b
	}
	r.size = min(r.size+1, 3)
}

// endField ends a value at its delimiter.
func (r *copyRows) endField() {
	r.size = 3 // this line is not the mark of the end
	r.takeField()
	r.col++
}

// takeField takes the value that was read.
func (r *copyRows) takeField() {
	switch {
	case !r.wanted():
	case r.naming:
		if len(r.names) == maxColumns || r.long {
			r.stop()
			return
		}
		name, _ := r.unescape(nil)
		r.names = append(r.names, string(name))
	case r.of.format == 't' && string(r.field) == r.of.null, r.of.format == 'c' && !r.quoted && string(r.field) == r.of.null:
		r.row = append(r.row, 0)
		r.kept++
	case r.of.defaults && string(r.field) == r.of.defaultMark && !r.quoted:
		r.bad = true
		r.kept++
	default:
		at := len(r.row)
		r.row = append(r.row, 1, 0, 0)
		text, ok := r.unescape(r.row[len(r.row):])
		if !ok || r.long || len(text) > maxValue {
			r.bad = true
		} else if r.row, ok = appendValue(r.row, r.answer.columns.types[r.kept], 0, text); !ok {
			r.bad = true
		}
		binary.BigEndian.PutUint16(r.row[at+1:], uint16(len(r.row)-at-3))
		r.kept++
	}
	r.field, r.long, r.quoted = r.field[:0], false, false
}

// unescape gives the value that was read.
func (r *copyRows) unescape(dst []byte) ([]byte, bool) {
	if r.of.format == 'c' || bytes.IndexByte(r.field, '\\') < 0 {
		return append(dst, r.field...), true
	}
	for f := r.field; len(f) > 0; {
		b := f[0]
		f = f[1:]
		if b != '\\' {
			dst = append(dst, b)
			continue
		}
		if len(f) == 0 {
			return dst, false
		}
		b, f = f[0], f[1:]
		base, most := 8, 3
		if b == 'x' {
			base, most = 16, 2
		}
		if base == 16 || '0' <= b && b <= '7' {
			v, n := 0, 0
			if base == 8 {
				v, n = int(b-'0'), 1
			}
			for ; n < most && len(f) > 0; n++ {
				d := digit(f[0])
				if d < 0 || d >= base {
					break
				}
				v, f = v*base+d, f[1:]
			}
			if base == 16 && n == 0 {
				dst = append(dst, 'x')
			} else {
				dst = append(dst, byte(v))
			}
			continue
		}
		switch b {
		case 'b':
			b = '\b'
		case 'f':
			b = '\f'
		case 'n':
			b = '\n'
		case 'r':
			b = '\r'
		case 't':
			b = '\t'
		case 'v':
			b = '\v'
		}
		dst = append(dst, b)
	}
	return dst, true
}

// digit gives the value of a hexadecimal digit, -1 if c is none.
func digit(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}

// endLine ends a line, which is a row, unless it is the header or the mark of the end.
func (r *copyRows) endLine() {
	if r.size == 2 && r.start == [2]byte{'\\', '.'} {
		r.done = true
		// Since version 18 that is a value in CSV, with more to come.
		r.answer.cut = r.answer.cut || r.of.format == 'c'
		return
	}
	r.takeField()
	r.col++
	if r.of.header && !r.lined {
		r.lined = true
		if r.naming {
			r.naming = false
			r.answer.columns = r.resolve(r.names)
			r.done = r.done || !r.answer.wantsRows()
		}
		r.beginLine()
		return
	}
	r.endRow()
	r.beginLine()
}

func (r *copyRows) beginLine() {
	r.col, r.kept, r.bad, r.size = 0, 0, false, 0
	r.row, r.field = r.row[:0], r.field[:0]
	r.long, r.quoted, r.quotes, r.escape, r.cr = false, false, false, false, false
}

// endRow adds the row.
func (r *copyRows) endRow() {
	if r.bad || r.kept < len(r.answer.columns.at) {
		r.answer.cut = true
	} else {
		r.answer.add(r.row)
	}
	if !r.answer.wantsRows() {
		r.done = true
	}
}
