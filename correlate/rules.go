package correlate

import (
	"slices"
	"strings"

	"tenantrace/collector/event"
	"tenantrace/correlate/policy"
	"tenantrace/correlate/tenantsql"
)

// rules are what the policy says of the databases that one of its entries is for, ready for use.
type rules struct {
	*policy.Database
	policy *policy.Policy
	reader reader
	asks   []string // settings of sessions that something asks for
}

// rulesKey names rules: the policy of a service, and its entry for a database; nil where it has none.
type rulesKey struct {
	policy *policy.Policy
	entry  *policy.Database
}

// policyOf is the policy for a process.
func (e *Engine) policyOf(p *process) *policy.Policy {
	if p == nil {
		return e.policy
	}
	if p.ruledBy != e.policy || p.ruled == nil {
		p.ruled, p.ruledBy = e.policy.For(p.asPart()), e.policy
	}
	return p.ruled
}

// asPart is what a policy sees of the process.
func (p *process) asPart() *policy.Process {
	out := &policy.Process{Exe: p.exe, Name: p.name, Cgroup: p.cgroup, Listen: p.ports}
	// A recording of before the control group was in it names a service alone.
	if p.service != unknownService && (p.cgroup == "" || strings.Contains(p.cgroup+"/", "/"+p.service+".service/")) {
		out.Unit = p.service
	}
	return out
}

// maxPorts bounds the ports of a process that are remembered.
const maxPorts = 16

// reached notes the port on which a client reached a process, where the policy tells services by it.
func (e *Engine) reached(p *process, local string) {
	i := strings.LastIndexByte(local, ':')
	if i < 0 || !e.policy.ListensMatter() || len(p.ports) == maxPorts {
		return
	}
	port := uint16(0)
	for _, c := range local[i+1:] {
		if c < '0' || c > '9' || int(port)*10+int(c-'0') > 65535 {
			return
		}
		port = port*10 + uint16(c-'0')
	}
	if !slices.Contains(p.ports, port) {
		p.ports = append(p.ports, port)
		p.ruled = nil
	}
}

// engineName is what policies call the engine of a session.
func (s *session) engineName() string {
	if s.engine == event.MySQL {
		return policy.MySQL
	}
	return policy.Postgres
}

// rulesOf are the rules for a session.
func (e *Engine) rulesOf(s *session) *rules {
	p, server, name := e.policyOf(s.conn.proc), s.conn.server(), s.now()
	if r := s.rules; r != nil && r.policy == p && s.ruledAt == server && s.ruledName == name {
		return r
	}
	key := rulesKey{p, p.Database(s.engineName(), server, name)}
	r := e.rules[key]
	if r == nil {
		r = &rules{Database: key.entry, policy: p}
		if r.Database == nil {
			r.Database = &policy.Database{Engine: s.engineName(), Pooler: policy.PoolerNone, Unscoped: policy.UnscopedOff}
		}
		r.asks = p.Watched(r.Database)
		r.reader = newReader(tenantsql.Config{Columns: r.Columns, Settings: r.asks}, r.Keys, e.limits.Texts)
		e.rules[key] = r
	}
	s.rules, s.ruledAt, s.ruledName = r, server, name
	return r
}

// column tells whether a result column that stands for a wanted one is a tenant column.
func (r *rules) column(owner string) bool { return slices.Contains(r.Columns, strings.ToLower(owner)) }

// key returns the key column of a name, nil if it is none.
func (r *rules) key(owner string) *policy.KeyColumn {
	for i := range r.Keys {
		if strings.EqualFold(r.Keys[i].Name, owner) {
			return &r.Keys[i]
		}
	}
	return nil
}

// setting returns the tenants that a value of a setting names, and whether the policy reads that setting.
func (r *rules) setting(name, text string) (tenants []string, read bool) {
	for i := range r.Settings {
		s := &r.Settings[i]
		if s.Name != name {
			continue
		}
		read = true
		if t := s.Tenant(text); t != "" && len(t) <= maxTenant && !slices.Contains(tenants, t) {
			tenants = append(tenants, t)
		}
	}
	return tenants, read
}
