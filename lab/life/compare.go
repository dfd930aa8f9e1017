package life

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"tenantrace/lab/pki"
)

// problems are all the ways in which a take is not as expected.
func problems(t *take, c *calls, told *told) []string {
	out := slices.Clone(c.problems)
	add := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if told.lost != nil {
		add("%v", told.lost)
	}
	if wanted := slices.Sorted(slices.Values(t.want.findings)); !slices.Equal(wanted, told.findings) {
		add("findings are not those expected")
	}
	verdicts := make(map[string]int)
	for i := range told.lines {
		l := &told.lines[i]
		name := l.Verdict
		if l.Reason != "" {
			name += "/" + l.Reason
		}
		verdicts[name+" "+or(l.IdentityTenant)]++
	}
	if !maps.Equal(verdicts, t.want.verdicts) {
		add("verdicts are %s, expected %s", counted(verdicts), counted(t.want.verdicts))
	}
	if len(told.lines) != c.rows {
		add("%d verdict lines for %d statements", len(told.lines), c.rows)
	}
	if told.unread != t.want.unread {
		add("%d connections are said not to be understood, expected %d", told.unread, t.want.unread)
	}
	for who, n := range t.want.connections {
		if seen := told.verified[sha256(c.stand.people[who])]; seen != n {
			add("%d connections with the certificate of %s, expected %d", seen, who, n)
		}
	}
	out = append(out, identities(c.sent, told)...)
	if told.replayed != "" {
		add("%s", told.replayed)
	}
	return out
}

// identities are the requests that were not seen once each with the identity that they had, and those that nobody sent.
func identities(all []sent, told *told) []string {
	var out []string
	known := make(map[string]bool)
	for _, s := range all {
		known[s.id] = true
		switch p := told.requests[s.id]; {
		case p.Times != 1:
			out = append(out, fmt.Sprintf("%s: seen %d times", s.id, p.Times))
		case p.SHA256 != sha256(s.who):
			out = append(out, fmt.Sprintf("%s: certificate %.8q, expected %.8q", s.id, p.SHA256, sha256(s.who)))
		case p.AtResponse != sha256(s.answered):
			out = append(out, fmt.Sprintf("%s: certificate %.8q at its answer, expected %.8q", s.id, p.AtResponse, sha256(s.answered)))
		case p.Verified != s.verified:
			out = append(out, fmt.Sprintf("%s: verified %v, expected %v", s.id, p.Verified, s.verified))
		case p.Resumed != s.resumed:
			out = append(out, fmt.Sprintf("%s: resumed %v, expected %v", s.id, p.Resumed, s.resumed))
		}
	}
	for id, p := range told.requests {
		if id != "" && !known[id] {
			out = append(out, fmt.Sprintf("%s: seen %d times, but never sent", id, p.Times))
		}
	}
	slices.Sort(out)
	return out
}

func sha256(l *pki.Leaf) string {
	if l == nil {
		return ""
	}
	return l.SHA256
}

func counted(verdicts map[string]int) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(verdicts)) {
		parts = append(parts, fmt.Sprintf("%s: %d", name, verdicts[name]))
	}
	if parts == nil {
		return "none"
	}
	return strings.Join(parts, ", ")
}

func or(tenant string) string {
	if tenant == "" {
		return "-"
	}
	return tenant
}
