package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// exemption is one entry of the policy's section "exempt": every condition that is set must hold.
type exemption struct {
	Exemption
	text         string // its conditions, for messages
	route        []pattern
	privileged   bool
	roles        []pattern
	applications []pattern
	services     []pattern
	process      processMatch
	reads        bool
	tables       []tableGlob
	fingerprints []string
	tenants      []string // of the identity, normalised
}

// Exempt returns the first exemption of the policy that covers a use, nil if none does. An exemption whose date has passed covers nothing; one
// with tables covers a use only if it covers all of its tables, and one with a route only if it holds for every reading of the path. The result
// must not be changed.
func (p *Policy) Exempt(u Use) *Exemption {
	for i := range p.exemptions {
		if e := &p.exemptions[i]; e.covers(&u) {
			return &e.Exemption
		}
	}
	return nil
}

// Exempts tells whether there are exemptions, ended ones included.
func (p *Policy) Exempts() bool { return len(p.exemptions) > 0 }

// Lapsed returns the first exemption that would cover a use had it not ended, nil if none would.
func (p *Policy) Lapsed(u Use) *Exemption {
	for i := range p.exemptions {
		if e := &p.exemptions[i]; u.Time.After(e.Until) && e.holds(&u) {
			return &e.Exemption
		}
	}
	return nil
}

func (e *exemption) covers(u *Use) bool { return !u.Time.After(e.Until) && e.holds(u) }

// holds tells whether the conditions are met, whatever the time.
func (e *exemption) holds(u *Use) bool { return e.misses(u) == "" }

// misses returns the key of the first condition that is not met, "" if all are.
func (e *exemption) misses(u *Use) string {
	switch {
	case e.privileged && !u.Privileged:
		return "identity"
	case e.reads && u.Write:
		return "statements"
	case len(e.roles) > 0 && !matchesAny(e.roles, u.DatabaseRole):
		return "db_role"
	case len(e.applications) > 0 && !matchesAny(e.applications, u.Application):
		return "application_name"
	case len(e.services) > 0 && !matchesAny(e.services, u.Service):
		return "service"
	case len(e.fingerprints) > 0 && !slices.Contains(e.fingerprints, u.Fingerprint) && !slices.Contains(e.fingerprints, u.Shown):
		return "fingerprint"
	case len(e.tenants) > 0 && !slices.Contains(e.tenants, Normalize(u.IdentityTenant)):
		return "tenants"
	}
	if !e.process.empty() {
		if u.Process == nil {
			return "process"
		}
		if key := e.process.misses(u.Process); key != "" {
			return key
		}
	}
	if len(e.tables) > 0 {
		if len(u.Tables) == 0 {
			return "tables"
		}
		for _, table := range u.Tables {
			if !coversTable(e.tables, table) {
				return "tables"
			}
		}
	}
	if len(e.route) > 0 {
		if read := readPath(u.Route); !read.matches(e.route) {
			return "route"
		}
	}
	return ""
}

func matchesAny(globs []pattern, name string) bool {
	return name != "" && slices.ContainsFunc(globs, func(g pattern) bool { return g.match(name) })
}

// coversTable takes "table" or "schema.table"; without a schema it is in "public".
func coversTable(globs []tableGlob, table string) bool {
	table = strings.ToLower(table)
	full, name := table, table
	if i := strings.LastIndexByte(table, '.'); i >= 0 {
		name = table[i+1:]
	} else {
		full = "public." + table
	}
	return slices.ContainsFunc(globs, func(g tableGlob) bool {
		if g.schema {
			return g.match(full)
		}
		return g.match(name)
	})
}

// Ended is an allowance that has ended.
type Ended struct {
	Place string // identity.privileged[1], exempt[2], with its service
	What  string // its conditions
	Until time.Time
	Why   string
}

// Short tells which it is, without its conditions and its reason.
func (x Ended) Short() string { return fmt.Sprintf("%s ended %s", x.Place, day(x.Until)) }

// String tells all of it.
func (x Ended) String() string {
	return fmt.Sprintf("%s (%s) ended %s: %s", x.Place, x.What, day(x.Until), x.Why)
}

// Ended returns the privileges and exemptions that cover nothing any more at now.
func (p *Policy) Ended(now time.Time) []Ended {
	var past []Ended
	for i := range p.identity.privileges {
		if v := &p.identity.privileges[i]; now.After(v.Until) {
			past = append(past, Ended{fmt.Sprintf("identity.privileged[%d]", i+1), v.text, v.Until, v.Why})
		}
	}
	for i := range p.exemptions {
		if e := &p.exemptions[i]; now.After(e.Until) {
			past = append(past, Ended{fmt.Sprintf("exempt[%d]", e.Index), e.text, e.Until, e.Why})
		}
	}
	for i := range p.services {
		q := p.services[i].policy
		for _, x := range q.Ended(now) {
			if !slices.Contains(past, x) { // or it is the file's own
				x.Place = "service " + q.service + ": " + x.Place
				past = append(past, x)
			}
		}
	}
	return past
}

// Expired describes what Ended returns.
func (p *Policy) Expired(now time.Time) []string {
	var past []string
	for _, x := range p.Ended(now) {
		past = append(past, x.String())
	}
	return past
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }
