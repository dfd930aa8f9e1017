package mysqlwire

import (
	"slices"

	"tenantrace/collector/event"
)

// Indicators of a value in COM_STMT_BULK_EXECUTE (MariaDB).
const (
	bulkValue   = 0
	bulkNull    = 1
	bulkDefault = 2
	bulkIgnore  = 3 // leave the column as it is
	bulkNoRow   = 4
)

// bulk acts on COM_STMT_BULK_EXECUTE: a statement's number, flags, types, and any number of parameter sets, each value behind an indicator.
func (s *Session) bulk(h event.Header, body []byte, cut bool) {
	c := cursor{b: body}
	st := &statement{gone: true}
	id, flags := c.uint32(), c.uint16()
	if !c.bad {
		st = s.prepared.statement(id)
	}
	e := &event.Statement{}
	n := st.params
	if !st.counted {
		n = placeholders(st.text)
	}
	if flags&bulkTypes != 0 {
		s.bindTypes(&c, st, n, n, false)
	}
	if n == 0 || c.bad || len(st.types) != 2*n || st.cut || !st.known {
		e.SetsCut = true
	} else {
		s.readSets(&c, st, n, e)
		e.SetsCut = e.SetsCut || cut || c.bad
		if !st.counted && c.bad && !cut { // the number of parameters was a wrong guess
			e.Sets, e.Params = nil, nil
		}
	}
	if e.SetsCut { // another set may differ
		for i := range e.Params {
			e.Params[i] = event.Param{}
		}
	}
	s.executed(h, st, e)
}

// readSets reads the parameter sets.
func (s *Session) readSets(c *cursor, st *statement, n int, e *event.Statement) {
	set := make([]event.Param, n)
	for len(c.b) > 0 {
		for i := range set {
			set[i] = event.Param{}
			switch c.uint8() {
			case bulkValue:
				set[i] = s.param(c, st.types[2*i], st.types[2*i+1])
			case bulkNull:
				set[i] = event.Param{Null: true, Known: true}
			case bulkDefault, bulkIgnore, bulkNoRow:
			default:
				c.bad = true
			}
			if c.bad {
				return
			}
		}
		if slices.ContainsFunc(e.Sets, func(other []event.Param) bool { return slices.Equal(other, set) }) {
			continue
		}
		if len(e.Sets) == event.MaxRows {
			e.SetsCut = true
			return
		}
		e.Sets = append(e.Sets, slices.Clone(set))
		if e.Params == nil {
			e.Params = slices.Clone(set)
		}
		for i := range set {
			if set[i] != e.Params[i] {
				e.Params[i] = event.Param{}
			}
		}
	}
}
