package collector

import (
	"bytes"
	"debug/elf"
	"os"
	"path/filepath"
	"testing"

	"tenantrace/collector/event"
	"tenantrace/collector/probe"
)

// Before kernel 5.15 a probe has no cookie: each has programs of its own, with the same maps.
func TestWithoutAttachCookies(t *testing.T) {
	needRoot(t)
	a := newAuthority(t)
	pid, address := a.serve(t)
	n := &notes{}
	_, stop := startWith(t, n, Config{PIDs: []int{pid}, without: probe.Features{Cookies: true}})
	certificate := tenant(t, a, "acme")
	client := a.client(certificate)
	for range requests {
		get(t, client, "https://"+address+"/x/10")
	}
	client.CloseIdleConnections()
	wait(t, "end of the connection", func() bool { return len(collect(n, func(*event.ConnectionClosed) bool { return true })) == 1 })
	stop()
	if got := len(collect(n, func(*event.HTTPRequest) bool { return true })); got != requests {
		t.Errorf("%d requests, want %d", got, requests)
	}
	ids := collect(n, func(*event.Identity) bool { return true })
	if len(ids) != 1 || !ids[0].Verified() || ids[0].Certificate.SHA256 != fingerprint(certificate) {
		t.Errorf("identities %+v, want one, verified, with hash %s", ids, fingerprint(certificate))
	}
}

// unreadableLibrary copies the host's libssl with an accessor, which the server does not call, made unreadable.
func unreadableLibrary(t *testing.T) (directory string) {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/*-linux-gnu/libssl.so.3")
	if err != nil || len(found) == 0 {
		t.Fatalf("no libssl.so.3 on this host: %v", err)
	}
	source := found[0]
	b, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	f, err := elf.NewFile(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	symbols, err := f.DynamicSymbols()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range symbols {
		if s.Name != "SSL_SESSION_get0_peer" {
			continue
		}
		for _, p := range f.Progs {
			if p.Type == elf.PT_LOAD && s.Value >= p.Vaddr && s.Value < p.Vaddr+p.Filesz {
				copy(b[s.Value-p.Vaddr+p.Off:], "\x0f\x0b\x0f\x0b") // ud2
				directory = t.TempDir()
				if err := os.WriteFile(filepath.Join(directory, filepath.Base(source)), b, 0o755); err != nil {
					t.Fatal(err)
				}
				return directory
			}
		}
	}
	t.Fatalf("%s has no SSL_SESSION_get0_peer", source)
	return ""
}

// A library whose offsets cannot be learned shows certificates as they are decoded, and says that it is no more than that.
func TestFallbackToDecodedCertificates(t *testing.T) {
	needRoot(t)
	a := newAuthority(t)
	pid, address := a.serve(t, "LD_LIBRARY_PATH="+unreadableLibrary(t))
	n := &notes{}
	c, stop := start(t, n, pid)
	certificate := tenant(t, a, "acme")
	client := a.client(certificate)
	for range requests {
		get(t, client, "https://"+address+"/x/10")
	}
	wait(t, "the requests", func() bool { return len(collect(n, func(*event.HTTPRequest) bool { return true })) == requests })
	stop()
	found := c.Libraries()
	if len(found) != 1 || found[0].OffsetsKnown || found[0].Error == "" || found[0].Probes == 0 {
		t.Errorf("libraries %+v, want one with probes, without offsets, and why", found)
	}
	ids := collect(n, func(*event.Identity) bool { return true })
	if len(ids) != 1 {
		t.Fatalf("%d identities, want 1", len(ids))
	}
	id := ids[0]
	if id.Source != "d2i" || id.Verified() || id.Role != event.RoleServer || id.Certificate == nil || id.Certificate.SHA256 != fingerprint(certificate) {
		t.Errorf("identity %+v, want the client's certificate, decoded and not verified", id)
	}
}
