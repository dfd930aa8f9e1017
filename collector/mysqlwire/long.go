package mysqlwire

import "tenantrace/collector/event"

// addLong adds a part of a value that comes in messages of its own. Of too many or too long values only that they were sent is kept.
func (p *prepared) addLong(st *statement, param int, part []byte, cut bool) {
	for i := range st.long {
		if st.long[i].param == param {
			p.growLong(st, &st.long[i], part, cut)
			return
		}
	}
	if len(st.long) == maxLong {
		// Which parameters have a value of their own decides where the values of the others stand.
		st.lostLong = true
		return
	}
	st.long = append(st.long, long{param: param})
	p.growLong(st, &st.long[len(st.long)-1], part, cut)
}

func (p *prepared) growLong(st *statement, l *long, part []byte, cut bool) {
	if l.cut = l.cut || cut || len(l.value)+len(part) > maxValue; l.cut {
		part = nil
	}
	if len(part) > 0 && !p.holdFor(st, len(part)) {
		l.cut = true
		return
	}
	l.value = append(l.value, part...)
}

// forgetLong notes that the values are spent: by an execution, or by COM_STMT_RESET.
func (p *prepared) forgetLong(st *statement) {
	for i := range st.long {
		n := len(st.long[i].value)
		st.held -= n
		p.held -= n
	}
	st.long, st.lostLong = nil, false
}

// longValue gives the value of a parameter that came in messages of its own; nil if it did not.
func (st *statement) longValue(param int) *long {
	for i := range st.long {
		if st.long[i].param == param {
			return &st.long[i]
		}
	}
	return nil
}

// whole gives the value as an event has it.
func (l *long) whole() event.Param {
	if l.cut {
		return event.Param{}
	}
	return stringParam(l.value)
}
