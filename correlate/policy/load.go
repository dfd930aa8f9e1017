package policy

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Bounds of the files.
const (
	maxFile    = 1 << 20  // bytes of a policy
	maxMap     = 64 << 20 // bytes of a map file
	maxMapRows = 2_000_000
	maxDepth   = 32 // of nested YAML
)

// Load reads a policy file. Its errors are Problems, joined, that name the file, the line, the key and the remedy.
func Load(path string) (*Policy, error) {
	data, err := readFile(path, maxFile)
	if err != nil {
		return nil, &Problem{File: path, Text: "cannot be read (check the path and its permissions)", Err: err}
	}
	return Parse(path, data, filepath.Dir(path))
}

// Parse compiles the text of a policy file; name is its name in errors, dir the directory of the files that it names. Errors as in Load.
func Parse(name string, data []byte, dir string) (*Policy, error) {
	return parse(name, data, dir, reader{readFile, readSecret}, Default())
}

// reader reads the files that a policy names.
type reader struct {
	file   func(path string, most int64) ([]byte, error)
	secret func(path string) ([]byte, error)
}

// parse takes the sections that the file leaves out from base; without a base, all must be there. files are those that the policy names.
func parse(name string, data []byte, dir string, files reader, base *Policy) (*Policy, error) {
	d := &decoder{file: name, dir: dir, open: files.file, secret: files.secret}
	if root := d.tree(data); root != nil {
		hash := sha256.New()
		hash.Write(data)
		p := d.policy(root, base, hash)
		p.hash = "sha256:" + hex.EncodeToString(hash.Sum(nil)[:8])
		for i := range p.services {
			p.services[i].policy.hash = p.hash
		}
		if len(d.problems) == 0 {
			return p, nil
		}
	}
	for _, p := range d.problems {
		p.Hidden = d.hide
	}
	return nil, joinProblems(d.problems)
}

// tree parses YAML into the mapping of one document, or fails and returns nil.
func (d *decoder) tree(data []byte) *yaml.Node {
	if len(data) > maxFile {
		d.fail(nil, "is larger than %d bytes (put names into a map file)", maxFile)
		return nil
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, more yaml.Node
	err := dec.Decode(&doc)
	if errors.Is(err, io.EOF) || err == nil && (len(doc.Content) == 0 || doc.Content[0].Tag == "!!null") {
		d.fail(nil, "is empty (write at least: version: 1)")
		return nil
	}
	if err == nil {
		if second := dec.Decode(&more); second == nil {
			d.fail(&more, "has a second document (keep one, without ---)")
			return nil
		} else if !errors.Is(second, io.EOF) {
			err = second
		}
	}
	if err != nil {
		d.problems = append(d.problems, syntaxProblem(d.file, err))
		return nil
	}
	root := doc.Content[0]
	if !d.plain(root, 0) {
		return nil
	}
	return root
}

// plain refuses what a policy does not need and an attack does: aliases, anchors, tags, deep nesting.
func (d *decoder) plain(n *yaml.Node, depth int) bool {
	switch {
	case depth > maxDepth:
		d.fail(n, "is nested deeper than %d levels", maxDepth)
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		d.fail(n, "has an anchor or an alias (write the value out)")
	case n.Style&yaml.TaggedStyle != 0:
		d.fail(n, "has a YAML tag, %s (write the plain value)", shorten(n.Tag))
	default:
		for _, c := range n.Content {
			if !d.plain(c, depth+1) {
				return false
			}
		}
		return true
	}
	return false
}

// syntaxProblem takes the line out of the YAML parser's message, "yaml: line 3: …", where it names one.
func syntaxProblem(file string, err error) *Problem {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	p := &Problem{File: file, Text: "is not YAML: " + text}
	if rest, ok := strings.CutPrefix(text, "line "); ok {
		number, message, _ := strings.Cut(rest, ": ")
		if line, err := strconv.Atoi(number); err == nil {
			p.Line, p.Text = line, "is not YAML: "+message
		}
	}
	return p
}

// readFile reads a regular file of at most most bytes.
func readFile(path string, most int64) ([]byte, error) {
	info, err := os.Stat(path) // before opening: opening a pipe would block
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%q is not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", path, err)
	}
	if int64(len(data)) > most {
		return nil, fmt.Errorf("%q is larger than %d bytes", path, most)
	}
	return data, nil
}
