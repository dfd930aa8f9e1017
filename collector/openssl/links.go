package openssl

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"io"
)

// Bounds on a dynamic section: entries of 16 bytes, and the length of a name in it (NAME_MAX and its end).
const (
	maxDynamic = 64 << 10
	maxSOName  = 256
	maxNeeded  = 1 << 9
)

// links are what the dynamic linker goes by: a file's own name (DT_SONAME, "" if it has none) and those of the libraries that it asks for (DT_NEEDED).
type links struct {
	name  string
	needs []string
}

// links reads the dynamic section by the program headers, as the dynamic linker does (System V ABI, chapter 5). A static file has none.
func (m *image) links() (links, error) {
	var out links
	for _, s := range m.segments {
		if s.kind != elf.PT_DYNAMIC {
			continue
		}
		if s.size > maxDynamic {
			return links{}, fmt.Errorf("dynamic section of %d bytes, more than %d", s.size, maxDynamic)
		}
		table, err := m.read(s.offset, int(s.size))
		if err != nil {
			return links{}, fmt.Errorf("dynamic section: %w", err)
		}
		return m.linksOf(table)
	}
	return out, nil
}

func (m *image) linksOf(table []byte) (out links, err error) {
	const entrySize = 16
	le := binary.LittleEndian
	var stringTable uint64
	var names []uint64 // offsets in the string table: of the needed, then of its own
	var own []uint64
	for ; len(table) >= entrySize; table = table[entrySize:] {
		value := le.Uint64(table[8:])
		switch elf.DynTag(le.Uint64(table)) {
		case elf.DT_STRTAB:
			stringTable = value
		case elf.DT_NEEDED:
			names = append(names, value)
		case elf.DT_SONAME:
			own = []uint64{value}
		}
	}
	if len(names) > maxNeeded {
		return links{}, fmt.Errorf("asks for %d libraries, more than %d", len(names), maxNeeded)
	}
	for i, n := range append(names, own...) {
		name, err := m.nameAt(stringTable + n)
		switch {
		case err != nil:
			return links{}, err
		case i < len(names):
			out.needs = append(out.needs, name)
		default:
			out.name = name
		}
	}
	return out, nil
}

// nameAt reads a string that is loaded at an address.
func (m *image) nameAt(address uint64) (string, error) {
	for _, s := range m.segments {
		if s.kind != elf.PT_LOAD || address < s.address || address-s.address >= s.size {
			continue
		}
		at := address - s.address
		b, err := m.read(s.offset+at, int(min(maxSOName, s.size-at)))
		if err != nil {
			return "", fmt.Errorf("name in the dynamic section: %w", err)
		}
		if end := bytes.IndexByte(b, 0); end >= 0 {
			return string(b[:end]), nil
		}
		return "", fmt.Errorf("name in the dynamic section at %#x has no end", address)
	}
	return "", fmt.Errorf("name in the dynamic section at %#x is in no segment", address)
}

// Names gives the name by which the dynamic linker knows a file, "" if it has none, and those of the libraries that it asks for.
func Names(r io.ReaderAt) (own string, needs []string, err error) {
	m, err := openImage(r)
	if err != nil {
		return "", nil, err
	}
	l, err := m.links()
	return l.name, l.needs, err
}
