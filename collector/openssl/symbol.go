package openssl

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
)

const (
	tableChunk = 96 << 10 // bytes read at a time; a multiple of the size of a symbol and of a relocation
	maxName    = 64       // bytes of the longest name that is looked for
	maxHits    = 1 << 12  // places of a string table at which a wanted name stands
)

// symbol is a function that a file defines.
type symbol struct {
	address, size uint64
	rank          int // the greater the more trusted: see rankOf
	ambiguous     bool
}

// symbols finds the defined functions of the given names. The dynamic symbol table comes before the static one, and global
// symbols before local ones: an executable that hides its OpenSSL has local symbols only. A name that stands for two functions is left out.
func (m *image) symbols(names []string) (map[string]symbol, error) {
	found := map[string]symbol{}
	for _, kind := range []elf.SectionType{elf.SHT_DYNSYM, elf.SHT_SYMTAB} {
		for _, table := range m.sections {
			if table.kind != kind || table.link == 0 || int64(table.link) >= int64(len(m.sections)) {
				continue
			}
			if err := m.tableSymbols(table, m.sections[table.link], names, found); err != nil {
				return nil, err
			}
		}
	}
	for name, s := range found {
		if s.ambiguous {
			delete(found, name)
		}
	}
	return found, nil
}

func (m *image) tableSymbols(table, stringTable section, names []string, found map[string]symbol) error {
	at, err := m.findStrings(stringTable, names)
	if err != nil || len(at) == 0 {
		return err
	}
	le := binary.LittleEndian
	return m.stream(table, symbolSize, func(entry []byte) error {
		name, ok := at[le.Uint32(entry)]
		if !ok || le.Uint16(entry[6:]) == uint16(elf.SHN_UNDEF) || elf.ST_TYPE(entry[4]) != elf.STT_FUNC {
			return nil
		}
		s := symbol{address: le.Uint64(entry[8:]), size: le.Uint64(entry[16:]), rank: rankOf(table.kind, elf.ST_BIND(entry[4]))}
		if m.codeSegment(s.address) == nil {
			return nil
		}
		old, known := found[name]
		switch {
		case !known || s.rank > old.rank:
			found[name] = s
		case s.rank == old.rank && s.address != old.address:
			old.ambiguous = true
			found[name] = old
		}
		return nil
	})
}

func rankOf(table elf.SectionType, bind elf.SymBind) int {
	switch {
	case table == elf.SHT_DYNSYM:
		return 2
	case bind != elf.STB_LOCAL:
		return 1
	}
	return 0
}

// stream reads a table of entries of one size and hands them over one by one.
func (m *image) stream(table section, size int, each func(entry []byte) error) error {
	if table.size > maxTable {
		return fmt.Errorf("table of %d bytes at %#x, more than %d", table.size, table.offset, maxTable)
	}
	buf := make([]byte, min(tableChunk, table.size))
	for at := uint64(0); at+uint64(size) <= table.size; at += uint64(len(buf)) {
		buf = buf[:min(uint64(len(buf)), table.size-at)]
		if err := m.readInto(buf, table.offset+at); err != nil {
			return err
		}
		for rest := buf; len(rest) >= size; rest = rest[size:] {
			if err := each(rest[:size]); err != nil {
				return err
			}
		}
	}
	return nil
}

// findStrings finds the offsets at which the names stand in a string table. Linkers let a string share the tail of a longer one, so
// that a name may begin anywhere; it always ends with a zero byte.
func (m *image) findStrings(table section, names []string) (map[uint32]string, error) {
	if table.kind != elf.SHT_STRTAB || table.size > maxTable {
		return nil, fmt.Errorf("string table of %d bytes at %#x, more than %d", table.size, table.offset, maxTable)
	}
	var byLast [256][]string
	for _, n := range names {
		byLast[n[len(n)-1]] = append(byLast[n[len(n)-1]], n)
	}
	found := map[uint32]string{}
	buf := make([]byte, min(tableChunk, table.size+maxName))
	kept := 0 // bytes at the start of buf that belong to a string without its end yet
	for at := uint64(0); at < table.size; {
		n := int(min(uint64(len(buf)-kept), table.size-at))
		if err := m.readInto(buf[kept:kept+n], table.offset+at); err != nil {
			return nil, err
		}
		base := at - uint64(kept) // offset in the table of buf[0]
		at += uint64(n)
		data, start := buf[:kept+n], 0
		for {
			length := bytes.IndexByte(data[start:], 0)
			if length < 0 {
				break
			}
			end := start + length
			if length > 0 {
				for _, name := range byLast[data[end-1]] {
					if bytes.HasSuffix(data[start:end], []byte(name)) {
						found[uint32(base)+uint32(end-len(name))] = name
					}
				}
				if len(found) > maxHits {
					return nil, fmt.Errorf("string table at %#x repeats its names", table.offset)
				}
			}
			start = end + 1
		}
		rest := data[start:]
		rest = rest[max(0, len(rest)-maxName):]
		kept = copy(buf, rest)
	}
	return found, nil
}
