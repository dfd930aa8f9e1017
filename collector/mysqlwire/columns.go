package mysqlwire

import (
	"bytes"

	"tenantrace/collector/event"
)

// Limits of a result's description.
const (
	maxKept    = 16   // columns that are kept
	maxColumns = 4096 // that the server can send
	// keepDefinition is enough for six names.
	keepDefinition = 4 << 10
)

// column is what of a definition says how a value is read.
type column struct {
	kind     byte
	unsigned bool
	charset  uint16
}

// columns is a description of a result: the columns that are kept, and where they stand in a row.
type columns struct {
	kept    []event.Column
	at      []uint16 // index in the row, ascending
	as      []column // of the kept ones
	types   []byte   // of all up to the last kept one
	n       int      // columns of a row
	partial bool     // a column that should be kept may be missing
}

// size is about what d takes in memory, beside names, which are shared.
func (d *columns) size() int { return 64 + 128*len(d.kept) + len(d.types) }

// flagUnsigned is the flag of a column whose numbers have no sign.
const flagUnsigned = 32

// define reads the definition of the next column (ColumnDefinition41).
func (s *Session) define(p *pending, body []byte, cut bool) {
	a := &s.answer
	c := cursor{b: body}
	c.str() // the catalogue, always "def"
	database := c.str()
	c.str() // the table's alias
	orgTable, alias, orgName := c.str(), c.str(), c.str()
	if len(c.b) > 13 || len(c.b) > 0 && c.b[0] != 12 {
		c.str() // MariaDB's extended type information
	}
	c.next(1)
	charset := c.uint16()
	c.next(4)
	kind := c.uint8()
	flags := c.uint16()
	i := a.defined
	a.defined++
	a.types = append(a.types, kind)
	if c.bad {
		if !cut {
			a.broken = true
		}
		a.partial = true
		return
	}
	named, org := s.cfg.Names.name(alias), name{}
	owner := ""
	if s.cfg.Wanted(named.lower) {
		owner = named.lower
	}
	if same := bytes.Equal(orgName, alias); same {
		org = named
	} else if len(orgName) > 0 {
		if org = s.cfg.Names.name(orgName); s.cfg.Wanted(org.lower) {
			owner = org.lower
		}
	}
	real := owner != "" && owner == org.lower
	if owner == "" || s.unproven {
		return
	}
	if len(a.kept) == maxKept {
		a.partial = true
		return
	}
	col := event.Column{Name: named.text, Owner: owner}
	if len(database) > 0 && len(orgTable) > 0 && len(orgName) > 0 {
		table := s.cfg.Names.name(orgTable).text
		if s.real(p, table, org.text) {
			col.Database, col.OrgTable, col.OrgName = s.cfg.Names.name(database).text, table, org.text
			if real {
				col.Table = tableHash(database, orgTable)
			}
		}
	}
	a.kept = append(a.kept, col)
	a.at = append(a.at, uint16(i))
	a.as = append(a.as, column{kind: kind, unsigned: flags&flagUnsigned != 0, charset: charset})
}

// described gives the description that define made.
func (s *Session) described() *columns {
	a := &s.answer
	partial := a.partial || s.unproven
	d := &a.noKept
	if len(a.kept) > 0 {
		d = &columns{kept: a.kept, at: a.at, as: a.as, types: bytes.Clone(a.types[:int(a.at[len(a.at)-1])+1])}
	} else if partial {
		d = new(columns)
	}
	if len(a.kept) > 0 || partial {
		d.n, d.partial = a.defined, partial
	}
	a.undefine()
	return d
}

// undefine forgets the definitions read.
func (a *answer) undefine() {
	a.kept, a.at, a.as, a.types = nil, nil, nil, a.types[:0]
	a.defined, a.partial = 0, false
}

// tableHash gives a number for a table, which the protocol has not (FNV-1a). It is not 0.
func tableHash(database, table []byte) uint32 {
	h := uint64(14695981039346656037)
	for _, part := range [][]byte{database, {0}, table} {
		for _, b := range part {
			h = (h ^ uint64(b)) * 1099511628211
		}
	}
	if v := uint32(h>>32) ^ uint32(h); v != 0 {
		return v
	}
	return 1
}
