package correlate

import (
	"fmt"
	"slices"
	"strings"

	"tenantrace/correlate/verdict"
)

// fault is an occurrence of a finding about a statement.
type fault struct {
	name      string
	detail    string
	severity  verdict.Severity // 0: that of all findings of the name
	anyTenant bool             // occurrences under all certificates are the same finding
	scope     string           // if set, what keeps occurrences apart, instead of statement, tenants and route
}

// classify names what is wrong with a statement that showed foreign tenants, the gravest first.
func (e *Engine) classify(u *unit, o *outcome) []fault {
	write, read, key := u.ways(o)
	foreign, own := e.quote(tenants(o.decides)), e.quote(o.standing.id.Tenants)
	var faults []fault
	if o.req.answered(u.written) {
		return append(faults, fault{name: TenantDrift, detail: fmt.Sprintf(
			"Work that a request with the certificate of tenant %s had started went on after its response and used data of tenant %s.", own, foreign)})
	}
	if write {
		faults = append(faults, fault{name: CrossTenantWrite, detail: fmt.Sprintf("A request with the certificate of tenant %s wrote data of tenant %s.", own, foreign)})
	}
	if read {
		faults = append(faults, fault{name: CrossTenantRead, detail: fmt.Sprintf("A request with the certificate of tenant %s read data of tenant %s.", own, foreign)})
	}
	if key && !read {
		faults = append(faults, fault{name: CrossTenantByKey, detail: fmt.Sprintf(
			"A look-up without a tenant, in a request with the certificate of tenant %s, returned a row of tenant %s.", own, foreign)})
	}
	if c := o.req.check; c != nil && !u.link.shared && c.precedes(u) {
		faults = append(faults, fault{name: IdentityTOCTOU, detail: fmt.Sprintf(
			"A request that first used data of its certificate's tenant %s later used data of tenant %s.", own, foreign)})
	}
	return faults
}

// ways tells in which ways a statement used the data that decided: it wrote it, read it, or met it by a key.
func (u *unit) ways(o *outcome) (write, read, key bool) {
	for _, s := range o.decides {
		switch {
		case s.source == fromWritten, s.source != fromRead && u.writes():
			write = true
		case s.source == fromRow && !u.scoped() && !u.scopedTo(s.tenant) && !u.asked:
			key = true
		default:
			read = true
		}
	}
	return write, read, key
}

// scoped tells whether the text of a statement limits it to tenants, or may do so unseen.
func (u *unit) scoped() bool {
	return u.opaque || u.does == nil || u.textCut || u.unparsed || slices.ContainsFunc(u.values, func(s observed) bool { return s.source == fromRead || s.source == fromWritten })
}

// scopedTo tells whether the session is set to a tenant: a row of it was no accident of a key.
func (u *unit) scopedTo(tenant string) bool {
	return slices.ContainsFunc(u.scopes, func(s scope) bool { return s.tenant == tenant })
}

// tenants returns the names that were observed, sorted, each once; never nil.
func tenants(seen []observed) []string {
	names := make([]string, 0, len(seen))
	for _, s := range seen {
		if !slices.Contains(names, s.tenant) {
			names = append(names, s.tenant)
		}
	}
	slices.Sort(names)
	return names
}

// maxQuoted is how many names a sentence holds.
const maxQuoted = 4

// quoteAll writes names as they are: what is said of tenants goes through Engine.quote.
func quoteAll(names []string) string {
	quoted := make([]string, 0, maxQuoted)
	for i, n := range names {
		if i == maxQuoted {
			quoted = append(quoted, fmt.Sprintf("%d more", len(names)-maxQuoted))
			break
		}
		if len(n) > 80 {
			n = n[:80] + "…"
		}
		quoted = append(quoted, fmt.Sprintf("%q", n))
	}
	return strings.Join(quoted, ", ")
}

// strongest returns the strongest level of what was observed, "" if there is none.
func strongest(seen []observed) verdict.EvidenceLevel {
	for _, level := range [...]verdict.EvidenceLevel{
		verdict.EvidenceRow, verdict.EvidenceBind, verdict.EvidenceSession, verdict.EvidenceLiteral, verdict.EvidenceHeuristic,
	} {
		if slices.ContainsFunc(seen, func(s observed) bool { return s.level == level }) {
			return level
		}
	}
	return ""
}
