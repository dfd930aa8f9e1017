package pgwire

import "encoding/binary"

// copySignature begins binary COPY data; flags and the length of an extension follow.
const copySignature = "PGCOPY\n\xff\r\n\x00"

// binary reads tuples: a count, and for each value a length and the bytes.
func (r *copyRows) binary(data []byte) {
	for len(data) > 0 && !r.done {
		if r.want > 0 {
			n := copy(r.num[r.have:r.want], data)
			r.have += n
			data = data[n:]
			if r.have == r.want {
				r.have = 0
				r.step(r, r.num[:r.want])
			}
			continue
		}
		n := min(r.left, len(data))
		if r.wanted() {
			r.field = append(r.field, data[:n]...)
		}
		data = data[n:]
		if r.left -= n; r.left == 0 {
			r.endValue()
		}
	}
}

// header takes the signature, the flags and the length of the extension.
func (r *copyRows) header(num []byte) {
	const oids = 1 << 16 // each tuple has an OID: before version 12
	flags, extension := binary.BigEndian.Uint32(num[11:]), binary.BigEndian.Uint32(num[15:])
	if string(num[:11]) != copySignature || flags&oids != 0 || extension >= maxMessage {
		r.stop()
		return
	}
	r.beginTuple()
	if extension > 0 {
		r.want, r.left, r.col = 0, int(extension), -1
	}
}

func (r *copyRows) beginTuple() {
	r.beginLine()
	r.want, r.step = 2, (*copyRows).tuple
}

// tuple takes the count of values.
func (r *copyRows) tuple(num []byte) {
	n := int16(binary.BigEndian.Uint16(num))
	switch {
	case n == -1:
		r.done = true
	case n < 0:
		r.stop()
	case n == 0:
		r.endRow()
		r.beginTuple()
	default:
		r.cols = int(n)
		r.want, r.step = 4, (*copyRows).length
	}
}

// length takes the length of a value; -1 is NULL.
func (r *copyRows) length(num []byte) {
	n := int32(binary.BigEndian.Uint32(num))
	switch {
	case n < -1:
		r.stop()
	case n == -1:
		if r.wanted() {
			r.row = append(r.row, 0)
			r.kept++
		}
		r.nextValue()
	default:
		if n > maxValue && r.wanted() {
			r.bad = true
			r.kept++ // it is passed over
		}
		r.want, r.left = 0, int(n)
		if n == 0 {
			r.endValue()
		}
	}
}

// endValue ends a value that was read, or the extension of the header.
func (r *copyRows) endValue() {
	if r.col < 0 {
		r.beginTuple()
		return
	}
	if r.wanted() {
		at := len(r.row)
		r.row = append(r.row, 1, 0, 0)
		var ok bool
		if r.row, ok = appendValue(r.row, r.answer.columns.types[r.kept], 1, r.field); !ok {
			r.bad = true
		}
		binary.BigEndian.PutUint16(r.row[at+1:], uint16(len(r.row)-at-3))
		r.kept++
	}
	r.nextValue()
}

func (r *copyRows) nextValue() {
	r.field = r.field[:0]
	if r.col++; r.col == r.cols {
		r.endRow()
		if !r.done {
			r.beginTuple()
		}
		return
	}
	r.want, r.step = 4, (*copyRows).length
}
