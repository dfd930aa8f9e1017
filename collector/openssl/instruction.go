package openssl

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"strings"
	"sync"

	"golang.org/x/arch/arm64/arm64asm"
	"golang.org/x/arch/x86/x86asm"
)

// firstInstruction gives the mnemonic of the instruction at an address, in lower case, "" if it is not known, and whether kernels since 5.10 emulate
// it at a probe (arch/x86/kernel/uprobes.c, arch/arm64/kernel/probes/decode-insn.c).
func (m *image) firstInstruction(address uint64) (mnemonic string, emulated bool) {
	code, err := m.code(address, 16)
	if err != nil {
		return "", false
	}
	if m.machine == elf.EM_AARCH64 {
		return arm64Instruction(code)
	}
	return amd64Instruction(code)
}

func amd64Instruction(code []byte) (mnemonic string, emulated bool) {
	if bytes.HasPrefix(code, amd64Landing) {
		return "endbr64", false
	}
	inst, err := x86asm.Decode(code, 64)
	if err != nil {
		return "", false
	}
	mnemonic = strings.ToLower(inst.Op.String())
	switch {
	case inst.Op == x86asm.PUSH: // of a register, which may need the prefix REX.B
		return mnemonic, bytes.TrimPrefix(code, []byte{0x41})[0]&0xf8 == 0x50
	case code[0] == 0x90, code[0] == 0xe8, code[0] == 0xe9, code[0] == 0xeb: // nop, call, jmp
		return mnemonic, true
	case code[0]&0xf0 == 0x70, code[0] == 0x0f && len(code) > 1 && code[1]&0xf0 == 0x80: // conditional jumps
		return mnemonic, true
	}
	return mnemonic, false
}

// arm64Hints are instructions that the decoder does not know.
var arm64Hints = map[uint32]string{
	0xd503233f: "paciasp", 0xd503237f: "pacibsp", 0xd503241f: "bti", 0xd503245f: "bti c", 0xd503249f: "bti j", 0xd50324df: "bti jc", 0xd503201f: "nop",
}

// arm64Decoder: the decoder writes to a table of its own, and libraries are looked at side by side.
var arm64Decoder sync.Mutex

func arm64Instruction(code []byte) (mnemonic string, emulated bool) {
	if len(code) < 4 {
		return "", false
	}
	w := binary.LittleEndian.Uint32(code)
	if name, ok := arm64Hints[w]; ok {
		return name, false
	}
	arm64Decoder.Lock()
	inst, err := arm64asm.Decode(code)
	arm64Decoder.Unlock()
	if err != nil {
		return "", false
	}
	mnemonic = strings.ToLower(inst.Op.String())
	switch inst.Op {
	case arm64asm.B, arm64asm.BL, arm64asm.CBZ, arm64asm.CBNZ, arm64asm.TBZ, arm64asm.TBNZ, arm64asm.BR, arm64asm.BLR, arm64asm.RET, arm64asm.ADR, arm64asm.ADRP:
		return mnemonic, true
	}
	return mnemonic, false
}

// startsLikeFunction tells whether the instruction at an address is one with which compilers begin functions that call others.
func (m *image) startsLikeFunction(address uint64) bool {
	code, err := m.code(address, 16)
	if err != nil {
		return false
	}
	if m.machine == elf.EM_AARCH64 {
		if len(code) < 4 {
			return false
		}
		w := binary.LittleEndian.Uint32(code)
		_, hint := arm64Hints[w]
		return hint && w != 0xd503201f || w&0xffc07fff == 0xa9807bfd || w&0xff8003ff == 0xd10003ff // stp x29, x30, [sp, -n]!; sub sp, sp, n
	}
	name, _ := amd64Instruction(code)
	if name == "sub" {
		return bytes.HasPrefix(code, []byte{0x48, 0x83, 0xec}) || bytes.HasPrefix(code, []byte{0x48, 0x81, 0xec}) // from rsp
	}
	return name == "push" || name == "endbr64"
}
