package policy

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// rule ties certificates to a tenant, or to a privilege: all of its matchers must match, and one of them may capture the tenant's name.
type rule struct {
	matchers []matcher // the one that captures last
	tenant   string    // written out in the policy; "" if captured, or for a privilege
	text     string    // as policy explain prints it
}

// outcome is what a rule says about a certificate.
type outcome struct {
	matched bool
	names   []string // captured or written out, as written, different after normalisation
	why     string   // why it did not match; with doubt: why there is no tenant
	doubt   bool     // it would match, but cannot be trusted to name one tenant: later rules must not guess either
}

func newRule(matchers []matcher, tenant string) rule {
	slices.SortStableFunc(matchers, func(a, b matcher) int {
		switch {
		case a.pattern.captures == b.pattern.captures:
			return 0
		case a.pattern.captures:
			return 1
		}
		return -1
	})
	var text []string
	for i := range matchers {
		text = append(text, matchers[i].String())
	}
	return rule{matchers: matchers, tenant: tenant, text: strings.Join(text, ", ")}
}

// apply tries the rule. anyValue lets a multi-valued source name several tenants.
func (r *rule) apply(c *Certificate, anyValue bool) outcome {
	var out, doubtful outcome
	for i := range r.matchers {
		out = r.matchers[i].apply(c)
		switch {
		case out.doubt && !doubtful.doubt:
			doubtful = out
		case !out.doubt && !out.matched: // whatever the doubts, the rule does not match
			return out
		}
	}
	if doubtful.doubt {
		return doubtful
	}
	switch {
	case r.tenant != "":
		out.names = []string{r.tenant}
	case len(out.names) > 1 && !anyValue:
		m := &r.matchers[len(r.matchers)-1]
		return outcome{doubt: true, why: fmt.Sprintf("%s names %d tenants: %s (multi: reject)", m.label, len(out.names), quoted(out.names))}
	}
	return out
}

func (m *matcher) apply(c *Certificate) outcome {
	if why := m.unreadable(c); why != "" {
		return outcome{doubt: true, why: why}
	}
	var out outcome
	i := 0
	for ; ; i++ {
		v, ok := m.value(c, i)
		if !ok {
			break
		}
		v = strings.TrimSpace(v)
		if len(v) > maxValue {
			continue
		}
		if v == "" && (m.source == sourceOther || m.source == sourceExtension) {
			return outcome{doubt: true, why: fmt.Sprintf("a value of %s is no text", m.label)}
		}
		name, n := "", 0
		if m.exact != nil {
			if slices.Contains(m.exact, v) {
				n = 1
			}
		} else if m.pattern.captures {
			var from, to int
			if from, to, n = m.pattern.find(v); n == 1 {
				name = strings.TrimSpace(v[from:to])
			}
		} else if m.pattern.match(v) {
			n = 1
		}
		if n == 0 {
			continue
		}
		suspect := unclean(v)
		if suspect == "" && strings.ContainsRune(v, utf8.RuneError) {
			suspect = "holds a character that could not be decoded"
		}
		if suspect == "" && len(name) > maxName {
			suspect = "is longer than 512 bytes"
		}
		switch {
		case suspect != "":
			return outcome{doubt: true, why: fmt.Sprintf("a value of %s %s", m.label, suspect)}
		case n > 1:
			return outcome{doubt: true, why: fmt.Sprintf("%s can be read in several ways in %s", placeholder, shorten(v))}
		}
		out.matched = true
		if m.pattern.captures && !slices.ContainsFunc(out.names, func(known string) bool { return Normalize(known) == Normalize(name) }) {
			out.names = append(out.names, name)
		}
	}
	switch {
	case out.matched:
		if why := m.refuses(c); why != "" {
			return outcome{doubt: true, why: why}
		}
	case i == 0:
		out.why = "the certificate has no " + m.label
	default:
		out.why = "no value of " + m.label + " matches"
	}
	return out
}

func quoted(names []string) string {
	var b strings.Builder
	for i, name := range names {
		if i == 8 {
			b.WriteString(", …")
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(shorten(name))
	}
	return b.String()
}

// shorten quotes a value from outside for a message.
func shorten(s string) string {
	const most = 80
	if len(s) > most {
		return fmt.Sprintf("%q…", s[:most])
	}
	return fmt.Sprintf("%q", s)
}
