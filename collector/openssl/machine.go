package openssl

import (
	"debug/elf"
	"errors"
	"fmt"
	"maps"
)

// Bounds of one symbolic execution. Accessors need some twenty steps.
const (
	maxRegion = 1 << 10 // bytes of code of one function
	maxSteps  = 1 << 14 // instructions on all paths together
	maxPaths  = 1 << 10
	maxJumps  = 4 // tail jumps on one path
	registers = 64
)

var (
	errTooLarge    = errors.New("function is too large or has too many paths")
	errUndecodable = errors.New("instruction cannot be decoded")
)

// architecture is the instruction set of an image.
type architecture interface {
	// convention gives the registers of the C calling convention.
	convention() *convention
	// step executes the instruction at the start of code, which lies at s.pc, and moves s.pc behind it or to where it jumps. It returns
	// false at bytes that it cannot decode.
	step(r *run, s *state, code []byte) bool
}

type convention struct {
	arguments []int // registers of the first arguments
	clobbered []int // registers that a call does not preserve
	result    int
	stack     int
	pushes    int64 // bytes that a call puts on the stack
}

type slot struct {
	value value
	size  int
}

// state is one path through a function.
type state struct {
	pc        uint64
	low, high uint64 // the function that the path is in; high is exclusive
	sized     bool   // high is its true end
	jumps     int
	registers [registers]value
	stack     map[int64]slot // by offset from the stack pointer at the entry
	visited   map[uint64]struct{}
	done      bool
}

func (s *state) fork() *state {
	t := *s
	t.stack = maps.Clone(s.stack)
	t.visited = maps.Clone(s.visited)
	return &t
}

// store is a write to memory outside of the stack.
type store struct {
	address, value value
	size           int
}

// call is a call, or a jump that leaves the file or goes where following was not asked for.
type call struct {
	target    uint64 // address in this file, 0: elsewhere or not known
	arguments []value
	tail      bool
}

// run is the execution of a function on all its paths, with arguments that stand for themselves.
type run struct {
	image   *image
	arch    architecture
	follow  bool   // tail jumps are followed, else recorded as calls
	stub    bool   // end at the first thing that a linkage stub does not do
	slot    uint64 // where a linkage stub takes its target from
	returns []value
	stores  []store
	calls   []call
	tested  []value // compared with zero or one of their bits tested, before a branch
	pending []*state
	paths   int
	err     error // nil if every path was executed to its end
}

func (m *image) architecture() architecture {
	if m.machine == elf.EM_AARCH64 {
		return arm64{}
	}
	return amd64{}
}

// execute runs a function of an image.
func (m *image) execute(f symbol, follow bool) *run {
	r := &run{image: m, arch: m.architecture(), follow: follow}
	s := &state{pc: f.address, stack: map[int64]slot{}, visited: map[uint64]struct{}{}}
	s.enter(f.address, f.size)
	for i := range s.registers {
		s.registers[i] = opaque()
	}
	for i, register := range r.arch.convention().arguments {
		s.registers[register] = argument(i)
	}
	s.registers[r.arch.convention().stack] = value{root: &node{kind: stackNode}}
	r.push(s)
	r.drain()
	return r
}

func (s *state) enter(address, size uint64) {
	s.low, s.high, s.sized = address, address+min(size, maxRegion), size > 0 && size <= maxRegion
	if size == 0 {
		s.high = address + maxRegion
	}
	s.pc = address
}

func (r *run) push(s *state) {
	if r.paths++; r.paths > maxPaths {
		r.fail(errTooLarge)
		return
	}
	r.pending = append(r.pending, s)
}

func (r *run) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

func (r *run) drain() {
	const longest = 16 // bytes of an instruction
	for steps := 0; len(r.pending) > 0; {
		s := r.pending[len(r.pending)-1]
		r.pending = r.pending[:len(r.pending)-1]
		var code []byte
		var base, top uint64
		for !s.done {
			if _, again := s.visited[s.pc]; again {
				break // a loop: its later rounds add nothing that an accessor is asked for
			}
			s.visited[s.pc] = struct{}{}
			if steps++; steps > maxSteps {
				r.fail(errTooLarge)
				return
			}
			if s.pc < s.low || s.pc >= s.high {
				if !s.sized {
					r.fail(errTooLarge)
				}
				break // behind the end: after a call that does not return
			}
			if s.pc < base || s.pc+longest > top {
				base = s.pc
				var err error
				if code, err = r.image.code(base, maxRegion); err != nil {
					r.fail(err)
					break
				}
				top = base + uint64(len(code))
			}
			at := s.pc
			if at-base >= uint64(len(code)) || !r.arch.step(r, s, code[at-base:]) {
				r.fail(fmt.Errorf("%w at %#x", errUndecodable, at))
				break
			}
		}
	}
}

// branch makes a path for each outcome.
func (r *run) branch(s *state, target uint64) {
	if r.stub {
		s.done = true
		return
	}
	other := s.fork()
	r.jump(other, target)
	if !other.done {
		r.push(other)
	}
}

// jump goes to an address: in the same function, or as a tail jump.
func (r *run) jump(s *state, target uint64) {
	if r.stub {
		s.done = true
		return
	}
	if target >= s.low && target < s.high {
		s.pc = target
		return
	}
	r.leave(s, r.image.resolve(target))
}

// jumpValue goes to a computed address.
func (r *run) jumpValue(s *state, target value) {
	switch {
	case target.isConstant():
		r.jump(s, uint64(target.offset))
	case target.isSlot():
		r.leaveThrough(s, uint64(target.root.of.offset))
	default:
		r.leave(s, 0)
	}
}

// leaveThrough makes a tail jump to what a slot of the global offset table holds.
func (r *run) leaveThrough(s *state, slot uint64) {
	if r.stub {
		r.slot = slot
		s.done = true
		return
	}
	r.leave(s, r.image.slotFunction(slot))
}

// leave ends a function by a tail jump to an address, 0 for one that is not in this file.
func (r *run) leave(s *state, target uint64) {
	if s.jumps++; r.follow && target != 0 && s.jumps <= maxJumps {
		s.enter(target, r.image.sizes[target])
		return
	}
	r.record(s, target, true)
	s.done = true
}

// call calls the function at an address, or behind the linkage stub there.
func (r *run) call(s *state, target uint64) {
	if r.stub {
		s.done = true
		return
	}
	r.enterCall(s, r.image.resolve(target))
}

// callValue calls a computed address.
func (r *run) callValue(s *state, target value) {
	switch {
	case r.stub:
		s.done = true
	case target.isConstant():
		r.call(s, uint64(target.offset))
	case target.isSlot():
		r.enterCall(s, r.image.slotFunction(uint64(target.root.of.offset)))
	default:
		r.enterCall(s, 0)
	}
}

// enterCall records a call of a function, 0 for one that is not known, and goes on behind it.
func (r *run) enterCall(s *state, function uint64) {
	r.record(s, function, false)
	c := r.arch.convention()
	lowest, escaped := int64(0), false
	for _, register := range c.arguments {
		if v := s.registers[register]; v.isStack() && (!escaped || v.offset < lowest) {
			lowest, escaped = v.offset, true
		}
	}
	for at := range s.stack {
		if escaped && at >= lowest {
			delete(s.stack, at) // the callee may have written there
		}
	}
	for _, register := range c.clobbered {
		s.registers[register] = opaque()
	}
}

func (r *run) record(s *state, target uint64, tail bool) {
	c := call{target: target, tail: tail}
	for _, register := range r.arch.convention().arguments {
		c.arguments = append(c.arguments, s.registers[register])
	}
	r.calls = append(r.calls, c)
}

// finish ends a path by a return.
func (r *run) finish(s *state) {
	r.returns = append(r.returns, s.registers[r.arch.convention().result])
	s.done = true
}

// load reads memory.
func (r *run) load(s *state, address value, size int) value {
	if !address.isStack() {
		return load(address, size)
	}
	held, ok := s.stack[address.offset]
	switch {
	case !ok || held.size < size:
		return opaque()
	case held.size == size:
		return held.value
	}
	return narrow(held.value, size)
}

// store writes memory.
func (r *run) store(s *state, address, v value, size int) {
	if !address.isStack() {
		r.stores = append(r.stores, store{address, v, size})
		return
	}
	for at, held := range s.stack {
		if at < address.offset+int64(size) && address.offset < at+int64(held.size) {
			delete(s.stack, at)
		}
	}
	s.stack[address.offset] = slot{v, size}
}

// resolve gives the function that an address stands for, through a stub of the procedure linkage table: 0 if that is in another file.
func (m *image) resolve(address uint64) uint64 {
	const stub = 6 // instructions
	code, err := m.code(address, 4*stub+8)
	if err != nil {
		return 0
	}
	r := &run{image: m, arch: m.architecture(), stub: true}
	s := &state{pc: address, stack: map[int64]slot{}}
	for i := range s.registers {
		s.registers[i] = opaque()
	}
	for range stub {
		at := s.pc - address
		if s.done || at >= uint64(len(code)) || !r.arch.step(r, s, code[at:]) {
			break
		}
	}
	if r.slot == 0 {
		return address
	}
	return m.slotFunction(r.slot)
}
