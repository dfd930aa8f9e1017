package pgwire

import (
	"bytes"
	"encoding/binary"
)

// wholeRows reads the rows at the beginning of data that are there as a whole, the most of what servers send, and returns what follows them. It does what the
// messages would do one by one.
func (s *Session) wholeRows(data []byte) []byte {
	if s.back.have > 0 || data[0] != 'D' || s.phase != running {
		return data
	}
	p := s.queue.head()
	if p == nil || p.kind != expectExecute && (p.kind != expectQuery || p.failed) {
		return data
	}
	a := &s.answer
	a.of(p)
	wanted := !s.unproven && a.wantsRows()
	for len(data) >= headerSize && data[0] == 'D' {
		size := messageSize(data)
		if !backendPlausible('D', size) || size >= len(data) {
			break
		}
		a.count++
		if wanted {
			s.row.whole(a, data[headerSize:1+size])
			wanted = a.wantsRows()
		} else if s.unproven {
			a.cut = true
		}
		data = data[1+size:]
	}
	return data
}

// whole reads a DataRow that is there as a whole.
func (r *rowReader) whole(a *answer, body []byte) {
	var values [maxKept][]byte // with their lengths
	n := len(a.columns.at)
	if !kept(values[:n], a.columns.at, body) {
		a.cut = true
		return
	}
	if seenLast(a.last, values[:n]) {
		return
	}
	row := r.row[:0]
	for i, v := range values[:n] {
		if v[0] == 0xff { // a length of -1: NULL
			row = append(row, 0)
			continue
		}
		at := len(row)
		row = append(row, 1, 0, 0)
		var ok bool
		if row, ok = appendValue(row, a.columns.types[i], a.format(i), v[4:]); !ok {
			a.cut = true
			return
		}
		binary.BigEndian.PutUint16(row[at+1:], uint16(len(row)-at-3))
	}
	r.row = row
	if a.add(row) {
		a.last = a.last[:0]
		for _, v := range values[:n] {
			a.last = append(a.last, v...)
		}
	}
}

// kept finds the values at the places at of a row, with their lengths. False: the row has not got them, or one is too long to be kept.
func kept(values [][]byte, at []uint16, body []byte) bool {
	cols := binary.BigEndian.Uint16(body)
	body = body[2:]
	col := uint16(0)
	for i, wanted := range at {
		if wanted >= cols {
			return false
		}
		for {
			if len(body) < 4 {
				return false
			}
			size, n := 4, int32(binary.BigEndian.Uint32(body))
			switch {
			case n < -1 || int(n) > len(body)-4:
				return false
			case n > 0:
				size += int(n)
			}
			if col++; col > wanted {
				if size-4 > maxValue {
					return false
				}
				values[i] = body[:size]
				body = body[size:]
				break
			}
			body = body[size:]
		}
	}
	return true
}

// seenLast tells whether last is these values.
func seenLast(last []byte, values [][]byte) bool {
	for _, v := range values {
		if !bytes.HasPrefix(last, v) {
			return false
		}
		last = last[len(v):]
	}
	return true
}
