package mysqlwire

import "tenantrace/collector/event"

// maxPending is the most commands whose answers are awaited. A pipeline that is longer loses the session.
const maxPending = 1 << 12

// expectation is the kind of answer that a command asks for.
type expectation uint8

const (
	expectLogin   expectation = iota // an exchange that ends with OK
	expectUser                       // the same, of COM_CHANGE_USER
	expectSession                    // OK, of COM_RESET_CONNECTION
	expectDB                         // OK, of COM_INIT_DB
	expectOK                         // OK or EOF
	expectText                       // one message of any kind
	expectFields                     // definitions of columns, EOF
	expectPrepare                    // OK of its own kind, definitions of parameters and columns
	expectQuery                      // results as text
	expectExecute                    // results as binary
	expectFetch                      // rows of a cursor
)

// pending is a command whose answer is awaited.
type pending struct {
	kind      expectation
	next      byte   // number of the server's next packet
	seq       uint64 // of the Statement
	index     int    // of a Query: the next result's
	statement *statement
	text      string // of a Query or a Prepare, as far as the budget of the session allows
	cut       bool   // text is not all
	script    script // of a Query: where the statement is that is being answered
	user      string // of COM_CHANGE_USER
	database  string // of COM_CHANGE_USER and COM_INIT_DB
	unknown   bool   // they were not captured
	traced    int    // bytes of text that were read to tell where columns come from
}

// sql gives the text of p; false if it is not wholly known.
func (p *pending) sql() (string, bool) {
	if st := p.statement; st != nil {
		return st.text, st.known && !st.cut
	}
	return p.text, p.kind == expectQuery && !p.cut
}

// queue is a ring of pending commands, oldest first. Its length is a power of two.
type queue struct {
	ring []pending
	from int
	n    int
}

func (q *queue) at(i int) *pending { return &q.ring[(q.from+i)&(len(q.ring)-1)] }

// head is the command that the server answers now, nil if there is none.
func (q *queue) head() *pending {
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
		ring := make([]pending, max(1, 2*len(q.ring)))
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
	if q.n == 0 && len(q.ring) > 8 {
		q.ring, q.from = nil, 0
	}
}

// expect notes that the server will answer p.
func (s *Session) expect(h event.Header, p pending) {
	p.next = s.front.seq + 1
	if !s.commands.push(p) {
		// p's own statement, if it is one, is the only one in flight that the queue does not know.
		s.lose(h)
		s.unseen(h, &p)
	}
}

// done removes the head and gives back what it held.
func (s *Session) done() {
	s.prepared.held -= len(s.commands.at(0).text)
	s.commands.pop()
	s.answer.reset()
	s.unproven = false
}

// abandon ends everything in flight as unseen.
func (s *Session) abandon(h event.Header) {
	for p := s.commands.head(); p != nil; p = s.commands.head() {
		s.unseen(h, p)
		if p.kind == expectPrepare {
			s.prepared.drop(p.statement)
		}
		s.done()
	}
	s.answer.reset()
	s.infile = false
}

// unseen ends the statement of p, if it has one. What came of its answer is kept.
func (s *Session) unseen(h event.Header, p *pending) {
	if p.seq == 0 {
		return
	}
	r := s.result(h, p)
	r.Last, r.Unseen = true, true
	s.emit(r)
}
