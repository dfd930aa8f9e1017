package tenantsql

// casts reads ::type and COLLATE name, any number of them. plain tells that equal values stay equal and different ones different.
func (s *skimmer) casts(i, end int) (next int, plain bool) {
	plain = true
	for i < end {
		switch {
		case s.op(i, opCast):
			var ok bool
			i, ok = s.typeName(i+1, end)
			plain = plain && ok
		case s.word(i, kwCollate):
			_, next, ok := s.path(i+1, end)
			if !ok {
				return next, false
			}
			i = next
		default:
			return i, plain
		}
	}
	return i, plain
}

// typeName reads the name of a type. It is not plain if it has a length, which cuts values, or is one that maps different values on one.
func (s *skimmer) typeName(i, end int) (next int, plain bool) {
	last, next, ok := s.path(i, end)
	if !ok {
		return next, false
	}
	switch plain = true; {
	case s.is(last, "double") && s.is(next, "precision"):
		next++
	case s.is(last, "character") && s.is(next, "varying"):
		next++
	case s.mysql:
	default:
		plain = !s.lossy(last)
	}
	if next < end && s.op(next, opLeft) {
		plain = false
		next = s.skip(next, end)
	}
	for next < end && s.op(next, opOpen) {
		next = s.skip(next, end)
	}
	return min(next, end), plain
}

// lossy tells whether the type named at i holds less than a tenant's name: one character, one bit, a truth value.
func (s *skimmer) lossy(i int) bool {
	for _, name := range [...]string{"char", "character", "bit", "bool", "boolean"} {
		if s.is(i, name) || s.toks[i].kind == tQuoted && s.named(i, name) {
			return true
		}
	}
	return false
}
