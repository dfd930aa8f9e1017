package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// maxRules is the number of rules, globs and names that one policy may have in all.
const maxRules = 10_000

// maxWrongKeys is the number of wrong keys of one section after which it is not read further.
const maxWrongKeys = 100

// decoder reads sections of a YAML tree and collects what is wrong with them. It works on nodes, not on Go structs, because every message names
// the line and the key, and because a scalar must keep the text that stands in the file ("no", 0x1F, 2027-01-01).
type decoder struct {
	file     string
	dir      string // of relative paths
	open     func(path string, most int64) ([]byte, error)
	secret   func(path string) ([]byte, error) // reads a key file
	valued   *yaml.Node                        // the first evidence.values: hmac
	hide     bool                              // the file hides tenants: what is wrong with it may name them
	problems []*Problem
	rules    int
	most     int // of rules; 0: maxRules
}

func (d *decoder) fail(n *yaml.Node, format string, args ...any) {
	line := 0
	if n != nil {
		line = n.Line
	}
	d.problems = append(d.problems, &Problem{File: d.file, Line: line, Text: fmt.Sprintf(format, args...)})
}

// missing tells what a section lacks, unless a key of it was refused.
func (d *decoder) missing(s *section, format string, args ...any) {
	if !s.wrong {
		d.fail(s.node, format, args...)
	}
}

// count charges n against the limit of rules, and tells whether there is room.
func (d *decoder) count(n *yaml.Node) bool {
	most := maxRules
	if d.most > 0 {
		most = d.most
	}
	d.rules++
	if d.rules == most+1 {
		d.fail(n, "the policy has more than %d rules, globs and names (use wildcards, or a map file)", most)
	}
	return d.rules <= most
}

// keys are what a section may hold.
type keys struct {
	known   []string
	refused map[string]string // what could be taken for a key, by why it is none, with the remedy
}

// section is a mapping of the file: its values by key.
type section struct {
	node   *yaml.Node
	path   string // "database[1].tenant"; "" for the whole file
	values map[string]*yaml.Node
	wrong  bool // a key of it was refused: what seems to be missing may be that one
}

func (s *section) in() string {
	if s.path == "" {
		return ""
	}
	return " in " + s.path
}

// sub names a key of the section in messages.
func (s *section) sub(key string) string {
	if s.path == "" {
		return key
	}
	return s.path + "." + key
}

// section reads a mapping with known keys. ok is false if the node is no mapping.
func (d *decoder) section(n *yaml.Node, path string, k keys) (s section, ok bool) {
	s = section{node: n, path: path, values: map[string]*yaml.Node{}}
	what := path
	if what == "" {
		what = "the policy"
	}
	if n.Kind != yaml.MappingNode {
		d.fail(n, "%s is %s (want keys: %s)", what, describe(n), strings.Join(k.known, ", "))
		return s, false
	}
	before := len(d.problems)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		name := key.Value
		if len(d.problems)-before == maxWrongKeys {
			d.fail(key, "more than %d wrong keys%s (is it a policy?)", maxWrongKeys, s.in())
			break
		}
		switch {
		case key.Kind != yaml.ScalarNode:
			d.fail(key, "a key%s is %s (want: %s)", s.in(), describe(key), strings.Join(k.known, ", "))
		case s.values[name] != nil:
			d.fail(key, "key %q stands twice%s (keep one)", name, s.in())
		case slices.Contains(k.known, name):
			s.values[name] = value
		case k.refused[name] != "":
			d.fail(key, "key %q%s %s", name, s.in(), k.refused[name])
		default:
			if guess := nearest(name, k.known); guess != "" {
				d.fail(key, "unknown key %s%s (did you mean %q?)", shorten(name), s.in(), guess)
			} else {
				d.fail(key, "unknown key %s%s (known: %s)", shorten(name), s.in(), strings.Join(k.known, ", "))
			}
		}
	}
	s.wrong = len(d.problems) > before
	return s, true
}

// list returns the items of a list.
func (d *decoder) list(n *yaml.Node, path string) []*yaml.Node {
	if n.Kind != yaml.SequenceNode {
		d.fail(n, "%s is %s (want a list)", path, describe(n))
		return nil
	}
	return n.Content
}

// text returns a scalar as it is written.
func (d *decoder) text(n *yaml.Node, path string) (string, bool) {
	switch {
	case n.Kind != yaml.ScalarNode:
		d.fail(n, "%s is %s (want one value)", path, describe(n))
	case n.Tag == "!!null" || strings.TrimSpace(n.Value) == "":
		d.fail(n, "%s is empty (remove the key or give it a value)", path)
	case len(n.Value) > maxPattern:
		d.fail(n, "%s is longer than %d bytes", path, maxPattern)
	case unclean(strings.TrimSpace(n.Value)) != "":
		d.fail(n, "%s %s (write it on one line)", path, unclean(strings.TrimSpace(n.Value)))
	default:
		return strings.TrimSpace(n.Value), true
	}
	return "", false
}

// word is a scalar of the file with its place.
type word struct {
	text string
	node *yaml.Node
	path string
}

// words returns the scalars of a list, or the one scalar that stands in its place, each charged as a rule.
func (d *decoder) words(n *yaml.Node, path string) []word {
	items := []*yaml.Node{n}
	if n.Kind != yaml.ScalarNode {
		items = d.list(n, path)
	}
	var out []word
	for i, item := range items {
		if !d.count(item) {
			break
		}
		at := path
		if n.Kind != yaml.ScalarNode {
			at = fmt.Sprintf("%s[%d]", path, i+1)
		}
		if text, ok := d.text(item, at); ok {
			out = append(out, word{text, item, at})
		}
	}
	return out
}

// choice returns one of options, or fallback if the key is missing or wrong. Options after a "" are documented but not honoured yet.
func (d *decoder) choice(s *section, key, fallback string, options ...string) string {
	n := s.values[key]
	if n == nil {
		return fallback
	}
	text, ok := d.text(n, s.sub(key))
	if !ok {
		return fallback
	}
	end := slices.Index(options, "")
	if end < 0 {
		end = len(options)
	}
	switch i := slices.Index(options, text); {
	case i >= 0 && i < end:
		return text
	case i > end:
		d.fail(n, "%s: %q is not supported by this version (write %s)", s.sub(key), text, strings.Join(options[:end], " or "))
	default:
		d.fail(n, "%s is %s (write %s)", s.sub(key), shorten(text), strings.Join(options[:end], " or "))
	}
	return fallback
}

// pattern compiles a template or glob.
func (d *decoder) pattern(w word, sep byte, fold bool) (pattern, bool) {
	p, err := compile(w.text, sep, fold)
	if err != nil {
		d.fail(w.node, "%s: %q %v", w.path, w.text, err)
		return p, false
	}
	return p, true
}

// globs compiles patterns that must not capture.
func (d *decoder) globs(n *yaml.Node, path string, sep byte, fold bool) []pattern {
	var out []pattern
	for _, w := range d.words(n, path) {
		p, ok := d.pattern(w, sep, fold)
		if ok && p.captures {
			d.fail(n, "%s: %q captures, which nothing reads here (write * instead of %s)", w.path, w.text, placeholder)
			continue
		}
		if ok {
			out = append(out, p)
		}
	}
	return out
}

// until reads the mandatory end of an allowance: the end of a day in UTC, or a moment.
func (d *decoder) until(s *section) time.Time {
	n := s.values["until"]
	if n == nil {
		d.missing(s, `%s has no "until" (add the last day that it holds: until: 2027-06-30)`, s.path)
		return time.Time{}
	}
	text, ok := d.text(n, s.sub("until"))
	if !ok {
		return time.Time{}
	}
	if t, err := time.Parse(time.DateOnly, text); err == nil {
		return t.AddDate(0, 0, 1).Add(-1)
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		d.fail(n, "%s is %s (write a day: 2027-06-30)", s.sub("until"), shorten(text))
	}
	return t
}

// why reads the mandatory reason of an allowance.
func (d *decoder) why(s *section) string {
	n := s.values["why"]
	if n == nil {
		d.missing(s, `%s has no "why" (add the reason or the ticket)`, s.path)
		return ""
	}
	text, _ := d.text(n, s.sub("why"))
	return text
}

func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	case yaml.ScalarNode:
		if n.Tag == "!!null" || n.Value == "" {
			return "empty"
		}
		return shorten(n.Value)
	}
	return "no value"
}
