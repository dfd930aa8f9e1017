package tenantsql

// setConfig reads a call of set_config(name, value, is_local) at its bracket.
//
// Where the call may run never or for several rows, the setting has an unknown value afterwards. A third argument that the text does not show leaves two
// possibilities: in the transaction the value holds in both, afterwards nobody knows; two changes say so.
func (s *skimmer) setConfig(i, end int) {
	c := min(s.close(i), end)
	none := place{-1, -1}
	i++
	e := s.element(i, c)
	name := s.expression(i, e, none)
	if name.Kind != Literal {
		return // a setting that only the server knows
	}
	v := Value{Kind: Unknown}
	i = e + 1
	if e = s.element(min(i, c), c); i < c && s.sure {
		v = s.expression(i, e, none)
	}
	setting := fold(name.Text)
	switch {
	case v.Kind == Null:
		v = Value{Kind: Default}
	case v.Kind == Subquery:
		v = Value{Kind: Unknown}
	case setting == roleSetting && v.Kind == Literal && equalFold(v.Text, "none"):
		v = Value{Kind: Default}
	}
	i = e + 1
	if i < c {
		switch l := s.expression(i, s.element(i, c), none); {
		case l.Kind == Literal && truth(l.Text):
			s.change(setting, v, true)
			return
		case l.Kind == Literal:
			s.change(setting, v, false)
			return
		}
	}
	s.change(setting, Value{Kind: Unknown}, false)
	s.change(setting, v, true)
}

// truth reads a literal of type boolean (PostgreSQL manual, 8.6).
func truth(text string) bool {
	for _, t := range [...]string{"true", "t", "tr", "tru", "yes", "y", "ye", "on", "1"} {
		if equalFold(trim(text), t) {
			return true
		}
	}
	return false
}
