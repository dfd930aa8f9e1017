package tenantsql

import "strings"

const (
	roleSetting = "role"
	pathSetting = "search_path"
	modeSetting = "sql_mode"
)

// watched tells whether changes of a setting are of interest.
func (s *skimmer) watched(name string) bool {
	if name == roleSetting || name == pathSetting || s.mysql && (name == modeSetting || name != "" && name[0] == '@') {
		return true
	}
	for _, c := range s.settings {
		if c == name {
			return true
		}
	}
	return false
}

func (s *skimmer) change(name string, v Value, local bool) {
	if s.watched(name) || name == "*" {
		s.st.Changes = append(s.st.Changes, SettingChange{Name: name, Value: v, Local: local})
	}
}

// set reads SET behind its keyword.
func (s *skimmer) set(i, end int) {
	if s.mysql {
		s.setVariables(i, end)
		return
	}
	local := s.word(i, kwLocal)
	if local || s.word(i, kwSession) && !s.is(i+1, "characteristics") && !s.word(i+1, kwAuthorization) {
		i++
	}
	switch {
	case s.word(i, kwSession) && s.word(i+1, kwAuthorization): // the new user is the role as well
		s.change(roleSetting, s.settingValue(i+2, end, roleSetting), local)
	case s.word(i, kwRole):
		if s.op(i+1, opEqual) || s.word(i+1, kwTo) {
			i++
		}
		s.change(roleSetting, s.settingValue(i+1, end, roleSetting), local)
	case s.is(i, "schema") && !s.op(i+1, opEqual) && !s.word(i+1, kwTo):
		s.change(pathSetting, s.settingValue(i+1, end, pathSetting), local)
	default:
		name, j := s.settingName(i, end)
		if s.op(j, opEqual) || s.word(j, kwTo) {
			s.change(name, s.settingValue(j+1, end, name), local)
		}
	}
}

// settingName reads a dotted name of a setting.
func (s *skimmer) settingName(i, end int) (string, int) {
	last, next, ok := s.path(i, end)
	if !ok {
		return "", next
	}
	name := fold(s.text(i))
	for i < last {
		i += 2
		name += "." + fold(s.text(i))
	}
	return name, next
}

// settingValue reads what a setting is set to: all of i … end.
func (s *skimmer) settingValue(i, end int, name string) Value {
	unknown := Value{Kind: Unknown}
	if i >= end || !s.complete(end) {
		return unknown
	}
	if s.word(i, kwDefault) && i+1 == end {
		return Value{Kind: Default}
	}
	if name == roleSetting && s.word(i, kwNone) && i+1 == end {
		return Value{Kind: Default}
	}
	var list []string
	for i < end {
		e := s.element(i, end)
		text, ok := s.settingItem(i, e)
		if !ok {
			return unknown
		}
		if name == pathSetting {
			text = quoteName(text)
		}
		list = append(list, text)
		i = e + 1
	}
	switch {
	case len(list) == 1 && name != pathSetting:
		return Value{Text: list[0]}
	case name == pathSetting:
		return Value{Text: strings.Join(list, ", ")}
	}
	return unknown
}

// settingItem reads a value of SET: a string, a number or a word.
func (s *skimmer) settingItem(i, end int) (string, bool) {
	if i+1 == end && s.name(i) {
		return s.text(i), true
	}
	o, j := s.operand(i, end, place{-1, -1})
	if j != end || o.kind != isValue || o.value.Kind != Literal {
		return "", false
	}
	return o.value.Text, true
}

// quoteName writes a schema's name as SHOW search_path does.
func quoteName(name string) string {
	plain := name != ""
	for i := range len(name) {
		c := name[i]
		plain = plain && (c == '_' || c >= 'a' && c <= 'z' || i > 0 && isDigit(c))
	}
	if plain {
		return name
	}
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// setVariables reads MySQL's SET a = 1, @b = 2. GLOBAL and PERSIST, which change the server and not the session, hold for what follows without a word of its own.
func (s *skimmer) setVariables(i, end int) {
	global := false
	for i < end {
		e := s.element(i, end)
		switch {
		case s.word(i, kwSession), s.word(i, kwLocal):
			global = false
			i++
		case s.is(i, "global"), s.is(i, "persist"), s.is(i, "persist_only"):
			global = true
			i++
		}
		switch {
		case i+1 >= e || !s.op(i+1, opEqual) && !s.op(i+1, opAssign):
			if s.word(i, kwRole) {
				s.change(roleSetting, s.settingValue(i+1, e, roleSetting), false)
			}
		case s.toks[i].kind == tVariable:
			if name, server := s.variableName(i); !server {
				s.change(name, s.expression(i+2, e, place{-1, -1}), false)
			}
		case s.name(i) && !global:
			s.change(fold(s.text(i)), s.expression(i+2, e, place{-1, -1}), false)
		}
		i = e + 1
	}
}

// resetSetting reads RESET behind its keyword. RESET ALL leaves the role as it is.
func (s *skimmer) resetSetting(i int) {
	switch {
	case s.word(i, kwAll):
		s.change("*", Value{Kind: Default}, false)
	case s.word(i, kwSession) && s.word(i+1, kwAuthorization):
		s.change(roleSetting, Value{Kind: Default}, false)
	default:
		if name, _ := s.settingName(i, s.n); name != "" {
			s.change(name, Value{Kind: Default}, false)
		}
	}
}

// discardAll reads DISCARD behind its keyword. DISCARD ALL does RESET ALL and, unlike it, gives the role back.
func (s *skimmer) discardAll(i int) {
	if s.word(i, kwAll) {
		s.change(roleSetting, Value{Kind: Default}, false)
		s.change("*", Value{Kind: Default}, false)
	}
}
