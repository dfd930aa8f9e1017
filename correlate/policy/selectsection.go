package policy

import (
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"
)

var (
	selectKeys = keys{known: []string{"unit", "cgroup", "exe", "name", "listen", "pid_file", "container_image", "k8s"}}
	k8sKeys    = keys{
		known: []string{"ns", "pod", "container"},
		refused: map[string]string{
			"labels": "cannot be read on the host: the labels of pods are in the cluster's API alone, which is not asked (name ns and pod, such as pod: \"billing-*\": the name of a pod begins with that of its deployment)",
			"label":  "cannot be read on the host: the labels of pods are in the cluster's API alone, which is not asked (name ns and pod, such as pod: \"billing-*\": the name of a pod begins with that of its deployment)",
		},
	}
)

// Places is what a policy's selectors ask of the host about its processes.
type Places struct {
	PIDFiles   []string // each once
	Containers bool     // images of containers, names of pods
}

// Asks tells whether there is anything.
func (p *Places) Asks() bool { return p.Containers || len(p.PIDFiles) > 0 }

// Places returns what the selectors of all services ask.
func (p *Policy) Places() *Places {
	out := &Places{}
	for i := range p.services {
		m := &p.services[i].match
		out.PIDFiles = union(out.PIDFiles, m.pidFiles)
		out.Containers = out.Containers || m.contained()
	}
	return out
}

// imageNames are the names that an image goes by: as it is, without its digest, and without its tag; each also without what Docker leaves out.
func imageNames(image string) (names []string) {
	if image == "" {
		return nil
	}
	bare, _, digest := strings.Cut(image, "@")
	all := []string{image}
	if digest {
		all = append(all, bare)
	}
	if i := strings.LastIndexByte(bare, ':'); i > strings.LastIndexByte(bare, '/') {
		all = append(all, bare[:i])
	}
	for _, name := range all {
		names = append(names, name)
		if short, ok := strings.CutPrefix(name, "docker.io/"); ok {
			names = append(names, short)
			if short, ok = strings.CutPrefix(short, "library/"); ok {
				names = append(names, short)
			}
		}
	}
	return names
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
	}{{"unit", 0, &m.units}, {"cgroup", '/', &m.cgroups}, {"exe", '/', &m.exes}, {"name", 0, &m.names}, {"container_image", '/', &m.images}} {
		if n := s.values[c.key]; n != nil {
			*c.to = d.globs(n, s.sub(c.key), c.sep, false)
		}
	}
	if n := s.values["listen"]; n != nil {
		m.ports = d.ports(n, s.sub("listen"))
	}
	if n := s.values["pid_file"]; n != nil {
		for _, w := range d.words(n, s.sub("pid_file")) {
			if !filepath.IsAbs(w.text) || strings.Contains(w.text, "*") {
				d.fail(w.node, "%s: %q is no path (write the whole path of one file: /run/NAME.pid)", w.path, w.text)
				continue
			}
			m.pidFiles = append(m.pidFiles, filepath.Clean(w.text))
		}
	}
	if n := s.values["k8s"]; n != nil {
		d.pods(n, s.sub("k8s"), &m)
	}
	if m.empty() && len(d.problems) == before {
		d.missing(&s, "%s says nothing about the processes (add one of %s)", at, strings.Join(selectKeys.known, ", "))
	}
	return m
}

// pods reads the condition on the Kubernetes pod of a process.
func (d *decoder) pods(n *yaml.Node, at string, m *processMatch) {
	s, ok := d.section(n, at, k8sKeys)
	if !ok {
		return
	}
	for _, c := range [...]struct {
		key string
		to  *[]pattern
	}{{"ns", &m.namespaces}, {"pod", &m.pods}, {"container", &m.inPod}} {
		if n := s.values[c.key]; n != nil {
			*c.to = d.globs(n, s.sub(c.key), 0, false)
		}
	}
	if len(s.values) == 0 {
		d.missing(&s, "%s says nothing about the pod (add one of %s)", at, strings.Join(k8sKeys.known, ", "))
	}
}
