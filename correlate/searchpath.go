package correlate

import "strings"

// maxPath bounds the schemas of a search path that are looked at.
const maxSchemas = 32

// pathSchemas reads a search path as SHOW search_path writes it: names by commas, those in double quotes as they are, others in lower case. ok
// is false if it is cut or malformed.
func pathSchemas(text string) (schemas []string, ok bool) {
	rest := strings.TrimSpace(text)
	if rest == "" {
		return nil, true
	}
	for {
		var name string
		if strings.HasPrefix(rest, `"`) {
			var b strings.Builder
			i := 1
			for {
				n := strings.IndexByte(rest[i:], '"')
				if n < 0 {
					return nil, false
				}
				b.WriteString(rest[i : i+n])
				if i += n + 1; i >= len(rest) || rest[i] != '"' {
					break
				}
				b.WriteByte('"')
				i++
			}
			name, rest = b.String(), strings.TrimSpace(rest[i:])
			if rest != "" && rest[0] != ',' {
				return nil, false
			}
		} else {
			i := strings.IndexByte(rest, ',')
			if i < 0 {
				i = len(rest)
			}
			name, rest = strings.ToLower(strings.TrimSpace(rest[:i])), rest[i:]
			if name == "" || strings.ContainsAny(name, "\" \t\r\n'") {
				return nil, false
			}
		}
		if len(schemas) == maxSchemas {
			return nil, false
		}
		schemas = append(schemas, name)
		if rest == "" {
			return schemas, true
		}
		rest = strings.TrimSpace(rest[1:])
	}
}
