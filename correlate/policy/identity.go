package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// identityRules are the policy's section "identity".
type identityRules struct {
	rules      []rule
	anyValue   bool     // multi: any
	names      *nameMap // nil: names in certificates are the names in the database
	known      []string
	privileges []privilege
	groups     hierarchy
	hop        Hop
	directory  bool // names in the database are those of the application's tenant directory
}

type privilege struct {
	rule
	Privilege
}

// Identify returns what the policy makes of a certificate. The first rule that matches decides. If that rule cannot be trusted to name one
// tenant (several values, several possible captures, control characters), the identity is unmapped and Rule says why; no later rule is tried, because
// it would be a guess. Privileges that ended before now do not count. c may be nil. The slices of the result must not be changed.
func (p *Policy) Identify(c *Certificate, now time.Time) Identity {
	return p.identity.identify(c, now, nil, nil)
}

// IdentifyBy is Identify for a policy with a tenant directory: look returns the ids that the directory has for a normalised name.
func (p *Policy) IdentifyBy(c *Certificate, now time.Time, look func(name string) []string) Identity {
	return p.identity.identify(c, now, look, nil)
}

// identify also tells trace, if it is not nil, each step in words.
func (r *identityRules) identify(c *Certificate, now time.Time, look func(string) []string, trace func(string)) Identity {
	if c == nil {
		return Identity{Rule: "none: no certificate"}
	}
	id := Identity{Rule: "none: no identity rule matches"}
	if r.names != nil && r.names.by != nil {
		id = r.looked(c, trace)
	}
	for i := range r.rules {
		rule := &r.rules[i]
		out := rule.apply(c, r.anyValue)
		if trace != nil {
			trace(fmt.Sprintf("rule %d: %s: %s", i+1, rule.text, out.describe()))
		}
		if out.doubt {
			id.Rule = rule.text + ": unmapped: " + out.why
			break
		}
		if out.matched {
			id.Name, id.Rule = strings.Join(out.names, ", "), rule.text
			id.Tenants = r.tenants(out.names, look, trace)
			break
		}
	}
	id.Below = r.groups.below(id.Tenants)
	if trace != nil && len(id.Below) > 0 {
		trace("hierarchy: may act for " + quoted(id.Below) + " as well")
	}
	id.Privileged, id.Ended = r.privileged(c, now, trace)
	return id
}

// tenants takes names from the certificate to names in the database.
func (r *identityRules) tenants(names []string, look func(string) []string, trace func(string)) []string {
	find := func(name string) []string { return []string{name} }
	switch {
	case r.names != nil:
		find = r.names.find
	case r.directory && look != nil:
		find = look
	case r.directory:
		find = func(string) []string { return nil }
	}
	var all []string
	for _, name := range names {
		found := find(Normalize(name))
		r.traceMap(trace, name, found)
		if len(names) == 1 {
			return found
		}
		all = union(all, found)
	}
	return all
}

func (r *identityRules) traceMap(trace func(string), name string, found []string) {
	switch {
	case trace == nil:
	case len(found) == 0 && r.directory:
		trace(fmt.Sprintf("directory: %q has not been looked up by the application yet: unmapped", Normalize(name)))
	case len(found) == 0:
		trace(fmt.Sprintf("map: %q is not in it: unmapped", Normalize(name)))
	default:
		trace(fmt.Sprintf("tenant: %s -> %s in the database", shorten(name), quoted(found)))
	}
}

// privileged returns the privilege of a certificate: the first one for every tenant, else all that match as one; and one that has ended.
func (r *identityRules) privileged(c *Certificate, now time.Time, trace func(string)) (sum, past *Privilege) {
	merged := false
	for i := range r.privileges {
		v := &r.privileges[i]
		out := v.apply(c, true)
		ended := out.matched && now.After(v.Until)
		if trace != nil {
			step := out.describe()
			if out.matched {
				step = fmt.Sprintf("covers %s until %s (%s)", v.scope(), day(v.Until), v.Why)
			}
			if ended {
				step = fmt.Sprintf("ended %s (%s)", day(v.Until), v.Why)
			}
			trace(fmt.Sprintf("privilege %d: %s: %s", i+1, v.text, step))
		}
		if ended && (past == nil || v.Any && !past.Any) {
			past = &v.Privilege
		}
		switch {
		case !out.matched || ended || sum != nil && sum.Any:
		case sum == nil || v.Any:
			sum, merged = &v.Privilege, false
		default:
			if !merged { // the compiled ones are shared
				first := *sum
				first.Tenants = slices.Clone(first.Tenants)
				sum, merged = &first, true
			}
			sum.Tenants = append(sum.Tenants, v.Tenants...)
			sum.Request = sum.Request || v.Request
			sum.Why += "; " + v.Why
			if v.Until.Before(sum.Until) {
				sum.Until = v.Until
			}
		}
	}
	return sum, past
}

func (v *Privilege) scope() string {
	switch {
	case v.Any:
		return "any tenant"
	case v.Request:
		return "the tenant that the request names"
	}
	return quoted(v.Tenants)
}

func (o *outcome) describe() string {
	switch {
	case o.doubt:
		return "unmapped: " + o.why
	case !o.matched:
		return "no match: " + o.why
	case len(o.names) > 0:
		return "matches, tenant " + quoted(o.names)
	}
	return "matches"
}
