package openssl

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// TestReturned covers what compilers make of an accessor. The code was assembled from what stands beside it.
func TestReturned(t *testing.T) {
	for _, c := range []struct {
		machine elf.Machine
		name    string // also says what is special
		code    string
		sizes   []int
		want    string // offsets, or "" for a refusal
	}{
		{elf.EM_X86_64, "argument spilled, without optimisation: push rbp; mov [rbp-8], rdi; mov rax, [rbp-8]; mov rax, [rax+918h]",
			"554889e548897df8488b45f8488b80180900005dc3", []int{8}, "[0x918]"},
		{elf.EM_X86_64, "spilled over a call, frame ended by leave", "554889e54883ec1048897df8e81b000000488b45f88b4038c9c3", []int{4}, "[0x38]"},
		{elf.EM_X86_64, "kept over a call in rbx", "53488b9f100500004889dfe81b0000004889d85bc3", []int{8}, "[0x510]"},
		{elf.EM_X86_64, "two pointers, null halfway", "488b87180900004885c07407488b80b8020000c3", []int{8, 8}, "[0x918 0x2b8]"},
		{elf.EM_X86_64, "rdi used after a call that does not keep it", "4883ec08e81b0000008b47384883c408c3", []int{4}, ""},
		{elf.EM_X86_64, "spilled where a callee may write", "4883ec1848897c24084889e6e81b000000488b4424088b40384883c418c3", []int{4}, ""},
		{elf.EM_X86_64, "one of two members, by cmov", "488b471083fe00480f444720c3", []int{8}, ""},
		{elf.EM_X86_64, "low byte overwritten", "488b4710b001c3", []int{8}, ""},
		{elf.EM_X86_64, "ends in a computed jump", "f30f1efa8b47383effe1", []int{4}, ""},
		{elf.EM_X86_64, "end of the function is missing", "8b4738", []int{4}, ""},
		{elf.EM_AARCH64, "argument spilled: sub sp; str x0, [sp, 8]; ldr x0, [sp, 8]; ldr x0, [x0, 918h]",
			"ff4300d1e00700f9e00740f9008c44f9ff430091c0035fd6", []int{8}, "[0x918]"},
		{elf.EM_AARCH64, "kept over a call in x19", "fd7bbea9f30b00f9f30300aa10000094603a40b9f30b40f9fd7bc2a8c0035fd6", []int{4}, "[0x38]"},
		{elf.EM_AARCH64, "bti, paciasp, two pointers, null halfway", "5f2403d53f2303d5800000b4008c44f9400000b4005c41f9bf2303d5c0035fd6", []int{8, 8}, "[0x918 0x2b8]"},
		{elf.EM_AARCH64, "ldr x1, [x0, 16]!; ldr x0, [x0, 8]", "010c41f8000440f9c0035fd6", []int{8}, "[0x18]"},
		{elf.EM_AARCH64, "ldr x1, [x0], 16; ldur x0, [x0, -8]", "010441f800805ff8c0035fd6", []int{8}, "[0x8]"},
		{elf.EM_AARCH64, "ldp x1, x0, [x0, 40h]", "010044a9c0035fd6", []int{8}, "[0x48]"},
		{elf.EM_AARCH64, "offset in a register: mov w2, 918h; add x0, x0, x2; ldr x0, [x0]", "022381520000028b000040f9c0035fd6", []int{8}, "[0x918]"},
		{elf.EM_AARCH64, "ldrsw x0, [x0, 38h]", "003880b9c0035fd6", []int{4}, "[0x38]"},
		{elf.EM_AARCH64, "x0 used after a call that does not keep it", "fd7bbfa910000094003840b9fd7bc1a8c0035fd6", []int{4}, ""},
		{elf.EM_AARCH64, "one of two members, by csel", "010840f9021040f97f0000712000829ac0035fd6", []int{8}, ""},
	} {
		t.Run(c.machine.String()+" "+c.name, func(t *testing.T) {
			const name = "SSL_version"
			m, err := openImage(bytes.NewReader(tinyELF(c.machine, []string{name}, map[string][]byte{name: program(t, c.code)})))
			if err != nil {
				t.Fatal(err)
			}
			functions, err := m.symbols([]string{name})
			if err != nil {
				t.Fatal(err)
			}
			links, err := (&library{image: m, functions: functions}).returned(name, c.sizes)
			if got := fmt.Sprintf("%#x", links); err == nil && got != c.want || err != nil && c.want != "" {
				t.Errorf("offsets %s, error %v, want %q", got, err, c.want)
			}
		})
	}
}

// TestExecutionIsBounded covers code that forks at every instruction, and a loop that pushes.
func TestExecutionIsBounded(t *testing.T) {
	for name, c := range map[string]struct {
		machine elf.Machine
		code    []byte
		want    error
	}{
		"forks on x86-64": {elf.EM_X86_64, bytes.Repeat([]byte{0x74, 0x01, 0x90}, 300), errTooLarge},                       // je over a nop
		"forks on arm64":  {elf.EM_AARCH64, bytes.Repeat([]byte{0x40, 0, 0, 0x54, 0x1f, 0x20, 3, 0xd5}, 100), errTooLarge}, // b.eq over a nop
		"loop on x86-64":  {elf.EM_X86_64, []byte{0x50, 0xeb, 0xfd, 0xc3}, nil},
	} {
		m, err := openImage(bytes.NewReader(tinyELF(c.machine, []string{"f"}, map[string][]byte{"f": c.code})))
		if err != nil {
			t.Fatal(err)
		}
		functions, err := m.symbols([]string{"f"})
		if err != nil {
			t.Fatal(err)
		}
		if r := m.execute(functions["f"], true); !errors.Is(r.err, c.want) {
			t.Errorf("%s: error %v, want %v", name, r.err, c.want)
		}
	}
}

// TestFirstInstruction covers what the kernel emulates.
func TestFirstInstruction(t *testing.T) {
	for _, c := range []struct {
		machine  elf.Machine
		code     string
		want     string
		emulated bool
	}{
		{elf.EM_X86_64, "55", "push", true},
		{elf.EM_X86_64, "4156", "push", true},
		{elf.EM_X86_64, "6a01", "push", false},
		{elf.EM_X86_64, "ff37", "push", false},
		{elf.EM_X86_64, "4883ec18", "sub", false},
		{elf.EM_X86_64, "f30f1efa", "endbr64", false},
		{elf.EM_X86_64, "90", "nop", true},
		{elf.EM_X86_64, "e800000000", "call", true},
		{elf.EM_X86_64, "eb00", "jmp", true},
		{elf.EM_X86_64, "ffe0", "jmp", false},
		{elf.EM_X86_64, "7400", "je", true},
		{elf.EM_X86_64, "0f8400000000", "je", true},
		{elf.EM_X86_64, "06", "", false},
		{elf.EM_AARCH64, "3f2303d5", "paciasp", false},
		{elf.EM_AARCH64, "fd7bbfa9", "stp", false},
		{elf.EM_AARCH64, "800000b4", "cbz", true},
		{elf.EM_AARCH64, "00", "", false},
	} {
		code := program(t, c.code)
		read := amd64Instruction
		if c.machine == elf.EM_AARCH64 {
			read = arm64Instruction
		}
		if got, emulated := read(code); got != c.want || emulated != c.emulated {
			t.Errorf("%v %s: %q, emulated %t, want %q, %t", c.machine, c.code, got, emulated, c.want, c.emulated)
		}
	}
}

func TestStartsFunction(t *testing.T) {
	ssl, _ := host(t)
	m, err := openImage(open(t, ssl))
	if err != nil {
		t.Fatal(err)
	}
	functions, err := m.symbols([]string{"SSL_read", "SSL_do_handshake"})
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range functions {
		for distance, want := range map[uint64]bool{0: true, 1: false, 4: false} {
			if starts, known := m.startsFunction(f.address + distance); !known || starts != want {
				t.Errorf("%s+%d: starts %t, known %t", name, distance, starts, known)
			}
		}
		if !m.startsLikeFunction(f.address) {
			t.Errorf("%s does not begin like a function", name)
		}
	}
}

// TestProduct covers multiplications by a constant: those that SSL_SESSION_set_time uses, and those of which the result is not known.
func TestProduct(t *testing.T) {
	for _, c := range []struct {
		machine elf.Machine
		name    string
		code    string
		known   bool
	}{
		{elf.EM_X86_64, "imul rax, rsi, 1000000000; ret", "4869c600ca9a3bc3", true},
		{elf.EM_X86_64, "mov eax, 1000000000; imul rax, rsi; ret", "b800ca9a3b480fafc6c3", true},
		{elf.EM_X86_64, "mov rax, rsi; imul rax, rax, 1000000000", "4889f04869c000ca9a3bc3", true},
		{elf.EM_X86_64, "imul eax, esi, 1000000000", "69c600ca9a3bc3", false},
		{elf.EM_X86_64, "imul rax, rsi, 1000000001", "4869c601ca9a3bc3", false},
		{elf.EM_X86_64, "mov rax, rsi; imul rdi", "4889f048f7efc3", false},
		{elf.EM_X86_64, "mov rax, rdi; imul rax, rsi", "4889f8480fafc6c3", false},
		{elf.EM_AARCH64, "mov x0, ca00h; movk x0, 3b9ah, lsl 16; mul x0, x1, x0", "004099d24073a7f2207c009bc0035fd6", true},
		{elf.EM_AARCH64, "the same with w registers", "0040995240 73a772207c001bc0035fd6", false},
		{elf.EM_AARCH64, "madd x0, x1, x0, x2", "004099d24073a7f22008009bc0035fd6", false},
	} {
		t.Run(c.machine.String()+" "+c.name, func(t *testing.T) {
			code := program(t, strings.ReplaceAll(c.code, " ", ""))
			m, err := openImage(bytes.NewReader(tinyELF(c.machine, []string{"f"}, map[string][]byte{"f": code})))
			if err != nil {
				t.Fatal(err)
			}
			r := m.execute(symbol{address: 0x401000, size: uint64(len(code))}, true)
			if r.err != nil || len(r.returns) != 1 {
				t.Fatalf("%d returns, error %v", len(r.returns), r.err)
			}
			if got := r.returns[0].equal(times(argument(1), second)); got != c.known {
				t.Errorf("is the second argument times 1000000000: %v, want %v", got, c.known)
			}
		})
	}
}
