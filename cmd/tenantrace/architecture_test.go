package main

import (
	"errors"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	module = "tenantrace"
	root   = "../.."
)

// topFolders are the folders at the top of the repository. bin holds what make build makes and is not committed.
var topFolders = []string{"bpf", "cmd", "collector", "correlate", "deploy", "lab", "vm"}

// rule says what the packages of a folder and below it may import. Of two rules the one for the deeper folder holds.
type rule struct {
	folder string
	ours   []string // folders of ours, with all below them
	others []string // module paths of others; "*": any
}

// rules are the directions of the architecture: bpf -> collector -> correlate -> cmd, with collector/event as the only thing that both
// middle parts know, and everything that reads bytes of others pure.
var rules = []rule{
	{folder: "bpf", others: []string{"github.com/cilium/ebpf"}},
	{folder: "collector", ours: []string{"bpf", "collector"}, others: []string{"*"}},
	{folder: "collector/event"},
	{folder: "collector/http1", ours: []string{"collector/event", "collector/http1"}},
	{folder: "collector/http2", ours: []string{"collector/event", "collector/http2"}, others: []string{"golang.org/x/net"}},
	{folder: "collector/identity", ours: []string{"collector/event", "collector/identity"}},
	{folder: "collector/mysqlwire", ours: []string{"collector/event", "collector/mysqlwire", "collector/rowset"}},
	{folder: "collector/pgwire", ours: []string{"collector/event", "collector/pgwire", "collector/rowset"}},
	{folder: "collector/recording", ours: []string{"collector/event"}},
	{folder: "collector/rowset"},
	{folder: "correlate", ours: []string{"collector/event", "correlate"}, others: []string{"github.com/prometheus/client_golang"}},
	{folder: "correlate/policy", ours: []string{"correlate/policy"}, others: []string{"go.yaml.in/yaml"}},
	{folder: "correlate/tenantsql", ours: []string{"correlate/tenantsql"}},
	{folder: "correlate/verdict"},
	{folder: "cmd", ours: []string{"bpf", "cmd", "collector", "correlate"}, others: []string{"*"}},
	{folder: "lab", ours: []string{"lab"}, others: []string{"*"}},
	{folder: "lab/oracle", ours: []string{"correlate/tenantsql", "lab/oracle"}, others: []string{"*"}}, // a module of its own
}

func ruleOf(folder string) *rule {
	var best *rule
	for i := range rules {
		if within(folder, rules[i].folder) && (best == nil || len(rules[i].folder) > len(best.folder)) {
			best = &rules[i]
		}
	}
	return best
}

func within(folder, above string) bool {
	return folder == above || strings.HasPrefix(folder, above+"/")
}

// allows tells whether the rule allows the import of a package by its path.
func (r *rule) allows(imported string) bool {
	if ours, ok := strings.CutPrefix(imported, module+"/"); ok {
		return slices.ContainsFunc(r.ours, func(f string) bool { return within(ours, f) })
	}
	first, _, _ := strings.Cut(imported, "/")
	if !strings.Contains(first, ".") {
		return imported != "C" && imported != "unsafe" || slices.Contains(r.others, "*") // the standard library
	}
	return slices.ContainsFunc(r.others, func(m string) bool { return m == "*" || within(imported, m) })
}

// packages reads every Go package below the top folders: its folder, relative to the root, and what go/build says of it.
func packages(t *testing.T) map[string]*build.Package {
	t.Helper()
	found := make(map[string]*build.Package)
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		folder, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		if name := d.Name(); folder != "." && (strings.HasPrefix(name, ".") || name == "testdata" || folder == "bin") {
			return filepath.SkipDir
		}
		p, err := build.ImportDir(file, 0)
		if errors.As(err, new(*build.NoGoError)) {
			return nil
		}
		found[filepath.ToSlash(folder)] = p
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestImportsGoOneWay(t *testing.T) {
	found := packages(t)
	for _, must := range []string{"bpf", "cmd/tenantrace", "collector", "collector/event", "correlate", "correlate/policy"} {
		if found[must] == nil {
			t.Errorf("package %s was not found: the walk is broken", must)
		}
	}
	for folder, p := range found {
		r := ruleOf(folder)
		if r == nil {
			t.Errorf("%s: no rule for this folder", folder)
			continue
		}
		for _, imported := range p.Imports {
			if !r.allows(imported) {
				t.Errorf("%s imports %q, which the rule for %s does not allow", folder, imported, r.folder)
			}
		}
	}
}

// The rules themselves: what must never be allowed is not.
func TestRulesForbid(t *testing.T) {
	for _, tc := range []struct{ folder, imported string }{
		{"bpf", module + "/collector/event"},
		{"collector", module + "/correlate"},
		{"collector/stream", module + "/correlate/verdict"},
		{"collector/event", "github.com/prometheus/client_golang/prometheus"},
		{"collector/pgwire", module + "/bpf"},
		{"collector/pgwire", "github.com/cilium/ebpf"},
		{"correlate", "github.com/cilium/ebpf"},
		{"correlate", "golang.org/x/sys/unix"},
		{"correlate", module + "/collector"},
		{"correlate", module + "/cmd/tenantrace/ocsf"},
		{"correlate/policy", module + "/collector/event"},
		{"correlate/tenantsql", "unsafe"},
		{"lab", module + "/correlate"},
		{"cmd/tenantrace", module + "/lab/pki"},
	} {
		if ruleOf(tc.folder).allows(tc.imported) {
			t.Errorf("%s may import %q", tc.folder, tc.imported)
		}
	}
}

func TestTopFolders(t *testing.T) {
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") && e.Name() != "bin" {
			found = append(found, e.Name())
		}
	}
	if !slices.Equal(found, topFolders) {
		t.Errorf("top folders are %v, want %v", found, topFolders)
	}
}

func TestPackageNames(t *testing.T) {
	for folder, p := range packages(t) {
		if slices.Contains([]string{"util", "utils", "common", "helper", "helpers", "types", "misc", "shared"}, p.Name) {
			t.Errorf("%s: package %s says nothing about what it holds", folder, p.Name)
		}
		if want := path.Base(folder); p.Name != "main" && p.Name != want {
			t.Errorf("%s holds package %s, want %s", folder, p.Name, want)
		}
	}
}

func TestNoInitFunctions(t *testing.T) {
	for folder, p := range packages(t) {
		for _, name := range slices.Concat(p.GoFiles, p.TestGoFiles, p.XTestGoFiles) {
			file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range file.Decls {
				if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
					t.Errorf("%s/%s has an init function", folder, name)
				}
			}
		}
	}
}

// One comment per package says what it is; only main ends the program.
func TestPackageCommentsAndExits(t *testing.T) {
	for folder, p := range packages(t) {
		comments := 0
		for _, name := range p.GoFiles {
			file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			if file.Doc != nil {
				comments++
			}
			ast.Inspect(file, func(n ast.Node) bool {
				call, ok := n.(*ast.SelectorExpr)
				if !ok || p.Name == "main" {
					return true
				}
				if x, ok := call.X.(*ast.Ident); ok && (x.Name == "os" && call.Sel.Name == "Exit" || x.Name == "log" && strings.HasPrefix(call.Sel.Name, "Fatal")) {
					t.Errorf("%s/%s ends the program with %s.%s", folder, name, x.Name, call.Sel.Name)
				}
				return true
			})
		}
		if comments != 1 && len(p.GoFiles) > 0 {
			t.Errorf("%s has %d package comments, want 1", folder, comments)
		}
	}
}
