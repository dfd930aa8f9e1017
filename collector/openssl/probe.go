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

// exportedOnly is set by the linker (-X) in a build that measures what probes on the exported functions cost.
var exportedOnly string

// placement is where one kind of call can be probed.
type placement struct {
	kind     Kind
	exported []Probe // functions that are probed if the internal one is not
	target   uint64  // address of the internal function; 0: in doubt
	index    int     // of its argument that points to the length
}

// probes chooses where to attach. Reading and writing are probed one call deeper where that can be proven to be right: one probe
// pair instead of two, which sees users inside the library (BIO_f_ssl) as well, and often begins with an instruction that the kernel
// emulates. Else each exported function is probed.
func (l *library) probes() []Probe {
	places := []placement{
		{kind: Read, exported: []Probe{{Symbol: "SSL_read", Length: LengthReturn}, {Symbol: "SSL_read_ex", Length: LengthArg, LengthArgIndex: 3}}},
		{kind: Write, exported: []Probe{
			{Symbol: "SSL_write", Length: LengthReturn}, {Symbol: "SSL_write_ex", Length: LengthArg, LengthArgIndex: 3},
			{Symbol: "SSL_write_ex2", Length: LengthArg, LengthArgIndex: 4},
		}},
		{kind: Peek, exported: []Probe{{Symbol: "SSL_peek", Length: LengthReturn}, {Symbol: "SSL_peek_ex", Length: LengthArg, LengthArgIndex: 3}}},
		{kind: Handshake, exported: []Probe{{Symbol: "SSL_do_handshake"}, {Symbol: "SSL_accept"}, {Symbol: "SSL_connect"}}},
	}
	kinds := map[uint64]map[Kind]bool{} // what each address would be probed for
	for i := range places {
		p := &places[i]
		if p.kind != Handshake {
			p.target, p.index = l.internal(p.exported[0].Symbol, p.exported[1].Symbol)
		}
		addresses := []uint64{p.target}
		for _, q := range p.exported {
			addresses = append(addresses, l.functions[q.Symbol].address)
		}
		for _, a := range addresses {
			if kinds[a] == nil {
				kinds[a] = map[Kind]bool{}
			}
			kinds[a][p.kind] = true
		}
	}
	var out []Probe
	for _, p := range places {
		// A linker may fold functions whose code is the same. What serves two kinds cannot be told apart: it is not probed.
		if p.target != 0 && len(kinds[p.target]) == 1 && exportedOnly == "" {
			q := Probe{Kind: p.kind, Symbol: p.exported[0].Symbol, Internal: true, Length: LengthArg, LengthArgIndex: p.index}
			out = append(out, l.probe(q, p.target))
			continue
		}
		seen := map[uint64]bool{}
		for _, q := range p.exported {
			f, ok := l.functions[q.Symbol]
			if !ok || seen[f.address] || len(kinds[f.address]) > 1 {
				continue
			}
			seen[f.address] = true
			q.Kind = p.kind
			out = append(out, l.probe(q, f.address))
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
// its arguments is the pointer to the length: the internal function may take flags before it. The target is 0 if anything about it is in doubt.
func (l *library) internal(plain, sized string) (target uint64, index int) {
	// X passes the address of a variable of its own, X_ex its own fourth argument.
	target, index = l.worker(plain, value.isStack)
	other, otherIndex := l.worker(sized, func(v value) bool { return v.isArgument(3) })
	if target == 0 || other != target || otherIndex != index || !l.isFunction(target, l.functions[plain].address) {
		return 0, 0
	}
	return target, index
}

// worker finds the only function that a function calls with its own first three arguments and one that isLength accepts. The target is 0
// if there is none or more than one.
func (l *library) worker(name string, isLength func(value) bool) (target uint64, index int) {
	const most = 6 // arguments in registers on every machine
	r, err := l.execute(name, true)
	if err != nil || r.err != nil {
		return 0, 0
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
				return 0, 0
			}
			at = i
		}
		if at < 0 {
			continue
		}
		if c.target == 0 || target != 0 && (c.target != target || at != index) {
			return 0, 0
		}
		target, index = c.target, at
	}
	return target, index
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
