// Package settings keeps the settings of one database session as its statements change them, with PostgreSQL's transaction semantics
// (PostgreSQL documentation, SET, RESET, ROLLBACK TO SAVEPOINT): what is set in a transaction is undone by its rollback, what is set LOCAL ends
// with it.
package settings

import (
	"slices"
	"strings"
)

// maxSavepoints bounds the savepoints of a transaction that are remembered.
const maxSavepoints = 256

// State says what is known of a setting.
type State uint8

// The states.
const (
	Unset   State = iota // never set: the server's default holds
	Known                // Value.Text is what it was set to
	Unknown              // it may have been set to anything
)

// Value is a setting's value.
type Value struct {
	State State
	Text  string
	By    uint64 // who set it, in the caller's terms; 0 nobody in particular
}

// Session holds the settings of a session. The zero value is a session that started with defaults.
type Session struct {
	defaults   map[string]string // from the session's start
	late       bool              // the start, and so the defaults, were not seen
	now        state
	boundary   state // at the end of the last transaction
	savepoints []savepoint
	lostPoints bool // savepoints beyond the bound were forgotten
}

// state is immutable: a change makes another.
type state struct {
	entries []entry
	unknown bool // names without an entry may have been set to anything
}

type entry struct {
	name           string
	session, local Value
	hasLocal       bool
}

type savepoint struct {
	name string
	at   state
}

// New returns a session that started with the given settings, or, if unknown, one whose beginning was not seen. defaults must not be changed.
func New(defaults map[string]string, unknown bool) *Session {
	s := &Session{defaults: defaults, late: unknown, now: state{unknown: unknown}}
	s.boundary = s.now
	return s
}

// Get returns the value in force.
func (s *Session) Get(name string) Value {
	for i := range s.now.entries {
		if e := &s.now.entries[i]; e.name == name {
			if e.hasLocal {
				return e.local
			}
			return e.session
		}
	}
	if s.now.unknown {
		return Value{State: Unknown}
	}
	return s.fallback(name)
}

// Len returns how many settings were set.
func (s *Session) Len() int { return len(s.now.entries) }

// Names returns the names of the settings that were set and begin with prefix.
func (s *Session) Names(prefix string) (names []string) {
	for _, e := range s.now.entries {
		if strings.HasPrefix(e.name, prefix) {
			names = append(names, e.name)
		}
	}
	return names
}

// Has tells whether a setting was set.
func (s *Session) Has(name string) bool {
	return slices.ContainsFunc(s.now.entries, func(e entry) bool { return e.name == name })
}

func (s *Session) fallback(name string) Value {
	if text, ok := s.defaults[name]; ok {
		return Value{State: Known, Text: text}
	}
	if s.late {
		return Value{State: Unknown}
	}
	return Value{}
}

// Set sets a setting for the session, or only until the transaction ends. Outside a transaction block a local setting lasts as long as the implicit
// transaction, that is until Commit or Rollback is called for it.
func (s *Session) Set(name string, v Value, local bool) {
	entries := slices.Clone(s.now.entries)
	i := slices.IndexFunc(entries, func(e entry) bool { return e.name == name })
	if i < 0 {
		base := s.fallback(name)
		if s.now.unknown {
			base = Value{State: Unknown}
		}
		i = len(entries)
		entries = append(entries, entry{name: name, session: base})
	}
	if local {
		entries[i].local, entries[i].hasLocal = v, true
	} else {
		entries[i].session, entries[i].local, entries[i].hasLocal = v, Value{}, false
	}
	s.now.entries = entries
}

// Reset takes a setting back to the session's default (RESET, SET … TO DEFAULT).
func (s *Session) Reset(name string, local bool) {
	s.Set(name, s.fallback(name), local)
}

// ResetAll takes all settings back to the session's defaults. RESET ALL leaves the role alone, DISCARD ALL does not.
func (s *Session) ResetAll(role bool) {
	before := s.now
	s.now = state{unknown: s.late}
	if role {
		return
	}
	for _, e := range before.entries {
		if e.name == "role" {
			s.now.entries = []entry{e}
			return
		}
	}
	if before.unknown && !s.late {
		s.Set("role", Value{State: Unknown}, false)
	}
}

// Report takes over a value that the server itself reported as the one in force.
func (s *Session) Report(name, text string) {
	i := slices.IndexFunc(s.now.entries, func(e entry) bool { return e.name == name })
	local := i >= 0 && s.now.entries[i].hasLocal
	by := s.Get(name).By
	s.Set(name, Value{State: Known, Text: text, By: by}, local)
}

// Void forgets everything: each setting is unknown until it is set again, and a rollback does not bring it back.
func (s *Session) Void() {
	s.now = state{unknown: true}
	s.boundary = s.now
	for i := range s.savepoints {
		s.savepoints[i].at = s.now
	}
}

// Commit ends a transaction, implicit ones included: local settings end, the others stay.
func (s *Session) Commit() {
	for _, e := range s.now.entries {
		if e.hasLocal {
			s.now.entries = slices.Clone(s.now.entries)
			for i := range s.now.entries {
				s.now.entries[i].local, s.now.entries[i].hasLocal = Value{}, false
			}
			break
		}
	}
	s.end()
}

// Rollback ends a transaction and undoes what was set in it.
func (s *Session) Rollback() {
	s.now = s.boundary
	s.end()
}

func (s *Session) end() {
	s.boundary = s.now
	clear(s.savepoints)
	s.savepoints, s.lostPoints = s.savepoints[:0], false
}

// Savepoint remembers the settings under a name.
func (s *Session) Savepoint(name string) {
	if len(s.savepoints) == maxSavepoints {
		s.savepoints = slices.Delete(s.savepoints, 0, 1)
		s.lostPoints = true
	}
	s.savepoints = append(s.savepoints, savepoint{name: name, at: s.now})
}

// RollbackTo undoes what was set since the latest savepoint of that name, which stays.
func (s *Session) RollbackTo(name string) {
	for i := len(s.savepoints) - 1; i >= 0; i-- {
		if s.savepoints[i].name == name {
			s.now = s.savepoints[i].at
			s.savepoints = s.savepoints[:i+1]
			return
		}
	}
	// The server accepted a savepoint that was not seen, or was forgotten: what was set since is not known.
	boundary := s.boundary
	s.Void()
	s.boundary = boundary
	s.savepoints = s.savepoints[:0]
}

// Release forgets the latest savepoint of that name and those after it; what was set stays.
func (s *Session) Release(name string) {
	for i := len(s.savepoints) - 1; i >= 0; i-- {
		if s.savepoints[i].name == name {
			s.savepoints = s.savepoints[:i]
			return
		}
	}
	if s.lostPoints {
		s.savepoints = s.savepoints[:0]
	}
}
