package policy

import (
	"strings"
	"unicode/utf8"
)

// stackText is the length of text up to which matching needs no heap.
const stackText = 255

// match tells whether the whole of v matches a pattern; a template matches if it can capture.
func (p *pattern) match(v string) bool {
	if p.captures {
		_, _, n := p.find(v)
		return n > 0
	}
	if !p.begins(v) {
		return false
	}
	var a, b [stackText + 1]bool
	return p.ends(p.before, v, positions(&a, v), positions(&b, v))[0]
}

// find returns the one capture of a template in v as v[from:to]. n is the number of different captures that are possible: 0, 1, or 2 for
// several, and then from and to mean nothing.
func (p *pattern) find(v string) (from, to, n int) {
	if !p.captures || !p.begins(v) {
		return 0, 0, 0
	}
	var a, b, c, d [stackText + 1]bool
	starts := p.starts(p.before, v, positions(&a, v), positions(&b, v))
	ends := p.ends(p.after, v, positions(&c, v), positions(&d, v))
	for i := range len(v) {
		if !starts[i] {
			continue
		}
		for j := i; j < len(v) && (p.sep == 0 || v[j] != p.sep); j++ {
			name := v[i : j+1]
			if !ends[j+1] || strings.TrimSpace(name) == "" {
				continue
			}
			if n == 1 && name != v[from:to] {
				return 0, 0, 2
			}
			from, to, n = i, j+1, 1
		}
	}
	return from, to, n
}

// begins rejects most texts at their first literal.
func (p *pattern) begins(v string) bool {
	return len(p.before) == 0 || p.before[0].kind != literal || p.literal(v, p.before[0].text) >= 0
}

// positions returns room for a flag at each position of v, from the caller's stack if it fits.
func positions(room *[stackText + 1]bool, v string) []bool {
	if len(v) < len(room) {
		return room[:len(v)+1]
	}
	return make([]bool, len(v)+1)
}

// literal returns the length of the part of v that matches lit at its start, or -1.
func (p *pattern) literal(v, lit string) int {
	if !p.fold {
		if strings.HasPrefix(v, lit) {
			return len(lit)
		}
		return -1
	}
	n := 0
	for _, want := range lit {
		r, size := utf8.DecodeRuneInString(v[n:])
		if size == 0 || r == utf8.RuneError && size == 1 || foldRune(r) != want {
			return -1
		}
		n += size
	}
	return n
}

// starts returns the positions of v up to which tokens match from its start. Both slices hold len(v)+1 clear flags.
func (p *pattern) starts(tokens []token, v string, now, next []bool) []bool {
	now[0] = true
	for _, t := range tokens {
		clear(next)
		seen := false // a position from which this token may reach any later one
		for i := range next {
			after := i > 0 && v[i-1] == p.sep
			switch t.kind {
			case literal:
				if now[i] {
					if n := p.literal(v[i:], t.text); n >= 0 {
						next[i+n] = true
					}
				}
			case star:
				next[i] = now[i] || i > 0 && next[i-1] && (p.sep == 0 || !after)
			case deepHead:
				next[i] = i == 0 || after
			case deepMid: // a separator, anything, a separator; or one separator
				seen = seen || after && now[i-1]
				next[i] = seen && after
			case deepTail:
				seen = seen || after && now[i-1]
				next[i] = now[i] || seen
			case deepAll:
				next[i] = true
			}
		}
		now, next = next, now
	}
	return now
}

// ends returns the positions of v from which tokens match to its end. Both slices hold len(v)+1 clear flags.
func (p *pattern) ends(tokens []token, v string, now, next []bool) []bool {
	now[len(v)] = true
	for k := len(tokens) - 1; k >= 0; k-- {
		t := tokens[k]
		clear(next)
		seen := false // a later position at which this token may stop
		for i := len(v); i >= 0; i-- {
			at := i < len(v) && v[i] == p.sep
			switch t.kind {
			case literal:
				n := p.literal(v[i:], t.text)
				next[i] = n >= 0 && now[i+n]
			case star:
				next[i] = now[i] || i < len(v) && next[i+1] && (p.sep == 0 || !at)
			case deepHead:
				seen = seen || now[i] && i > 0 && v[i-1] == p.sep
				next[i] = now[i] || seen
			case deepMid:
				next[i] = at && seen
				seen = seen || now[i] && i > 0 && v[i-1] == p.sep
			case deepTail:
				next[i] = now[i] || at
			case deepAll:
				next[i] = true
			}
		}
		now, next = next, now
	}
	return now
}
