package policy

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

var privacyKeys = keys{known: []string{"tenants", "key", "path_words"}}

// privacy reads the section "privacy", after all sections: evidence.values of any service takes its key too.
func (d *decoder) privacy(n *yaml.Node, p *Policy) {
	s := section{values: map[string]*yaml.Node{}}
	if n != nil {
		var ok bool
		if s, ok = d.section(n, "privacy", privacyKeys); !ok {
			return
		}
	}
	hidden := n != nil && d.choice(&s, "tenants", "plain", "plain", "hmac") == "hmac"
	valued := slices.ContainsFunc(append(p.Services(), p), func(q *Policy) bool { return q.evidence.digests })
	d.hide = d.hide || hidden
	if words := s.values["path_words"]; words != nil && !hidden {
		d.fail(words, "privacy.path_words is read only with tenants: hmac (remove it, or add tenants: hmac)")
	}
	key := s.values["key"]
	switch {
	case key == nil && hidden:
		d.missing(&s, "privacy.tenants: hmac has no key (make one: umask 077; openssl rand -hex 32 >FILE; and add key: FILE)")
		return
	case key == nil && valued:
		d.fail(d.valued, "evidence.values: hmac has no key (make one: umask 077; openssl rand -hex 32 >FILE; and add privacy: { key: FILE })")
		return
	case key == nil:
		return
	case !hidden && !valued:
		d.fail(key, "privacy.key is read only with tenants: hmac, or with evidence.values: hmac (remove it, or add one of them)")
		return
	}
	name, ok := d.text(key, "privacy.key")
	if !ok {
		return
	}
	name = d.beside(name)
	secret, err := d.secret(name)
	if err != nil {
		d.problems = append(d.problems, &Problem{File: d.file, Line: key.Line, Text: "privacy.key cannot be used (a relative path starts at the policy's directory)", Err: err})
		return
	}
	names := newPseudonyms(secret)
	if words := s.values["path_words"]; words != nil {
		for _, w := range d.words(words, "privacy.path_words") {
			glob, ok := d.pattern(w, 0, true)
			switch {
			case ok && (glob.captures || strings.Contains(w.text, "/")):
				d.fail(w.node, "%s: %q is not one segment of a path (write the words between the slashes, one by one)", w.path, w.text)
			case ok:
				names.words = append(names.words, glob)
			}
		}
	}
	if hidden {
		p.pseudonyms = names
	}
	for _, q := range append(p.Services(), p) {
		if q.evidence.digests {
			q.evidence.Values = names
		}
	}
}

// Pseudonyms returns what hides the names of tenants in lines, nil if they stand as they are.
func (p *Policy) Pseudonyms() *Pseudonyms { return p.pseudonyms }

// Key returns the pseudonyms of the policy's key, whether they are for tenants, for values or for both; nil without a key.
func (p *Policy) Key() *Pseudonyms {
	if p.pseudonyms != nil {
		return p.pseudonyms
	}
	for _, q := range append([]*Policy{p}, p.Services()...) {
		if q.evidence.Values != nil {
			return q.evidence.Values
		}
	}
	return nil
}

// KeepsValues tells whether lines of any service keep the values of statements, as pseudonyms.
func (p *Policy) KeepsValues() bool {
	return slices.ContainsFunc(append(p.Services(), p), func(q *Policy) bool { return q.evidence.Values != nil })
}

// Same tells whether two policies judge and write alike: they have the same hash, and the same key.
func (p *Policy) Same(o *Policy) bool { return p.hash == o.hash && p.Key().SameKey(o.Key()) }
