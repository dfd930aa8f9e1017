package openssl

import (
	"bytes"

	"golang.org/x/arch/x86/x86asm"
)

// amd64 executes x86-64 (Intel SDM, volume 2), as far as compilers use it in small functions. What it does not know makes the
// registers unknown that the instruction may write.
type amd64 struct{}

const (
	amd64RSP    = 4
	amd64RBP    = 5
	amd64Vector = 16 // first vector register
)

func (amd64) convention() *convention {
	return &convention{
		arguments: []int{7, 6, 2, 1, 8, 9}, // rdi, rsi, rdx, rcx, r8, r9
		clobbered: []int{0, 1, 2, 6, 7, 8, 9, 10, 11, // and the vector registers
			16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31},
		result: 0,
		stack:  amd64RSP,
	}
}

// amd64Landing is endbr64, which the decoder does not know.
var amd64Landing = []byte{0xf3, 0x0f, 0x1e, 0xfa}

func (a amd64) step(r *run, s *state, code []byte) bool {
	if bytes.HasPrefix(code, amd64Landing) {
		s.pc += uint64(len(amd64Landing))
		return true
	}
	if len(code) > 1 && (code[0] == 0x3e || code[0] == 0xf2) { // notrack or bnd before a jump, call or return
		switch code[1] {
		case 0xff, 0xe9, 0xe8, 0xc3:
			code = code[1:]
			s.pc++
		}
	}
	inst, err := x86asm.Decode(code, 64)
	if err != nil || inst.Len == 0 {
		return false
	}
	s.pc += uint64(inst.Len)
	amd64Step{r, s, &inst}.do()
	return true
}

// amd64Step is one instruction; s.pc is behind it.
type amd64Step struct {
	r    *run
	s    *state
	inst *x86asm.Inst
}

func (x amd64Step) do() {
	args := x.inst.Args
	switch x.inst.Op {
	case x86asm.NOP, x86asm.FNOP, x86asm.PREFETCHT0, x86asm.PREFETCHW:
	case x86asm.MOV, x86asm.MOVUPS, x86asm.MOVAPS, x86asm.MOVDQU, x86asm.MOVDQA, x86asm.MOVUPD, x86asm.MOVAPD, x86asm.MOVQ:
		x.write(args[0], x.read(args[1]))
	case x86asm.MOVZX, x86asm.MOVSX, x86asm.MOVSXD:
		v := x.read(args[1])
		if x.inst.Op != x86asm.MOVZX && v.isConstant() {
			v = opaque() // its sign is not worth keeping
		}
		x.write(args[0], v)
	case x86asm.LEA:
		if m, ok := args[1].(x86asm.Mem); ok {
			x.write(args[0], x.address(m))
		}
	case x86asm.ADD, x86asm.SUB:
		x.write(args[0], x.sum(x.inst.Op == x86asm.SUB))
	case x86asm.IMUL:
		x.multiply()
	case x86asm.XOR:
		if args[0] == args[1] {
			x.write(args[0], constant(0))
			return
		}
		x.write(args[0], opaque())
	case x86asm.CMP, x86asm.TEST:
		x.compare()
	case x86asm.PUSH:
		v := x.read(args[0])
		x.push(v)
	case x86asm.POP:
		x.write(args[0], x.pop())
	case x86asm.LEAVE:
		x.s.registers[amd64RSP] = x.s.registers[amd64RBP]
		x.s.registers[amd64RBP] = x.pop()
	case x86asm.CALL:
		x.call()
	case x86asm.RET:
		x.r.finish(x.s)
	case x86asm.UD1, x86asm.UD2, x86asm.HLT, x86asm.INT:
		x.s.done = true
	case x86asm.JMP:
		x.jump()
	default:
		x.rest()
	}
}

func (x amd64Step) rest() {
	args := x.inst.Args
	if rel, ok := args[0].(x86asm.Rel); ok { // a conditional branch
		x.r.branch(x.s, x.s.pc+uint64(int64(rel)))
		return
	}
	switch x.inst.Op {
	case x86asm.CMOVA, x86asm.CMOVAE, x86asm.CMOVB, x86asm.CMOVBE, x86asm.CMOVE, x86asm.CMOVG, x86asm.CMOVGE, x86asm.CMOVL, x86asm.CMOVLE,
		x86asm.CMOVNE, x86asm.CMOVNO, x86asm.CMOVNP, x86asm.CMOVNS, x86asm.CMOVO, x86asm.CMOVP, x86asm.CMOVS:
		x.r.branch(x.s, x.s.pc) // one path goes on without the move
		x.write(args[0], x.read(args[1]))
	case x86asm.AND, x86asm.OR, x86asm.NOT, x86asm.NEG, x86asm.INC, x86asm.DEC, x86asm.ADC, x86asm.SBB, x86asm.SHL, x86asm.SHR, x86asm.SAR,
		x86asm.ROL, x86asm.ROR, x86asm.SHLD, x86asm.SHRD, x86asm.BSWAP, x86asm.BT, x86asm.BTS, x86asm.BTR, x86asm.PXOR, x86asm.XORPS,
		x86asm.SETA, x86asm.SETAE, x86asm.SETB, x86asm.SETBE, x86asm.SETE, x86asm.SETG, x86asm.SETGE, x86asm.SETL, x86asm.SETLE,
		x86asm.SETNE, x86asm.SETNO, x86asm.SETNP, x86asm.SETNS, x86asm.SETO, x86asm.SETP, x86asm.SETS:
		x.write(args[0], opaque()) // these change nothing else
	case x86asm.MOVSB, x86asm.MOVSW, x86asm.MOVSD, x86asm.MOVSQ:
		x.r.record(x.s, 0, false) // copies from rsi to rdi: the first arguments of memcpy
		x.clobber()
	default:
		x.clobber()
		x.write(args[0], opaque())
	}
}

// clobber forgets what a call may change, for an instruction that is not known.
func (x amd64Step) clobber() {
	for _, register := range (amd64{}).convention().clobbered {
		x.s.registers[register] = opaque()
	}
}

// number gives the index of a register, the bytes of it that are meant, and whether it is one that is modelled.
func (x amd64Step) number(reg x86asm.Reg) (index, size int, ok bool) {
	switch {
	case reg >= x86asm.RAX && reg <= x86asm.R15:
		return int(reg - x86asm.RAX), 8, true
	case reg >= x86asm.EAX && reg <= x86asm.R15L:
		return int(reg - x86asm.EAX), 4, true
	case reg >= x86asm.AX && reg <= x86asm.R15W:
		return int(reg - x86asm.AX), 2, true
	case reg >= x86asm.AL && reg <= x86asm.BL:
		return int(reg - x86asm.AL), 1, true
	case reg >= x86asm.AH && reg <= x86asm.BH:
		return int(reg - x86asm.AH), 0, true // the second byte
	case reg >= x86asm.SPB && reg <= x86asm.R15B:
		return int(reg-x86asm.SPB) + amd64RSP, 1, true
	case reg >= x86asm.X0 && reg <= x86asm.X15:
		return int(reg-x86asm.X0) + amd64Vector, 16, true
	}
	return 0, 0, false
}

func (x amd64Step) read(arg x86asm.Arg) value {
	switch a := arg.(type) {
	case x86asm.Imm:
		return constant(int64(a))
	case x86asm.Reg:
		index, size, ok := x.number(a)
		switch {
		case !ok || size == 0:
			return opaque()
		default:
			return narrow(x.s.registers[index], size)
		}
	case x86asm.Mem:
		return x.r.load(x.s, x.address(a), x.inst.MemBytes)
	}
	return opaque()
}

func (x amd64Step) write(arg x86asm.Arg, v value) {
	switch a := arg.(type) {
	case x86asm.Reg:
		index, size, ok := x.number(a)
		switch {
		case !ok:
		case size < 4:
			x.s.registers[index] = opaque() // the rest of the register stays
		default:
			x.s.registers[index] = narrow(v, size)
		}
	case x86asm.Mem:
		x.r.store(x.s, x.address(a), v, x.inst.MemBytes)
	}
}

// address is what a memory operand points to.
func (x amd64Step) address(m x86asm.Mem) value {
	var base value
	switch {
	case m.Segment != 0:
		return opaque()
	case m.Base == x86asm.RIP:
		base = constant(int64(x.s.pc))
	case m.Base != 0:
		index, size, ok := x.number(m.Base)
		if !ok || size != 8 {
			return opaque()
		}
		base = x.s.registers[index]
	}
	if m.Index != 0 {
		index, size, ok := x.number(m.Index)
		if !ok || size != 8 || !x.s.registers[index].isConstant() {
			return opaque()
		}
		base = base.plus(x.s.registers[index].offset * int64(m.Scale))
	}
	return base.plus(m.Disp)
}

// sum is the result of an addition or subtraction of a number that is known.
func (x amd64Step) sum(minus bool) value {
	a, b := x.read(x.inst.Args[0]), x.read(x.inst.Args[1])
	switch {
	case b.isConstant() && minus:
		return a.plus(-b.offset)
	case b.isConstant():
		return a.plus(b.offset)
	case a.isConstant() && !minus:
		return b.plus(a.offset)
	}
	return opaque()
}

// multiply is a multiplication; its result is known if one factor is a constant and all eight bytes take part.
func (x amd64Step) multiply() {
	to, ok := x.inst.Args[0].(x86asm.Reg)
	if x.inst.Args[1] == nil || !ok { // the form that writes two registers
		x.clobber()
		return
	}
	a, b := x.read(x.inst.Args[0]), x.read(x.inst.Args[1])
	if x.inst.Args[2] != nil {
		a = x.read(x.inst.Args[2])
	}
	_, size, _ := x.number(to)
	x.write(to, product(a, b, size))
}

// compare remembers what is compared with zero, or with itself, or tested for a bit.
func (x amd64Step) compare() {
	a, b := x.read(x.inst.Args[0]), x.read(x.inst.Args[1])
	x.r.compared = append(x.r.compared, [2]value{a, b})
	switch {
	case x.inst.Op == x86asm.CMP && b.isConstant() && b.offset == 0, x.inst.Op == x86asm.TEST:
		x.r.tested = append(x.r.tested, a)
	}
}

func (x amd64Step) push(v value) {
	x.s.registers[amd64RSP] = x.s.registers[amd64RSP].plus(-8)
	x.r.store(x.s, x.s.registers[amd64RSP], v, 8)
}

func (x amd64Step) pop() value {
	v := x.r.load(x.s, x.s.registers[amd64RSP], 8)
	x.s.registers[amd64RSP] = x.s.registers[amd64RSP].plus(8)
	return v
}

// direct is the target of a direct call, 0 for an indirect one.
func (x amd64Step) direct() uint64 {
	if rel, ok := x.inst.Args[0].(x86asm.Rel); ok {
		return x.s.pc + uint64(int64(rel))
	}
	return 0
}

func (x amd64Step) call() {
	if target := x.direct(); target != 0 {
		x.r.call(x.s, target)
		return
	}
	x.r.callValue(x.s, x.read(x.inst.Args[0]))
}

func (x amd64Step) jump() {
	if target := x.direct(); target != 0 {
		x.r.jump(x.s, target)
		return
	}
	x.r.jumpValue(x.s, x.read(x.inst.Args[0]))
}
