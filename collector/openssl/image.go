package openssl

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Bounds on what a file may claim. The largest executables with OpenSSL inside (node, 100 MB) stay far below them.
const (
	maxSegments    = 1 << 10
	maxSections    = 1 << 14
	maxTable       = 256 << 20 // bytes of a symbol, string or relocation table, which is streamed and never held
	maxNotes       = 64 << 10  // bytes of a note segment
	maxRead        = 512 << 20 // bytes read of one file in all: a file may claim the same table thousands of times
	fileHeaderSize = 64
	segmentSize    = 56
	sectionSize    = 64
	symbolSize     = 24
	relocationSize = 24
)

// errNotELF says that a file is no ELF executable or shared object for a machine that is supported.
var errNotELF = errors.New("no 64-bit little-endian ELF file for x86-64 or arm64")

// errTooMuch says that the tables of a file are too large to be looked through.
var errTooMuch = fmt.Errorf("more than %d bytes of tables", maxRead)

type segment struct {
	kind                  elf.ProgType
	executable            bool
	address, offset, size uint64 // size: in the file
}

type section struct {
	kind                  elf.SectionType
	link                  uint32
	flags                 uint64
	address, offset, size uint64
}

// image is an ELF file of which only the headers are held.
type image struct {
	r        io.ReaderAt
	left     int // of maxRead
	machine  elf.Machine
	segments []segment
	sections []section
	sizes    map[uint64]uint64 // of known functions, by address; may be nil
}

// openImage reads the headers (System V ABI, chapters 4 and 5).
func openImage(r io.ReaderAt) (*image, error) {
	m := &image{r: r, left: maxRead}
	header, err := m.read(0, fileHeaderSize)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNotELF, err)
	}
	le := binary.LittleEndian
	m.machine = elf.Machine(le.Uint16(header[18:]))
	kind := elf.Type(le.Uint16(header[16:]))
	switch {
	case string(header[:4]) != elf.ELFMAG, elf.Class(header[4]) != elf.ELFCLASS64, elf.Data(header[5]) != elf.ELFDATA2LSB:
		return nil, errNotELF
	case m.machine != elf.EM_X86_64 && m.machine != elf.EM_AARCH64:
		return nil, errNotELF
	case kind != elf.ET_EXEC && kind != elf.ET_DYN:
		return nil, errNotELF
	}
	if err := m.readSegments(le.Uint64(header[32:]), int(le.Uint16(header[54:])), int(le.Uint16(header[56:]))); err != nil {
		return nil, err
	}
	if err := m.readSections(le.Uint64(header[40:]), int(le.Uint16(header[58:])), uint64(le.Uint16(header[60:]))); err != nil {
		return nil, err
	}
	return m, nil
}

func (m *image) readSegments(offset uint64, size, count int) error {
	if count == 0 || count > maxSegments || size != segmentSize {
		return fmt.Errorf("%d program headers of %d bytes cannot be read", count, size)
	}
	table, err := m.read(offset, count*size)
	if err != nil {
		return fmt.Errorf("program headers: %w", err)
	}
	le := binary.LittleEndian
	for ; len(table) >= size; table = table[size:] {
		m.segments = append(m.segments, segment{
			kind:       elf.ProgType(le.Uint32(table)),
			executable: elf.ProgFlag(le.Uint32(table[4:]))&elf.PF_X != 0,
			offset:     le.Uint64(table[8:]),
			address:    le.Uint64(table[16:]),
			size:       le.Uint64(table[32:]),
		})
	}
	return nil
}

func (m *image) readSections(offset uint64, size int, count uint64) error {
	if offset == 0 {
		return nil // stripped of its section headers
	}
	if size != sectionSize {
		return fmt.Errorf("section headers of %d bytes cannot be read", size)
	}
	le := binary.LittleEndian
	if count == 0 { // more than 0xff00 sections: the first header's size is their number
		first, err := m.read(offset, size)
		if err != nil {
			return fmt.Errorf("section headers: %w", err)
		}
		count = le.Uint64(first[32:])
	}
	if count > maxSections {
		return fmt.Errorf("%d section headers, more than %d", count, maxSections)
	}
	table, err := m.read(offset, int(count)*size)
	if err != nil {
		return fmt.Errorf("section headers: %w", err)
	}
	for ; len(table) >= size; table = table[size:] {
		m.sections = append(m.sections, section{
			kind:    elf.SectionType(le.Uint32(table[4:])),
			flags:   le.Uint64(table[8:]),
			address: le.Uint64(table[16:]),
			offset:  le.Uint64(table[24:]),
			size:    le.Uint64(table[32:]),
			link:    le.Uint32(table[40:]),
		})
	}
	return nil
}

// read returns n bytes at an offset in the file. Callers bound n.
func (m *image) read(offset uint64, n int) ([]byte, error) {
	b := make([]byte, n)
	return b, m.readInto(b, offset)
}

func (m *image) readInto(b []byte, offset uint64) error {
	if offset > 1<<62 {
		return fmt.Errorf("offset %#x is outside of any file", offset)
	}
	if m.left -= len(b); m.left < 0 {
		return errTooMuch
	}
	n, err := m.r.ReadAt(b, int64(offset))
	if n == len(b) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("read %d bytes at %#x: %w", len(b), offset, err)
}

// fileOffset translates the address of code.
func (m *image) fileOffset(address uint64) (offset uint64, ok bool) {
	s := m.codeSegment(address)
	if s == nil {
		return 0, false
	}
	return s.offset + (address - s.address), true
}

func (m *image) codeSegment(address uint64) *segment {
	for i := range m.segments {
		s := &m.segments[i]
		if s.kind == elf.PT_LOAD && s.executable && address >= s.address && address-s.address < s.size {
			return s
		}
	}
	return nil
}

// codeSection is the section of code that holds an address, nil if none does.
func (m *image) codeSection(address uint64) *section {
	for i := range m.sections {
		s := &m.sections[i]
		if s.kind == elf.SHT_PROGBITS && s.flags&uint64(elf.SHF_EXECINSTR) != 0 && address >= s.address && address-s.address < s.size {
			return s
		}
	}
	return nil
}

// code returns up to n bytes of code at an address.
func (m *image) code(address uint64, n int) ([]byte, error) {
	s := m.codeSegment(address)
	if s == nil {
		return nil, fmt.Errorf("%#x is no address of code", address)
	}
	n = int(min(uint64(n), s.size-(address-s.address)))
	return m.read(s.offset+(address-s.address), n)
}

// buildID is the GNU build id in hexadecimal, "" if there is none.
func (m *image) buildID() string {
	for _, s := range m.segments {
		if s.kind != elf.PT_NOTE || s.size > maxNotes {
			continue
		}
		notes, err := m.read(s.offset, int(s.size))
		if err != nil {
			continue
		}
		if id := gnuBuildID(notes); id != nil {
			return fmt.Sprintf("%x", id)
		}
	}
	return ""
}

// gnuBuildID finds the note of type NT_GNU_BUILD_ID (3) and owner "GNU". Names and descriptions are padded to 4 bytes.
func gnuBuildID(notes []byte) []byte {
	le := binary.LittleEndian
	for len(notes) >= 12 {
		name, size, kind := uint64(le.Uint32(notes)), uint64(le.Uint32(notes[4:])), le.Uint32(notes[8:])
		notes = notes[12:]
		begin := (name + 3) &^ 3
		end := begin + size
		next := (end + 3) &^ 3
		if end > uint64(len(notes)) {
			return nil
		}
		if kind == 3 && name == 4 && string(notes[:4]) == "GNU\x00" {
			return notes[begin:end]
		}
		notes = notes[min(next, uint64(len(notes))):]
	}
	return nil
}
