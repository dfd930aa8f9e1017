package mysqlwire

import "encoding/binary"

// wholeRows reads the rows at the beginning of data that are there as a whole, the most of what servers send, and returns what follows them. It does what the
// packets would do one by one.
func (s *Session) wholeRows(data []byte) []byte {
	a, st := &s.answer, &s.back
	if a.step != stepRows || st.have > 0 || st.open || s.phase != running || s.trails {
		return data
	}
	p := s.commands.head()
	if p == nil {
		return data
	}
	wanted := a.wantsRows() && !s.unproven
	for len(data) > headerSize {
		size := int(data[0]) | int(data[1])<<8 | int(data[2])<<16
		kind := data[headerSize]
		if size == 0 || size == maxPayload || headerSize+size > len(data) || data[3] != p.next || kind == headError || kind == headEOF || a.binary && kind != headOK {
			break
		}
		p.next++
		a.count++
		if wanted {
			s.row.whole(a, data[headerSize:headerSize+size])
			wanted = a.wantsRows()
		} else if a.columns == nil {
			a.cut = true // its columns are not known
		}
		data = data[headerSize+size:]
	}
	return data
}

// span is a value of a row: where it is, without its length.
type span struct {
	from, to int
	null     bool
}

// whole reads a row that is there as a whole.
func (r *rowReader) whole(a *answer, row []byte) {
	d := a.columns
	var spans [maxKept]span
	n := len(d.at)
	var ok bool
	if a.binary {
		ok = d.spansOfBinary(spans[:n], row)
	} else {
		ok = d.spansOfText(spans[:n], row)
	}
	if !ok {
		a.cut = true
		return
	}
	if seenLast(a.last, spans[:n], row) {
		return
	}
	tuple := r.row[:0]
	for i, v := range spans[:n] {
		if v.null {
			tuple = append(tuple, 0)
			continue
		}
		at := len(tuple)
		tuple = append(tuple, 1, 0, 0)
		if tuple, ok = appendValue(tuple, d.as[i], a.binary, row[v.from:v.to]); !ok {
			a.cut = true
			return
		}
		binary.BigEndian.PutUint16(tuple[at+1:], uint16(len(tuple)-at-3))
	}
	r.row = tuple
	if a.add(tuple) {
		a.last = appendSpans(a.last[:0], spans[:n], row)
	}
}

// spansOfText finds the kept values of a row of the text protocol. False: the row has not got them, or one is too long to be kept.
func (d *columns) spansOfText(spans []span, row []byte) bool {
	at, col := 0, uint16(0)
	for i, wanted := range d.at {
		for ; ; col++ {
			if at >= len(row) {
				return false
			}
			first := row[at]
			at++
			v := span{from: at, to: at, null: first == lenencNull}
			switch {
			case first < lenencNull:
				v.to += int(first)
			case first != lenencNull:
				more := lenencMore(first)
				if more < 0 || more > len(row)-at {
					return false
				}
				size := littleEndian(row[at : at+more])
				if size > uint64(len(row)) {
					return false
				}
				v.from += more
				v.to = v.from + int(size)
			}
			if v.to > len(row) {
				return false
			}
			at = v.to
			if col == wanted {
				spans[i] = v
				col++
				break
			}
		}
		if spans[i].to-spans[i].from > maxValue {
			return false
		}
	}
	return true
}

// spansOfBinary is spansOfText of the binary protocol.
func (d *columns) spansOfBinary(spans []span, row []byte) bool {
	at, col := 1+(d.n+7+2)/8, 0
	if at > len(row) {
		return false
	}
	nulls := row[1:at]
	for i, wanted := range d.at {
		for ; ; col++ {
			v := span{from: at, to: at}
			kind := d.types[col]
			if isNull(nulls, col, 2) || kind == typeNull {
				v.null = true
			} else if n := width(kind); n >= 0 {
				v.to += n
			} else {
				if at >= len(row) {
					return false
				}
				size, more := uint64(row[at]), 0
				if n == widthString {
					more = lenencMore(row[at])
				}
				v.from++
				if more < 0 || more > len(row)-v.from {
					return false
				}
				if more > 0 {
					size = littleEndian(row[v.from : v.from+more])
				}
				if size > uint64(len(row)) {
					return false
				}
				v.from += more
				v.to = v.from + int(size)
			}
			if v.to > len(row) {
				return false
			}
			at = v.to
			if col == int(wanted) {
				spans[i] = v
				col++
				break
			}
		}
		if spans[i].to-spans[i].from > maxValue {
			return false
		}
	}
	return true
}

// appendSpans appends values as they were sent: for each a byte that is 0 for NULL, else 1 and its length and bytes.
func appendSpans(dst []byte, spans []span, row []byte) []byte {
	for _, v := range spans {
		if v.null {
			dst = append(dst, 0)
			continue
		}
		dst = binary.BigEndian.AppendUint16(append(dst, 1), uint16(v.to-v.from))
		dst = append(dst, row[v.from:v.to]...)
	}
	return dst
}

// seenLast tells whether last is these values, as appendSpans writes them.
func seenLast(last []byte, spans []span, row []byte) bool {
	for _, v := range spans {
		if len(last) == 0 || (last[0] == 0) != v.null {
			return false
		}
		last = last[1:]
		if v.null {
			continue
		}
		n := v.to - v.from
		if int(binary.BigEndian.Uint16(last)) != n || string(last[2:2+n]) != string(row[v.from:v.to]) {
			return false
		}
		last = last[2+n:]
	}
	return true
}
