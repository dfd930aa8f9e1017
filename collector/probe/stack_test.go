package probe

import (
	"fmt"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"

	"tenantrace/bpf"
)

// maxStack is what the frames of a chain of calls may take together, each rounded up as Linux does until 6.7 (kernel/bpf/verifier.c, check_max_stack_depth).
const (
	maxStack   = 512
	frameUnits = 32
)

// frames are the functions of a program: how deep each goes into its stack, and which it calls, callbacks included.
type frames struct {
	depth map[string]int
	calls map[string]map[string]bool
}

func framesOf(p *ebpf.ProgramSpec) frames {
	functions := map[string]bool{p.Name: true}
	for _, i := range p.Instructions {
		if i.IsFunctionCall() || i.IsFunctionReference() {
			functions[i.Reference()] = true
		}
	}
	f := frames{map[string]int{}, map[string]map[string]bool{}}
	in := p.Name
	based := map[asm.Register]int{} // registers that hold the frame's address, and how far below it
	for _, i := range p.Instructions {
		if functions[i.Symbol()] {
			in = i.Symbol()
			based = map[asm.Register]int{}
		}
		if f.calls[in] == nil {
			f.calls[in] = map[string]bool{}
		}
		if i.IsFunctionCall() || i.IsFunctionReference() {
			f.calls[in][i.Reference()] = true
		}
		class := i.OpCode.Class()
		deep, base := 0, 0
		switch {
		case class.IsLoad() && i.Src == asm.R10, class.IsStore() && i.Dst == asm.R10:
			deep = -int(i.Offset)
		case class == asm.ALU64Class && i.OpCode.ALUOp() == asm.Mov && i.OpCode.Source() == asm.RegSource && i.Src == asm.R10:
			base = 1
		case class == asm.ALU64Class && i.OpCode.ALUOp() == asm.Add && i.OpCode.Source() == asm.ImmSource && based[i.Dst] != 0:
			deep = -int(i.Constant)
		}
		if !class.IsStore() {
			based[i.Dst] = base
		}
		f.depth[in] = max(f.depth[in], deep)
	}
	return f
}

// deepest gives the chain of calls that takes most of the stack.
func (f frames) deepest(function string) (bytes int, chain string) {
	for callee := range f.calls[function] {
		if n, c := f.deepest(callee); n > bytes {
			bytes, chain = n, " > "+c
		}
	}
	own := (max(f.depth[function], 1) + frameUnits - 1) / frameUnits * frameUnits
	return bytes + own, fmt.Sprintf("%s %d", function, f.depth[function]) + chain
}

// Linux 5.10 refuses a program whose frames take more than there is.
func TestStacks(t *testing.T) {
	spec, err := bpf.LoadTracer()
	if err != nil {
		t.Fatal(err)
	}
	if f := framesOf(spec.Programs["sys_exit"]); f.depth["emit_transfer"] < 100 || len(f.calls["sys_exit"]) < 3 {
		t.Errorf("the functions of sys_exit are not understood: %v", f)
	}
	for name, p := range spec.Programs {
		bytes, chain := framesOf(p).deepest(p.Name)
		t.Logf("%-20s %3d: %s", name, bytes, chain)
		if bytes > maxStack {
			t.Errorf("the stack of %q takes %d bytes: %s", name, bytes, chain)
		}
	}
}
