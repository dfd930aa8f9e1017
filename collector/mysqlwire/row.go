package mysqlwire

import "encoding/binary"

// rowReader takes the kept values out of a row that comes in pieces. Of all other values only the length is read.
type rowReader struct {
	binary bool
	nulls  []byte // of a binary row: its first byte, then the bitmap of NULLs
	num    [9]byte
	have   int  // bytes of num read
	body   bool // a value's bytes are being read
	col    int  // the column being read
	left   int  // bytes of the value to come
	kept   int  // kept columns done
	bad    bool
	raw    []byte // a kept value that comes in pieces
	row    []byte // the tuple, as answer.add takes it
}

// begin starts a row.
func (r *rowReader) begin(binary bool) {
	if cap(r.row) > 1024 {
		r.row = nil
	}
	r.binary, r.body, r.bad = binary, false, false
	r.have, r.col, r.left, r.kept = 0, 0, 0, 0
	r.raw, r.row, r.nulls = r.raw[:0], r.row[:0], r.nulls[:0]
}

// done tells whether the rest of the row does not matter.
func (r *rowReader) done(d *columns) bool { return r.bad || r.kept == len(d.at) }

// wanted tells whether the value being read is to be kept.
func (r *rowReader) wanted(d *columns) bool { return int(d.at[r.kept]) == r.col }

// feed reads a piece of the row.
func (r *rowReader) feed(d *columns, data []byte) {
	if r.binary {
		if n := 1 + (d.n+7+2)/8 - len(r.nulls); n > 0 {
			n = min(n, len(data))
			r.nulls = append(r.nulls, data[:n]...)
			data = data[n:]
			if len(r.nulls) < 1+(d.n+7+2)/8 {
				return
			}
		}
	}
	for !r.done(d) {
		if r.body {
			n := min(r.left, len(data))
			if n == 0 && r.left > 0 {
				return
			}
			r.left -= n
			r.value(d, data[:n])
			data = data[n:]
			continue
		}
		if r.binary {
			if isNull(r.nulls[1:], r.col, 2) || d.types[r.col] == typeNull {
				r.null(d)
				continue
			}
			if n := width(d.types[r.col]); n >= 0 {
				r.length(d, n)
				continue
			}
		}
		if len(data) == 0 {
			return
		}
		if r.have == 0 {
			r.num[0], r.have, data = data[0], 1, data[1:]
		}
		more := lenencMore(r.num[0])
		if r.binary && width(d.types[r.col]) == widthTime {
			more = 0
		}
		if more < 0 {
			if r.num[0] != lenencNull || r.binary {
				r.bad = true
				return
			}
			r.null(d)
			continue
		}
		n := copy(r.num[r.have:1+more], data)
		r.have += n
		data = data[n:]
		if r.have < 1+more {
			return
		}
		size := uint64(r.num[0])
		if more > 0 {
			size = littleEndian(r.num[1 : 1+more])
		}
		if size > 1<<40 {
			r.bad = true
			return
		}
		r.length(d, int(size))
	}
}

// length begins a value of n bytes.
func (r *rowReader) length(d *columns, n int) {
	r.have, r.body, r.left = 0, true, n
	if n > maxValue && r.wanted(d) {
		r.bad = true
	}
}

// null passes over a NULL.
func (r *rowReader) null(d *columns) {
	if r.wanted(d) {
		r.row = append(r.row, 0)
		r.kept++
	}
	r.have = 0
	r.col++
}

// value takes bytes of the value being read.
func (r *rowReader) value(d *columns, part []byte) {
	if r.wanted(d) {
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
		if r.row, ok = appendValue(r.row, d.as[r.kept], r.binary, part); !ok {
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

// gap passes over n bytes of the row that were not captured.
func (r *rowReader) gap(d *columns, n int) {
	if r.done(d) {
		return
	}
	// Inside a value that is not kept nothing is missed.
	if !r.body || n > r.left || r.wanted(d) {
		r.bad = true
		return
	}
	if r.left -= n; r.left == 0 {
		r.body = false
		r.col++
	}
}
