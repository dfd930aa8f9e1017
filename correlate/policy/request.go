package policy

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of Route's result.
const (
	maxRoute    = 256 // bytes
	maxSegments = 16
)

// maxName is the longest name that can be a tenant's, in bytes.
const maxName = 512

// requestRules are the policy's section "request".
type requestRules struct {
	tenants []requestRule
	ignored []pattern
	headers []string // lower case, sorted, each once
}

// requestRule reads a tenant from the path by a template, or from a header.
type requestRule struct {
	template pattern
	header   string // as the policy writes it; "" for a path rule
	field    string // header in lower case
}

// RequestTenants returns the tenants that a request names: those of all rules, in the order of the policy. path is the request target as
// sent, with or without a query; field returns the values of a request field by its lower-case name, one for each field line, and may be nil. A
// path that servers read in different ways names a tenant only if all of them read the same one; a value with control characters, one that is
// not UTF-8 and one of more than 512 bytes name none.
func (p *Policy) RequestTenants(path string, field func(name string) []string) []RequestTenant {
	if len(p.request.tenants) == 0 {
		return nil
	}
	var found []RequestTenant
	read := readPath(path)
	for i := range p.request.tenants {
		rule := &p.request.tenants[i]
		if rule.header == "" {
			if name := rule.fromPath(&read); name != "" {
				found = append(found, RequestTenant{Tenant: name, Source: "path", Rule: rule.template.text})
			}
			continue
		}
		if field == nil {
			continue
		}
		first := len(found)
		for _, value := range field(rule.field) {
			t := RequestTenant{Tenant: cleanName(value), Source: "header", Rule: rule.header}
			if t.Tenant != "" && !slices.Contains(found[first:], t) {
				found = append(found, t)
			}
		}
	}
	return found
}

// fromPath returns the tenant that every reading of the path names, normalised, or "".
func (r *requestRule) fromPath(read *readings) string {
	tenant := ""
	for _, p := range read.paths[:read.n] {
		from, to, n := r.template.find(p)
		if n != 1 {
			return ""
		}
		name := cleanName(p[from:to])
		if name == "" || tenant != "" && name != tenant {
			return ""
		}
		tenant = name
	}
	return tenant
}

// cleanName normalises a name, or returns "" for what can be none.
func cleanName(s string) string {
	if len(s) > maxName || unclean(s) != "" {
		return ""
	}
	return Normalize(s)
}

// unclean says why s cannot hold the name of a tenant, or returns "".
func unclean(s string) string {
	switch {
	case !utf8.ValidString(s):
		return "is not UTF-8"
	case strings.ContainsFunc(s, unicode.IsControl):
		return "holds a control character"
	}
	return ""
}

// Ignored tells that the policy leaves requests of this path alone. It must hold for every way in which a server may read the path.
func (p *Policy) Ignored(path string) bool {
	if len(p.request.ignored) == 0 {
		return false
	}
	read := readPath(path)
	return read.matches(p.request.ignored)
}

// Route returns the path without what is particular to one request, so that findings can be grouped: the part that a path rule captures becomes
// "{tenant}"; segments of digits, UUIDs and hex strings of at least 16 digits become "{id}"; the query is dropped. At most 16 segments and
// 256 bytes, then "…".
func (p *Policy) Route(path string) string {
	read := readPath(path)
	if read.n == 0 {
		return ""
	}
	route := p.withoutTenant(read.paths[0])
	var b strings.Builder
	for i, segment := range strings.Split(route, "/") {
		if i > 0 {
			b.WriteByte('/')
		}
		if isID(segment) {
			segment = "{id}"
		}
		if i > maxSegments || b.Len()+len(segment) > maxRoute-len("…") {
			b.WriteString("…")
			break
		}
		b.WriteString(strings.Map(printable, strings.ToValidUTF8(segment, "�")))
	}
	return b.String()
}

func printable(r rune) rune {
	if unicode.IsControl(r) {
		return utf8.RuneError
	}
	return r
}

func isID(segment string) bool {
	if _, ok := canonicalUUID(segment); ok {
		return true
	}
	digits := 0
	for i := range len(segment) {
		c := segment[i]
		if hexDigit(c) < 0 {
			return false
		}
		if c <= '9' {
			digits++
		}
	}
	return segment != "" && (digits == len(segment) || len(segment) >= 16)
}
