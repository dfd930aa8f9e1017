package cpython

import (
	"debug/elf"
	"errors"
	"fmt"
	"io"

	"golang.org/x/arch/x86/x86asm"

	"tenantrace/collector/openssl"
)

// FirstSlots is the number of thread-specific keys whose values a thread's own descriptor holds (glibc, PTHREAD_KEY_2NDLEVEL_SIZE); later ones are elsewhere.
const FirstSlots = 32

// slotSize is that of a key's place there: a sequence number, then the value.
const slotSize = 16

// ErrNoSlots says that a file does not define pthread_getspecific.
var ErrNoSlots = errors.New("no pthread_getspecific")

// LearnSlots reads a C library: how far behind the thread pointer the value of key 0 is. glibc's pthread_getspecific computes
// (key + n) * 16, adds the thread pointer (fs:0x10), and reads 8 bytes behind that.
func LearnSlots(r io.ReaderAt) (uint32, error) {
	const name = "pthread_getspecific"
	e, err := openssl.OpenELF(r)
	if err != nil {
		return 0, err
	}
	symbols, err := e.Symbols(name)
	if err != nil {
		return 0, err
	}
	s, ok := symbols[name]
	if !ok {
		return 0, ErrNoSlots
	}
	if e.Machine() != elf.EM_X86_64 {
		return 0, fmt.Errorf("%q of %v cannot be read yet", name, e.Machine())
	}
	code, err := e.Code(s.Address, 96)
	if err != nil {
		return 0, err
	}
	at, ok := slots(code)
	if !ok {
		return 0, fmt.Errorf("%q is not as glibc's", name)
	}
	return at, nil
}

// slots follows the straight way through the function.
func slots(code []byte) (uint32, bool) {
	const endbr64 = "\xf3\x0f\x1e\xfa"
	if len(code) > 4 && string(code[:4]) == endbr64 {
		code = code[4:]
	}
	var (
		reg     x86asm.Reg // that holds the sum
		thread  x86asm.Reg // that holds the thread pointer
		n       int64
		bounded bool // the key is compared with the last of the first slots
		shifted bool
		self    bool
	)
	for range 12 {
		inst, err := x86asm.Decode(code, 64)
		if err != nil {
			return 0, false
		}
		code = code[inst.Len:]
		to, _ := inst.Args[0].(x86asm.Reg)
		switch inst.Op {
		case x86asm.CMP:
			imm, ok := inst.Args[1].(x86asm.Imm)
			bounded = bounded || ok && imm == FirstSlots-1
		case x86asm.ADD:
			imm, ok := inst.Args[1].(x86asm.Imm)
			switch {
			case ok && !shifted:
				reg, n = to, int64(imm)
			case shifted && to == reg && (isThread(inst.Args[1]) || thread != 0 && inst.Args[1] == thread):
				self = true
			default:
				return 0, false
			}
		case x86asm.LEA:
			if m, ok := inst.Args[1].(x86asm.Mem); ok && m.Index == 0 && m.Disp > 0 && !shifted && n == 0 {
				reg, n = whole(to), m.Disp
			}
		case x86asm.SHL:
			if imm, ok := inst.Args[1].(x86asm.Imm); !ok || imm != 4 || to != reg {
				return 0, false
			}
			shifted = true
		case x86asm.MOV:
			m, ok := inst.Args[1].(x86asm.Mem)
			if isThread(inst.Args[1]) {
				thread = to
			}
			if ok && self && bounded && m.Base == reg && m.Disp == 8 && m.Segment == 0 && n > 0 && n < 1<<12 {
				return uint32(n*slotSize + m.Disp), true
			}
		}
	}
	return 0, false
}

// isThread tells whether an operand is fs:0x10, where the descriptor has its own address.
func isThread(a x86asm.Arg) bool {
	m, ok := a.(x86asm.Mem)
	return ok && m.Segment == x86asm.FS && m.Disp == 0x10 && m.Base == 0 && m.Index == 0
}

// whole is the register of eight bytes of which r is the lower half.
func whole(r x86asm.Reg) x86asm.Reg {
	if r >= x86asm.EAX && r <= x86asm.R15L {
		return r - x86asm.EAX + x86asm.RAX
	}
	return r
}
