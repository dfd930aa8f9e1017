package correlate

import (
	"iter"
	"slices"

	"tenantrace/collector/event"
)

// sessionDatabase takes in which database names without one mean from now on.
func (e *Engine) sessionDatabase(ev *event.SessionDatabase) {
	c, ok := e.conns.Get(ev.Conn)
	if !ok || c.db == nil || c.db.database == ev.Database {
		return
	}
	c.db.forgetLooks() // its names mean other tables
	c.db.database = ev.Database
	c.db.tables = e.database(c)
}

// sessionUnreadable counts a session whose statements are not seen. A recording may be of another version, with reasons that this one does not know.
func (e *Engine) sessionUnreadable(ev *event.SessionUnreadable) {
	if slices.Contains(event.UnreadableReasons[:], ev.Reason) {
		e.metrics.unreadable.WithLabelValues(string(ev.Reason)).Inc()
	}
}

// values gives what a parameter is bound to: one value, or of a bulk execution one for each of its sets.
func (r *reading) values(index int) iter.Seq[param] {
	return func(yield func(param) bool) {
		if r.named || len(r.sets) == 0 && !r.setsCut {
			yield(r.param(index))
			return
		}
		for _, set := range r.sets {
			one := reading{binds: set}
			if !yield(one.param(index)) {
				return
			}
		}
		if r.setsCut {
			yield(param{})
		}
	}
}
