package policy

import "slices"

// applicationName is the setting that tells which application a session is of.
const applicationName = "application_name"

// wanted is what a policy needs to see of the traffic.
type wanted struct {
	fields   []string // of requests
	columns  []string // of rows
	settings []string // of sessions
}

// Headers returns the request fields that rules of any service read: lower-case names, sorted, each once. The result must not be changed.
func (p *Policy) Headers() []string { return p.wanted.fields }

// Columns returns the columns whose values rules of any service read, unqualified and in lower case, each once. The result must not be changed.
func (p *Policy) Columns() []string { return p.wanted.columns }

// Settings returns the settings of database sessions that rules of any service read, in lower case, each once. The result must not be changed.
func (p *Policy) Settings() []string { return p.wanted.settings }

// want collects what the policy and those of its services need to see.
func (p *Policy) want() {
	var w wanted
	for _, q := range append([]*Policy{p}, p.Services()...) {
		w.fields = append(w.fields, q.request.headers...)
		for _, db := range q.databases {
			w.columns = append(w.columns, db.Columns...)
			for i := range db.Keys {
				w.columns = append(w.columns, db.Keys[i].Name)
			}
			if db.Directory != nil {
				w.columns = append(w.columns, db.Directory.Key, db.Directory.ID)
			}
			w.settings = append(w.settings, q.Watched(db)...)
		}
	}
	slices.Sort(w.fields)
	w.fields = slices.Compact(w.fields)
	w.columns, w.settings = once(w.columns), once(w.settings)
	p.wanted = w
}

// Watched returns the settings that rules read in sessions with a database.
func (p *Policy) Watched(db *Database) []string {
	var names []string
	for i := range db.Settings {
		names = append(names, db.Settings[i].Name)
	}
	if slices.ContainsFunc(p.exemptions, func(e exemption) bool { return len(e.applications) > 0 }) {
		names = append(names, applicationName)
	}
	return once(names)
}

// once drops what is repeated and keeps the order.
func once(names []string) []string {
	var out []string
	seen := make(map[string]bool, len(names))
	for _, n := range names {
		if !seen[n] {
			seen[n] = true
			out = append(out, n)
		}
	}
	return out
}
