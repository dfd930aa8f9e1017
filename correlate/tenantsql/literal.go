package tenantsql

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// equalFold compares without regard to the case of ASCII letters, as PostgreSQL folds names.
func equalFold(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

// fold lowers the ASCII letters of s.
func fold(s string) string {
	for i := range len(s) {
		if s[i] >= 'A' && s[i] <= 'Z' {
			b := []byte(s)
			for ; i < len(b); i++ {
				b[i] = lower(b[i])
			}
			return string(b)
		}
	}
	return s
}

// identifier gives the name that a tWord or tQuoted token stands for.
func identifier(sql string, t token) string {
	text := sql[t.start:t.end]
	if t.kind == tWord {
		return fold(text)
	}
	if t.sub == quoteUnicode {
		name, _ := unescapeUnicode(unquote(text[2:]))
		return name
	}
	return unquote(text)
}

// unquote takes the quotes off and undoubles the doubled ones. Without an escape the result shares memory with text.
func unquote(text string) string {
	if len(text) < 2 {
		return ""
	}
	quote := text[:1]
	text = text[1 : len(text)-1]
	if strings.Contains(text, quote) {
		return strings.ReplaceAll(text, quote+quote, quote)
	}
	return text
}

// stringText gives the value of a tString token; false if the text alone does not tell it.
func stringText(sql string, t token, mysql bool) (string, bool) {
	text := sql[t.start:t.end]
	switch t.sub {
	case quoteBits:
		return "", false
	case quoteDollar:
		n := strings.IndexByte(text[1:], '$') + 2
		return text[n : len(text)-n], true
	}
	for text[0] != '\'' && text[0] != '"' { // E, N, U&
		text = text[1:]
	}
	switch t.sub {
	case quoteEscape:
		return unescape(text, mysql)
	case quoteUnicode:
		return unescapeUnicode(unquote(text))
	}
	return unquote(text), true
}

// unescape reads the backslash escapes of an E” string (PostgreSQL manual, 4.1.2.2) or a MySQL string (reference manual, 9.1.1).
func unescape(text string, mysql bool) (string, bool) {
	if strings.IndexByte(text, '\\') < 0 {
		return unquote(text), true
	}
	quote := text[0]
	text = text[1 : len(text)-1]
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == quote { // doubled
			i++
		}
		if c != '\\' || i+1 >= len(text) {
			out = append(out, c)
			continue
		}
		i++
		switch c = text[i]; c {
		case 'b':
			out = append(out, '\b')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case '0', 'Z', '%', '_', 'f', 'x', 'u', 'U', '1', '2', '3', '4', '5', '6', '7':
			var n int
			if mysql {
				out, n = escapeMySQL(out, c)
			} else if out, n = escapePostgreSQL(out, text[i:]); n == 0 {
				return "", false
			}
			i += n - 1
		default:
			out = append(out, c)
		}
	}
	return string(out), true
}

func escapeMySQL(out []byte, c byte) ([]byte, int) {
	switch c {
	case '0':
		return append(out, 0), 1
	case 'Z':
		return append(out, 0x1a), 1
	case '%', '_':
		return append(out, '\\', c), 1
	}
	return append(out, c), 1
}

// escapePostgreSQL reads the escape whose letter rest begins with; it gives the bytes used, 0 if it is malformed.
func escapePostgreSQL(out []byte, rest string) ([]byte, int) {
	switch c := rest[0]; {
	case c == 'f':
		return append(out, '\f'), 1
	case c == 'u':
		return escapeRune(out, rest, 5)
	case c == 'U':
		return escapeRune(out, rest, 9)
	case c == 'x' && len(rest) > 1 && isHex(rest[1]):
		n := 2
		if len(rest) > 2 && isHex(rest[2]) {
			n = 3
		}
		v, _ := strconv.ParseUint(rest[1:n], 16, 8)
		return append(out, byte(v)), n
	case c >= '0' && c <= '7':
		n := 1
		for n < 3 && n < len(rest) && rest[n] >= '0' && rest[n] <= '7' {
			n++
		}
		v, _ := strconv.ParseUint(rest[:n], 8, 16)
		return append(out, byte(v)), n
	}
	return append(out, rest[0]), 1
}

func escapeRune(out []byte, rest string, n int) ([]byte, int) {
	if len(rest) < n {
		return out, 0
	}
	v, err := strconv.ParseUint(rest[1:n], 16, 32)
	if err != nil || v > utf8.MaxRune || !utf8.ValidRune(rune(v)) { // a surrogate pair: not worth reading
		return out, 0
	}
	return utf8.AppendRune(out, rune(v)), n
}

// unescapeUnicode reads the escapes of U&” and U&"" with the default escape character.
func unescapeUnicode(text string) (string, bool) {
	if strings.IndexByte(text, '\\') < 0 {
		return text, true
	}
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			out = append(out, text[i])
			continue
		}
		var n int
		switch rest := text[i+1:]; {
		case strings.HasPrefix(rest, `\`):
			out, n = append(out, '\\'), 1
		case strings.HasPrefix(rest, "+"):
			out, n = escapeRune(out, rest, 7)
		default:
			out, n = escapeRune(out, text[i:], 5)
			n--
		}
		if n <= 0 {
			return "", false
		}
		i += n
	}
	return string(out), true
}
