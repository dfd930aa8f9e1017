package policy

import "sort"

// Hides tells whether an identifier is the name of a tenant's schema, database or role, by a template that says more than {tenant}.
func (d *Database) Hides(identifier string) bool {
	for _, place := range [...]*Place{&d.Schemas, &d.Databases, &d.Roles} {
		for i := range place.templates {
			t := &place.templates[i]
			if t.text != placeholder && !place.Shared(identifier) && capture(t, identifier) != "" {
				return true
			}
		}
	}
	return false
}

// HidesAny tells whether any identifier may be the name of a tenant's place: a template says {tenant} alone.
func (d *Database) HidesAny() bool {
	for _, place := range [...]*Place{&d.Schemas, &d.Databases, &d.Roles} {
		for i := range place.templates {
			if place.templates[i].text == placeholder {
				return true
			}
		}
	}
	return false
}

// Mentions tells whether the policy knows a normalised name as a tenant's, be it that of certificates, of the database or of the hierarchy.
func (p *Policy) Mentions(name string) bool {
	if p.Knows(name) {
		return true
	}
	if m := p.identity.names; m != nil && m.by == nil {
		if i := sort.SearchStrings(m.keys, name); i < len(m.keys) && m.keys[i] == name {
			return true
		}
	}
	_, ok := p.identity.groups[name]
	return ok
}
