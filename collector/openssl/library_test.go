package openssl

import (
	"debug/elf"
	"encoding/hex"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// host gives the paths of the libssl and libcrypto that this machine has installed.
func host(t testing.TB) (ssl, crypto string) {
	t.Helper()
	for _, folder := range []string{"/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu"} {
		ssl, crypto = filepath.Join(folder, "libssl.so.3"), filepath.Join(folder, "libcrypto.so.3")
		if _, err := os.Stat(ssl); err == nil {
			return ssl, crypto
		}
	}
	t.Fatal("libssl.so.3 is not installed [apt-get install libssl3]")
	return "", ""
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

func learn(t *testing.T, ssl, crypto string) *Library {
	t.Helper()
	l, err := Open(open(t, ssl), open(t, crypto))
	if err != nil {
		t.Fatal(err)
	}
	if l.LayoutErr != nil {
		t.Fatal(l.LayoutErr)
	}
	return l
}

func TestReleases(t *testing.T) {
	machines := map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}
	for _, r := range releases {
		for arch, machine := range machines {
			t.Run(r.suite+"/"+arch, func(t *testing.T) {
				t.Parallel() // each may have to be fetched
				ssl, crypto := r.files(t, arch)
				l := learn(t, ssl, crypto)
				if l.Machine != machine {
					t.Errorf("machine %v, want %v", l.Machine, machine)
				}
				if *l.Layout != r.layout {
					t.Errorf("layout\n%v, want\n%v: %v", l.Layout, &r.layout, l.Unknown)
				}
				checkInternal(t, l, r.write)
				checkELF(t, ssl, l)
			})
		}
	}
}

// checkInternal checks probes that sit one call deeper.
func checkInternal(t *testing.T, l *Library, write int) {
	t.Helper()
	want := []Probe{
		{Kind: Read, Symbol: "SSL_read", Internal: true, Length: LengthArg, LengthArgIndex: 3},
		{Kind: Write, Symbol: "SSL_write", Internal: true, Length: LengthArg, LengthArgIndex: write},
		{Kind: Peek, Symbol: "SSL_peek", Internal: true, Length: LengthArg, LengthArgIndex: 3},
		{Kind: Handshake, Symbol: "SSL_do_handshake"},
		{Kind: Handshake, Symbol: "SSL_accept"},
		{Kind: Handshake, Symbol: "SSL_connect"},
	}
	checkProbes(t, l, want)
}

func checkProbes(t *testing.T, l *Library, want []Probe) {
	t.Helper()
	if len(l.Probes) != len(want) {
		t.Fatalf("%d probes, want %d: %v", len(l.Probes), len(want), l.Probes)
	}
	offsets := map[uint64]bool{}
	for i, p := range l.Probes {
		if p.FirstInsn == "" || p.Offset == 0 || offsets[p.Offset] {
			t.Errorf("probe %+v is not complete, or double", p)
		}
		offsets[p.Offset] = true
		p.Offset, p.FirstInsn, p.Emulated = 0, "", false
		if p != want[i] {
			t.Errorf("probe %+v, want %+v", p, want[i])
		}
	}
}

// checkELF compares with what debug/elf reads.
func checkELF(t *testing.T, path string, l *Library) {
	t.Helper()
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	symbols, err := f.DynamicSymbols()
	if err != nil {
		t.Fatal(err)
	}
	offsets := map[string]uint64{}
	for _, s := range symbols {
		for _, p := range f.Progs {
			if p.Type == elf.PT_LOAD && s.Section != elf.SHN_UNDEF && s.Value >= p.Vaddr && s.Value < p.Vaddr+p.Filesz {
				offsets[s.Name] = s.Value - p.Vaddr + p.Off
			}
		}
	}
	for _, p := range l.Probes {
		if !p.Internal && p.Offset != offsets[p.Symbol] {
			t.Errorf("%s at %#x, want %#x", p.Symbol, p.Offset, offsets[p.Symbol])
		}
	}
	if l.Free == 0 || l.Free != offsets["SSL_free"] || l.D2I != offsets["d2i_X509"] {
		t.Errorf("SSL_free at %#x, d2i_X509 at %#x, want %#x, %#x", l.Free, l.D2I, offsets["SSL_free"], offsets["d2i_X509"])
	}
	note, err := f.Section(".note.gnu.build-id").Data()
	if err != nil || len(note) < 16 {
		t.Fatalf("build id: %v", err)
	}
	if want := hex.EncodeToString(note[16:]); l.BuildID != want {
		t.Errorf("build id %q, want %q", l.BuildID, want)
	}
}

func TestHost(t *testing.T) {
	ssl, crypto := host(t)
	l := learn(t, ssl, crypto)
	if *l.Layout != layout30 {
		t.Errorf("layout\n%v, want\n%v", l.Layout, &layout30)
	}
	checkInternal(t, l, 3)
	checkELF(t, ssl, l)
	if l.Machine == elf.EM_X86_64 {
		for _, p := range l.Probes[:4] {
			if p.FirstInsn != "push" || !p.Emulated {
				t.Errorf("%v begins with %q, emulated %t", p.Symbol, p.FirstInsn, p.Emulated)
			}
		}
	}
	e, err := Exports(open(t, ssl))
	if want := (Exported{SSL: true}); e != want || err != nil {
		t.Errorf("libssl exports %+v, %v, want %+v", e, err, want)
	}
	e, err = Exports(open(t, crypto))
	if want := (Exported{Crypto: true}); e != want || err != nil {
		t.Errorf("libcrypto exports %+v, %v, want %+v", e, err, want)
	}
	x, err := LearnX509(open(t, crypto))
	if want := (X509Layout{TBS: 0x70, Signature: 0x98}); x != want || err != nil {
		t.Errorf("X509 %+v, %v, want %+v", x, err, want)
	}
	if offset, err := Decoder(open(t, crypto)); offset == 0 || err != nil {
		t.Errorf("d2i_X509 at %#x, %v", offset, err)
	}
	if _, err := Decoder(open(t, ssl)); err == nil {
		t.Error("d2i_X509 found in libssl")
	}
}

// TestStatic covers an executable with OpenSSL linked in, whose compiler put the internal functions into the exported ones.
func TestStatic(t *testing.T) {
	path, err := exec.LookPath("node")
	if err != nil {
		t.Skipf("no executable with OpenSSL inside at hand: %v", err)
	}
	l, err := Open(open(t, path), nil)
	if errors.Is(err, ErrNotOpenSSL) {
		t.Skipf("%s has no OpenSSL inside: %v", path, err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if l.LayoutErr != nil {
		t.Fatal(l.LayoutErr)
	}
	t.Log(l)
	if l.D2I == 0 || l.Layout.TBS != 0x70 || l.Layout.Signature != 0x98 {
		t.Errorf("d2i_X509 at %#x, layout %v", l.D2I, l.Layout)
	}
	if l.Probes[0].Internal {
		t.Skipf("%s calls an internal function", path)
	}
	exported := []Probe{
		{Kind: Read, Symbol: "SSL_read", Length: LengthReturn}, {Kind: Read, Symbol: "SSL_read_ex", Length: LengthArg, LengthArgIndex: 3},
		{Kind: Write, Symbol: "SSL_write", Length: LengthReturn}, {Kind: Write, Symbol: "SSL_write_ex", Length: LengthArg, LengthArgIndex: 3},
		{Kind: Write, Symbol: "SSL_write_ex2", Length: LengthArg, LengthArgIndex: 4},
		{Kind: Peek, Symbol: "SSL_peek", Length: LengthReturn}, {Kind: Peek, Symbol: "SSL_peek_ex", Length: LengthArg, LengthArgIndex: 3},
		{Kind: Handshake, Symbol: "SSL_do_handshake"}, {Kind: Handshake, Symbol: "SSL_accept"}, {Kind: Handshake, Symbol: "SSL_connect"},
	}
	if !l.Layout.QUIC {
		exported = append(exported[:4:4], exported[5:]...)
	}
	checkProbes(t, l, exported)
}

func TestNotOpenSSL(t *testing.T) {
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	_, crypto := host(t)
	for _, path := range []string{executable, crypto, "library_test.go"} {
		if _, err := Open(open(t, path), nil); !errors.Is(err, ErrNotOpenSSL) {
			t.Errorf("%s: error %v", path, err)
		}
	}
	e, err := Exports(open(t, executable))
	if e != (Exported{}) || err != nil {
		t.Errorf("test binary exports %+v, %v", e, err)
	}
}
