package pgwire

import (
	"strings"

	"tenantrace/collector/event"
)

// keepCopy is how much is kept of CopyInResponse and its like: the format of the whole and the number of columns.
const keepCopy = 3

// beginCopy acts on CopyInResponse and CopyOutResponse: what was asked for says what the data is, if it was seen.
func (s *Session) beginCopy(p *pending, out bool, body []byte) {
	a := &s.answer
	a.reset()
	a.ready = true
	a.copy = event.CopyIn
	if out {
		a.copy = event.CopyOut
	}
	text := p.sql()
	c := cursor{b: body}
	coded, n := c.uint8() == 1, int(c.uint16())
	of, ok := readCopy(text)
	if c.bad || !ok || of.out != out || of.partly && !out || coded != (of.format == 'b') || s.wide && of.encoding == "" || wide(of.encoding) || s.backslashes && strings.Contains(text, `\`) ||
		!out && s.early || s.unproven {
		a.cut = true
		return
	}
	rel := s.tables.relation(of.table)
	resolve := func(names []string) *columns { return s.copied(&of, rel, names) }
	switch names := of.columns; {
	case names != nil && len(names) == n:
		a.columns = resolve(names)
	case names == nil && of.table != "" && rel != nil && rel.total == n:
		a.columns = s.copiedAll(rel)
	case names == nil && of.header && (out || of.match):
		a.copied = newCopyRows(of, a, resolve)
		return
	default:
		a.cut = true
		return
	}
	if len(a.columns.kept) > 0 {
		a.copied = newCopyRows(of, a, nil)
	}
}

// copied gives the wanted ones among the named columns. Those of a query's result have only their names to speak for them.
func (s *Session) copied(of *copyText, rel *relation, names []string) *columns {
	d := &columns{}
	for i, name := range names {
		lower := strings.ToLower(name)
		if !s.cfg.Wanted(lower) {
			continue
		}
		if len(d.kept) == maxKept {
			d.partial = true
			break
		}
		d.add(rel, name, lower, i, rel.typeOf(lower))
	}
	return d
}

// copiedAll gives the wanted columns of a table all of whose columns are copied.
func (s *Session) copiedAll(rel *relation) *columns {
	d := &columns{}
	for _, c := range rel.wanted {
		if c.at >= 0 {
			d.add(rel, c.name, c.name, c.at, c.oid)
		}
	}
	return d
}

func (d *columns) add(rel *relation, name, owner string, at int, oid uint32) {
	column := event.Column{Name: name, Owner: owner}
	if rel != nil {
		column.Table = rel.oid
	}
	d.kept = append(d.kept, column)
	d.at = append(d.at, uint16(at))
	d.types = append(d.types, oid)
	d.formats = append(d.formats, 0)
}

// copyData takes a piece of the body of a CopyData message, and gap bytes of it that were not captured.
func (s *Session) copyData(data []byte, gap int) {
	r := s.answer.copied
	if r == nil {
		return
	}
	r.feed(data)
	if gap > 0 {
		r.gap(gap)
	}
}
