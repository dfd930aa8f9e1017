package correlate

import "tenantrace/collector/event"

// answered is what was seen of the answer, of one that was not seen whole as well: its rows are rows.
func (u *unit) answered(result *event.Result) *event.Result {
	if result != nil {
		return result
	}
	return u.part
}

// ofCopy tells whether a result's columns are those of the one table that a COPY names.
func (u *unit) ofCopy(r *reading, result *event.Result) bool {
	return (result.Copy == event.CopyIn || result.Copy == event.CopyOut) && r.does != nil && len(r.does.Relations) == 1 && len(u.relations) == 1
}

func copySource(result *event.Result) source {
	if result.Copy == event.CopyIn {
		return fromWritten
	}
	return fromRow
}
