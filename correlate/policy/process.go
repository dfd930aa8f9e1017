package policy

import (
	"path"
	"slices"
	"strings"
)

// Process is what a policy sees of a process.
type Process struct {
	Exe    string   // path of the executable
	Name   string   // comm
	Unit   string   // systemd unit, without ".service"; "" none
	Cgroup string   // path of its control group; "" unknown
	Listen []uint16 // local ports on which clients have reached it so far

	PIDFiles  []string // that hold its id, or that of a process it descends from
	Image     string   // of its container; "" unknown, or none
	Namespace string   // of its Kubernetes pod; "" unknown, or none
	Pod       string
	Container string // in the pod
}

// processMatch are conditions on a process: every one that is set must hold.
type processMatch struct {
	units, cgroups, exes, names []pattern
	ports                       []uint16
	pidFiles                    []string
	images                      []pattern
	namespaces, pods, inPod     []pattern
}

func (m *processMatch) empty() bool {
	return len(m.units) == 0 && len(m.cgroups) == 0 && len(m.exes) == 0 && len(m.names) == 0 && len(m.ports) == 0 &&
		len(m.pidFiles) == 0 && !m.contained()
}

// contained tells whether there are conditions on a container.
func (m *processMatch) contained() bool {
	return len(m.images) > 0 || len(m.namespaces) > 0 || len(m.pods) > 0 || len(m.inPod) > 0
}

func (m *processMatch) covers(p *Process) bool { return m.misses(p) == "" }

// misses returns the key of the first condition that does not hold, "" if all do.
func (m *processMatch) misses(p *Process) string {
	unit := strings.TrimSuffix(p.Unit, ".service")
	switch {
	case len(m.units) > 0 && (unit == "" || !matchesAny(m.units, unit) && !matchesAny(m.units, unit+".service")):
		return "unit"
	case len(m.cgroups) > 0 && !matchesAny(m.cgroups, p.Cgroup):
		return "cgroup"
	case len(m.exes) > 0 && !matchesAny(m.exes, p.Exe) && !matchesAny(m.exes, path.Base(p.Exe)):
		return "exe"
	case len(m.names) > 0 && !matchesAny(m.names, p.Name):
		return "name"
	case len(m.ports) > 0 && !slices.ContainsFunc(p.Listen, func(port uint16) bool { return slices.Contains(m.ports, port) }):
		return "listen"
	case len(m.pidFiles) > 0 && !slices.ContainsFunc(p.PIDFiles, func(file string) bool { return slices.Contains(m.pidFiles, file) }):
		return "pid_file"
	case len(m.images) > 0 && !slices.ContainsFunc(imageNames(p.Image), func(name string) bool { return matchesAny(m.images, name) }):
		return "container_image"
	case len(m.namespaces) > 0 && !matchesAny(m.namespaces, p.Namespace):
		return "k8s.ns"
	case len(m.pods) > 0 && !matchesAny(m.pods, p.Pod):
		return "k8s.pod"
	case len(m.inPod) > 0 && !matchesAny(m.inPod, p.Container):
		return "k8s.container"
	}
	return ""
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
