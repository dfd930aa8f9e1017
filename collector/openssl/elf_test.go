package openssl

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"testing"
)

// tinyELF is a file with one segment of code, from which the functions are executed, and a dynamic symbol table.
func tinyELF(machine elf.Machine, names []string, code map[string][]byte) []byte {
	const base, header = 0x400000, 0x1000
	var text, symbols, stringTable bytes.Buffer
	le := binary.LittleEndian
	symbols.Write(make([]byte, symbolSize))
	stringTable.WriteByte(0)
	for _, name := range names {
		text.Write(make([]byte, -text.Len()&15))
		entry := elf.Sym64{
			Name: uint32(stringTable.Len()), Info: elf.ST_INFO(elf.STB_GLOBAL, elf.STT_FUNC), Shndx: 1,
			Value: base + header + uint64(text.Len()), Size: uint64(len(code[name])),
		}
		_ = binary.Write(&symbols, le, entry)
		stringTable.WriteString(name + "\x00")
		text.Write(code[name])
	}
	symbolsAt := header + text.Len()
	stringsAt := symbolsAt + symbols.Len()
	sectionsAt := stringsAt + stringTable.Len()
	var out bytes.Buffer
	_ = binary.Write(&out, le, elf.Header64{
		Ident: [16]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), 1}, Type: uint16(elf.ET_DYN), Machine: uint16(machine),
		Phoff: fileHeaderSize, Phentsize: segmentSize, Phnum: 1, Shoff: uint64(sectionsAt), Shentsize: sectionSize, Shnum: 4,
	})
	_ = binary.Write(&out, le, elf.Prog64{
		Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_X), Vaddr: base, Filesz: uint64(symbolsAt), Memsz: uint64(symbolsAt),
	})
	out.Write(make([]byte, header-out.Len()))
	out.Write(text.Bytes())
	out.Write(symbols.Bytes())
	out.Write(stringTable.Bytes())
	for _, s := range []elf.Section64{
		{},
		{Type: uint32(elf.SHT_PROGBITS), Flags: uint64(elf.SHF_ALLOC | elf.SHF_EXECINSTR), Addr: base + header, Off: header, Size: uint64(text.Len())},
		{Type: uint32(elf.SHT_DYNSYM), Link: 3, Off: uint64(symbolsAt), Size: uint64(symbols.Len()), Entsize: symbolSize},
		{Type: uint32(elf.SHT_STRTAB), Off: uint64(stringsAt), Size: uint64(stringTable.Len())},
	} {
		_ = binary.Write(&out, le, s)
	}
	return out.Bytes()
}

// program decodes hexadecimal code.
func program(t testing.TB, text string) []byte {
	t.Helper()
	code, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// TestHostileHeaders covers claims that would make a careless reader allocate, loop or crash.
func TestHostileHeaders(t *testing.T) {
	names := []string{"SSL_read", "SSL_do_handshake", "SSL_free"}
	good := tinyELF(elf.EM_X86_64, names, map[string][]byte{"SSL_read": {0xc3}, "SSL_do_handshake": {0xc3}, "SSL_free": {0xc3}})
	if e, err := Exports(bytes.NewReader(good)); !e.SSL || err != nil {
		t.Fatalf("exports %+v, %v", e, err)
	}
	le := binary.LittleEndian
	sections := le.Uint64(good[40:])
	for name, damage := range map[string]func(b []byte){
		"section headers beyond the end": func(b []byte) { le.PutUint64(b[40:], 1<<40) },
		"section headers at the top":     func(b []byte) { le.PutUint64(b[40:], 1<<64-1) },
		"endless section headers": func(b []byte) {
			le.PutUint16(b[60:], 0)
			le.PutUint64(b[sections+32:], 1<<60)
		},
		"program headers beyond the end": func(b []byte) { le.PutUint64(b[32:], 1<<62) },
		"no program headers":             func(b []byte) { le.PutUint16(b[56:], 0) },
		"huge symbol table":              func(b []byte) { le.PutUint64(b[sections+2*64+32:], 1<<50) },
		"huge string table":              func(b []byte) { le.PutUint64(b[sections+3*64+32:], 1<<50) },
		"symbols beyond the end":         func(b []byte) { le.PutUint64(b[sections+2*64+24:], 1<<63) },
		"symbols linked to symbols":      func(b []byte) { le.PutUint32(b[sections+2*64+40:], 2) },
		"big-endian":                     func(b []byte) { b[5] = byte(elf.ELFDATA2MSB) },
		"32 bits":                        func(b []byte) { b[4] = byte(elf.ELFCLASS32) },
		"relocatable":                    func(b []byte) { le.PutUint16(b[16:], uint16(elf.ET_REL)) },
		"other machine":                  func(b []byte) { le.PutUint16(b[18:], uint16(elf.EM_RISCV)) },
	} {
		t.Run(name, func(t *testing.T) {
			b := bytes.Clone(good)
			damage(b)
			if e, err := Exports(bytes.NewReader(b)); err == nil {
				t.Errorf("exports %+v without an error", e)
			}
			if l, err := Open(bytes.NewReader(b), nil); err == nil {
				t.Errorf("opened as %v", l)
			}
		})
	}
	for n := range good {
		if _, err := Open(bytes.NewReader(good[:n]), nil); err == nil {
			t.Errorf("the first %d of %d bytes were opened", n, len(good))
		}
	}
}

// endless is a file without an end in which the bytes of a good one repeat.
type endless []byte

func (e endless) ReadAt(b []byte, offset int64) (int, error) {
	for n := 0; n < len(b); {
		n += copy(b[n:], e[(offset+int64(n))%int64(len(e)):])
	}
	return len(b), nil
}

// TestReadsAreBounded covers thousands of sections that all claim the same large table.
func TestReadsAreBounded(t *testing.T) {
	good := tinyELF(elf.EM_X86_64, []string{"SSL_read"}, map[string][]byte{"SSL_read": {0xc3}})
	le := binary.LittleEndian
	sections := good[le.Uint64(good[40:]):]
	le.PutUint64(sections[2*64+32:], 200<<20)
	le.PutUint64(sections[3*64+32:], 200<<20)
	const copies = 1000
	data := bytes.Clone(good)
	for range copies {
		data = append(data, sections[2*64:3*64]...)
	}
	le.PutUint16(data[60:], 4+copies)
	if _, err := Exports(endless(data)); err == nil {
		t.Error("no error")
	}
}

// TestSharedTail covers a name that is the tail of another in the string table, and one that lies on the border of what is read at a time.
func TestSharedTail(t *testing.T) {
	for _, shift := range []int{0, tableChunk - 12, tableChunk - 4, tableChunk - 1, tableChunk, 3*tableChunk - 3} {
		filler := strings.Repeat("f", shift)
		names := []string{filler, "xSSL_read", "SSL_do_handshake", "SSL_free"}
		code := map[string][]byte{filler: {0xc3}, "xSSL_read": {0xc3}, "SSL_do_handshake": {0xc3}, "SSL_free": {0xc3}}
		data := tinyELF(elf.EM_X86_64, names, code)
		if e, err := Exports(bytes.NewReader(data)); e.SSL || err != nil {
			t.Errorf("shift %d: xSSL_read was taken for SSL_read: %+v, %v", shift, e, err)
		}
		le := binary.LittleEndian
		symbols := data[le.Uint64(data[le.Uint64(data[40:])+2*64+24:]):]
		le.PutUint32(symbols[2*symbolSize:], le.Uint32(symbols[2*symbolSize:])+1)
		if e, err := Exports(bytes.NewReader(data)); !e.SSL || err != nil {
			t.Errorf("shift %d: SSL_read was not found: %+v, %v", shift, e, err)
		}
	}
}

// TestTwoFunctionsOfOneName covers a name that stands for two functions: neither is taken.
func TestTwoFunctionsOfOneName(t *testing.T) {
	names := []string{"SSL_read", "SSL_reae", "SSL_do_handshake", "SSL_free"}
	data := tinyELF(elf.EM_X86_64, names, map[string][]byte{"SSL_read": {0xc3}, "SSL_reae": {0xc3}, "SSL_do_handshake": {0xc3}, "SSL_free": {0xc3}})
	data = bytes.Replace(data, []byte("SSL_reae"), []byte("SSL_read"), 1)
	if e, err := Exports(bytes.NewReader(data)); e.SSL || err != nil {
		t.Errorf("exports %+v, %v", e, err)
	}
}
