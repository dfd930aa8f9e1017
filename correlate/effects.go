package correlate

import (
	"slices"
	"strings"

	"tenantrace/collector/event"
	"tenantrace/correlate/bounded"
	"tenantrace/correlate/settings"
	"tenantrace/correlate/tenantsql"
)

// tagKinds are the command tags of statements that touch no row (PostgreSQL documentation, CommandComplete), for those whose text is not known.
var tagKinds = map[string]tenantsql.Kind{
	"BEGIN": tenantsql.Begin, "START TRANSACTION": tenantsql.Begin, "COMMIT": tenantsql.Commit, "ROLLBACK": tenantsql.Rollback,
	"SAVEPOINT": tenantsql.Savepoint, "RELEASE": tenantsql.Release, "SET": tenantsql.Set, "RESET": tenantsql.Reset,
	"DISCARD ALL": tenantsql.Discard, "PREPARE": tenantsql.Prepare, "DEALLOCATE": tenantsql.Deallocate,
}

// kind returns what sort of statement was written.
func (r *reading) kind(result *event.Result) tenantsql.Kind {
	if r.said != nil {
		return r.said.sql.Kind
	}
	if result != nil {
		if k, ok := tagKinds[result.Tag]; ok {
			return k
		}
		switch word, _, _ := strings.Cut(result.Tag, " "); word {
		case "INSERT":
			return tenantsql.Insert
		case "UPDATE":
			return tenantsql.Update
		case "DELETE":
			return tenantsql.Delete
		}
	}
	return tenantsql.Other
}

// apply takes over what a statement did to its session, before it takes its place in the transaction.
func (e *Engine) apply(s *session, u *unit, r *reading, result *event.Result) {
	kind := r.kind(result)
	if result == nil {
		if r.mayHaveSet(kind) {
			s.settings.Void() // it ran, or not
		}
		return
	}
	if result.Error != "" {
		s.failed = true
		return
	}
	switch kind {
	case tenantsql.Begin:
		if s.group == nil {
			s.group = new(group)
		}
	case tenantsql.Savepoint, tenantsql.Release, tenantsql.RollbackTo:
		e.applySavepoint(s, kind, r)
	case tenantsql.Prepare:
		if r.said != nil {
			s.remember(&s.prepared, e.limits.Prepared, r.said.sql.Name, body{text: r.said.sql.Body, cut: r.said.sql.Cut})
		}
	case tenantsql.Declare:
		if r.said != nil {
			s.remember(&s.cursors, e.limits.Prepared, r.said.sql.Name, body{text: r.said.sql.Body, cut: r.said.sql.Cut, params: r.all()})
		}
	case tenantsql.Deallocate:
		switch {
		case r.said == nil, r.said.sql.Name == "", s.prepared == nil:
			s.prepared = nil
		default:
			s.prepared.Delete(r.said.sql.Name)
		}
	case tenantsql.Use: // no command tag tells of it: the text is there
		s.database = r.said.sql.Name
		s.tables = e.database(s.conn)
	case tenantsql.Discard:
		if r.said == nil || len(r.said.sql.Changes) > 0 {
			s.forget()
		}
	}
	e.applyChanges(s, u, r, kind)
}

// all resolves the parameters for a statement that runs later.
func (r *reading) all() []param {
	if r.named {
		return r.args
	}
	out := make([]param, len(r.binds))
	for i := range out {
		out[i] = r.param(i + 1)
	}
	return out
}

func (s *session) remember(m **bounded.Map[string, body], limit int, name string, b body) {
	if *m == nil {
		*m = bounded.New[string, body](limit, nil)
	}
	(*m).Put(name, b)
}

// applySavepoint follows savepoints; MySQL's do not take settings back. The command tag of ROLLBACK TO is ROLLBACK: it is told by its text alone.
func (e *Engine) applySavepoint(s *session, kind tenantsql.Kind, r *reading) {
	if r.said == nil || s.engine == event.MySQL {
		return // in PostgreSQL, a rollback to it will not find it, and void what was set since
	}
	switch name := r.said.sql.Name; kind {
	case tenantsql.Savepoint:
		s.settings.Savepoint(name)
	case tenantsql.Release:
		s.settings.Release(name)
	case tenantsql.RollbackTo:
		s.settings.RollbackTo(name)
		s.failed = false
	}
}

// applyChanges follows SET, RESET, set_config() and DISCARD.
func (e *Engine) applyChanges(s *session, u *unit, r *reading, kind tenantsql.Kind) {
	does := r.does
	switch {
	case does == nil && r.unknown, does == nil && r.said == nil:
		if !touchesNoSetting(kind) {
			s.settings.Void() // it may have set anything
		}
		return
	case does == nil:
		return
	case (does.Cut || does.Unparsed) && !touchesNoSetting(does.Kind):
		s.settings.Void()
	}
	by := uint64(0)
	if u.link.exact() {
		by = u.link.req.no
	}
	if does.Kind == tenantsql.Set || does.Kind == tenantsql.Reset {
		s.assumes(does.Shape)
	}
	// A cursor calls set_config() as its rows are fetched, if they are.
	cursor := r.said != nil && (r.said.sql.Kind == tenantsql.Declare || r.said.sql.Kind == tenantsql.Fetch)
	for _, c := range does.Changes {
		if !s.keeps(e, c.Name) {
			continue
		}
		switch {
		case cursor:
			s.settings.Set(c.Name, settings.Value{State: settings.Unknown, By: by}, false)
		case c.Name == "*":
			s.settings.ResetAll(does.Kind == tenantsql.Discard)
		case c.Name == roleSetting && s.assumed && c.Value.Kind == tenantsql.Default:
			s.settings.Set(c.Name, settings.Value{State: settings.Unknown, By: by}, c.Local)
		case c.Value.Kind == tenantsql.Default:
			s.settings.Reset(c.Name, c.Local)
		default:
			v := settings.Value{State: settings.Unknown, By: by}
			if p, ok := e.settingValue(s, r, c.Value); ok {
				v.State, v.Text = settings.Known, p
			}
			s.settings.Set(c.Name, v, c.Local)
			if !c.Local {
				u.sets = append(u.sets, c.Name)
			}
		}
	}
	if does.Calls { // a function of the application may have set them, in this transaction
		for _, name := range slices.Concat(e.policy.Settings(), []string{"role", "search_path"}, s.settings.Names("@")) {
			s.settings.Set(name, settings.Value{State: settings.Unknown, By: by}, false)
		}
	}
}

// maxVariables bounds the user variables of a MySQL session whose values are kept; those of policy are kept beyond it.
const maxVariables = 64

// keeps tells whether a setting is kept.
func (s *session) keeps(e *Engine, name string) bool {
	return !strings.HasPrefix(name, "@") || s.settings.Len() < maxVariables || s.settings.Has(name) || slices.Contains(e.policy.Settings(), name)
}

// settingValue resolves the value that a setting is set to. set_config() with NULL resets to the default, which is not known here.
func (e *Engine) settingValue(s *session, r *reading, v tenantsql.Value) (string, bool) {
	switch v.Kind {
	case tenantsql.Literal:
		return v.Text, true
	case tenantsql.Param:
		p := r.param(v.Index)
		return p.text, p.known && !v.Array
	case tenantsql.Setting:
		if now := s.settings.Get(strings.ToLower(v.Text)); now.State == settings.Known {
			return now.Text, true
		}
	}
	return "", false
}

// mayHaveSet tells whether it matters to the settings that a statement ran.
func (r *reading) mayHaveSet(kind tenantsql.Kind) bool {
	switch kind {
	case tenantsql.Commit, tenantsql.Rollback, tenantsql.Savepoint, tenantsql.Release, tenantsql.RollbackTo:
		return true
	}
	if r.does == nil {
		return (r.unknown || r.said == nil) && !touchesNoSetting(kind)
	}
	return r.does.Calls || len(r.does.Changes) > 0 || (r.does.Cut || r.does.Unparsed) && !touchesNoSetting(r.does.Kind)
}

// inert tells whether a statement is known to touch no row: PREPARE, EXPLAIN, or by its command tag.
func (r *reading) inert(kind tenantsql.Kind) bool {
	if r.said != nil {
		return r.does == nil && !r.unknown
	}
	switch kind {
	case tenantsql.Other, tenantsql.Insert, tenantsql.Update, tenantsql.Delete:
		return false
	}
	return true
}

// touchesNoSetting tells whether statements of a kind leave the settings alone, whatever else their text says.
func touchesNoSetting(k tenantsql.Kind) bool {
	switch k {
	case tenantsql.Begin, tenantsql.Commit, tenantsql.Rollback, tenantsql.Savepoint, tenantsql.Release, tenantsql.RollbackTo, tenantsql.Prepare,
		tenantsql.Deallocate, tenantsql.Insert, tenantsql.Update, tenantsql.Delete, tenantsql.Show, tenantsql.Empty:
		return true
	}
	return false
}

// endEffects ends the transaction that a statement has ended, after the statement took its place in it. A COMMIT of a failed transaction says
// ROLLBACK in its command tag.
func (e *Engine) endEffects(s *session, r *reading, result *event.Result) {
	if result == nil || result.Error != "" {
		return
	}
	switch r.kind(result) {
	case tenantsql.Commit:
		e.endTransaction(s, result.Tag != "ROLLBACK")
	case tenantsql.Rollback:
		if r.said == nil { // or ROLLBACK TO, which has the same tag
			s.settings.Void()
			return
		}
		e.endTransaction(s, false)
	}
}
