package openssl

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
