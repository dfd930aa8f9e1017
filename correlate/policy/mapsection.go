package policy

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"hash"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

var mapKeys = keys{known: []string{"file", "by", "key", "value", "entries"}}

// names reads the section "identity.map": a CSV file, or entries in place.
func (d *decoder) names(n *yaml.Node, p *Policy, sum hash.Hash) *nameMap {
	s, ok := d.section(n, "identity.map", mapKeys)
	if !ok {
		return newNameMap(nil)
	}
	by, ok := d.mapBy(&s)
	if !ok {
		return newNameMap(nil)
	}
	m := newNameMap(d.pairs(&s, by, p, sum))
	m.by = by
	return m
}

// pairs reads the content of a map.
func (d *decoder) pairs(s *section, by *matcher, p *Policy, sum hash.Hash) []namePair {
	file, entries := s.values["file"], s.values["entries"]
	switch {
	case (file == nil) == (entries == nil):
		d.missing(s, "identity.map needs one of file and entries")
		return nil
	case entries != nil:
		for _, key := range [...]string{"key", "value"} {
			if n := s.values[key]; n != nil {
				d.fail(n, "%s belongs to a map file (remove it beside entries)", s.sub(key))
			}
		}
		if by != nil && by.source == sourceSerial {
			d.fail(entries, "identity.map.by serial needs the issuer of each too, which entries cannot hold (write a file)")
			return nil
		}
		return d.entries(entries, by)
	}
	c, ok := d.mapColumns(s, by)
	if !ok {
		return nil
	}
	path, ok := d.text(file, "identity.map.file")
	if !ok {
		return nil
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(d.dir, path)
	}
	data, err := d.open(path, maxMap)
	if err != nil {
		d.problems = append(d.problems, &Problem{File: d.file, Line: file.Line, Text: "identity.map.file cannot be read (a relative path starts at the policy's directory)", Err: err})
		return nil
	}
	p.files = append(p.files, path)
	fmt.Fprintf(sum, "\x00%d\x00", len(data))
	sum.Write(data)
	pairs, err := readCSV(data, c)
	if err != nil {
		d.problems = append(d.problems, &Problem{File: d.file, Line: file.Line, Text: fmt.Sprintf("map %q", path), Err: err})
	}
	return pairs
}

func (d *decoder) entries(n *yaml.Node, by *matcher) (pairs []namePair) {
	if n.Kind != yaml.MappingNode {
		d.fail(n, "identity.map.entries is %s (write certificate name: database name)", describe(n))
		return nil
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if !d.count(n.Content[i]) {
			return pairs
		}
		key, ok := d.text(n.Content[i], "a key of identity.map.entries")
		if !ok {
			continue
		}
		name, why := mapKey(by, key, "")
		if why != "" {
			d.fail(n.Content[i], "key %s of identity.map.entries %s", shorten(key), why)
			continue
		}
		if seen[name] {
			d.fail(n.Content[i], "key %s stands twice in identity.map.entries (write a list of database names)", shorten(key))
			continue
		}
		seen[name] = true
		for _, w := range d.words(n.Content[i+1], "identity.map.entries."+key) {
			pairs = append(pairs, namePair{name, Normalize(w.text)})
		}
	}
	return pairs
}

// readCSV reads a map file: CSV (RFC 4180) in UTF-8 with a first line that names the columns; lines that begin with "#" and further columns are
// ignored. Errors name the line.
func readCSV(data []byte, c columns) ([]namePair, error) {
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))))
	r.Comment, r.ReuseRecord = '#', true
	head, err := r.Read()
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("is empty (write a first line with the columns %s)", quoted(c.names()))
	}
	if err != nil {
		return nil, err
	}
	key, err := column(head, c.key)
	if err != nil {
		return nil, err
	}
	value, err := column(head, c.value)
	if err != nil {
		return nil, err
	}
	issuer := -1
	if c.issuer != "" {
		if issuer, err = column(head, c.issuer); err != nil {
			return nil, err
		}
	}
	var pairs []namePair
	databases := map[string]string{} // many certificates share a tenant's name
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return pairs, nil
		}
		if err != nil {
			return nil, err
		}
		line, _ := r.FieldPos(0)
		if len(pairs) == maxMapRows {
			return nil, fmt.Errorf("line %d: more than %d rows", line, maxMapRows)
		}
		from, to := cleanName(row[key]), cleanName(row[value])
		if from == "" || to == "" {
			name := c.key
			if from != "" {
				name = c.value
			}
			return nil, fmt.Errorf("line %d: column %q is empty, longer than %d bytes, or holds control characters", line, name, maxName)
		}
		if c.by != nil {
			of := ""
			if issuer >= 0 {
				of = row[issuer]
			}
			name, why := mapKey(c.by, row[key], of)
			if why != "" {
				return nil, fmt.Errorf("line %d: %s %s", line, shorten(row[key]), why)
			}
			from = name
		}
		if known, ok := databases[to]; ok {
			to = known
		} else {
			to = strings.Clone(to)
			databases[to] = to
		}
		pairs = append(pairs, namePair{strings.Clone(from), to}) // a field shares the memory of its row
	}
}

// column finds a column by its name in the head of a CSV file.
func column(head []string, name string) (int, error) {
	same := func(field string) bool { return strings.EqualFold(strings.TrimSpace(field), name) }
	i := slices.IndexFunc(head, same)
	if i < 0 {
		return 0, fmt.Errorf("line 1: no column %q (columns: %s)", name, quoted(head))
	}
	if slices.ContainsFunc(head[i+1:], same) {
		return 0, fmt.Errorf("line 1: column %q stands twice", name)
	}
	return i, nil
}
