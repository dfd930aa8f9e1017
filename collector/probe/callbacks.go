package probe

import "github.com/cilium/ebpf/asm"

// withoutCallbacks takes the functions out of a program whose addresses it takes, and puts 0 in the place of these addresses. Kernels before 5.13 refuse such a load,
// and any function that nobody calls, wherever they stand (kernel/bpf/verifier.c, resolve_pseudo_ldimm64 and check_cfg). The calls that would use them are behind a
// setting that is off: the verifier never comes there.
func withoutCallbacks(program asm.Instructions) asm.Instructions {
	callbacks := map[string]bool{}
	for _, ins := range program {
		if ins.IsLoadOfFunctionPointer() {
			callbacks[ins.Reference()] = true
		}
	}
	if len(callbacks) == 0 {
		return program
	}
	var out asm.Instructions
	skipping := false
	for _, ins := range program {
		if name := ins.Symbol(); name != "" {
			skipping = callbacks[name]
		}
		switch {
		case skipping:
		case ins.IsLoadOfFunctionPointer():
			zero := asm.LoadImm(ins.Dst, 0, asm.DWord)
			zero.Metadata = ins.Metadata
			out = append(out, zero.WithReference(""))
		default:
			out = append(out, ins)
		}
	}
	return out
}
