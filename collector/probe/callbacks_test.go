package probe

import (
	"testing"

	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/btf"
)

// Without bpf_loop no program takes a function's address, nor holds one that nobody calls: kernels before 5.13 refuse both. With it there is one to take out.
func TestWithoutCallbacks(t *testing.T) {
	for _, c := range []struct {
		features Features
		want     bool // addresses of functions are taken
	}{{Features{Loop: true}, true}, {Features{}, false}} {
		spec, err := specification(c.features, false)
		if err != nil {
			t.Fatal(err)
		}
		taken := 0
		for name, program := range spec.Programs {
			entry, called, defined := program.Instructions[0].Symbol(), map[string]bool{}, map[string]bool{}
			for _, ins := range program.Instructions {
				switch {
				case ins.IsLoadOfFunctionPointer():
					taken++
				case ins.IsFunctionCall():
					called[ins.Reference()] = true
				}
				if function := ins.Symbol(); function != "" && function != entry && isFunction(ins) {
					defined[function] = true
				}
			}
			for function := range called {
				if !defined[function] {
					t.Errorf("%v: %q calls %q, which it does not hold", c.features, name, function)
				}
			}
			for function := range defined {
				if !called[function] && !c.want {
					t.Errorf("%v: %q holds %q, which nobody calls", c.features, name, function)
				}
			}
		}
		if taken > 0 != c.want {
			t.Errorf("%v: the address of a function is taken %d times", c.features, taken)
		}
	}
}

// isFunction tells functions from the targets of jumps, which have symbols as well.
func isFunction(ins asm.Instruction) bool { return btf.FuncMetadata(&ins) != nil }
