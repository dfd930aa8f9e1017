package openssl

// memory is loads and stores (C4.1.94).
func (x arm64Step) memory() {
	switch {
	case x.w&0x3a000000 == 0x28000000:
		x.pair()
	case x.w&0x3b000000 == 0x39000000: // unsigned offset, in units of the size
		x.single(int64(x.bits(10, 12))<<x.scale(), 0)
	case x.w&0x3b200000 == 0x38000000: // signed offset: unscaled, after, unprivileged, before
		x.single(x.signed(12, 9), x.bits(10, 2))
	case x.w&0x3b200c00 == 0x38200800: // offset in a register
		x.transfer(opaque())
	case x.w&0x3b000000 == 0x18000000: // ldr of a literal
		if x.bits(26, 1) == 0 {
			x.set(x.bits(0, 5), opaque(), 8)
		}
	default: // exclusive, atomic and vector forms
		x.clobber()
	}
}

// scale is the binary logarithm of the size of a transfer.
func (x arm64Step) scale() int {
	if x.bits(26, 1) == 1 && x.bits(23, 1) == 1 {
		return 4 // a whole vector register
	}
	return x.bits(30, 2)
}

// The ways to change the base register of a load or store.
const (
	arm64After  = 1
	arm64Before = 3
)

// single loads or stores one register.
func (x arm64Step) single(offset int64, mode int) {
	rn := x.bits(5, 5)
	base := x.s.registers[rn]
	if mode == arm64After {
		x.transfer(base)
	} else {
		x.transfer(base.plus(offset))
	}
	if mode == arm64After || mode == arm64Before {
		x.s.registers[rn] = base.plus(offset)
	}
}

// transfer does the load or store at an address.
func (x arm64Step) transfer(address value) {
	rt, size, operation := x.bits(0, 5), 1<<x.scale(), x.bits(22, 2)
	switch {
	case x.bits(26, 1) == 1: // a vector register
		if operation&1 == 0 {
			x.r.store(x.s, address, opaque(), size)
		}
	case operation == 0:
		x.r.store(x.s, address, x.get(rt, size), size)
	case size == 8 && operation == 2: // prefetch
	case operation == 1:
		x.set(rt, x.r.load(x.s, address, size), 8)
	default: // with sign
		x.set(rt, signExtended(x.r.load(x.s, address, size)), 8)
	}
}

// pair loads or stores two registers.
func (x arm64Step) pair() {
	first, second, rn, kind := x.bits(0, 5), x.bits(10, 5), x.bits(5, 5), x.bits(30, 2)
	vector, loads := x.bits(26, 1) == 1, x.bits(22, 1) == 1
	size := 4 << (kind >> 1)
	if vector {
		size = 4 << kind
	}
	offset := x.signed(15, 7) * int64(size)
	base := x.s.registers[rn]
	address := base.plus(offset)
	mode := x.bits(23, 3)
	if mode == arm64After {
		address = base
	}
	for i, register := range []int{first, second} {
		at := address.plus(int64(i * size))
		switch {
		case loads && !vector:
			x.set(register, x.r.load(x.s, at, size), 8)
		case loads:
		case vector:
			x.r.store(x.s, at, opaque(), size)
		default:
			x.r.store(x.s, at, x.get(register, size), size)
		}
	}
	if mode == arm64After || mode == arm64Before {
		x.s.registers[rn] = base.plus(offset)
	}
}
