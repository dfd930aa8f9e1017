package openssl

import (
	"debug/elf"
	"errors"
	"fmt"
	"maps"
)

// Bounds of one symbolic execution. Accessors need some twenty steps; SSL_set_session of Node 24, into which SSL_SESSION_free was inlined, needs thousands.
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
	loads   []value // what was read from memory outside of the stack
	stores  []store
	calls   []call
	tested  []value // compared with zero or one of their bits tested, before a branch
	// compared with one another (x86-64)
	compared [][2]value
	pending  []*state
	paths    int
	err      error // nil if every path was executed to its end; else the rest is not to be used
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
	for steps := 0; len(r.pending) > 0 && r.err == nil; {
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

// finish ends a path by a return.
func (r *run) finish(s *state) {
	r.returns = append(r.returns, s.registers[r.arch.convention().result])
	s.done = true
}

// load reads memory.
func (r *run) load(s *state, address value, size int) value {
	if !address.isStack() {
		v := load(address, size)
		r.loads = append(r.loads, v)
		return v
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
