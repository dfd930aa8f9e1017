package pgwire

import (
	"strings"

	"tenantrace/collector/event"
)

// keepCopy is how much is kept of CopyInResponse and its like: the format of the whole and the number of columns.
const keepCopy = 3

// copyPlan is how the data of a COPY is read.
type copyPlan struct {
	of      copyText
	n       int // columns; -1: any number
	columns *columns
	resolve func(names []string) *columns // instead of columns: the first line names them
}

// planCopy finds out how to read the data of what text asks for; nil if that is not known. n is the number of columns, -1 if it is not known yet.
func (s *Session) planCopy(text string, out bool, n int) *copyPlan {
	of, ok := readCopy(text)
	if !ok || of.out != out || of.partly && !out || s.wide && of.encoding == "" || wide(of.encoding) || s.backslashes && strings.Contains(text, `\`) || s.unproven {
		return nil
	}
	rel := s.tables.relation(of.table)
	switch names := of.columns; {
	case names != nil:
		return &copyPlan{of: of, n: len(names), columns: s.copied(rel, names)}
	case of.table != "" && rel != nil && rel.total > 0 && (n < 0 || n == rel.total):
		return &copyPlan{of: of, n: rel.total, columns: s.copiedAll(rel)}
	case of.header && (out || of.match):
		return &copyPlan{of: of, n: -1, resolve: func(names []string) *columns { return s.copied(rel, names) }}
	}
	return nil
}

// begin makes a the answer that the data goes to.
func (p *copyPlan) begin(a *answer, direction event.CopyDirection) {
	a.ready, a.copy = true, direction
	switch {
	case p == nil:
		a.cut = true
	case p.resolve != nil:
		a.copied = newCopyRows(p.of, a, p.resolve)
	default:
		if a.columns = p.columns; len(p.columns.kept) > 0 {
			a.copied = newCopyRows(p.of, a, nil)
		}
	}
}

// beginCopy acts on CopyInResponse and CopyOutResponse: what was asked for says what the data is, if it was seen.
func (s *Session) beginCopy(p *pending, out bool, body []byte) {
	c := cursor{b: body}
	coded, n := c.uint8() == 1, int(c.uint16())
	a := &s.answer
	a.reset()
	if out {
		plan := s.planCopy(p.sql(), true, n)
		if plan != nil && (c.bad || !plan.fits(n, coded)) {
			plan = nil
		}
		direction := event.CopyOut
		if plan == nil || plan.of.table == "" {
			direction = event.CopyQuery
		}
		plan.begin(a, direction)
		return
	}
	plan := s.planCopy(p.sql(), false, n)
	if early := s.early; early != nil {
		plan = nil
		if early.seq == p.seq && early.plan.fits(n, coded) && !c.bad {
			*a = early.answer
			if a.copied != nil {
				a.copied.answer = a
			}
			s.early = nil
			return
		}
	}
	if plan != nil && (c.bad || !plan.fits(n, coded) || !s.copying) {
		plan = nil
	}
	plan.begin(a, event.CopyIn)
}

// fits tells whether the server's word of the data agrees with the plan.
func (p *copyPlan) fits(n int, coded bool) bool {
	return p != nil && (p.n == n || p.n < 0) && coded == (p.of.format == 'b')
}

// earlyCopy is COPY data that a client sends before the server has asked for it, as asyncpg does.
type earlyCopy struct {
	seq    uint64 // of the statement that it belongs to
	plan   *copyPlan
	answer answer
}

// copyEarly tells whether the data that the client begins to send before the server asks for it belongs to the last statement that it sent, and is read.
func (s *Session) copyEarly() bool {
	var p *pending
	if s.queue.n > 0 {
		p = s.queue.at(s.queue.n - 1)
	}
	if p == nil || p.seq == 0 || s.skipping {
		s.early = &earlyCopy{} // nobody's: what comes later is not the beginning
		return false
	}
	if s.early == nil || s.early.seq != p.seq {
		s.early = &earlyCopy{seq: p.seq, plan: s.planCopy(p.sql(), false, -1)}
		s.early.plan.begin(&s.early.answer, event.CopyIn)
	}
	return s.early.answer.copied != nil
}

// copied gives the wanted ones among the named columns. Those of a query's result have only their names to speak for them.
func (s *Session) copied(rel *relation, names []string) *columns {
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

// copyReader gives the reader of the data that the client sends, nil if there is none.
func (s *Session) copyReader() *copyRows {
	switch {
	case s.copying:
		return s.answer.copied
	case s.early != nil:
		return s.early.answer.copied
	}
	return nil
}

// piece takes a piece of the body of a CopyData message, and gap bytes of it that were not captured.
func (r *copyRows) piece(data []byte, gap int) {
	if r == nil {
		return
	}
	r.feed(data)
	if gap > 0 {
		r.gap(gap)
	}
}
