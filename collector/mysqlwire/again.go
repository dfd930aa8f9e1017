package mysqlwire

import "hash/maphash"

// described is what made a description of a result: the definitions as they were sent, with the numbers of their packets, and the text that they are the result of.
// Both are too long to be kept; their hashes have a seed that nobody outside knows.
type described struct {
	definitions, text uint64
	size, length      int // of both
	known             bool
	noBackslash       bool
}

// descriptions holds the last ones of a session: a statement that comes again is described again, in the same words.
type descriptions struct {
	last [4]struct {
		from described
		d    *columns
	}
	next int
}

func (m *descriptions) find(from described) *columns {
	for i := range m.last {
		if m.last[i].from == from {
			return m.last[i].d
		}
	}
	return nil
}

func (m *descriptions) add(from described, d *columns) {
	m.last[m.next].from, m.last[m.next].d = from, d
	m.next = (m.next + 1) % len(m.last)
}

// wholeDefinitions passes over the definitions at the beginning of data if they are there as a whole and are known, and returns what follows them.
func (s *Session) wholeDefinitions(data []byte) []byte {
	a, st := &s.answer, &s.back
	if a.step != stepColumns || a.defined > 0 || st.have > 0 || st.open || s.phase != running || s.unproven || s.trails {
		return data
	}
	p := s.commands.head()
	if p == nil || p.kind != expectQuery && p.kind != expectExecute {
		return data
	}
	at := 0
	for i := range a.todo {
		if len(data)-at <= headerSize || data[at+3] != p.next+byte(i) || data[at+headerSize] == headError {
			return data
		}
		size := int(data[at]) | int(data[at+1])<<8 | int(data[at+2])<<16
		if at += headerSize + size; size == 0 || size > keepDefinition || at > len(data) {
			return data
		}
	}
	text, known := p.sql()
	a.from = described{
		maphash.Bytes(s.cfg.Names.seed, data[:at]), maphash.String(s.cfg.Names.seed, text), at, len(text), known, s.noBackslash,
	}
	d := s.descriptions.find(a.from)
	if d == nil {
		return data
	}
	p.next += byte(a.todo)
	if p.statement != nil {
		s.prepared.setColumns(p.statement, d)
	}
	a.columns, a.step, a.todo = d, stepColumnsEnd, 0
	return data[at:]
}
