package tenantsql

import "strings"

// Bounds of an identifier in a comment, in bytes.
const (
	minRequestID = 8
	maxRequestID = 128
)

// RequestID gives the request's identifier that an application wrote into a comment at the beginning or the end of a statement, as tags of query
// logs do: request_id:ID (Rails) or request_id='ID' (sqlcommenter), among other tags with commas between. "": none, or several that differ.
func RequestID(sql string) string {
	sql = trim(sql)
	if !strings.Contains(sql, "request_id") {
		return ""
	}
	var ids []string
	if rest, ok := strings.CutPrefix(sql, "/*"); ok {
		if text, _, ok := strings.Cut(rest, "*/"); ok {
			ids = tagged(ids, text)
		}
	}
	if rest, ok := strings.CutSuffix(trim(strings.TrimSuffix(sql, ";")), "*/"); ok {
		if i := strings.LastIndex(rest, "/*"); i >= 0 && !strings.Contains(rest[i:], "*/") {
			ids = tagged(ids, rest[i+2:])
		}
	}
	if len(ids) == 0 || len(ids) == 2 && ids[0] != ids[1] || len(ids) > 2 {
		return ""
	}
	return ids[0]
}

// tagged adds the values of the tag in a comment; one that is none counts as "".
func tagged(ids []string, comment string) []string {
	for tag := range strings.SplitSeq(comment, ",") {
		rest, ok := strings.CutPrefix(trim(tag), "request_id")
		if !ok {
			continue
		}
		value := ""
		switch {
		case strings.HasPrefix(rest, ":"):
			value = trim(rest[1:])
		case len(rest) > 2 && strings.HasPrefix(rest, "='") && rest[len(rest)-1] == '\'':
			value = rest[2 : len(rest)-1]
		default:
			continue
		}
		if !plainID(value) {
			value = ""
		}
		ids = append(ids, value)
	}
	return ids
}

// plainID tells whether a value is one that a generator makes: nothing that would have to be escaped.
func plainID(s string) bool {
	if len(s) < minRequestID || len(s) > maxRequestID {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case isDigit(c), (c|0x20) >= 'a' && (c|0x20) <= 'z', c == '-', c == '_', c == '.':
		default:
			return false
		}
	}
	return true
}
