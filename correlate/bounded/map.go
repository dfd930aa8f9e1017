// Package bounded holds a map that cannot outgrow its limit, for state that is keyed by what comes from outside.
package bounded

import "iter"

// Map is a map of at most a fixed number of entries: the entry that was used longest ago leaves first. It is not safe for concurrent use.
type Map[K comparable, V any] struct {
	limit   int
	evicted func(K, V)
	nodes   map[K]*node[K, V]
	oldest  *node[K, V]
	newest  *node[K, V]
}

type node[K comparable, V any] struct {
	key          K
	value        V
	older, newer *node[K, V]
}

// New returns an empty map. limit is at least 1; evicted, which may be nil, gets each entry that had to leave, after it has left.
func New[K comparable, V any](limit int, evicted func(K, V)) *Map[K, V] {
	return &Map[K, V]{limit: max(limit, 1), evicted: evicted, nodes: make(map[K]*node[K, V])}
}

// Get returns the value of a key, and counts as a use of it.
func (m *Map[K, V]) Get(key K) (value V, ok bool) {
	n := m.nodes[key]
	if n == nil {
		return value, false
	}
	if n != m.newest {
		m.unlink(n)
		m.link(n)
	}
	return n.value, true
}

// Peek returns the value of a key without counting as a use.
func (m *Map[K, V]) Peek(key K) (value V, ok bool) {
	if n := m.nodes[key]; n != nil {
		return n.value, true
	}
	return value, false
}

// Put sets the value of a key. If that passes the limit, the entry used longest ago leaves.
func (m *Map[K, V]) Put(key K, value V) {
	if n := m.nodes[key]; n != nil {
		n.value = value
		m.unlink(n)
		m.link(n)
		return
	}
	n := &node[K, V]{key: key, value: value}
	m.nodes[key] = n
	m.link(n)
	if len(m.nodes) <= m.limit {
		return
	}
	old := m.oldest
	m.unlink(old)
	delete(m.nodes, old.key)
	if m.evicted != nil {
		m.evicted(old.key, old.value)
	}
}

// Delete removes a key, without calling the function for evicted entries.
func (m *Map[K, V]) Delete(key K) {
	if n := m.nodes[key]; n != nil {
		m.unlink(n)
		delete(m.nodes, key)
	}
}

// Len returns the number of entries.
func (m *Map[K, V]) Len() int { return len(m.nodes) }

// All yields the entries, the one used longest ago first. The entry yielded may be deleted meanwhile, others may not.
func (m *Map[K, V]) All() iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		for n := m.oldest; n != nil; {
			next := n.newer
			if !yield(n.key, n.value) {
				return
			}
			n = next
		}
	}
}

func (m *Map[K, V]) link(n *node[K, V]) {
	n.older, n.newer = m.newest, nil
	if m.newest == nil {
		m.oldest = n
	} else {
		m.newest.newer = n
	}
	m.newest = n
}

func (m *Map[K, V]) unlink(n *node[K, V]) {
	if n.older == nil {
		m.oldest = n.newer
	} else {
		n.older.newer = n.newer
	}
	if n.newer == nil {
		m.newest = n.older
	} else {
		n.newer.older = n.older
	}
	n.older, n.newer = nil, nil
}
