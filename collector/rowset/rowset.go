// Package rowset keeps the distinct rows of a result that are evidence.
package rowset

import "bytes"

// Set holds distinct rows, encoded one behind the other: for each kept column a byte that is 0 for NULL, else 1 and the length and
// bytes of the value.
type Set struct {
	text []byte
	ends []int // of each row in text
}

// Count is the number of rows.
func (t *Set) Count() int { return len(t.ends) }

// Has tells whether a row is kept already. What comes next is most likely what came last.
func (t *Set) Has(tuple []byte) bool {
	end := len(t.text)
	for i := len(t.ends) - 1; i >= 0; i-- {
		from := 0
		if i > 0 {
			from = t.ends[i-1]
		}
		if bytes.Equal(t.text[from:end], tuple) {
			return true
		}
		end = from
	}
	return false
}

// Add takes in a row that it does not have.
func (t *Set) Add(tuple []byte) {
	t.text = append(t.text, tuple...)
	t.ends = append(t.ends, len(t.text))
}

// Reset forgets the rows. Much room is not kept for the next ones.
func (t *Set) Reset() {
	if cap(t.text) > 4096 {
		t.text = nil
	}
	t.text, t.ends = t.text[:0], t.ends[:0]
}

// Rows decodes the rows, which have n columns.
func (t *Set) Rows(n int) [][]*string {
	if len(t.ends) == 0 {
		return nil
	}
	text := string(t.text)
	rows := make([][]*string, len(t.ends))
	cells := make([]*string, n*len(rows))
	values := make([]string, len(cells))
	for i := range rows {
		rows[i], cells = cells[:n:n], cells[n:]
		for j := range rows[i] {
			null := text[0] == 0
			if text = text[1:]; null {
				continue
			}
			size := int(text[0])<<8 | int(text[1])
			values[0] = text[2 : 2+size]
			rows[i][j], values = &values[0], values[1:]
			text = text[2+size:]
		}
	}
	return rows
}

// Held is the room that the rows take.
func (t *Set) Held() []byte { return t.text }
