package openssl

import "encoding/binary"

// arm64 executes A64 (Arm ARM, C4.1), as far as compilers use it in small functions. It decodes by itself: the decoder of golang.org/x/arch
// hides the offsets of loads and stores, and does not know pointer authentication. What is not known here makes the registers unknown
// that a call would change.
type arm64 struct{}

const (
	arm64SP   = 31
	arm64Zero = 31 // the same number, in instructions that have no use for the stack pointer
)

func (arm64) convention() *convention {
	return &convention{
		arguments: []int{0, 1, 2, 3, 4, 5, 6, 7},
		clobbered: []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 30},
		result:    0,
		stack:     arm64SP,
	}
}

func (arm64) step(r *run, s *state, code []byte) bool {
	if len(code) < 4 {
		return false
	}
	x := arm64Step{r, s, binary.LittleEndian.Uint32(code), s.pc}
	s.pc += 4
	switch group := x.w >> 25 & 0xf; {
	case x.w>>16 == 0: // udf
		s.done = true
	case group == 8 || group == 9:
		x.immediate()
	case group == 10 || group == 11:
		x.branch()
	case group&5 == 4:
		x.memory()
	case group&7 == 5:
		x.register()
	default:
		x.clobber() // vectors
	}
	return true
}

// arm64Step is one instruction; s.pc is behind it.
type arm64Step struct {
	r  *run
	s  *state
	w  uint32
	at uint64
}

// bits gives n bits of the instruction from bit low on.
func (x arm64Step) bits(low, n int) int { return int(x.w >> low & (1<<n - 1)) }

// signed gives the same, with a sign.
func (x arm64Step) signed(low, n int) int64 { return int64(int32(x.w)<<(32-low-n)) >> (32 - n) }

// size is 8 for instructions on X registers, 4 on W.
func (x arm64Step) size() int { return 4 << x.bits(31, 1) }

func (x arm64Step) get(register, size int) value {
	if register == arm64Zero {
		return constant(0)
	}
	return narrow(x.s.registers[register], size)
}

func (x arm64Step) set(register int, v value, size int) {
	if register != arm64Zero {
		x.s.registers[register] = narrow(v, size)
	}
}

func (x arm64Step) clobber() {
	for _, register := range (arm64{}).convention().clobbered {
		x.s.registers[register] = opaque()
	}
}

// immediate is data processing with a constant (C4.1.92).
func (x arm64Step) immediate() {
	rd, rn := x.bits(0, 5), x.bits(5, 5)
	switch x.bits(23, 3) {
	case 0, 1: // adr, adrp
		n := x.signed(5, 19)<<2 | int64(x.bits(29, 2))
		if x.bits(31, 1) == 1 {
			x.set(rd, constant(int64(x.at&^0xfff)+n<<12), 8)
			return
		}
		x.set(rd, constant(int64(x.at)+n), 8)
	case 2: // add, sub
		x.addImmediate(rd, rn)
	case 5: // movn, movz, movk
		x.moveWide(rd)
	case 6: // sbfm, bfm, ubfm
		if x.w&0xfffffc00 == 0x93407c00 { // sxtw
			x.set(rd, signExtended(x.get(rn, 4)), 8)
			return
		}
		x.set(rd, opaque(), 8)
	case 4: // and, orr, eor, ands
		if x.bits(29, 2) != 3 && rd == arm64SP {
			x.s.registers[arm64SP] = opaque()
			return
		}
		x.set(rd, opaque(), 8)
	default: // extr and others
		x.set(rd, opaque(), 8)
	}
}

// signExtended keeps what is known of a 4-byte value. The sign of a constant is not worth keeping.
func signExtended(v value) value {
	if v.isConstant() && int32(v.offset) < 0 {
		return opaque()
	}
	return v
}

func (x arm64Step) addImmediate(rd, rn int) {
	n := int64(x.bits(10, 12)) << (12 * x.bits(22, 1))
	if x.bits(30, 1) == 1 {
		n = -n
	}
	a := x.s.registers[rn] // 31 is the stack pointer here
	if x.bits(29, 1) == 1 {
		if n == 0 {
			x.r.tested = append(x.r.tested, narrow(a, x.size()))
		}
		x.set(rd, narrow(a.plus(n), x.size()), 8)
		return
	}
	x.s.registers[rd] = narrow(a.plus(n), x.size())
}

func (x arm64Step) moveWide(rd int) {
	shift := 16 * x.bits(21, 2)
	n := uint64(x.bits(5, 16)) << shift
	switch x.bits(29, 2) {
	case 0:
		x.set(rd, constant(int64(^n)), x.size())
	case 2:
		x.set(rd, constant(int64(n)), x.size())
	default: // movk
		old := x.get(rd, x.size())
		if !old.isConstant() {
			x.set(rd, opaque(), 8)
			return
		}
		x.set(rd, constant(old.offset&^(0xffff<<shift)|int64(n)), x.size())
	}
}

// branch is branches, exceptions and hints (C4.1.93).
func (x arm64Step) branch() {
	switch {
	case x.w>>26 == 0b000101: // b
		x.r.jump(x.s, x.at+uint64(x.signed(0, 26)<<2))
	case x.w>>26 == 0b100101: // bl
		x.r.call(x.s, x.at+uint64(x.signed(0, 26)<<2))
	case x.w&0xff000000 == 0x54000000: // b.cond
		x.r.branch(x.s, x.at+uint64(x.signed(5, 19)<<2))
	case x.w&0x7e000000 == 0x34000000: // cbz, cbnz
		x.r.tested = append(x.r.tested, x.get(x.bits(0, 5), x.size()))
		x.r.branch(x.s, x.at+uint64(x.signed(5, 19)<<2))
	case x.w&0x7e000000 == 0x36000000: // tbz, tbnz
		x.r.branch(x.s, x.at+uint64(x.signed(5, 14)<<2))
	case x.w&0xfffffc1f == 0xd65f0000, x.w == 0xd65f0bff, x.w == 0xd65f0fff: // ret, retaa, retab
		x.r.finish(x.s)
	case x.w&0xfffffc1f == 0xd61f0000: // br
		x.r.jumpValue(x.s, x.get(x.bits(5, 5), 8))
	case x.w&0xfffffc1f == 0xd63f0000: // blr
		x.r.callValue(x.s, x.get(x.bits(5, 5), 8))
	case x.w&0xfffff01f == 0xd503201f: // hints: nop, bti, paciasp, autiasp
	case x.w&0xffe0001f == 0xd4200000: // brk
		x.s.done = true
	default:
		x.clobber()
	}
}

// register is data processing on registers (C4.1.95).
func (x arm64Step) register() {
	rd, rn, rm, size := x.bits(0, 5), x.bits(5, 5), x.bits(16, 5), x.size()
	switch {
	case x.w&0x7fe0ffe0 == 0x2a0003e0: // mov
		x.set(rd, x.get(rm, size), size)
	case x.w&0x7fe00000 == 0x4a000000 && rn == rm && x.bits(10, 6) == 0: // eor with itself
		x.set(rd, constant(0), size)
	case x.w&0x1fe00000 == 0x0b000000 && x.bits(10, 6) == 0: // add, sub of a register as it is
		x.addRegister(rd, x.get(rn, size), x.get(rm, size), size)
	case x.w&0x7fe0fc00 == 0x1b007c00: // mul
		x.set(rd, product(x.get(rn, size), x.get(rm, size), size), 8)
	case x.w&0x7fe00c00 == 0x1a800000: // csel
		second := x.get(rm, size)
		x.set(rd, x.get(rn, size), size)
		x.r.branch(x.s, x.s.pc) // one path goes on with the first
		x.set(rd, second, size)
	default:
		x.set(rd, opaque(), 8)
	}
}

func (x arm64Step) addRegister(rd int, a, b value, size int) {
	minus := x.bits(30, 1) == 1
	v := opaque()
	switch {
	case b.isConstant() && minus:
		v = a.plus(-b.offset)
	case b.isConstant():
		v = a.plus(b.offset)
	case a.isConstant() && !minus:
		v = b.plus(a.offset)
	}
	x.set(rd, v, size)
}
