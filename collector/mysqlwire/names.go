package mysqlwire

import (
	"hash/maphash"
	"strings"
)

// Limits of Names.
const (
	maxNames = 4096
	maxName  = 256 // bytes; MySQL's names have at most 64 characters
)

// Names holds names of columns, tables and databases, so that each is copied once. It is for use from one goroutine.
type Names struct {
	known map[string]name
	seed  maphash.Seed
}

// name is a name and how it compares.
type name struct{ text, lower string }

// NewNames returns an empty Names.
func NewNames() *Names { return &Names{known: make(map[string]name), seed: maphash.MakeSeed()} }

// name gives b as a name. Past the limits it is a copy of its own.
func (n *Names) name(b []byte) name {
	if known, ok := n.known[string(b)]; ok {
		return known
	}
	text := string(b)
	made := name{text, strings.ToLower(text)}
	if len(n.known) < maxNames && len(text) <= maxName {
		n.known[text] = made
	}
	return made
}
