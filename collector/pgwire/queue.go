package pgwire

import "tenantrace/collector/event"

// maxPending is the most messages of a client whose answers are awaited. A pipeline that is longer loses the session.
const maxPending = 1 << 15

// expectation is the kind of answer that a client's message asks for.
type expectation uint8

const (
	expectStartup       expectation = iota // Authentication …, ReadyForQuery
	expectQuery                            // of Query: results, ReadyForQuery
	expectParse                            // ParseComplete
	expectBind                             // BindComplete
	expectDescription                      // of a statement: ParameterDescription, RowDescription or NoData
	expectPortalColumns                    // of Describe of a portal: RowDescription or NoData
	expectExecute                          // rows, CommandComplete or its like
	expectClose                            // CloseComplete
	expectSync                             // ReadyForQuery
	expectFunction                         // FunctionCallResponse, ReadyForQuery
	expectNothing                          // CopyDone, CopyFail: no answer of their own
)

// pending is a client's message whose answer is awaited.
type pending struct {
	kind      expectation
	failed    bool   // of a Query: an error was its answer, nothing but ReadyForQuery follows
	index     int    // of a Query: the next result's
	seq       uint64 // of the Statement
	statement *statement
	portal    *portal
	text      string // of a Query, as far as the budget of the session allows
}

// queue is a ring of pending messages, oldest first. Its length is a power of two.
type queue struct {
	ring []pending
	from int
	n    int
}

func (q *queue) at(i int) *pending { return &q.ring[(q.from+i)&(len(q.ring)-1)] }

// head is the message that the server answers now, nil if there is none.
func (q *queue) head() *pending {
	for q.n > 0 && q.at(0).kind == expectNothing {
		q.pop()
	}
	if q.n == 0 {
		return nil
	}
	return q.at(0)
}

// push appends p; false if there are too many.
func (q *queue) push(p pending) bool {
	if q.n >= maxPending {
		return false
	}
	if q.n == len(q.ring) {
		ring := make([]pending, max(8, 2*len(q.ring)))
		for i := range q.n {
			ring[i] = *q.at(i)
		}
		q.ring, q.from = ring, 0
	}
	q.n++
	*q.at(q.n - 1) = p
	return true
}

// pop removes the head. The room of a long pipeline is given back once it is empty.
func (q *queue) pop() {
	*q.at(0) = pending{}
	q.from = (q.from + 1) & (len(q.ring) - 1)
	q.n--
	if q.n == 0 && len(q.ring) > 64 {
		q.ring, q.from = nil, 0
	}
}

// dropIgnoredSyncs removes what a server that has begun to take COPY data for the head ignores: the Syncs sent before CopyDone or
// CopyFail. Anything else ends the COPY by an error. The head is in another place then. It reports whether the end of the data was already sent.
func (q *queue) dropIgnoredSyncs() (ended bool) {
	n := 0
	for ; n+1 < q.n && !ended; n++ {
		kind := q.at(n + 1).kind
		if kind != expectSync && kind != expectNothing {
			break
		}
		ended = kind == expectNothing
	}
	if n == 0 {
		return false
	}
	*q.at(n) = *q.at(0)
	for i := range n {
		*q.at(i) = pending{}
	}
	q.from = (q.from + n) & (len(q.ring) - 1)
	q.n -= n
	return ended
}

// expect notes that the server will answer p.
func (s *Session) expect(h event.Header, p pending) {
	if !s.queue.push(p) {
		// p's own statement, if it is one, is the only one in flight that the queue does not know.
		s.lose(h, FromClient)
		s.unseen(h, &p)
	}
}

// done removes the head and gives back what it held.
func (s *Session) done() {
	s.prepared.held -= len(s.queue.at(0).text)
	s.queue.pop()
}

// abandon ends everything in flight as unseen.
func (s *Session) abandon(h event.Header) {
	for head := s.queue.head(); head != nil; head = s.queue.head() {
		s.unseen(h, head)
		s.done()
	}
	s.answer.reset()
}

// unseen ends the statement of p, if it has one.
func (s *Session) unseen(h event.Header, p *pending) {
	if p.seq == 0 {
		return
	}
	r := s.result(h, p)
	r.Last = true
	if p.failed {
		r.None = true
	} else {
		r.Unseen = true
	}
	s.emit(r)
}
