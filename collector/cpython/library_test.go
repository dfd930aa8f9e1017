package cpython

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// suite is a release of Debian with what it needs of CPython.
type suite struct {
	name, version string
	packages      []string
	want          Layout // offsets; addresses are those of one build
	key           uint64 // of _PyRuntime
}

// suites are the builds that must give exactly these offsets (Include/internal/pycore_runtime.h and cpython/pystate.h of each version, by offsetof).
var suites = []suite{
	{"bullseye", "3.9", []string{"python3.9-minimal", "libpython3.9-minimal", "libpython3.9-stdlib", "libpython3.9", "libc6", "libexpat1", "zlib1g"},
		Layout{Minor: 0, Next: 8, ThreadID: 0xb0, Context: 0xf0, Head: 8}, 0x24c},
	{"bookworm", "3.11", []string{"python3.11-minimal", "libpython3.11-minimal", "libpython3.11-stdlib", "libpython3.11", "libc6"},
		Layout{Minor: 11, Next: 8, ThreadID: 0x98, Context: 0xe0, Head: 0x10, Chunk: 0x128}, 0x254},
	{"trixie", "3.13", []string{"python3.13-minimal", "libpython3.13-minimal", "libpython3.13-stdlib", "libpython3.13", "libc6", "libexpat1", "zlib1g"},
		Layout{Minor: 13, Next: 8, ThreadID: 0x98, Context: 0xd0, Head: 0x1cb0, Chunk: 0xe8}, 0x874},
}

// root gives a directory with the packages, fetched once from the mirror that the host's own apt uses. Where it does not give them the test is skipped, with what
// apt said.
func (s suite) root(t testing.TB) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	directory := filepath.Join(cache, "tenantrace", "cpython", strings.Join(append([]string{s.name}, s.packages...), "-"))
	if _, err := os.Stat(directory); err == nil {
		return directory
	}
	out, err := exec.Command("bash", append([]string{"../../lab/matrix/unpack.sh", s.name, directory}, s.packages...)...).CombinedOutput()
	if refused := (*exec.ExitError)(nil); err != nil && !errors.As(err, &refused) {
		t.Fatal(err)
	}
	if err != nil {
		t.Skipf("the host's mirror does not give %s of %s: %v: %s", s.packages, s.name, err, out)
	}
	return directory
}

// find gives the only file of a name under a directory.
func find(t testing.TB, root, name string) string {
	t.Helper()
	for _, folder := range []string{"usr/bin", "usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu", "usr/lib64", "lib64"} {
		path := filepath.Join(root, folder, name)
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	t.Fatalf("no %q under %q", name, root)
	return ""
}

func open(t testing.TB, path string) *os.File {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestLearn(t *testing.T) {
	for _, s := range suites {
		for _, name := range []string{"python" + s.version, "libpython" + s.version + ".so.1.0"} {
			t.Run(s.name+"/"+name, func(t *testing.T) {
				l, err := Learn(open(t, find(t, s.root(t), name)))
				if err != nil {
					t.Fatal(err)
				}
				got := Layout{Minor: l.Minor, Next: l.Next, ThreadID: l.ThreadID, Context: l.Context, Chunk: l.Chunk, Head: l.Head}
				if got != s.want {
					t.Errorf("offsets %+v, want %+v", got, s.want)
				}
				if l.Key%4 != 0 || l.Main == 0 || l.Type == 0 || l.Copy == 0 || l.Free == 0 {
					t.Errorf("places %+v are not complete", l)
				}
				checkKey(t, open(t, find(t, s.root(t), name)), l, s.key)
			})
		}
	}
}

// Stripping takes the symbols that are not exported; the sections' table may go too.
func TestStripped(t *testing.T) {
	s := suites[1]
	path := find(t, s.root(t), "libpython3.11.so.1.0")
	want, err := Learn(open(t, path))
	if err != nil {
		t.Fatal(err)
	}
	stripped := filepath.Join(t.TempDir(), "stripped")
	if out, err := exec.Command("strip", "--strip-all", "-o", stripped, path).CombinedOutput(); err != nil {
		t.Fatalf("strip: %v: %s", err, out)
	}
	got, err := Learn(open(t, stripped))
	if err != nil {
		t.Fatal(err)
	}
	if *got != *want {
		t.Errorf("learned %+v, want %+v", got, want)
	}
}

func TestRefused(t *testing.T) {
	whole, err := os.ReadFile(find(t, suites[1].root(t), "python3.11"))
	if err != nil {
		t.Fatal(err)
	}
	l, err := Learn(bytes.NewReader(whole))
	if err != nil {
		t.Fatal(err)
	}
	patched := func(at uint64, b ...byte) []byte {
		out := bytes.Clone(whole)
		copy(out[at:], b)
		return out
	}
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"arm64":                {patched(18, 0xb7, 0), "cannot be read yet"},
		"no interpreter":       {bytes.ReplaceAll(whole, []byte("PyContext_CopyCurrent"), []byte("PyContext_CopyCurrenx")), ErrNone.Error()},
		"without a symbol":     {bytes.ReplaceAll(whole, []byte("\x00PyInterpreterState_Main\x00"), []byte("\x00PyInterpreterState_Mainx")), "is not exported"},
		"another code":         {patched(l.Copy, 0x31, 0xc0, 0xc3), "reads 0 fields"}, // xor eax, eax; ret
		"no code":              {patched(l.Copy, 0x06), "cannot be decoded"},
		"no file of this kind": {[]byte("#!/bin/sh\n"), ErrNone.Error()},
	} {
		if l, err := Learn(bytes.NewReader(c.file)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %+v, %v, want an error with %q", name, l, err, c.want)
		}
	}
}

func TestSlots(t *testing.T) {
	for _, s := range suites {
		path := ""
		for _, name := range []string{"libpthread-2.31.so", "libc.so.6"} { // before glibc 2.34 it is in a library of its own
			if found, _ := filepath.Glob(filepath.Join(s.root(t), "*", "x86_64-linux-gnu", name)); len(found) > 0 && path == "" {
				path = found[0]
			} else if found, _ := filepath.Glob(filepath.Join(s.root(t), "usr/lib/x86_64-linux-gnu", name)); len(found) > 0 && path == "" {
				path = found[0]
			}
		}
		got, err := LearnSlots(open(t, path))
		if err != nil || got != 0x318 {
			t.Errorf("%s: %#x, %v, want 0x318", path, got, err)
		}
	}
	if _, err := LearnSlots(open(t, find(t, suites[1].root(t), "libpython3.11.so.1.0"))); !errors.Is(err, ErrNoSlots) {
		t.Errorf("a file without it: %v", err)
	}
	for name, code := range map[string]string{
		"key with another bound": "\x83\xff\x3f\x89\xf8\x48\x83\xc0\x31\x48\xc1\xe0\x04\x64\x48\x03\x04\x25\x10\x00\x00\x00\x48\x8b\x50\x08",
		"no shift":               "\x83\xff\x1f\x89\xf8\x48\x83\xc0\x31\x64\x48\x03\x04\x25\x10\x00\x00\x00\x48\x8b\x50\x08",
		"no thread pointer":      "\x83\xff\x1f\x89\xf8\x48\x83\xc0\x31\x48\xc1\xe0\x04\x48\x8b\x50\x08",
		"nothing":                "",
	} {
		if at, ok := slots([]byte(code)); ok {
			t.Errorf("%s: %#x", name, at)
		}
	}
	if at, ok := slots([]byte("\x83\xff\x1f\x89\xf8\x48\x83\xc0\x31\x48\xc1\xe0\x04\x64\x48\x03\x04\x25\x10\x00\x00\x00\x48\x8b\x50\x08")); !ok || at != 0x318 {
		t.Errorf("glibc 2.36: %#x, %t", at, ok)
	}
}

func FuzzLearn(f *testing.F) {
	f.Add([]byte("\x7fELF\x02\x01\x01"))
	if whole, err := os.ReadFile("/proc/self/exe"); err == nil {
		f.Add(whole[:4096])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := Learn(bytes.NewReader(b))
		if (l == nil) == (err == nil) {
			t.Errorf("%+v, %v", l, err)
		}
		if at, err := LearnSlots(bytes.NewReader(b)); err == nil && (at < 8 || at%8 != 0) {
			t.Errorf("slots at %#x", at)
		}
	})
}

func FuzzSlots(f *testing.F) {
	f.Add([]byte("\x83\xff\x1f\x89\xf8\x48\x83\xc0\x31\x48\xc1\xe0\x04\x64\x48\x03\x04\x25\x10\x00\x00\x00\x48\x8b\x50\x08"))
	f.Fuzz(func(t *testing.T, code []byte) {
		if at, ok := slots(code); ok && at%slotSize != 8 {
			t.Errorf("%#x", at)
		}
	})
}
