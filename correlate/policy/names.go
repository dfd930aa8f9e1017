package policy

import (
	"cmp"
	"slices"
	"sort"
)

// nameMap is the policy's map from names in certificates to names in the database, both normalised. A name may stand for several.
type nameMap struct {
	keys   []string // sorted, each as often as it has values
	values []string // beside keys
	known  []string // values sorted, each once
	by     *matcher // what of a certificate the keys are; nil: the name that a rule captures
}

type namePair struct{ key, value string }

// newNameMap sorts pairs and drops repeated ones.
func newNameMap(pairs []namePair) *nameMap {
	slices.SortFunc(pairs, func(a, b namePair) int {
		return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.value, b.value))
	})
	pairs = slices.Compact(pairs)
	m := &nameMap{keys: make([]string, len(pairs)), values: make([]string, len(pairs))}
	for i, p := range pairs {
		m.keys[i], m.values[i] = p.key, p.value
	}
	m.known = slices.Clone(m.values)
	slices.Sort(m.known)
	m.known = slices.Clip(slices.Compact(m.known))
	return m
}

// find returns the database names of a normalised certificate name, sorted; none if the map does not know it. The result must not be changed.
func (m *nameMap) find(key string) []string {
	from := sort.SearchStrings(m.keys, key)
	to := from
	for to < len(m.keys) && m.keys[to] == key {
		to++
	}
	if from == to {
		return nil
	}
	return m.values[from:to:to]
}

// KnownTenants returns the database names that the policy itself ties to certificates, sorted, each once: the values of the map, or without
// a map the tenants that identity rules write out. The result must not be changed.
func (p *Policy) KnownTenants() []string { return p.identity.known }

// Knows tells whether KnownTenants holds a normalised name.
func (p *Policy) Knows(tenant string) bool {
	_, ok := slices.BinarySearch(p.identity.known, tenant)
	return ok
}

// HasDirectory tells whether names in the database are learned from the application's tenant directory.
func (p *Policy) HasDirectory() bool { return p.identity.directory }

// Mapped returns the database names of a name that stands in a certificate: those of the map, without a map of names the normalised name
// itself. None: the map does not know it. The result must not be changed.
func (p *Policy) Mapped(name string) []string {
	name = Normalize(name)
	if p.identity.names == nil || p.identity.names.by != nil {
		return []string{name}
	}
	return p.identity.names.find(name)
}
