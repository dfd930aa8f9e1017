package pgwire

import "strings"

// maxLooks is for how many descriptions an attribute that is called otherwise is looked at.
const maxLooks = 4

// labeled gives the wanted column (lower case) that text calls name, as "x.tenant_id AS x_tenant_id", "" if it does not surely do so: the label stands in the
// text once, there behind the column, and nothing in the text could bring another column of that name without naming it.
func labeled(text, name string, wanted func(string) bool) string {
	at := only(text, name)
	if at < 0 || strings.Contains(text, "--") || mentions(text, "fetch") || mentions(text, "execute") || mentions(text, "table") || hasStar(text) {
		return ""
	}
	before := text[:at]
	quoted := at+len(name) < len(text) && text[at+len(name)] == '"'
	if quoted {
		unquoted, opens := strings.CutSuffix(before, `"`)
		if !opens {
			return ""
		}
		before = unquoted
	}
	const space = " \t\r\n\f"
	before = strings.TrimRight(before, space)
	n := len(before) - len("as")
	if n <= 0 || !strings.EqualFold(before[n:], "as") || nameByte(before[n-1]) {
		return ""
	}
	before = strings.TrimRight(before[:n], space)
	before, quoted = strings.CutSuffix(before, `"`)
	end := len(before)
	begin := end
	for begin > 0 && nameByte(before[begin-1]) {
		begin--
	}
	column := strings.ToLower(before[begin:end])
	before = before[:begin]
	if quoted {
		var opens bool
		if before, opens = strings.CutSuffix(before, `"`); !opens {
			return ""
		}
	}
	if column == "" || !wanted(column) || !expressionFollows(before) {
		return ""
	}
	return column
}

// only gives where name stands in text, -1 unless it stands there once.
func only(text, name string) int {
	at := -1
	for i := 0; i+len(name) <= len(text); i++ {
		if text[i]|0x20 != name[0]|0x20 || !strings.EqualFold(text[i:i+len(name)], name) {
			continue
		}
		if i > 0 && nameByte(text[i-1]) || i+len(name) < len(text) && nameByte(text[i+len(name)]) {
			continue
		}
		if at >= 0 {
			return -1
		}
		at = i
	}
	return at
}

// hasStar tells whether text may take all columns of something: a star that is neither a comment's nor count(*)'s.
func hasStar(text string) bool {
	for i := strings.IndexByte(text, '*'); i >= 0; {
		before, after := i > 0 && text[i-1] == '/', i+1 < len(text) && text[i+1] == '/'
		counts := i > 0 && text[i-1] == '(' && i+1 < len(text) && text[i+1] == ')'
		if !before && !after && !counts {
			return true
		}
		next := strings.IndexByte(text[i+1:], '*')
		if next < 0 {
			return false
		}
		i += 1 + next
	}
	return false
}

// look tells whether an attribute is worth another look at what a text calls it, and counts it.
func (t *tables) look(a attribute) bool {
	n, seen := t.looks[a]
	if n >= maxLooks || !seen && len(t.looks) >= maxAttributes {
		return false
	}
	if t.looks == nil {
		t.looks = make(map[attribute]uint8)
	}
	t.looks[a] = n + 1
	return true
}
