package http1

// pending is a request without a complete response.
type pending struct {
	seq    uint64
	method methodKind
}

// methodKind is what the framing of a response depends on.
type methodKind uint8

const (
	otherMethod methodKind = iota
	headMethod
	connectMethod
	unknownMethod // the request line was not seen
)

// queue holds the open requests, oldest first.
type queue struct {
	items []pending
	first int
}

func (q *queue) len() int { return len(q.items) - q.first }

func (q *queue) oldest() pending { return q.items[q.first] }

func (q *queue) push(p pending) {
	if q.first > 0 && len(q.items) == cap(q.items) {
		q.items = q.items[:copy(q.items, q.items[q.first:])]
		q.first = 0
	}
	q.items = append(q.items, p)
}

func (q *queue) pop() pending {
	p := q.items[q.first]
	q.first++
	if q.first == len(q.items) {
		q.items, q.first = q.items[:0], 0
		if cap(q.items) > 64 { // a burst is over
			q.items = nil
		}
	}
	return p
}
