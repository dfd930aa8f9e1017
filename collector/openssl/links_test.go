package openssl

import (
	"bytes"
	"debug/elf"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// Names and needs are what debug/elf reads, of a libssl, its libcrypto and files without them.
func TestNames(t *testing.T) {
	ssl, crypto := host(t)
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{ssl, crypto, executable, "/bin/ls"} {
		own, needs, err := Names(open(t, path))
		if err != nil {
			t.Errorf("%s: %v", path, err)
		}
		f, err := elf.NewFile(open(t, path))
		if err != nil {
			t.Fatal(err)
		}
		wantNeeds, _ := f.DynString(elf.DT_NEEDED) // none: not linked dynamically
		wantOwn, _ := f.DynString(elf.DT_SONAME)
		if own != slices.Concat(wantOwn, []string{""})[0] || !slices.Equal(needs, wantNeeds) {
			t.Errorf("%s: name %q, needs %q; want %q, %q", path, own, needs, wantOwn, wantNeeds)
		}
	}
}

// An executable with OpenSSL linked in is told from others also when its symbols are gone, and its section headers too.
func TestHidden(t *testing.T) {
	folder := t.TempDir()
	source := filepath.Join(folder, "a.c")
	text := `#include <stdio.h>
int SSL_read(void) { return puts("../ssl/statem/statem_srvr.c"); }
int SSL_do_handshake(void) { return 1; }
int SSL_free(void) { return 2; }
int main(void) { return SSL_read(); }`
	if err := os.WriteFile(source, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	whole, bare := filepath.Join(folder, "whole"), filepath.Join(folder, "bare")
	if out, err := command("", "gcc", "-o", whole, source); err != nil {
		t.Fatalf("gcc: %v: %s", err, out)
	}
	if out, err := command("", "strip", "-o", bare, whole); err != nil {
		t.Fatalf("strip: %v: %s", err, out)
	}
	headless, err := os.ReadFile(bare)
	if err != nil {
		t.Fatal(err)
	}
	clear(headless[40:48]) // offset of the section headers
	clear(headless[60:62]) // their number
	ssl, crypto := host(t)
	for _, c := range []struct {
		name   string
		hidden bool
		b      []byte
	}{{"whole", false, read(t, whole)}, {"bare", true, read(t, bare)}, {"headless", true, headless}, {"libssl", false, read(t, ssl)}, {"libcrypto", false, read(t, crypto)}} {
		if got, err := Hidden(bytes.NewReader(c.b)); got != c.hidden || err != nil {
			t.Errorf("%s: hidden %t, %v; want %t", c.name, got, err, c.hidden)
		}
	}
	for at := range 100 { // the mark stands across two pieces
		b := slices.Concat(make([]byte, tableChunk-at), hiddenMark(), make([]byte, 2*tableChunk))
		m := &image{r: bytes.NewReader(b), left: maxRead}
		if found, err := m.contains(section{size: uint64(len(b))}, hiddenMark()); !found || err != nil {
			t.Fatalf("mark %d bytes before the end of a piece: %t, %v", at, found, err)
		}
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// FuzzNames reads hostile dynamic sections and constants.
func FuzzNames(f *testing.F) {
	for _, s := range seeds(f) {
		f.Add(s)
	}
	for _, path := range []string{"/bin/true", "/bin/ls"} {
		if b, err := os.ReadFile(path); err == nil {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		own, needs, err := Names(bytes.NewReader(data))
		if err != nil && (own != "" || needs != nil) {
			t.Errorf("name %q, needs %q and an error: %v", own, needs, err)
		}
		for _, n := range append(needs, own) {
			if len(n) >= maxSOName {
				t.Errorf("name of %d bytes", len(n))
			}
		}
		if hidden, err := Hidden(bytes.NewReader(data)); hidden && (err != nil || !bytes.Contains(data, hiddenMark())) {
			t.Errorf("hidden without its mark, %v", err)
		}
	})
}
