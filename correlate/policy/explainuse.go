package policy

import "fmt"

// ExplainProcess tells of each service, in the order in which they are asked, whether its select covers a process, or which condition of it does not.
func (p *Policy) ExplainProcess(process *Process) []string {
	var out []string
	for i := range p.services {
		s := &p.services[i]
		if key := s.match.misses(process); key != "" {
			out = append(out, fmt.Sprintf("service %q: not selected: select.%s does not hold", s.policy.service, key))
			continue
		}
		return append(out, fmt.Sprintf("service %q: selected: all that its select says holds", s.policy.service))
	}
	if len(out) > 0 {
		out = append(out, "no service is selected: what the file says at its top holds, or the embedded policy for a file with select")
	}
	return out
}

// ExplainUse tells of each exemption whether it covers a use, or why it does not.
func (p *Policy) ExplainUse(u Use) []string {
	var out []string
	for i := range p.exemptions {
		e := &p.exemptions[i]
		var says string
		switch key := e.misses(&u); {
		case key != "":
			says = fmt.Sprintf("does not cover it: %s does not hold", key)
		case u.Time.After(e.Until):
			says = fmt.Sprintf("would cover it, but ended %s (%s)", day(e.Until), e.Why)
		default:
			return append(out, fmt.Sprintf("exempt[%d] (%s): covers it until %s (%s)", e.Index, e.text, day(e.Until), e.Why))
		}
		out = append(out, fmt.Sprintf("exempt[%d] (%s): %s", e.Index, e.text, says))
	}
	return out
}

// ExplainRequest tells which rules read a tenant from a request, and whether the policy leaves it alone.
func (p *Policy) ExplainRequest(path string, field func(name string) []string) []string {
	if p.Ignored(path) {
		return []string{"request: request.ignore leaves it alone"}
	}
	var out []string
	found := p.RequestTenants(path, field)
	for _, t := range found {
		out = append(out, fmt.Sprintf("request: tenant %q by %s %q", t.Tenant, t.Source, t.Rule))
	}
	if len(found) == 0 && len(p.request.tenants) > 0 {
		out = append(out, "request: no rule of request.tenant reads a tenant from it")
	}
	return out
}
