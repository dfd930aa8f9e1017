package tenantsql

import "strings"

// jsonColumn is a tenant's place in a JSON document: the column, and the keys that lead there.
type jsonColumn struct {
	column string
	keys   []string
}

// parseJSONColumn reads "column#key#key".
func parseJSONColumn(text string) (jsonColumn, bool) {
	parts := strings.Split(text, "#")
	return jsonColumn{fold(parts[0]), parts[1:]}, len(parts) > 1
}

const maxKeys = 8 // of a path into a document that are looked at

// jsonPath reads the path into a document behind the column that ends before i: ->'a'->>'b', #>>'{a,b}', ->>'$.a.b'. It gives the keys and the
// index behind it; text tells that the last step gives text, so that it compares with a plain string. MySQL compares a JSON string so as well.
func (s *skimmer) jsonPath(i, end int) (keys []string, text bool, next int) {
	for i+1 < end && s.op(i, opPath) && len(keys) < maxKeys {
		op := s.sql[s.toks[i].start:s.toks[i].end]
		if s.toks[i+1].kind != tString {
			return nil, false, i
		}
		key, ok := stringText(s.sql, s.toks[i+1], s.mysql)
		if !ok {
			return nil, false, i
		}
		keys = append(keys, s.keysOf(key, op)...)
		text = s.mysql || strings.HasSuffix(op, ">>")
		i += 2
	}
	return keys, text, i
}

// keysOf splits what stands behind an operator into keys.
func (s *skimmer) keysOf(key, op string) []string {
	switch {
	case s.mysql:
		return pathKeys(key)
	case op[0] == '#' && len(key) > 1 && key[0] == '{' && key[len(key)-1] == '}':
		return strings.Split(key[1:len(key)-1], ",")
	}
	return []string{key}
}

// pathKeys splits MySQL's '$.a.b'; a path with anything else in it has no keys.
func pathKeys(path string) []string {
	rest, ok := strings.CutPrefix(path, "$.")
	if !ok || strings.ContainsAny(rest, `*[" `) {
		return nil
	}
	return strings.Split(rest, ".")
}

// jsonOperand reads a path into the document of the column i … last, which ends before next; false if there is none. A place that is no tenant's is
// another column.
func (s *skimmer) jsonOperand(i, last, next, end int, p place) (operand, int, bool) {
	if next >= end || !s.op(next, opPath) {
		return operand{}, next, false
	}
	keys, text, j := s.jsonPath(next, end)
	if !text {
		return operand{}, next, false
	}
	if r, ok := s.tenantPath(i, last, keys, p); ok {
		return operand{kind: isColumn, ref: r}, j, true
	}
	return operand{kind: isOtherColumn}, j, true
}

// jsonCall reads MySQL's json_extract(column, 'path') and json_value, json_unquote(…) around it, with the bracket at i and its partner at c.
func (s *skimmer) jsonCall(name, c int, p place) (operand, bool) {
	if s.is(name, "json_unquote") {
		if !s.enter() {
			return operand{}, false
		}
		o, j := s.operand(name+2, c, p)
		s.leave()
		return o, j == c && o.kind == isColumn
	}
	last, next, ok := s.path(name+2, c)
	if !ok || next+2 != c || !s.op(next, opComma) || s.toks[next+1].kind != tString {
		return operand{}, false
	}
	path, ok := stringText(s.sql, s.toks[next+1], s.mysql)
	if !ok {
		return operand{}, false
	}
	r, ok := s.tenantPath(name+2, last, pathKeys(path), p)
	return operand{kind: isColumn, ref: r}, ok
}

// tenantPath finds the table whose document column is named at i … last if the keys lead to a tenant.
func (s *skimmer) tenantPath(i, last int, keys []string, p place) (ref, bool) {
	if len(keys) == 0 {
		return ref{}, false
	}
	for n, c := range s.paths {
		if s.named(last, c.column) && equalKeys(c.keys, keys) {
			return s.ownerOf(i, last, len(s.columns)+n, p.scope)
		}
	}
	return ref{}, false
}

// jsonSign marks the table of a document of which a condition reads a key that is named like a tenant column: a sign, no evidence. The key is the
// string at i, behind an operator or as the path of a function.
func (s *skimmer) jsonSign(i int, p place) {
	last := i - 2
	if s.op(i-1, opPath) {
		for last >= 2 && s.toks[last].kind == tString && s.op(last-1, opPath) {
			last -= 2
		}
	} else if last < 2 || !s.op(i-1, opComma) || !s.mysql {
		return
	}
	key, ok := stringText(s.sql, s.toks[i], s.mysql)
	if !ok || last < 0 || !s.name(last) {
		return
	}
	keys := s.keysOf(key, s.sql[s.toks[i-1].start:s.toks[i-1].end])
	if len(keys) == 0 || s.tenantName(trim(keys[len(keys)-1])) < 0 {
		return
	}
	from := last
	for from >= 2 && s.op(from-1, opDot) && s.name(from-2) {
		from -= 2
	}
	if r, ok := s.ownerOf(from, last, -1, p.scope); ok {
		s.doubtful(r)
	}
}

func equalKeys(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !equalFold(a[i], trim(b[i])) { // the policy gives them in lower case
			return false
		}
	}
	return true
}

// ownerOf finds the table that the column at i … last belongs to; column is its index in Analyzer.Names, -1 if it has none.
func (s *skimmer) ownerOf(i, last, column int, sc int32) (ref, bool) {
	if last == i && column >= 0 {
		k, sure, ok := s.unqualified(column, sc)
		if !ok || s.items[k].rel < 0 || s.items[k].opaque {
			return ref{}, false
		}
		r := ref{item: k, pos: base}
		s.contest(r, sure)
		return r, true
	}
	for ; sc >= 0; sc = s.scopes[sc].parent {
		for k := s.scopes[sc].first; k >= 0; k = s.items[k].next {
			if !s.look() {
				return ref{}, false
			}
			it := &s.items[k]
			if last == i && it.absent || last > i && !s.named(last-2, it.name) {
				continue
			}
			if last > i {
				s.owned(k, column)
			}
			return ref{item: k, pos: base}, it.rel >= 0 && !it.opaque
		}
	}
	return ref{}, false
}
