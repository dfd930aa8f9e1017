package correlate

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"tenantrace/correlate/policy"
	"tenantrace/correlate/tenantsql"
	"tenantrace/correlate/verdict"
)

// hiddenName stands in shapes where the name of a tenant stood: it is the same for all tenants and keys, and so is the fingerprint.
const hiddenName = "{tenant}"

// shapeEnd is the length from which on a shape may have been cut in the middle of a word, in bytes: tenantsql gives at most 2,000.
const shapeEnd = 2000 - utf8.UTFMax

// hideSQL takes the names of tenants out of a statement's shape, database and server.
func (e *Engine) hideSQL(sql *verdict.SQL, u *unit, known func(string) bool) {
	rules := e.rulesOf(u.session)
	if shape := hideShape(sql.Shape, u, rules, known); shape != sql.Shape {
		sql.Shape, sql.Fingerprint = shape, tenantsql.Fingerprint(shape)
	}
	mask := func(text string) string { return maskNames(text, known, e.veil.Of) }
	if tenant := rules.Databases.Tenant(sql.Database); tenant != "" {
		sql.Database = e.veil.Of(tenant)
	} else {
		sql.Database = mask(sql.Database)
	}
	sql.Server = hideAddress(sql.Server, mask)
}

// shownFingerprint is the fingerprint under which lines show a statement.
func (e *Engine) shownFingerprint(u *unit, s standing) string {
	if e.veil == nil {
		return u.fingerprint
	}
	sql := verdict.SQL{Shape: u.shape, Fingerprint: u.fingerprint}
	known := e.veil.known(u.proc, s.id)
	e.hideSQL(&sql, u, func(name string) bool {
		return known(name) || slices.ContainsFunc(u.values, func(o observed) bool { return o.tenant == name })
	})
	return sql.Fingerprint
}

// hideShape replaces the identifiers of a shape that name tenants: the places that the policy knows as tenants', and all that contain a known name.
func hideShape(shape string, u *unit, rules *rules, known func(string) bool) string {
	if shape == "" {
		return ""
	}
	if len(shape) >= shapeEnd { // its last word may be part of a name
		shape = strings.TrimRightFunc(shape, func(r rune) bool { return r >= utf8.RuneSelf || isWordByte(byte(r)) }) + "…"
	}
	does := u.does
	if rules.HidesAny() && (does == nil || does.Unparsed || does.Cut || does.Kind == tenantsql.Other || does.Kind == tenantsql.Use) {
		first, rest, more := strings.Cut(shape, " ") // any word behind it may be the name of a place
		if !more || rest == "" {
			return shape
		}
		return first + " …"
	}
	var tables []string // what a qualifier may be without being a place
	var places []string
	if does != nil {
		for i := range does.Relations {
			r := &does.Relations[i]
			tables = append(tables, r.Name, r.Alias)
			if rules.TenantOf(r.Schema) != "" {
				places = append(places, r.Schema)
			}
		}
	}
	same := func(name string) func(string) bool {
		return func(s string) bool { return strings.EqualFold(s, name) }
	}
	shape = maskIdentifiers(shape, func(name string, qualifies bool) bool {
		return slices.ContainsFunc(places, same(name)) || rules.Hides(name) ||
			qualifies && rules.TenantOf(name) != "" && !slices.ContainsFunc(tables, same(name))
	})
	return maskNames(shape, known, func(string) string { return hiddenName })
}

// maskIdentifiers replaces the identifiers of a shape that hide tells of; qualifies says that a dot follows.
func maskIdentifiers(shape string, hide func(name string, qualifies bool) bool) string {
	var b strings.Builder
	for i := 0; i < len(shape); {
		c := shape[i]
		end, name := i+1, ""
		switch {
		case c == '"' || c == '`':
			for end < len(shape) && (shape[end] != c || end+1 < len(shape) && shape[end+1] == c) {
				if shape[end] == c {
					end++ // doubled: a quote inside the name
				}
				end++
			}
			name = strings.ReplaceAll(shape[i+1:min(end, len(shape))], string([]byte{c, c}), string(c))
			end = min(end+1, len(shape))
		case isWordByte(c):
			for end < len(shape) && isWordByte(shape[end]) {
				end++
			}
			name = shape[i:end]
		}
		rest := strings.TrimLeft(shape[end:], " ")
		if name != "" && hide(name, strings.HasPrefix(rest, ".")) {
			b.WriteString(hiddenName)
		} else {
			b.WriteString(shape[i:end])
		}
		i = end
	}
	return b.String()
}

func isWordByte(c byte) bool {
	return c == '_' || c == '$' || c >= utf8.RuneSelf || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// maxNameWords is how many words a name has that is looked for in a text.
const maxNameWords = 6

// maskNames replaces each run of words in a text, joined by single other characters, that known tells to be a name; known takes it normalised.
func maskNames(text string, known func(name string) bool, write func(name string) string) string {
	type span struct{ from, to int }
	var words []span
	in := false
	for i, r := range text {
		word := unicode.IsLetter(r) || unicode.IsDigit(r)
		switch {
		case word && !in:
			words = append(words, span{i, len(text)})
		case !word && in:
			words[len(words)-1].to = i
		}
		in = word
	}
	var b strings.Builder
	done := 0
	for i := 0; i < len(words); i++ {
		from := words[i].from
		if from > 0 && text[from-1] == '$' { // a parameter
			continue
		}
		last := i
		for last+1 < len(words) && last-i+1 < maxNameWords {
			if _, n := utf8.DecodeRuneInString(text[words[last].to:]); words[last].to+n != words[last+1].from {
				break
			}
			last++
		}
		for ; last >= i; last-- {
			if name := text[from:words[last].to]; known(policy.Normalize(name)) {
				b.WriteString(text[done:from])
				b.WriteString(write(name))
				done, i = words[last].to, last
				break
			}
		}
	}
	if done == 0 {
		return text
	}
	b.WriteString(text[done:])
	return b.String()
}
