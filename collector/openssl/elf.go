package openssl

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
)

// ELF is an executable or shared object whose functions can be traced, for learning from other files what Open learns from OpenSSL's.
type ELF struct{ m *image }

// Symbol is a function or an object that a file defines, by its address in the file.
type Symbol struct{ Address, Size uint64 }

// OpenELF reads the headers of a file.
func OpenELF(r io.ReaderAt) (*ELF, error) {
	m, err := openImage(r)
	if err != nil {
		return nil, err
	}
	return &ELF{m}, nil
}

// Machine is that of the code.
func (e *ELF) Machine() elf.Machine { return e.m.machine }

// Symbols finds what a file defines under the given names in its dynamic symbol table: functions, and objects.
func (e *ELF) Symbols(names ...string) (map[string]Symbol, error) {
	found := map[string]Symbol{}
	le := binary.LittleEndian
	for _, table := range e.m.sections {
		if table.kind != elf.SHT_DYNSYM || table.link == 0 || int64(table.link) >= int64(len(e.m.sections)) {
			continue
		}
		at, err := e.m.findStrings(e.m.sections[table.link], names)
		if err != nil {
			return nil, err
		}
		err = e.m.stream(table, symbolSize, func(entry []byte) error {
			name, ok := at[le.Uint32(entry)]
			kind := elf.ST_TYPE(entry[4])
			if ok && le.Uint16(entry[6:]) != uint16(elf.SHN_UNDEF) && (kind == elf.STT_FUNC || kind == elf.STT_OBJECT) {
				found[name] = Symbol{le.Uint64(entry[8:]), le.Uint64(entry[16:])}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

// Offset is the place in the file of the code at an address.
func (e *ELF) Offset(address uint64) (uint64, bool) { return e.m.fileOffset(address) }

// Code gives up to n bytes of code at an address.
func (e *ELF) Code(address uint64, n int) ([]byte, error) { return e.m.code(address, n) }

// Pointer is the address that stands in the file's data at an address once it is mapped where it asks to be.
func (e *ELF) Pointer(address uint64) (uint64, error) {
	le, relative := binary.LittleEndian, uint32(elf.R_X86_64_RELATIVE)
	if e.m.machine == elf.EM_AARCH64 {
		relative = uint32(elf.R_AARCH64_RELATIVE)
	}
	var to uint64
	for _, table := range e.m.sections {
		if table.kind != elf.SHT_RELA {
			continue
		}
		err := e.m.stream(table, relocationSize, func(entry []byte) error {
			if le.Uint64(entry) != address {
				return nil
			}
			if le.Uint32(entry[8:]) != relative {
				return fmt.Errorf("pointer at %#x is of another file", address)
			}
			to = le.Uint64(entry[16:])
			return errFound
		})
		if errors.Is(err, errFound) {
			return to, nil
		}
		if err != nil {
			return 0, err
		}
	}
	for _, s := range e.m.segments {
		if s.kind == elf.PT_LOAD && address >= s.address && address+8 <= s.address+s.size {
			b, err := e.m.read(s.offset+(address-s.address), 8)
			if err != nil {
				return 0, err
			}
			return le.Uint64(b), nil
		}
	}
	return 0, fmt.Errorf("%#x is no address of data", address)
}

// Object gives the address of the object that the dynamic linker puts into a slot of the global offset table; false if the file does not define it.
func (e *ELF) Object(slot uint64) (uint64, bool) {
	le, data := binary.LittleEndian, uint32(elf.R_X86_64_GLOB_DAT)
	if e.m.machine == elf.EM_AARCH64 {
		data = uint32(elf.R_AARCH64_GLOB_DAT)
	}
	var to uint64
	for _, table := range e.m.sections {
		if table.kind != elf.SHT_RELA || table.link == 0 || int64(table.link) >= int64(len(e.m.sections)) {
			continue
		}
		symbols := e.m.sections[table.link]
		err := e.m.stream(table, relocationSize, func(entry []byte) error {
			at := uint64(le.Uint32(entry[12:])) * symbolSize
			if le.Uint64(entry) != slot || le.Uint32(entry[8:]) != data || symbols.kind != elf.SHT_DYNSYM || at+symbolSize > symbols.size {
				return nil
			}
			s, err := e.m.read(symbols.offset+at, symbolSize)
			if err != nil {
				return err
			}
			if le.Uint16(s[6:]) != uint16(elf.SHN_UNDEF) {
				to = le.Uint64(s[8:])
			}
			return errFound
		})
		if err != nil {
			return to, to != 0
		}
	}
	return 0, false
}

// Origin says where a way through memory begins.
type Origin int

// The origins.
const (
	FromUnknown  Origin = iota // a register or address of which nothing is known: that of a thread-local variable, a call's result
	FromArgument               // an argument of the function
	FromAddress                // a fixed address
)

// Way is a value by the way to it: from the origin, add each offset and load what is there; then add the tail.
type Way struct {
	From     Origin
	Argument int
	Offsets  []int64 // of FromAddress the first is the address itself
	Size     int     // bytes of the last load
	Tail     int64
}

// Call is a call of a function, or a jump that leaves the one that is traced.
type Call struct {
	Target    uint64 // 0: in another file, or not known
	Arguments []Way
}

// Trace is what a function does on all of its paths.
type Trace struct {
	Returns, Loads []Way
	Calls          []Call
	Compared       [][2]Way
}

// Trace executes a function with arguments that stand for themselves. Jumps to other functions of the file are followed.
func (e *ELF) Trace(f Symbol) (*Trace, error) {
	r := e.m.execute(symbol{address: f.Address, size: f.Size}, true)
	if r.err != nil {
		return nil, r.err
	}
	t := &Trace{}
	for _, v := range r.returns {
		t.Returns = append(t.Returns, wayTo(v))
	}
	for _, v := range r.loads {
		t.Loads = append(t.Loads, wayTo(v))
	}
	for _, c := range r.calls {
		call := Call{Target: c.target}
		for _, v := range c.arguments {
			call.Arguments = append(call.Arguments, wayTo(v))
		}
		t.Calls = append(t.Calls, call)
	}
	for _, c := range r.compared {
		t.Compared = append(t.Compared, [2]Way{wayTo(c[0]), wayTo(c[1])})
	}
	return t, nil
}

func wayTo(v value) Way {
	w := Way{Tail: v.offset}
	n := v.root
	for ; n != nil; n = n.of.root {
		if n.kind == argumentNode {
			w.From, w.Argument = FromArgument, n.index
			break
		}
		if n.kind == narrowNode && n.of.offset == 0 {
			continue
		}
		if n.kind != loadNode {
			break
		}
		if w.Size == 0 {
			w.Size = n.size
		}
		w.Offsets = append(w.Offsets, n.of.offset)
	}
	if n == nil {
		w.From = FromAddress
	}
	slices.Reverse(w.Offsets)
	return w
}
