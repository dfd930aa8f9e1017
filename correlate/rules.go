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
	engine string
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
	if at := p.placed; at != nil {
		out.PIDFiles, out.Image, out.Namespace, out.Pod, out.Container = at.PIDFiles, at.Image, at.Namespace, at.Pod, at.Container
	}
	return out
}

// processPlaced takes in where a process belongs.
func (e *Engine) processPlaced(ev *event.ProcessPlaced) {
	p := e.process(ev.PID)
	p.placed, p.ruled = ev, nil
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
	key := rulesKey{p, p.Database(s.engineName(), server, name), s.engineName()}
	r := e.rules[key]
	if r == nil {
		r = &rules{Database: key.entry, policy: p}
		if r.Database == nil {
			r.Database = &policy.Database{Engine: key.engine, Pooler: policy.PoolerNone, Unscoped: policy.UnscopedOff}
		}
		r.asks = p.Watched(r.Database)
		r.reader = newReader(tenantsql.Config{Columns: r.Columns, Settings: r.asks}, r.Keys, e.texts)
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

// whole tells whether the value of a setting as it is may be a tenant: not if the policy reads a member of it alone.
func (r *rules) whole(name string) bool {
	inside := false
	for i := range r.Settings {
		if s := &r.Settings[i]; s.Name == name {
			if s.Member == nil {
				return true
			}
			inside = true
		}
	}
	return !inside
}
