package correlate

// queue holds units in the order of their deadlines: each waits equally long. A unit is in one queue at most.
type queue struct {
	head, tail *unit
	n          int
}

func (q *queue) push(u *unit, deadline int64) {
	u.queue, u.deadline = q, deadline
	u.before, u.after = q.tail, nil
	if q.tail == nil {
		q.head = u
	} else {
		q.tail.after = u
	}
	q.tail = u
	q.n++
}

// remove takes a unit out, and tells whether it was in this queue.
func (q *queue) remove(u *unit) bool {
	if u.queue != q {
		return false
	}
	if u.before == nil {
		q.head = u.after
	} else {
		u.before.after = u.after
	}
	if u.after == nil {
		q.tail = u.before
	} else {
		u.after.before = u.before
	}
	u.queue, u.before, u.after = nil, nil, nil
	q.n--
	return true
}

// first takes out the unit that waits longest, nil if none does.
func (q *queue) first() *unit {
	u := q.head
	if u != nil {
		q.remove(u)
	}
	return u
}

// expired takes out a unit whose deadline has come, nil if there is none.
func (q *queue) expired(now int64) *unit {
	if q.head == nil || q.head.deadline > now {
		return nil
	}
	return q.first()
}

// restore gives the unit pushed last another deadline, and its place by that.
func (q *queue) restore(u *unit, deadline int64) {
	q.remove(u)
	next := q.head
	for next != nil && next.deadline <= deadline {
		next = next.after
	}
	if next == nil {
		q.push(u, deadline)
		return
	}
	u.queue, u.deadline = q, deadline
	u.before, u.after = next.before, next
	if next.before == nil {
		q.head = u
	} else {
		next.before.after = u
	}
	next.before = u
	q.n++
}
