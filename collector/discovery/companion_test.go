package discovery

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"tenantrace/collector/openssl"
	"tenantrace/collector/procfs"
)

// A libssl goes with the libcrypto that it asks for, by the file's own name or by its path; of two of one name with its neighbour.
func TestCompanions(t *testing.T) {
	file := func(path string, c contents) mapped { return mapped{procfs.Mapping{Path: path}, &c} }
	system := file("/usr/lib/libcrypto.so.3", contents{crypto: true, name: "libcrypto.so.3"})
	second := file("/opt/lib/libcrypto.so.3 (deleted)", contents{crypto: true, name: "libcrypto.so.3"})
	wheel := file("/venv/libcrypto-5e6f.so.3", contents{crypto: true, name: "libcrypto-5e6f.so.3"})
	nameless := file("/srv/libcrypto-nameless.so", contents{crypto: true})
	other := file("/usr/lib/libc.so.6", contents{name: "libc.so.6"})
	ssl := func(path string, needs ...string) mapped { return file(path, contents{ssl: true, needs: needs}) }
	for name, c := range map[string]struct {
		ssl     mapped
		files   []mapped
		want    []string
		certain bool
	}{
		"the one asked for":           {ssl("/venv/libssl-1a2b.so.3", "libcrypto-5e6f.so.3", "libc.so.6"), []mapped{other, system, wheel}, []string{wheel.Path}, true},
		"the system's, loaded after":  {ssl("/usr/lib/libssl.so.3", "libcrypto.so.3"), []mapped{wheel, other, system}, []string{system.Path}, true},
		"by its path":                 {ssl("/srv/libssl.so", "libcrypto-nameless.so"), []mapped{system, nameless}, []string{nameless.Path}, true},
		"the neighbour, both deleted": {ssl("/opt/lib/libssl.so.3 (deleted)", "libcrypto.so.3"), []mapped{system, second}, []string{second.Path}, true},
		"one of two":                  {ssl("/home/libssl.so.3", "libcrypto.so.3"), []mapped{system, second, wheel}, []string{system.Path, second.Path}, true},
		"not mapped yet":              {ssl("/venv/libssl-1a2b.so.3", "libcrypto-5e6f.so.3"), []mapped{system, other}, []string{system.Path}, false},
		"none":                        {ssl("/venv/libssl-1a2b.so.3", "libcrypto-5e6f.so.3"), []mapped{other}, nil, false},
	} {
		got, certain := companions(c.ssl, append(c.files, c.ssl))
		var paths []string
		for _, m := range got {
			paths = append(paths, m.Path)
		}
		if len(paths) != len(c.want) || certain != c.certain {
			t.Errorf("%s: %q, certain %t; want %q, %t", name, paths, certain, c.want, c.certain)
			continue
		}
		for i := range paths {
			if paths[i] != c.want[i] {
				t.Errorf("%s: %q, want %q", name, paths, c.want)
			}
		}
	}
}

// Where two libcryptos may be the one in use, offsets are taken only if both have the same.
func TestAgree(t *testing.T) {
	source, err := os.ReadFile("../openssl/testdata/library.c")
	if err != nil {
		t.Fatal(err)
	}
	const member = "char parsed[0x70]"
	if strings.Count(string(source), member) != 1 {
		t.Fatalf("testdata/library.c has no %q", member)
	}
	build := func(text string) *os.File {
		folder := t.TempDir()
		from, to := filepath.Join(folder, "library.c"), filepath.Join(folder, "library.so")
		if err := os.WriteFile(from, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command("gcc", "-O2", "-shared", "-fPIC", "-w", "-DPLAIN", "-o", to, from).CombinedOutput(); err != nil {
			t.Fatalf("gcc: %v: %s", err, out)
		}
		f, err := os.Open(to)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	ours, other := build(string(source)), build(strings.Replace(string(source), member, "char parsed[0x80]", 1))
	l, err := openssl.Open(ours, ours)
	if err != nil || l.Layout == nil {
		t.Fatal(err, l)
	}
	if agree(l, ours, "same"); l.Layout == nil || l.LayoutErr != nil {
		t.Errorf("no offsets, although both have the same: %v", l.LayoutErr)
	}
	if agree(l, other, "/opt/other"); l.Layout != nil || l.LayoutErr == nil || !strings.Contains(l.LayoutErr.Error(), `"/opt/other"`) {
		t.Errorf("offsets %v, error %v; want none, and the other named", l.Layout, l.LayoutErr)
	}
}
