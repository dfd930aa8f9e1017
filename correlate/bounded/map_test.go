package bounded_test

import (
	"fmt"
	"slices"
	"testing"

	"tenantrace/correlate/bounded"
)

func TestMap(t *testing.T) {
	var left []string
	m := bounded.New(3, func(k string, v int) { left = append(left, fmt.Sprint(k, v)) })
	for i, k := range []string{"a", "b", "c"} {
		m.Put(k, i)
	}
	if _, ok := m.Get("a"); !ok {
		t.Fatal("a is missing")
	}
	m.Peek("b") // no use
	m.Put("d", 3)
	m.Put("c", 9)
	m.Put("e", 4)
	if want := []string{"b1", "a0"}; !slices.Equal(left, want) {
		t.Errorf("evicted %v, want %v", left, want)
	}
	m.Delete("nothing")
	m.Delete("c")
	var keys []string
	for k, v := range m.All() {
		keys = append(keys, fmt.Sprint(k, v))
	}
	if want := []string{"d3", "e4"}; !slices.Equal(keys, want) || m.Len() != 2 {
		t.Errorf("holds %v (%d), want %v", keys, m.Len(), want)
	}
	for k := range m.All() {
		m.Delete(k)
	}
	m.Put("f", 5)
	if v, ok := m.Get("f"); m.Len() != 1 || v != 5 || !ok {
		t.Errorf("after emptying: %d entries, f is %d %v", m.Len(), v, ok)
	}
}
