package pgwire

import "encoding/binary"

// rowReader takes the kept values out of a DataRow that comes in pieces. Of all other values only the length is read.
type rowReader struct {
	num  [4]byte // a count or a length, as far as it was read
	have int
	in   bool // the count was read
	body bool // a value's bytes are being read
	cols int
	col  int // the column being read
	left int // bytes of the value to come
	kept int // kept columns done
	bad  bool
	raw  []byte // a kept value that comes in pieces
	row  []byte // the tuple, as answer.add takes it
}

// begin starts a row.
func (r *rowReader) begin() {
	raw, row := r.raw, r.row
	if cap(row) > 1024 {
		row = nil
	}
	*r = rowReader{raw: raw[:0], row: row[:0]}
}

// wanted tells whether the value being read is to be kept.
func (r *rowReader) wanted(a *answer) bool {
	return r.kept < len(a.columns.at) && int(a.columns.at[r.kept]) == r.col
}

// feed reads a piece of the body.
func (r *rowReader) feed(a *answer, data []byte) {
	for !r.bad && r.kept < len(a.columns.at) {
		if r.body {
			n := min(r.left, len(data))
			if n == 0 && r.left > 0 {
				return
			}
			r.left -= n
			r.value(a, data[:n])
			data = data[n:]
			continue
		}
		size := 4
		if !r.in {
			size = 2
		}
		var num []byte
		if r.have == 0 && len(data) >= size {
			num, data = data[:size], data[size:]
		} else {
			n := copy(r.num[r.have:size], data)
			r.have += n
			data = data[n:]
			if r.have < size {
				return
			}
			num = r.num[:size]
		}
		r.have = 0
		if !r.in {
			r.in = true
			r.cols = int(binary.BigEndian.Uint16(num))
			continue
		}
		if r.col >= r.cols {
			r.bad = true
			return
		}
		r.length(a, int32(binary.BigEndian.Uint32(num)))
	}
}

// length takes the length of the next value; -1 is NULL.
func (r *rowReader) length(a *answer, n int32) {
	switch {
	case n >= 0:
		r.body, r.left = true, int(n)
		if n > maxValue && r.wanted(a) {
			r.bad = true
		}
	case n == -1:
		if r.wanted(a) {
			r.row = append(r.row, 0)
			r.kept++
		}
		r.col++
	default:
		r.bad = true
	}
}

// value takes bytes of the value being read.
func (r *rowReader) value(a *answer, part []byte) {
	if r.wanted(a) {
		if r.left > 0 || len(r.raw) > 0 {
			r.raw = append(r.raw, part...)
			part = r.raw
		}
		if r.left > 0 {
			return
		}
		at := len(r.row)
		r.row = append(r.row, 1, 0, 0)
		var ok bool
		if r.row, ok = appendValue(r.row, a.columns.types[r.kept], a.format(r.kept), part); !ok {
			r.bad = true
		}
		binary.BigEndian.PutUint16(r.row[at+1:], uint16(len(r.row)-at-3))
		r.raw = r.raw[:0]
		r.kept++
	}
	if r.left == 0 {
		r.body = false
		r.col++
	}
}

// gap passes over n bytes of the body that were not captured.
func (r *rowReader) gap(a *answer, n int) {
	if r.bad || r.kept == len(a.columns.at) {
		return
	}
	// Inside a value that is not kept nothing is missed.
	if !r.body || n > r.left || r.wanted(a) {
		r.bad = true
		return
	}
	if r.left -= n; r.left == 0 {
		r.body = false
		r.col++
	}
}

// end closes the row: what was kept of it goes to a.
func (r *rowReader) end(a *answer) {
	if r.bad || r.kept < len(a.columns.at) {
		a.cut = true
		return
	}
	a.add(r.row)
}
