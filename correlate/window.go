package correlate

import "slices"

// maxCandidates is how many requests a statement is compared with.
const maxCandidates = 1024

// window holds the requests of a process that may cause a statement now: the open ones, and those that ended no longer ago than work may go on
// after a response.
type window struct {
	list    []*request // by number; some may have left already
	ended   int        // of list
	next    int64      // when the first ended one leaves; 0: none has ended
	shared  []*request // what was handed out last; never changed
	fresh   bool       // nothing came or left since
	missing int64      // until when one is missing that had to leave
	crowd   int        // ended ones at which to look which have left
}

func (w *window) add(r *request) {
	w.list = append(w.list, r)
	w.fresh = false
}

// end notes when a request leaves. Past limit ended ones the older half leaves at once.
func (w *window) end(r *request, until, now int64, limit int) (evicted int) {
	r.until = until
	w.ended++
	if w.next == 0 || until < w.next {
		w.next = until
	}
	if w.ended <= limit && w.ended <= w.crowd {
		return 0
	}
	w.prune(now)
	w.crowd = min(2*w.ended+64, limit)
	if w.ended <= limit {
		return 0
	}
	w.fresh = false
	w.list = slices.DeleteFunc(w.list, func(r *request) bool {
		if r.until == 0 || w.ended <= limit/2 {
			return false
		}
		w.ended--
		evicted++
		w.missing = max(w.missing, r.until)
		return true
	})
	return evicted
}

// prune takes out what has left.
func (w *window) prune(now int64) {
	if w.next == 0 || now < w.next {
		return
	}
	w.fresh = false
	w.next, w.ended = 0, 0
	w.list = slices.DeleteFunc(w.list, func(r *request) bool {
		switch {
		case r.until == 0:
			return false
		case r.until <= now:
			return true
		}
		w.ended++
		if w.next == 0 || r.until < w.next {
			w.next = r.until
		}
		return false
	})
}

// at returns the requests, by number, for the caller to keep but not to change; ok is false if they are too many.
func (w *window) at(now int64) (members []*request, ok bool) {
	if len(w.list)-w.ended > maxCandidates {
		return nil, false
	}
	w.prune(now)
	if len(w.list) > maxCandidates {
		return nil, false
	}
	if !w.fresh {
		w.shared, w.fresh = slices.Clone(w.list), true
	}
	return w.shared, true
}

// lingers tells whether work for a request may go on: it is open, or ended a short time ago.
func (r *request) lingers(now int64) bool { return r.until == 0 || r.until > now }

// common returns the requests that are in both lists, each by number.
func common(a, b []*request) []*request {
	out := make([]*request, 0, min(len(a), len(b)))
	for i, k := 0, 0; i < len(a) && k < len(b); {
		switch {
		case a[i] == b[k]:
			out = append(out, a[i])
			i++
			k++
		case a[i].no < b[k].no:
			i++
		default:
			k++
		}
	}
	return out
}
