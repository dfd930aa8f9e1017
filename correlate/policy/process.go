package policy

import (
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Process is what a policy sees of a process.
type Process struct {
	Exe    string   // path of the executable
	Name   string   // comm
	Unit   string   // systemd unit, without ".service"; "" none
	Cgroup string   // path of its control group; "" unknown
	Listen []uint16 // local ports on which clients have reached it so far
}

// processMatch are conditions on a process: every one that is set must hold.
type processMatch struct {
	units, cgroups, exes, names []pattern
	ports                       []uint16
}

func (m *processMatch) empty() bool {
	return len(m.units) == 0 && len(m.cgroups) == 0 && len(m.exes) == 0 && len(m.names) == 0 && len(m.ports) == 0
}

func (m *processMatch) covers(p *Process) bool {
	unit := strings.TrimSuffix(p.Unit, ".service")
	switch {
	case len(m.units) > 0 && (unit == "" || !matchesAny(m.units, unit) && !matchesAny(m.units, unit+".service")),
		len(m.cgroups) > 0 && !matchesAny(m.cgroups, p.Cgroup),
		len(m.exes) > 0 && !matchesAny(m.exes, p.Exe) && !matchesAny(m.exes, path.Base(p.Exe)),
		len(m.names) > 0 && !matchesAny(m.names, p.Name),
		len(m.ports) > 0 && !slices.ContainsFunc(p.Listen, func(port uint16) bool { return slices.Contains(m.ports, port) }):
		return false
	}
	return true
}

// service is an entry of the policy's section "services".
type service struct {
	match  processMatch
	policy *Policy
}

// For returns the policy for a process: that of the first service whose select covers it, else the file's own. It names the hash and the files
// of the whole file.
func (p *Policy) For(process *Process) *Policy {
	for i := range p.services {
		if s := &p.services[i]; s.match.covers(process) {
			return s.policy
		}
	}
	return p
}

// Services returns the policies of the services that the file selects, in its order.
func (p *Policy) Services() []*Policy {
	out := make([]*Policy, len(p.services))
	for i := range p.services {
		out[i] = p.services[i].policy
	}
	return out
}

// ListensMatter tells whether a service is selected by the port on which it is reached.
func (p *Policy) ListensMatter() bool {
	return slices.ContainsFunc(p.services, func(s service) bool { return len(s.match.ports) > 0 })
}

var selectKeys = keys{
	known: []string{"unit", "cgroup", "exe", "name", "listen"},
	later: []string{"pid_file", "container_image", "k8s"},
}

// selector reads which processes a service is.
func (d *decoder) selector(n *yaml.Node, at string) (m processMatch) {
	s, ok := d.section(n, at, selectKeys)
	if !ok {
		return m
	}
	before := len(d.problems)
	for _, c := range [...]struct {
		key string
		sep byte
		to  *[]pattern
	}{{"unit", 0, &m.units}, {"cgroup", '/', &m.cgroups}, {"exe", '/', &m.exes}, {"name", 0, &m.names}} {
		if n := s.values[c.key]; n != nil {
			*c.to = d.globs(n, s.sub(c.key), c.sep, false)
		}
	}
	if n := s.values["listen"]; n != nil {
		m.ports = d.ports(n, s.sub("listen"))
	}
	if m.empty() && len(d.problems) == before {
		d.missing(&s, "%s says nothing about the processes (add one of %s)", at, strings.Join(selectKeys.known, ", "))
	}
	return m
}
