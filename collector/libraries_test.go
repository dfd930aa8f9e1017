package collector

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tenantrace/collector/discovery"
	"tenantrace/collector/event"
	"tenantrace/collector/probe"
)

// renamed copies this machine's libraries under other names, as wheels carry them, and has each know the other by its new name.
func renamed(t *testing.T) (ssl, crypto string) {
	t.Helper()
	hostSSL, hostCrypto := hostLibraries(t)
	directory := t.TempDir()
	replace := func(from, name string) string {
		b, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		for old, new := range map[string]string{"libssl.so.3\x00": "libssl-3a1b\x00", "libcrypto.so.3\x00": "libcrypto-5e6f\x00"} {
			b = bytes.ReplaceAll(b, []byte(old), []byte(new)) // of the same length: the string table keeps its place
		}
		path := filepath.Join(directory, name)
		if err := os.WriteFile(path, b, 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return replace(hostSSL, "libssl-3a1b"), replace(hostCrypto, "libcrypto-5e6f")
}

// Several builds of OpenSSL in one process serve at once: each is found, also when it is mapped long after the others, and goes with its own libcrypto.
func TestSeveralLibrariesInOneProcess(t *testing.T) {
	needRoot(t)
	a := newAuthority(t)
	server := a.run(t, compile(t))
	n := &notes{}
	c, stop := start(t, n, server.pid)
	hostSSL, hostCrypto := hostLibraries(t)
	otherSSL, otherCrypto := renamed(t)
	old := filepath.Join(unpacked(t, oldOpenSSL), "usr/lib", filepath.Base(filepath.Dir(hostSSL)))
	for _, l := range []struct{ name, ssl, crypto string }{
		{"host", hostSSL, hostCrypto}, {"renamed", otherSSL, otherCrypto}, {"old", filepath.Join(old, "libssl.so.1.1"), filepath.Join(old, "libcrypto.so.1.1")},
	} {
		certificate := tenant(t, a, l.name)
		time.Sleep(3 * time.Second) // the process is quiet meanwhile
		port := server.do("load " + l.ssl + " " + l.crypto)
		foundLibrary(t, c, l.ssl, server.pid)
		ask(t, a, certificate, port)
		seen(t, n, server.pid, certificate, requests)
		if got := libraryOf(t, c, l.ssl); !got.OffsetsKnown || got.Functions.Internal != 3 || got.Functions.Exported != 3 {
			t.Errorf("library %+v: want offsets and probes on 3 internal and 3 exported functions", got)
		}
	}
	stop()
}

// An executable with OpenSSL linked in has only its static symbols. Without these nothing can be probed: that is said.
func TestLinkedIn(t *testing.T) {
	needRoot(t)
	folder := filepath.Join(unpacked(t, staticOpenSSL), "usr/lib", filepath.Base(filepath.Dir(first(hostLibraries(t)))))
	exe := compile(t, "-static", "-DLINKED", filepath.Join(folder, "libssl.a"), filepath.Join(folder, "libcrypto.a"), "-lpthread", "-ldl")
	bare := exe + "-stripped"
	if out, err := exec.Command("strip", "-o", bare, exe).CombinedOutput(); err != nil {
		t.Fatalf("strip: %v: %s", err, out)
	}
	a := newAuthority(t)
	n := &notes{}
	c, stop := start(t, n)
	whole, stripped := a.run(t, exe), a.run(t, bare)
	certificate, other := tenant(t, a, "linked"), tenant(t, a, "stripped")
	ports := []string{whole.do("load - -"), stripped.do("load - -")}
	foundLibrary(t, c, exe, whole.pid)
	wait(t, "the stripped executable", func() bool {
		return slices.ContainsFunc(c.Libraries(), func(l discovery.Library) bool { return l.Path == bare && l.Processes > 0 })
	})
	ask(t, a, certificate, ports[0])
	ask(t, a, other, ports[1])
	seen(t, n, whole.pid, certificate, requests)
	if l := libraryOf(t, c, exe); !l.OffsetsKnown || l.Hidden || l.Probes == 0 {
		t.Errorf("library %+v: want offsets and probes", l)
	}
	if l := libraryOf(t, c, bare); !l.Hidden || l.Probes != 0 || !strings.Contains(l.Error, "without its symbols") || l.Processes != 1 {
		t.Errorf("library %+v: want one without symbols, in one process, and said so", l)
	}
	if ok, why := c.Ready(); !ok {
		t.Errorf("not ready for ever: %s", why)
	}
	if got := metric(t, c, `tenantrace_probes{state="unsupported"}`); got != 1 {
		t.Errorf("%v libraries are counted as unsupported, want 1", got)
	}
	stop()
	if got := collect(n, func(r *event.HTTPRequest) bool { return r.PID == uint32(stripped.pid) }); len(got) != 0 {
		t.Errorf("%d requests of the stripped server: it can be seen after all", len(got))
	}
}

func first(a, _ string) string { return a }

// A library may be gone from its path, or be replaced there as apt does it, while processes go on with it.
func TestDeletedAndUpgradedLibraries(t *testing.T) {
	needRoot(t)
	a := newAuthority(t)
	exe := compile(t)
	ssl, crypto := renamed(t)
	newSSL, newCrypto := renamed(t)
	before, upgraded := a.run(t, exe), a.run(t, exe)
	beforePort := before.do("load " + ssl + " " + crypto)
	for _, path := range []string{ssl, crypto} {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	n := &notes{}
	c, stop := start(t, n)
	certificate := tenant(t, a, "deleted")
	ask(t, a, certificate, beforePort)
	seen(t, n, before.pid, certificate, requests)
	if l := libraryOf(t, c, ssl+" (deleted)"); !l.OffsetsKnown {
		t.Errorf("library %+v: no offsets", l)
	}
	for from, to := range map[string]string{newSSL: ssl, newCrypto: crypto} {
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
	port := upgraded.do("load " + ssl + " " + crypto)
	foundLibrary(t, c, ssl, upgraded.pid)
	old, new := tenant(t, a, "old"), tenant(t, a, "new")
	ask(t, a, old, beforePort)
	ask(t, a, new, port)
	seen(t, n, before.pid, old, requests)
	seen(t, n, upgraded.pid, new, requests)
	stop()
}

// smallFileSystem mounts an ext4 with so few numbers for files that one that is freed is given to the next file.
func smallFileSystem(t *testing.T) (directory string) {
	t.Helper()
	image, directory := filepath.Join(t.TempDir(), "image"), t.TempDir()
	for _, line := range [][]string{
		{"truncate", "-s", "32M", image}, {"/sbin/mke2fs", "-q", "-t", "ext4", "-N", "16", image}, {"mount", "-o", "loop", image, directory},
	} {
		if out, err := exec.Command(line[0], line[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%q: %v: %s", line, err, out)
		}
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", "--lazy", directory).CombinedOutput(); err != nil {
			t.Errorf("umount: %v: %s", err, out)
		}
	})
	return directory
}

// The number of a deleted file is given to the next one. What was found in the one must not be taken for the other.
func TestInodeUsedAgain(t *testing.T) {
	needRoot(t)
	exe := compile(t)
	for name, without := range map[string]probe.Features{"marked by a program": {}, "marked by system calls": {Control: true}} {
		t.Run(name, func(t *testing.T) { inodeUsedAgain(t, exe, without) })
	}
}

func inodeUsedAgain(t *testing.T, exe string, without probe.Features) {
	a := newAuthority(t)
	server := a.run(t, exe)
	n := &notes{}
	c, stop := startWith(t, n, Config{PIDs: []int{server.pid}, without: without})
	ssl, crypto := renamed(t)
	content, err := os.ReadFile(ssl)
	if err != nil {
		t.Fatal(err)
	}
	folder := smallFileSystem(t)
	nothing, again := filepath.Join(folder, "nothing"), filepath.Join(folder, "libssl-3a1b")
	if err := os.WriteFile(nothing, bytes.Repeat([]byte("nothing\n"), 1024), 0o755); err != nil {
		t.Fatal(err)
	}
	number := inode(t, nothing)
	server.do("map " + nothing)
	time.Sleep(promised(250 * time.Millisecond)) // to find that there is nothing in it
	server.do("unload")
	if err := os.Remove(nothing); err != nil {
		t.Fatal(err)
	}
	for i := 0; ; i++ {
		if err := os.WriteFile(again, content, 0o755); err != nil {
			t.Fatal(err)
		}
		if inode(t, again) == number {
			break
		}
		if i == 16 {
			t.Fatal("the number of the deleted file was not given to another one")
		}
		if err := os.Rename(again, again+strings.Repeat("x", i+1)); err != nil { // keeps the number that it has
			t.Fatal(err)
		}
	}
	port := server.do("load " + again + " " + crypto)
	foundLibrary(t, c, again, server.pid)
	certificate := tenant(t, a, "again")
	ask(t, a, certificate, port)
	seen(t, n, server.pid, certificate, requests)
	stop()
	server.end() // else the file system stays in use
}

// A libssl whose libcrypto never comes is probed all the same, after a while, and it is said what is not known of it.
func TestLibraryWithoutItsCompanion(t *testing.T) {
	needRoot(t)
	alone := filepath.Join(t.TempDir(), "libssl-alone.so")
	args := []string{"-O2", "-shared", "-fPIC", "-w", "-DPLAIN", "-Di2d_re_X509_tbs=other_name", "-o", alone, "openssl/testdata/library.c"}
	if out, err := exec.Command("gcc", args...).CombinedOutput(); err != nil {
		t.Fatalf("gcc: %v: %s", err, out)
	}
	a := newAuthority(t)
	server := a.run(t, compile(t))
	c, stop := start(t, &notes{}, server.pid)
	server.do("map " + alone)
	foundLibrary(t, c, alone, server.pid)
	if l := libraryOf(t, c, alone); l.OffsetsKnown || !strings.Contains(l.Error, "no libcrypto") {
		t.Errorf("library %+v: want one without offsets, and why", l)
	}
	stop()
}

// Workers that were forked before serve on the parent's socket, and a child that is forked in the middle of a connection goes on with it.
func TestForks(t *testing.T) {
	needRoot(t)
	a := newAuthority(t)
	ssl, crypto := hostLibraries(t)
	exe := compile(t)
	early, late := a.run(t, exe), a.run(t, exe)
	earlyPort := early.do("prefork " + ssl + " " + crypto + " 3")
	n := &notes{}
	c, stop := start(t, n)
	latePort := late.do("prefork " + ssl + " " + crypto + " 3")
	middle := a.run(t, exe)
	middlePort := middle.do("load " + ssl + " " + crypto)
	for _, r := range []*running{early, late, middle} {
		foundLibrary(t, c, ssl, r.pid)
	}
	for name, port := range map[string]string{"early": earlyPort, "late": latePort} {
		certificate := tenant(t, a, name)
		ask(t, a, certificate, port)
		seen(t, n, 0, certificate, requests)
		for _, r := range collect(n, func(r *event.HTTPRequest) bool { return strings.HasPrefix(r.Path, "/"+name+"/") }) {
			if r.PID == uint32(early.pid) || r.PID == uint32(late.pid) {
				t.Errorf("request %s in process %d, which only forked", r.Path, r.PID)
			}
		}
	}
	certificate := tenant(t, a, "middle")
	client := a.client(certificate)
	for _, path := range []string{"/middle/before", "/fork/1", "/middle/after", "/fork/2", "/middle/last"} {
		get(t, client, "https://127.0.0.1:"+middlePort+path)
	}
	client.CloseIdleConnections()
	seen(t, n, 0, certificate, 3)
	stop()
	pids := map[uint32]bool{}
	for _, r := range collect(n, func(r *event.HTTPRequest) bool { return strings.HasPrefix(r.Path, "/middle/") }) {
		pids[r.PID] = true
	}
	if len(pids) != 3 {
		t.Errorf("the connection was served in processes %v, want 3", pids)
	}
}

// A worker that is forked while its parent is found is found too, before the collector says that it is ready.
func TestForkWhileProbesAreAttached(t *testing.T) {
	needRoot(t)
	a := newAuthority(t)
	ssl, crypto := hostLibraries(t)
	server := a.run(t, compile(t))
	port := server.do("branch " + ssl + " " + crypto)
	n := &notes{}
	_, stop := start(t, n, server.pid)
	certificate := tenant(t, a, "branch")
	ask(t, a, certificate, port)
	seen(t, n, 0, certificate, requests)
	stop()
}
