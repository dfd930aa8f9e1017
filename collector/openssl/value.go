package openssl

import "slices"

// nodeKind says where an unknown 64-bit number comes from.
type nodeKind int

const (
	opaqueNode   nodeKind = iota // nothing is known of it; equal only to itself
	argumentNode                 // argument of the function, by index
	stackNode                    // the stack pointer at the entry
	loadNode                     // what memory held at an address
	narrowNode                   // the low bytes of another value, extended in some way
	productNode                  // another value times a constant
)

// node is an unknown number of which the origin is known. It never changes.
type node struct {
	kind  nodeKind
	index int   // of an argument; factor of a product
	size  int   // bytes, of a load or a narrow value
	of    value // address of a load; what a narrow value was cut from; what a product multiplies
	depth int
}

// value is a number: a node plus a constant, or, without a node, the constant.
type value struct {
	root   *node
	offset int64
}

// maxDepth bounds how deeply values nest. Accessors follow two pointers.
const maxDepth = 16

func constant(n int64) value { return value{offset: n} }

func opaque() value { return value{root: &node{kind: opaqueNode}} }

func argument(i int) value { return value{root: &node{kind: argumentNode, index: i}} }

func (v value) plus(n int64) value { return value{v.root, v.offset + n} }

func (v value) isConstant() bool { return v.root == nil }

// load is the value of that many bytes at an address.
func load(address value, size int) value { return derive(loadNode, address, size) }

// narrow is the value cut to its low bytes and extended again.
func narrow(v value, size int) value {
	switch {
	case size >= 8, v.root != nil && v.offset == 0 && v.root.kind != stackNode && v.root.size != 0 && v.root.size <= size:
		return v // it fits already
	case v.isConstant() && size == 4:
		return constant(int64(uint32(v.offset)))
	case v.isConstant():
		return opaque()
	}
	return derive(narrowNode, v, size)
}

// times is the value multiplied by a constant.
func times(v value, factor int64) value {
	if v.isConstant() {
		return constant(v.offset * factor)
	}
	p := derive(productNode, v, 0)
	p.root.index = int(factor)
	return p
}

// product multiplies two numbers of that many bytes, as far as the result can be told.
func product(a, b value, size int) value {
	switch {
	case size != 8:
		return opaque()
	case b.isConstant():
		return times(a, b.offset)
	case a.isConstant():
		return times(b, a.offset)
	}
	return opaque()
}

func derive(kind nodeKind, of value, size int) value {
	depth := 1
	if of.root != nil {
		depth += of.root.depth
	}
	if depth > maxDepth {
		return opaque()
	}
	return value{root: &node{kind: kind, of: of, size: size, depth: depth}}
}

func (v value) equal(w value) bool { return v.offset == w.offset && v.root.equal(w.root) }

func (n *node) equal(o *node) bool {
	switch {
	case n == o:
		return true
	case n == nil, o == nil, n.kind == opaqueNode:
		return false
	}
	return n.kind == o.kind && n.index == o.index && n.size == o.size && n.of.equal(o.of)
}

// isArgument tells whether v is exactly argument i.
func (v value) isArgument(i int) bool {
	return v.root != nil && v.root.kind == argumentNode && v.root.index == i && v.offset == 0
}

// isStack tells whether v is an address on the function's stack.
func (v value) isStack() bool { return v.root != nil && v.root.kind == stackNode }

// isSlot tells whether v was loaded from a fixed address: a slot of the global offset table.
func (v value) isSlot() bool {
	return v.root != nil && v.root.kind == loadNode && v.root.size == 8 && v.root.of.isConstant() && v.offset == 0
}

// chain is a way through memory from an argument: add each link and load the pointer there, then add the tail.
type chain struct {
	argument int
	links    []int64
	sizes    []int // bytes loaded at each link
	tail     int64
}

// chainOf gives the way that leads to v. ok is false if it does not begin at an argument.
func chainOf(v value) (c chain, ok bool) {
	c.tail = v.offset
	for n := v.root; n != nil; n = n.of.root {
		switch n.kind {
		case argumentNode:
			c.argument = n.index
			slices.Reverse(c.links)
			slices.Reverse(c.sizes)
			return c, true
		case loadNode:
			c.links = append(c.links, n.of.offset)
			c.sizes = append(c.sizes, n.size)
		default:
			return chain{}, false
		}
	}
	return chain{}, false
}
