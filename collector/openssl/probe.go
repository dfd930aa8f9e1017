package openssl

import "fmt"

// Kind is what a probed function does.
type Kind int

// The kinds of functions.
const (
	Handshake Kind = iota
	Read
	Write
	Peek
)

// String is the kind in one lower-case word.
func (k Kind) String() string {
	switch k {
	case Handshake:
		return "handshake"
	case Read:
		return "read"
	case Write:
		return "write"
	case Peek:
		return "peek"
	}
	return fmt.Sprintf("kind %d", int(k))
}

// LengthFrom tells how a probe at the return learns how many bytes were moved.
type LengthFrom int

// The ways to learn it.
const (
	LengthNone   LengthFrom = iota // no bytes are moved
	LengthReturn                   // the int returned, if positive
	LengthArg                      // a size_t behind a pointer argument, if 1 is returned
)

// Probe is one function to attach to, at its entry and at its return. Its first arguments are the SSL and, but for handshakes, the buffer
// and its size.
type Probe struct {
	Kind           Kind
	Symbol         string // the exported function
	Offset         uint64 // of its first instruction in the file
	Internal       bool   // Offset is that of the internal function that Symbol and its _ex form both call
	Length         LengthFrom
	LengthArgIndex int    // of the pointer argument, from 0 on, for LengthArg
	FirstInsn      string // mnemonic of the first instruction
	Emulated       bool   // the kernel emulates that instruction at a probe, which is about ten times cheaper than to single-step it
}

// probes chooses where to attach. Reading and writing are probed one call deeper where that can be proven to be right: one probe
// pair instead of two, which sees users inside the library (BIO_f_ssl) as well, and often begins with an instruction that the kernel
// emulates. Else each exported function is probed.
func (l *library) probes() []Probe {
	var out []Probe
	for _, p := range []struct {
		kind          Kind
		plain, sized  string
		sizedWithFlag string // takes flags before the length
	}{
		{Read, "SSL_read", "SSL_read_ex", ""},
		{Write, "SSL_write", "SSL_write_ex", "SSL_write_ex2"},
		{Peek, "SSL_peek", "SSL_peek_ex", ""},
	} {
		if target, index, ok := l.internal(p.plain, p.sized); ok {
			out = append(out, l.probe(Probe{Kind: p.kind, Symbol: p.plain, Internal: true, Length: LengthArg, LengthArgIndex: index}, target))
			continue
		}
		for _, q := range []Probe{
			{Kind: p.kind, Symbol: p.plain, Length: LengthReturn},
			{Kind: p.kind, Symbol: p.sized, Length: LengthArg, LengthArgIndex: 3},
			{Kind: p.kind, Symbol: p.sizedWithFlag, Length: LengthArg, LengthArgIndex: 4},
		} {
			if f, ok := l.functions[q.Symbol]; ok {
				out = append(out, l.probe(q, f.address))
			}
		}
	}
	for _, name := range []string{"SSL_do_handshake", "SSL_accept", "SSL_connect"} {
		if f, ok := l.functions[name]; ok {
			out = append(out, l.probe(Probe{Kind: Handshake, Symbol: name}, f.address))
		}
	}
	return out
}

// probe completes a probe by the address of its function.
func (l *library) probe(p Probe, address uint64) Probe {
	p.Offset, _ = l.image.fileOffset(address)
	p.FirstInsn, p.Emulated = l.image.firstInstruction(address)
	return p
}

// internal finds the function that X(ssl, buffer, int size) and X_ex(ssl, buffer, size, size_t *moved) both call to do the work, and which of
// its arguments is the pointer to the length: the internal function may take flags before it. ok is false if anything about it is in doubt.
func (l *library) internal(plain, sized string) (target uint64, index int, ok bool) {
	// X passes the address of a variable of its own, X_ex its own fourth argument.
	target, index, ok = l.worker(plain, value.isStack)
	if !ok {
		return 0, 0, false
	}
	other, otherIndex, ok := l.worker(sized, func(v value) bool { return v.isArgument(3) })
	if !ok || other != target || otherIndex != index || !l.isFunction(target, l.functions[plain].address) {
		return 0, 0, false
	}
	return target, index, true
}

// worker finds the only function that a function calls with its own first three arguments and one that isLength accepts.
func (l *library) worker(name string, isLength func(value) bool) (target uint64, index int, ok bool) {
	const most = 6 // arguments in registers on every machine
	r, err := l.execute(name, true)
	if err != nil || r.err != nil {
		return 0, 0, false
	}
	for _, c := range r.calls {
		if !c.arguments[0].isArgument(0) || !c.arguments[1].isArgument(1) || !isSize(c.arguments[2]) {
			continue
		}
		at := -1
		for i := 3; i < most; i++ {
			if !isLength(c.arguments[i]) {
				continue
			}
			if at >= 0 {
				return 0, 0, false
			}
			at = i
		}
		if at < 0 {
			continue
		}
		if c.target == 0 || target != 0 && (c.target != target || at != index) {
			return 0, 0, false
		}
		target, index = c.target, at
	}
	return target, index, target != 0
}

// isSize tells whether v is the third argument, perhaps extended from an int.
func isSize(v value) bool {
	if v.root != nil && v.root.kind == narrowNode && v.root.size == 4 && v.offset == 0 {
		v = v.root.of
	}
	return v.isArgument(2)
}

// isFunction tells whether a function starts at an address, in the same section as its caller.
func (l *library) isFunction(address, caller uint64) bool {
	section := l.image.codeSection(address)
	if section == nil || section != l.image.codeSection(caller) {
		return false
	}
	if starts, known := l.image.startsFunction(address); known {
		return starts
	}
	return l.image.startsLikeFunction(address)
}
