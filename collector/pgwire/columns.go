package pgwire

import (
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
}

// describe reads a RowDescription. text is the SQL that it is the result of, "" if that is not known; nothing is learned from it
// unless the text shows that a wanted name is no alias.
func (s *Session) describe(body []byte, cut bool, text string) *columns {
	if s.unproven {
		return &columns{partial: true}
	}
	var d *columns
	c := cursor{b: body}
	n := int(c.uint16())
	var found []relationColumn
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
		lower := strings.ToLower(known)
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
				if plainName(text, lower) {
					s.tables.learn(a, lower)
				} else {
					table, attr = 0, 0
				}
			} else if !s.tables.is(a, lower) && !plainName(text, lower) {
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
		if d == nil {
			d = &columns{}
		}
		if len(d.kept) == maxKept {
			d.partial = true
			continue
		}
		d.kept = append(d.kept, event.Column{Name: known, Table: table, Attr: attr, Owner: by})
		d.at = append(d.at, uint16(i))
		d.types = append(d.types, oid)
		d.formats = append(d.formats, byte(min(format, unreadable)))
	}
	if all && !cut {
		s.tables.learnRelation(text, one, n, found)
	}
	switch {
	case d != nil:
		d.partial = d.partial || cut
	case cut:
		d = &columns{partial: true}
	default:
		d = s.answer.nothing()
	}
	return d
}
