package openssl

import (
	"debug/elf"
	"encoding/binary"
	"errors"
)

// errFound ends the reading of a table.
var errFound = errors.New("found")

// slotFunction gives the function that the dynamic linker puts into a slot of the global offset table, 0 if this file does not define it.
func (m *image) slotFunction(slot uint64) uint64 {
	jump, data := uint32(elf.R_X86_64_JMP_SLOT), uint32(elf.R_X86_64_GLOB_DAT)
	if m.machine == elf.EM_AARCH64 {
		jump, data = uint32(elf.R_AARCH64_JUMP_SLOT), uint32(elf.R_AARCH64_GLOB_DAT)
	}
	le := binary.LittleEndian
	for _, table := range m.sections {
		if table.kind != elf.SHT_RELA || table.link == 0 || int64(table.link) >= int64(len(m.sections)) {
			continue
		}
		var index uint32
		err := m.stream(table, relocationSize, func(entry []byte) error {
			kind := le.Uint32(entry[8:])
			if le.Uint64(entry) != slot || kind != jump && kind != data {
				return nil
			}
			index = le.Uint32(entry[12:])
			return errFound
		})
		if errors.Is(err, errFound) {
			return m.functionAt(m.sections[table.link], index)
		}
	}
	return 0
}

// functionAt gives the address of a function by its index in a symbol table.
func (m *image) functionAt(table section, index uint32) uint64 {
	at := uint64(index) * symbolSize
	if table.kind != elf.SHT_DYNSYM || at+symbolSize > table.size {
		return 0
	}
	entry, err := m.read(table.offset+at, symbolSize)
	if err != nil {
		return 0
	}
	le := binary.LittleEndian
	if le.Uint16(entry[6:]) == uint16(elf.SHN_UNDEF) || elf.ST_TYPE(entry[4]) != elf.STT_FUNC {
		return 0
	}
	return le.Uint64(entry[8:])
}

// startsFunction looks an address up in the table of .eh_frame_hdr (LSB Core, 10.6.2), which is sorted by the start of functions. known is
// false if the file has none in the form that every linker writes: 4-byte offsets from the table's own start.
func (m *image) startsFunction(address uint64) (starts, known bool) {
	const headerSize, entrySize = 12, 8
	for _, s := range m.segments {
		if s.kind != elf.PT_GNU_EH_FRAME || s.size < headerSize {
			continue
		}
		header, err := m.read(s.offset, headerSize)
		if err != nil || header[0] != 1 || header[2] != 0x03 || header[3] != 0x3b {
			return false, false
		}
		low, high := uint64(0), uint64(binary.LittleEndian.Uint32(header[8:]))
		if high == 0 || headerSize+high*entrySize > s.size {
			return false, false
		}
		for low < high {
			middle := (low + high) / 2
			entry, err := m.read(s.offset+headerSize+middle*entrySize, entrySize)
			if err != nil {
				return false, false
			}
			start := s.address + uint64(int64(int32(binary.LittleEndian.Uint32(entry))))
			switch {
			case start == address:
				return true, true
			case start < address:
				low = middle + 1
			default:
				high = middle
			}
		}
		return false, true
	}
	return false, false
}
