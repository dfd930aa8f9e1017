package policy

import (
	"hash"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

var serviceKeys = keys{known: []string{"service", "select", "identity", "request", "database", "exempt", "certificates", "verdict", "evidence"}}

// maxServices bounds the services of a file: each has rules of its own.
const maxServices = 200

// services reads the section "services". What an entry leaves out is taken from the top of the file.
func (d *decoder) services(n *yaml.Node, p *Policy, sum hash.Hash) {
	for i, item := range d.list(n, "services") {
		if !d.count(item) {
			break
		}
		at := index("services", i)
		if i == maxServices {
			d.fail(item, "services has more than %d entries (put them into files of several daemons)", maxServices)
			break
		}
		s, ok := d.section(item, at, serviceKeys)
		if !ok {
			continue
		}
		q := &Policy{
			identity: p.identity, request: p.request, databases: p.databases, exemptions: p.exemptions, certificates: p.certificates,
			verdict: p.verdict, evidence: p.evidence,
		}
		entry := service{policy: q}
		if n := s.values["service"]; n == nil {
			d.missing(&s, `%s has no "service" (add the name for verdicts)`, at)
		} else if q.service, ok = d.text(n, s.sub("service")); ok && slices.ContainsFunc(p.services, func(o service) bool { return o.policy.service == q.service }) {
			d.fail(n, "%s: service %q stands twice (list what selects it in one entry)", s.sub("service"), q.service)
		}
		if n := s.values["select"]; n == nil {
			d.missing(&s, `%s has no "select" (say which processes it is: select: { unit: NAME.service })`, at)
		} else {
			entry.match = d.selector(n, s.sub("select"))
		}
		if n := s.values["certificates"]; n != nil {
			if m := mappingValue(n, "revocation"); m != nil {
				d.fail(m, "%s: revocation lists are asked for the whole host (write it into the file's own section certificates)", s.sub("certificates"))
				continue
			}
		}
		before := len(d.problems)
		d.sections(&s, q, sum)
		d.under(before, at)
		q.want()
		p.files = append(p.files, q.files...)
		p.services = append(p.services, entry)
	}
	if n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
		d.fail(n, "services is an empty list (remove the key)")
	}
}

// under puts the name of the entry before problems of its sections, whose messages name the section as if it stood at the top.
func (d *decoder) under(from int, at string) {
	for _, p := range d.problems[from:] {
		if p.File == d.file && !strings.HasPrefix(p.Text, at) {
			p.Text = at + ": " + p.Text
		}
	}
}

func mappingValue(n *yaml.Node, key string) *yaml.Node {
	if n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}
