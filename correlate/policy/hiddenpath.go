package policy

import (
	"slices"
	"strings"
)

// HiddenRoute is Route without names: a segment that neither the policy's own paths write out nor its path_words allow is a pseudonym, and so is each for which
// known, which takes a normalised name, tells that it is a tenant's.
func (p *Policy) HiddenRoute(s *Pseudonyms, path string, known func(name string) bool) string {
	read := readPath(path)
	if read.n == 0 {
		return ""
	}
	route := p.withoutTenant(read.paths[0])
	segments := strings.Split(route, "/")
	for i, segment := range segments {
		switch {
		case i > maxSegments:
			segments[i] = "…"
			return strings.Join(segments[:i+1], "/")
		case segment == "", segment == placeholder, segment == "{id}", segment == "…", segment == "*":
		case isID(segment):
			segments[i] = "{id}"
		case strings.Contains(segment, placeholder): // the rest is of the template
		case !p.writes(segment) && !matchesAny(s.words, segment), known(Normalize(segment)):
			segments[i] = s.Of(segment)
		}
	}
	return strings.Join(segments, "/")
}

// withoutTenant puts {tenant} where the first path rule that matches captures.
func (p *Policy) withoutTenant(route string) string {
	for i := range p.request.tenants {
		rule := &p.request.tenants[i]
		if from, to, n := rule.template.find(route); n == 1 {
			return route[:from] + placeholder + route[to:]
		}
	}
	return route
}

// writes tells whether a path of the policy has the segment as a word.
func (p *Policy) writes(segment string) bool {
	has := func(g *pattern) bool {
		for word := range strings.SplitSeq(g.text, "/") {
			if strings.EqualFold(word, segment) && !strings.ContainsAny(word, "*{") {
				return true
			}
		}
		return false
	}
	for i := range p.request.tenants {
		if has(&p.request.tenants[i].template) {
			return true
		}
	}
	globs := slices.Clone(p.request.ignored)
	for i := range p.exemptions {
		globs = append(globs, p.exemptions[i].route...)
	}
	return slices.ContainsFunc(globs, func(g pattern) bool { return has(&g) })
}
