package correlate

import (
	"maps"
	"slices"
	"strings"

	"tenantrace/collector/event"
	"tenantrace/correlate/bounded"
	"tenantrace/correlate/settings"
	"tenantrace/correlate/tenantsql"
)

// session is a database session: what a connection to a database has been told.
type session struct {
	conn     *connection
	engine   event.Engine
	database string
	user     string
	tables   *database

	settings *settings.Session
	failed   bool // an error undoes the transaction, an implicit one included
	assumed  bool // it took on another user: to give up a role does not lead back to the one that it began as
	void     bool // the framing was lost: what the session was told is not known any more
	group    *group

	rules              *rules // for the server and the database below
	ruledAt, ruledName string
	moved              bool // it may be in another database than the one it began with

	temps   temps
	altered bool // it has changed tables in its open transaction

	prepared *bounded.Map[string, body] // of PREPARE, by name; nil none
	cursors  *bounded.Map[string, body] // of DECLARE, by name; nil none

	looks    []look     // of the open transaction, oldest first
	inFlight []*message // oldest first
	writers  map[uint32]struct{}
}

// body is a statement that another one names.
type body struct {
	text   string
	cut    bool
	params []param
}

// session returns the database session of a connection, also if its beginning was not seen.
func (e *Engine) session(c *connection) *session {
	if c.db == nil {
		c.db = &session{conn: c, engine: event.PostgreSQL, settings: settings.New(nil, true)}
		c.db.tables = e.database(c)
		c.proc.sessions++
	}
	return c.db
}

func (e *Engine) sessionStarted(ev *event.SessionStarted) {
	c := e.connection(ev.Conn, ev.PID)
	old := c.db
	if old != nil {
		e.endSession(old)
	}
	c.db = &session{
		conn: c, engine: ev.Engine, database: ev.Database, user: ev.User,
		settings: settings.New(ev.Settings, ev.Unknown),
	}
	if old != nil {
		c.db.writers = old.writers
	} else {
		c.proc.sessions++
	}
	c.db.tables = e.database(c)
}

// standardStrings is the setting that says how a backslash in a string is read. The server reports it at a session's start and whenever it changes.
const standardStrings = "standard_conforming_strings"

func (e *Engine) sessionSetting(ev *event.SessionSetting) {
	c, ok := e.conns.Get(ev.Conn)
	if !ok || c.db == nil {
		return
	}
	if e.rulesOf(c.db).watches(ev.Name) || ev.Name == standardStrings {
		c.db.moved = c.db.moved || ev.Name == databaseSetting
		c.db.settings.Report(ev.Name, ev.Value)
	}
}

func (e *Engine) sessionReady(ev *event.SessionReady) {
	c, ok := e.conns.Get(ev.Conn)
	if !ok || c.db == nil {
		return
	}
	s := c.db
	switch ev.Status {
	case event.TxUnknown: // a transaction may have ended, in either way
		e.endTransaction(s, false)
		s.settings.Void()
	case event.TxIdle:
		e.endTransaction(s, !s.failed)
	case event.TxOpen, event.TxFailed:
		if s.group == nil {
			s.group = new(group)
		}
	}
}

// endTransaction ends a transaction, implicit ones included. MySQL's rollback does not take settings back.
func (e *Engine) endTransaction(s *session, committed bool) {
	if committed || s.engine == event.MySQL {
		s.settings.Commit()
	} else {
		s.settings.Rollback()
	}
	s.failed = false
	if s.altered {
		e.alter(s)
		s.altered = false
	}
	s.forgetLooks()
	if g := s.group; g != nil {
		s.group = nil
		e.endGroup(g)
	}
}

func (e *Engine) sessionDesync(ev *event.SessionDesync) {
	c, ok := e.conns.Get(ev.Conn)
	if !ok || c.db == nil {
		return
	}
	s := c.db
	s.void = true
	s.settings.Void()
	s.forget()
	for _, m := range s.inFlight {
		m.desync = true
	}
	e.abandon(s, func(*message) bool { return true })
	e.endTransaction(s, false)
	s.settings.Void()
}

// assumes notes SET SESSION AUTHORIZATION, by the shape of a SET or RESET.
func (s *session) assumes(shape string) {
	s.assumed = s.assumed || strings.Contains(strings.ToLower(shape), "session authorization")
}

// forget drops what statements may be named by.
func (s *session) forget() { s.prepared, s.cursors = nil, nil }

// endSession ends a session whose connection is gone.
func (e *Engine) endSession(s *session) {
	e.abandon(s, func(*message) bool { return true })
	e.endTransaction(s, false)
}

// abandon ends the statements in flight whose answers will not be seen.
func (e *Engine) abandon(s *session, which func(*message) bool) {
	var kept []*message
	flight := s.inFlight
	s.inFlight = nil
	for _, m := range flight {
		if which(m) {
			e.unseen(s, m)
		} else {
			kept = append(kept, m)
		}
	}
	s.inFlight = kept
}

// lost takes in that events were lost: what they would have changed is not known.
func (e *Engine) lost(ev *event.Lost) {
	if ev.PID != 0 {
		if p, ok := e.processes.Get(ev.PID); ok {
			e.blind(p)
		}
		return
	}
	all := make(map[uint32]*process, e.processes.Len())
	for pid, p := range e.processes.All() {
		all[pid] = p
	}
	for _, pid := range slices.Sorted(maps.Keys(all)) {
		e.blind(all[pid])
	}
}

// blind gives up every statement of a process that is in flight or waits for its request, and every further one of the requests that are open.
func (e *Engine) blind(p *process) {
	p.blindUntil, p.blindAt = e.now+int64(e.limits.DeferFor), e.requestNo
	for _, no := range slices.Sorted(maps.Keys(p.requests)) {
		p.requests[no].lossy = true
	}
	for _, no := range slices.Sorted(maps.Keys(p.requests)) {
		e.judgePending(p.requests[no])
	}
	for _, id := range slices.Sorted(maps.Keys(p.conns)) {
		s := p.conns[id].db
		if s == nil {
			continue
		}
		for _, m := range s.inFlight {
			m.blind = true
		}
		s.settings.Void()
		s.forget()
		s.forgetLooks()
		if s.group != nil {
			e.blindGroup(s.group)
		}
	}
}

// dialect gives the rules by which the session's server reads a text. A sql_mode that was not seen counts as one that leaves quotes and backslashes as
// they are by default.
func (s *session) dialect() tenantsql.Dialect {
	if s.engine != event.MySQL {
		if now := s.settings.Get(standardStrings); now.State == settings.Known && now.Text == "on" {
			return tenantsql.PostgreSQL | tenantsql.StandardStrings
		}
		return tenantsql.PostgreSQL
	}
	if mode := s.settings.Get("sql_mode"); mode.State == settings.Known {
		return tenantsql.SQLMode(mode.Text)
	}
	return tenantsql.MySQL
}
