package pgwire

import (
	"bytes"
	"slices"
	"strings"

	"tenantrace/collector/event"
)

// maxKept is the most columns of a result that are kept.
const maxKept = 16

// columns is a row description: the columns that are kept, and where they stand in a row.
type columns struct {
	kept    []event.Column
	at      []uint16 // index in the row, ascending
	types   []uint32 // type OIDs
	formats []byte   // format codes
	partial bool     // a column that should be kept may be missing
	text    string   // of the statement, if it may ask for all columns of a table
	told    bool     // a result has said that it came whole, or need not
}

// describe reads a RowDescription. text is the SQL that it is the result of, "" if that is not known; nothing is learned from it
// unless the text shows that a wanted name is no alias.
func (s *Session) describe(body []byte, cut bool, text string) *columns {
	if s.unproven {
		return &columns{partial: true}
	}
	d := s.descriptions.begin()
	c := cursor{b: body}
	n := int(c.uint16())
	var found []relationColumn
	plain := plainNames{text: text}
	one, all := uint32(0), false // whether all columns belong to one table that there is something to learn of
	for i := range n {
		name := c.text()
		table, attr := c.uint32(), int16(c.uint16())
		oid := c.uint32()
		c.next(6) // size and modifier of the type
		format := c.uint16()
		if c.bad {
			cut = true
			break
		}
		if i == 0 {
			one, all = table, s.tables.curious(table, text)
		}
		all = all && table == one
		known := s.cfg.Catalog.name(name)
		lower := known.lower
		by := ""
		if s.cfg.Wanted(lower) {
			by = lower
			if all && len(found) < maxKept {
				found = append(found, relationColumn{lower, i, oid})
			}
			// Only a name that is no alias says what the table's column is.
			if a := (attribute{table, attr}); table == 0 || attr <= 0 {
				table, attr = 0, 0
			} else if s.tables.news(a, lower) {
				if plain.has(lower) {
					s.tables.learn(a, lower)
				} else {
					table, attr = 0, 0
				}
			} else if !s.tables.is(a, lower) && !plain.has(lower) {
				table, attr = 0, 0
			}
		} else if table != 0 {
			a := attribute{table, attr}
			if by = s.tables.owner(a); by != "" && !s.cfg.Wanted(by) {
				by = ""
			}
			if by == "" && attr > 0 && lower != "" && text != "" && s.tables.look(a) {
				if is := labeled(text, lower, s.cfg.Wanted); is != "" {
					if s.tables.learn(a, is); s.tables.is(a, is) {
						by = is
					}
				}
			}
		}
		if by == "" {
			continue
		}
		if len(d.kept) == maxKept {
			d.partial = true
			continue
		}
		d.kept = append(d.kept, event.Column{Name: known.text, Table: table, Attr: attr, Owner: by})
		d.at = append(d.at, uint16(i))
		d.types = append(d.types, oid)
		d.formats = append(d.formats, byte(min(format, unreadable)))
	}
	if all && !cut {
		s.tables.learnRelation(text, one, n, found)
	}
	d.partial = d.partial || cut
	if strings.IndexByte(text, '*') >= 0 { // all columns of a table, perhaps: that none is wanted is news
		d.text = text
	} else if len(d.kept) == 0 && !d.partial {
		return s.answer.nothing()
	}
	return s.descriptions.end()
}

// plainNames remembers what plainName says of a text: a description may have one name many times.
type plainNames struct {
	text  string
	known [4]string
	plain [4]bool
	n     int
}

func (p *plainNames) has(name string) bool {
	if i := slices.Index(p.known[:p.n], name); i >= 0 {
		return p.plain[i]
	}
	plain := plainName(p.text, name)
	if p.n < len(p.known) {
		p.known[p.n], p.plain[p.n] = name, plain
		p.n++
	}
	return plain
}

// equal tells whether d and other say the same.
func (d *columns) equal(other *columns) bool {
	return d.partial == other.partial && d.text == other.text && slices.Equal(d.at, other.at) && slices.Equal(d.types, other.types) && bytes.Equal(d.formats, other.formats) && slices.Equal(d.kept, other.kept)
}

// descriptions holds the last ones of a session, so that those which come again take no memory: what they are given to reads them, and notes that it was told.
type descriptions struct {
	made columns // the one being made
	last [4]*columns
	next int
}

// begin gives an empty one to make.
func (m *descriptions) begin() *columns {
	d := &m.made
	*d = columns{kept: d.kept[:0], at: d.at[:0], types: d.types[:0], formats: d.formats[:0]}
	return d
}

// end gives the one that was made.
func (m *descriptions) end() *columns {
	for _, d := range m.last {
		if d != nil && d.equal(&m.made) {
			d.told = false // it came anew
			return d
		}
	}
	d := m.made.clone()
	m.last[m.next] = d
	m.next = (m.next + 1) % len(m.last)
	return d
}

func (d *columns) clone() *columns {
	c := *d
	c.kept, c.at, c.types, c.formats = slices.Clone(d.kept), slices.Clone(d.at), slices.Clone(d.types), bytes.Clone(d.formats)
	return &c
}
