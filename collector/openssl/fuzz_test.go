package openssl

import (
	"bytes"
	"debug/elf"
	"testing"
)

// seeds are small files for both machines, with code of every function that is looked at.
func seeds(t testing.TB) [][]byte {
	names := append(append([]string{}, sslNames...), cryptoNames...)
	var out [][]byte
	for machine, text := range map[elf.Machine]string{
		elf.EM_X86_64:  "f30f1efa4883ec0848897c24e0488b4424e0488b80180900007402e8000000004883c408c3",
		elf.EM_AARCH64: "3f2303d5fd7bbea9f30b00f9f30300aa10000094603a40b9f30b40f9fd7bc2a8c0035fd6",
	} {
		code := map[string][]byte{}
		for _, n := range names {
			code[n] = program(t, text)
		}
		out = append(out, tinyELF(machine, names, code))
	}
	return out
}

// FuzzOpen reads hostile files: an error, or a library whose parts hold.
func FuzzOpen(f *testing.F) {
	for _, s := range seeds(f) {
		f.Add(s)
		f.Add(s[:len(s)/2])
	}
	f.Add([]byte("\x7fELF"))
	f.Fuzz(func(t *testing.T, data []byte) {
		e, exportsErr := Exports(bytes.NewReader(data))
		l, err := Open(bytes.NewReader(data), bytes.NewReader(data))
		if err == nil && (exportsErr != nil || !e.SSL) {
			t.Errorf("opened, but exports %+v, %v", e, exportsErr)
		}
		if err != nil {
			return
		}
		if (l.Layout == nil) == (l.LayoutErr == nil) {
			t.Errorf("layout %v, error %v", l.Layout, l.LayoutErr)
		}
		_ = l.String()
	})
}

// FuzzExecute executes arbitrary code.
func FuzzExecute(f *testing.F) {
	for _, machine := range []bool{false, true} {
		f.Add(machine, []byte{0x48, 0x8b, 0x87, 0x18, 0x09, 0, 0, 0xc3})
		f.Add(machine, []byte{0, 0x8c, 0x44, 0xf9, 0xc0, 3, 0x5f, 0xd6})
		f.Add(machine, []byte{0xff, 0x25, 0, 0, 0, 0, 0x0f, 0x44, 0xc1, 0xf3, 0xa4, 0xc9, 0xe8, 0, 0, 0, 0})
	}
	f.Fuzz(func(t *testing.T, arm bool, code []byte) {
		machine := elf.EM_X86_64
		if arm {
			machine = elf.EM_AARCH64
		}
		code = code[:min(len(code), maxRegion)]
		m, err := openImage(bytes.NewReader(tinyELF(machine, []string{"f"}, map[string][]byte{"f": code})))
		if err != nil {
			t.Fatal(err)
		}
		for _, follow := range []bool{false, true} {
			r := m.execute(symbol{address: 0x401000, size: uint64(len(code))}, follow)
			for _, v := range r.returns {
				chainOf(v)
			}
		}
	})
}
