package openssl

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
)

// patched is a copy of a library for x86-64 to be damaged.
type patched struct {
	t    *testing.T
	data []byte
}

func load64(t *testing.T, path string) *patched {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return &patched{t, data}
}

func (p *patched) reader() io.ReaderAt { return bytes.NewReader(p.data) }

// function gives the code of a function.
func (p *patched) function(name string) []byte {
	p.t.Helper()
	m, err := openImage(p.reader())
	if err != nil {
		p.t.Fatal(err)
	}
	f, err := m.symbols([]string{name})
	if err != nil || !defines(f, name) {
		p.t.Fatalf("%s is not there: %v", name, err)
	}
	offset, _ := m.fileOffset(f[name].address)
	return p.data[offset : offset+f[name].size]
}

// add changes the 4-byte number behind the first place where a function has these bytes.
func (p *patched) add(name string, before []byte, n int32) {
	p.t.Helper()
	code := p.function(name)
	at := bytes.Index(code, before)
	if at < 0 {
		p.t.Fatalf("%s has no % x", name, before)
	}
	number := code[at+len(before):]
	binary.LittleEndian.PutUint32(number, binary.LittleEndian.Uint32(number)+uint32(n))
}

// target is the offset in the file that the first call of a function goes to, if code lies at its address.
func (p *patched) target(name string) int {
	code := p.function(name)
	at := bytes.Index(code, callNear) + len(callNear) + 4
	start := len(p.data) - cap(code)
	return start + at + int(int32(binary.LittleEndian.Uint32(code[at-4:])))
}

// replace overwrites the start of a function.
func (p *patched) replace(name string, code ...byte) { copy(p.function(name), code) }

// rename changes the name of a symbol.
func (p *patched) rename(name string) {
	p.data = bytes.Replace(p.data, append([]byte(name), 0), append([]byte(name[:len(name)-1]+"#"), 0), 1)
}

var (
	loadFromRDI = []byte{0x48, 0x8b, 0x87} // mov disp32(%rdi), %rax
	callNear    = []byte{0xe8}
)

// TestRefused covers what must not be believed: each damage gives no layout, and says which function disagrees.
func TestRefused(t *testing.T) {
	r := releases[1]
	sslPath, cryptoPath := r.files(t, "amd64")
	for name, c := range map[string]struct {
		damage func(ssl, crypto *patched)
		want   string
	}{
		"session":         {func(ssl, _ *patched) { ssl.add("SSL_get_session", loadFromRDI, 8) }, "by SSL_get_session"},
		"peer":            {func(ssl, _ *patched) { ssl.add("SSL_SESSION_get0_peer", loadFromRDI, 8) }, "by SSL_SESSION_get0_peer"},
		"peer missing":    {func(ssl, _ *patched) { ssl.rename("SSL_SESSION_get0_peer") }, "SSL_SESSION_get0_peer: not defined"},
		"session missing": {func(ssl, _ *patched) { ssl.rename("SSL_get_session") }, "SSL_get_session: not defined"},
		"same place":      {func(ssl, _ *patched) { ssl.add("SSL_get_verify_result", loadFromRDI, 0x918-0x9b8) }, "verify_result and session"},
		"no member":       {func(ssl, _ *patched) { ssl.replace("SSL_is_server", 0xc3) }, "SSL_is_server: returns no member"},
		"wrong size":      {func(ssl, _ *patched) { ssl.replace("SSL_is_server", 0x48, 0x8b, 0x47, 0x38, 0xc3) }, "SSL_is_server: loads 8 bytes"},
		"undecodable":     {func(ssl, _ *patched) { ssl.replace("SSL_get_client_random", 0x06) }, "SSL_get_client_random: instruction cannot be decoded"},
		"huge offset":     {func(ssl, _ *patched) { ssl.add("SSL_get_verify_result", loadFromRDI, 0x7000000) }, "no offset of a member"},
		"odd offset":      {func(ssl, _ *patched) { ssl.add("SSL_get_verify_result", loadFromRDI, 1) }, "no offset of a member"},
		"copies nothing":  {func(ssl, _ *patched) { ssl.replace("SSL_get_client_random", 0x31, 0xc0, 0xc3) }, "copies nothing"},
		"endless":         {func(ssl, _ *patched) { ssl.replace("SSL_version", 0xeb, 0xfe) }, "SSL_version: returns no member"},
		"mark of 2": {func(_, crypto *patched) {
			crypto.add("i2d_re_X509_tbs", []byte{0xc7, 0x87, 0x80, 0, 0, 0}, 1)
		}, "i2d_re_X509_tbs: writes something else"},
		"signature": {func(_, crypto *patched) {
			crypto.add("X509_get0_signature", []byte{0x48, 0x8d, 0x82}, 8)
		}, "do not follow one another"},
		"other machine": {func(_, crypto *patched) {
			binary.LittleEndian.PutUint16(crypto.data[18:], uint16(elf.EM_AARCH64))
		}, "libcrypto is for EM_AARCH64"},
		"no libcrypto": {func(_, crypto *patched) { crypto.data = nil }, "libcrypto: "},
	} {
		t.Run(name, func(t *testing.T) {
			ssl, crypto := load64(t, sslPath), load64(t, cryptoPath)
			c.damage(ssl, crypto)
			l, err := Open(ssl.reader(), crypto.reader())
			if err != nil {
				t.Fatal(err)
			}
			if l.Layout != nil || l.LayoutErr == nil || !strings.Contains(l.LayoutErr.Error(), c.want) {
				t.Errorf("layout %v, error %v, want one with %q", l.Layout, l.LayoutErr, c.want)
			}
		})
	}
	t.Run("libcrypto not given", func(t *testing.T) {
		l, err := Open(open(t, sslPath), nil)
		if err != nil || l.Layout != nil || l.LayoutErr == nil {
			t.Errorf("%v, error %v", l, err)
		}
	})
}

// TestFallback covers what must not be believed of internal functions: the exported functions are probed then.
func TestFallback(t *testing.T) {
	r := releases[1]
	sslPath, cryptoPath := r.files(t, "amd64")
	exported := []Probe{
		{Kind: Read, Symbol: "SSL_read", Length: LengthReturn}, {Kind: Read, Symbol: "SSL_read_ex", Length: LengthArg, LengthArgIndex: 3},
		{Kind: Write, Symbol: "SSL_write", Internal: true, Length: LengthArg, LengthArgIndex: 3},
		{Kind: Peek, Symbol: "SSL_peek", Internal: true, Length: LengthArg, LengthArgIndex: 3},
		{Kind: Handshake, Symbol: "SSL_do_handshake"}, {Kind: Handshake, Symbol: "SSL_accept"}, {Kind: Handshake, Symbol: "SSL_connect"},
	}
	for name, damage := range map[string]func(p *patched){
		"targets differ":     func(p *patched) { p.add("SSL_read_ex", callNear, 1) },
		"not a function":     func(p *patched) { p.add("SSL_read", callNear, 1); p.add("SSL_read_ex", callNear, 1) },
		"outside of code":    func(p *patched) { p.add("SSL_read", callNear, 1<<30); p.add("SSL_read_ex", callNear, 1<<30) },
		"other buffer":       func(p *patched) { p.replace("SSL_read_ex", 0x31, 0xf6, 0x90, 0x90) }, // xor %esi, %esi
		"other length":       func(p *patched) { p.replace("SSL_read_ex", 0x31, 0xc9, 0x90, 0x90) }, // xor %ecx, %ecx
		"length given twice": func(p *patched) { p.replace("SSL_read_ex", 0x49, 0x89, 0xc8, 0x90) }, // mov %rcx, %r8
		"connection changed": func(p *patched) { p.replace("SSL_read_ex", 0x48, 0x83, 0xc7, 0x08) }, // add $8, %rdi
		"never called":       func(p *patched) { p.replace("SSL_read_ex", 0x31, 0xc0, 0xc3) },       // xor %eax, %eax; ret
	} {
		t.Run(name, func(t *testing.T) {
			ssl := load64(t, sslPath)
			damage(ssl)
			l, err := Open(ssl.reader(), open(t, cryptoPath))
			if err != nil {
				t.Fatal(err)
			}
			if l.LayoutErr != nil || *l.Layout != r.layout {
				t.Errorf("layout %v, error %v", l.Layout, l.LayoutErr)
			}
			checkProbes(t, l, exported)
		})
	}
	t.Run("folded", func(t *testing.T) { // SSL_write calls what SSL_read calls
		ssl := load64(t, sslPath)
		for _, pair := range [][2]string{{"SSL_read", "SSL_write"}, {"SSL_read_ex", "SSL_write_ex"}} {
			ssl.add(pair[1], callNear, int32(ssl.target(pair[0])-ssl.target(pair[1])))
		}
		l, err := Open(ssl.reader(), open(t, cryptoPath))
		if err != nil {
			t.Fatal(err)
		}
		write := []Probe{{Kind: Write, Symbol: "SSL_write", Length: LengthReturn}, {Kind: Write, Symbol: "SSL_write_ex", Length: LengthArg, LengthArgIndex: 3}}
		checkProbes(t, l, slices.Concat(exported[:2], write, exported[3:]))
	})
	t.Run("no _ex", func(t *testing.T) {
		ssl := load64(t, sslPath)
		ssl.rename("SSL_read_ex")
		l, err := Open(ssl.reader(), open(t, cryptoPath))
		if err != nil {
			t.Fatal(err)
		}
		checkProbes(t, l, append(exported[:1:1], exported[2:]...))
	})
}
