package pgwire

import "tenantrace/collector/event"

// Limits of what a session remembers of prepared statements and portals. What is evicted is executed without a text.
const (
	maxStatements = 1024
	maxPortals    = 32
	maxName       = 256     // bytes of a name; longer ones are not remembered
	maxHeld       = 1 << 20 // bytes of SQL text, parameter types and bind values
)

// statement is a prepared statement as its client knows it: it exists from its Parse, and is confirmed by ParseComplete.
type statement struct {
	name      string
	text      string
	cut       bool // text is only the beginning
	known     bool // text is what was prepared
	confirmed bool
	params    []uint32 // type OIDs, $1 first; 0 unspecified
	columns   *columns // of its result; nil: not described
	gone      bool     // no name leads to it: nothing more may be held for it
	held      int
	// The statements that were used before and after this one.
	older, newer *statement
	// before is the confirmed statement of the same name that remains if this one's Parse fails.
	before *statement
}

// portal is a bound statement.
type portal struct {
	name     string
	of       *statement
	text     string // of the statement, which may be replaced while the portal lives on
	cut      bool
	known    bool
	params   []event.Param
	formats  formats  // of its result, by Bind
	columns  *columns // by Describe of the portal
	executed bool
	held     int
	used     uint64
}

// prepared holds a session's statements and portals by name. The unnamed ones have fields of their own.
type prepared struct {
	statements map[string]*statement
	recency    recency // of statements
	portals    map[string]*portal
	unnamed    *statement
	current    *portal // the unnamed portal
	clock      uint64
	held       int
}

// forget drops everything.
func (p *prepared) forget() { *p = prepared{} }

// hold takes n bytes from the budget, evicting statements for it; false if there is not enough.
func (p *prepared) hold(n int) bool {
	for p.held+n > maxHeld && len(p.statements) > 0 {
		p.evictStatement()
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

// tick gives the time of use.
func (p *prepared) tick() uint64 {
	p.clock++
	return p.clock
}

// statement finds a statement, or makes one whose text is not known.
func (p *prepared) statement(name []byte) *statement {
	if len(name) == 0 {
		if p.unnamed == nil {
			p.unnamed = &statement{}
		}
		return p.unnamed
	}
	if st := p.statements[string(name)]; st != nil {
		p.recency.use(st)
		return st
	}
	if len(name) > maxName {
		return &statement{gone: true}
	}
	st := &statement{name: string(name), confirmed: true}
	p.insert(st)
	return st
}

// define notes the Parse of st.
func (p *prepared) define(st *statement) {
	if st.name == "" {
		p.release(p.unnamed)
	}
	st.held = len(st.text) + 4*len(st.params)
	if !p.hold(st.held) {
		st.text, st.params, st.known, st.held = "", nil, false, 0
	}
	if st.name == "" {
		p.unnamed = st
		return
	}
	if len(st.name) > maxName {
		p.release(st)
		return
	}
	if old := p.statements[st.name]; old != nil {
		p.take(old)
		if old.confirmed {
			st.before = old
		} else {
			p.release(old)
		}
	}
	p.insert(st)
}

// confirm notes ParseComplete: what st replaced is gone.
func (p *prepared) confirm(st *statement) {
	st.confirmed = true
	p.release(st.before)
	st.before = nil
}

// fail notes that st was not prepared: what it was to replace remains.
func (p *prepared) fail(st *statement) {
	before := st.before
	st.before = nil
	p.release(st)
	if p.unnamed == st {
		p.unnamed = nil
	}
	if st.name == "" || p.statements[st.name] != st {
		p.release(before)
		return
	}
	p.take(st)
	if before != nil {
		p.insert(before)
	}
}

// close notes the Close of a statement.
func (p *prepared) close(name []byte) {
	if len(name) == 0 {
		p.release(p.unnamed)
		p.unnamed = nil
		return
	}
	if st := p.statements[string(name)]; st != nil {
		p.take(st)
		p.release(st)
	}
}

// forgetStatements forgets the texts of all statements.
func (p *prepared) forgetStatements() {
	p.release(p.unnamed)
	p.unnamed = nil
	p.doubt()
}

// doubt forgets the texts of all named statements: SQL's own PREPARE may have taken a name that was given up by SQL's DEALLOCATE.
func (p *prepared) doubt() {
	for _, st := range p.statements {
		p.take(st)
		p.release(st)
	}
}

// release gives back what st holds. Its text is no longer known.
func (p *prepared) release(st *statement) {
	if st == nil {
		return
	}
	p.release(st.before)
	p.held -= st.held
	st.text, st.params, st.known, st.held, st.before = "", nil, false, 0, nil
	st.gone = true
}

func (p *prepared) insert(st *statement) {
	if p.statements == nil {
		p.statements = make(map[string]*statement)
	}
	for len(p.statements) >= maxStatements {
		p.evictStatement()
	}
	p.statements[st.name] = st
	p.recency.add(st)
}

// take takes st away from its name.
func (p *prepared) take(st *statement) {
	delete(p.statements, st.name)
	p.recency.remove(st)
}

// evictStatement drops the least recently used statement.
func (p *prepared) evictStatement() {
	if st := p.recency.oldest; st != nil {
		p.take(st)
		p.release(st)
	}
}
