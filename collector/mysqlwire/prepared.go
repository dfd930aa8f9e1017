package mysqlwire

import "tenantrace/collector/event"

// Limits of what a session remembers of prepared statements. What is evicted is executed without a text.
const (
	maxStatements = 1024
	maxHeld       = 1 << 20 // bytes of SQL text, types, columns and long values
	maxLong       = 16      // parameters of a statement whose values come in messages of their own, and are kept
)

// statement is a prepared statement.
type statement struct {
	id       uint32
	text     string
	cut      bool // text is only the beginning
	known    bool // text is what was prepared
	counted  bool // params is known
	params   int
	types    []byte   // of the parameters, two bytes each, as they were bound last; nil unknown
	columns  *columns // of its result; nil: not described
	long     []long
	lostLong bool          // more parameters than maxLong have long values: nothing is known of the next execution
	cursor   []event.Param // what the open cursor was opened with
	gone     bool          // no number leads to it: nothing more may be held for it
	held     int
	// The statements that were used before and after this one.
	older, newer *statement
}

// long is a value that came in messages of its own.
type long struct {
	param int
	value []byte
	cut   bool
}

// prepared holds a session's statements by number.
type prepared struct {
	statements map[uint32]*statement
	last       *statement // the one that was prepared last, or is about to be
	recency    recency    // of statements
	held       int
}

// forget drops everything but what the commands in flight hold.
func (p *prepared) forget() {
	for _, st := range p.statements {
		p.release(st)
	}
	p.release(p.last)
	p.statements, p.recency, p.last = nil, recency{}, nil
}

// hold takes n bytes from the budget, evicting statements for it; false if there is not enough.
func (p *prepared) hold(n int) bool {
	for p.held+n > maxHeld && len(p.statements) > 0 {
		p.evict()
	}
	return p.spare(n)
}

// spare is hold without evicting anything.
func (p *prepared) spare(n int) bool {
	if p.held+n > maxHeld {
		return false
	}
	p.held += n
	return true
}

// holdFor is hold on behalf of a statement; false if there is not enough, or it is gone.
func (p *prepared) holdFor(st *statement, n int) bool {
	if st.gone || !p.hold(n) {
		return false
	}
	if st.gone { // evicted for its own sake
		p.held -= n
		return false
	}
	st.held += n
	return true
}

// paramSize is about what a value takes beside its bytes.
const paramSize = 24

// openCursor keeps the values of an execution for the fetches that follow; nil forgets those of the one before.
func (p *prepared) openCursor(st *statement, params []event.Param) {
	size := func(params []event.Param) (n int) {
		for i := range params {
			n += paramSize + len(params[i].Value)
		}
		return n
	}
	n := size(st.cursor)
	st.held -= n
	p.held -= n
	if st.cursor = nil; p.holdFor(st, size(params)) {
		st.cursor = params
	}
}

// lastPrepared is the number that stands for the statement that was prepared last (MariaDB).
const lastPrepared = 1<<32 - 1

// statement finds a statement, or makes one whose text is not known.
func (p *prepared) statement(id uint32) *statement {
	if id == lastPrepared {
		if p.last == nil {
			return &statement{gone: true}
		}
		return p.last
	}
	st := p.statements[id]
	if st == nil {
		st = &statement{id: id}
		p.insert(st)
	}
	p.recency.use(st)
	return st
}

// insert puts st under its number.
func (p *prepared) insert(st *statement) {
	if p.statements == nil {
		p.statements = make(map[uint32]*statement)
	}
	if old := p.statements[st.id]; old != nil {
		p.take(old)
		if old != st {
			p.release(old)
		}
	}
	for len(p.statements) >= maxStatements {
		p.evict()
	}
	p.statements[st.id] = st
	p.recency.add(st)
}

// take takes st away from its number, if it has it.
func (p *prepared) take(st *statement) {
	if p.statements[st.id] == st {
		delete(p.statements, st.id)
		p.recency.remove(st)
	}
}

// close forgets the statement of a number.
func (p *prepared) close(id uint32) {
	st := p.statements[id]
	if id == lastPrepared {
		st = p.last
	}
	if st != nil {
		p.drop(st)
	}
}

// drop forgets a statement.
func (p *prepared) drop(st *statement) {
	p.take(st)
	if p.last == st {
		p.last = nil
	}
	p.release(st)
}

// release gives back what st holds. Its text is no longer known.
func (p *prepared) release(st *statement) {
	if st == nil {
		return
	}
	p.held -= st.held
	*st = statement{id: st.id, gone: true}
}

// evict drops the least recently used statement.
func (p *prepared) evict() {
	if st := p.recency.oldest; st != nil {
		p.drop(st)
	}
}
