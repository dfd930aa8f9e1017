package policy

import (
	"fmt"
	"hash"
	"slices"

	"go.yaml.in/yaml/v3"
)

// maxGroups bounds the names of a hierarchy file; its size does before.
const maxGroups = 1_000_000

var hierarchyKeys = keys{known: []string{"file", "entries"}}

// hierarchy are the tenants that others may act for: parent to children, by their names in the database, normalised.
type hierarchy map[string][]string

// below returns the tenants below any of parents, at whatever depth, sorted, each once; parents themselves are not among them.
func (h hierarchy) below(parents []string) []string {
	if len(h) == 0 {
		return nil
	}
	var out []string
	seen := map[string]bool{}
	for _, p := range parents {
		seen[p] = true
	}
	for next := slices.Clone(parents); len(next) > 0; {
		p := next[len(next)-1]
		next = next[:len(next)-1]
		for _, child := range h[p] {
			if !seen[child] {
				seen[child] = true
				out = append(out, child)
				next = append(next, child)
			}
		}
	}
	slices.Sort(out)
	return out
}

// cycle returns a tenant that is its own ancestor, or "".
func (h hierarchy) cycle() string {
	above := map[string]int{} // parents that were not taken out yet
	for _, children := range h {
		for _, c := range children {
			above[c]++
		}
	}
	var free []string
	for p := range h {
		if above[p] == 0 {
			free = append(free, p)
		}
	}
	for len(free) > 0 {
		p := free[len(free)-1]
		free = free[:len(free)-1]
		for _, c := range h[p] {
			if above[c]--; above[c] == 0 {
				free = append(free, c)
			}
		}
	}
	found := ""
	for c, n := range above {
		if n > 0 && len(h[c]) > 0 && (found == "" || c < found) {
			found = c
		}
	}
	return found
}

// hierarchy reads the section "identity.hierarchy": a YAML file "parent: [child, …]", or entries in place.
func (d *decoder) hierarchy(n *yaml.Node, p *Policy, sum hash.Hash) hierarchy {
	const path = "identity.hierarchy"
	s, ok := d.section(n, path, hierarchyKeys)
	if !ok {
		return nil
	}
	file, entries := s.values["file"], s.values["entries"]
	switch {
	case (file == nil) == (entries == nil):
		d.missing(&s, "%s needs one of file and entries (the children of each parent)", path)
		return nil
	case entries != nil:
		return d.groups(entries, path+".entries")
	}
	name, ok := d.text(file, path+".file")
	if !ok {
		return nil
	}
	name = d.beside(name)
	data, err := d.open(name, maxFile)
	if err != nil {
		d.problems = append(d.problems, &Problem{File: d.file, Line: file.Line, Text: path + ".file cannot be read (a relative path starts at the policy's directory)", Err: err})
		return nil
	}
	p.files = append(p.files, name)
	fmt.Fprintf(sum, "\x00%d\x00", len(data))
	sum.Write(data)
	inner := &decoder{file: name, most: maxGroups}
	var h hierarchy
	if root := inner.tree(data); root != nil {
		h = inner.groups(root, "the hierarchy")
	}
	d.problems = append(d.problems, inner.problems...)
	return h
}

// groups reads a mapping of parents to children.
func (d *decoder) groups(n *yaml.Node, path string) hierarchy {
	if n.Kind != yaml.MappingNode {
		d.fail(n, "%s is %s (write parent: [child, child])", path, describe(n))
		return nil
	}
	h := hierarchy{}
	before := len(d.problems)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if !d.count(key) {
			break
		}
		text, ok := d.text(key, "a parent of "+path)
		if !ok {
			continue
		}
		parent := Normalize(text)
		if h[parent] != nil {
			d.fail(key, "parent %s stands twice in %s (write one list of children)", shorten(text), path)
			continue
		}
		children, seen := []string{}, map[string]bool{}
		for _, w := range d.words(n.Content[i+1], path+"."+text) {
			child := Normalize(w.text)
			if child == parent {
				d.fail(w.node, "%s: %s is its own child (leave it out)", w.path, shorten(w.text))
			} else if !seen[child] {
				seen[child] = true
				children = append(children, child)
			}
		}
		h[parent] = children
	}
	for _, children := range h { // all that is named has an entry
		for _, c := range children {
			if h[c] == nil {
				h[c] = nil
			}
		}
	}
	if len(d.problems) == before {
		if c := h.cycle(); c != "" {
			d.fail(n, "%s goes in a circle through %s (a tenant cannot be above itself)", path, shorten(c))
		}
	}
	return h
}
