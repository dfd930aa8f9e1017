package correlate

import "strings"

// maxElements bounds the elements of an array that are read.
const maxElements = 64

// arrayElements reads the text form of a one-dimensional array, "{a,\"b c\",NULL}" (PostgreSQL documentation, Array Input and Output Syntax).
// NULL elements are left out. ok is false if the text is none, was cut, has dimensions or too many elements: then it proves nothing.
func arrayElements(text string) (elements []string, ok bool) {
	text = strings.TrimSpace(text)
	if len(text) < 2 || text[0] != '{' || text[len(text)-1] != '}' {
		return nil, false
	}
	inner := text[1 : len(text)-1]
	if strings.TrimSpace(inner) == "" {
		return nil, true
	}
	for i := 0; ; {
		for i < len(inner) && isSpace(inner[i]) {
			i++
		}
		element, quoted := "", false
		if i < len(inner) && inner[i] == '"' {
			quoted = true
			var b strings.Builder
			for i++; ; i++ {
				if i >= len(inner) {
					return nil, false
				}
				if inner[i] == '"' {
					i++
					break
				}
				if inner[i] == '\\' {
					if i++; i >= len(inner) {
						return nil, false
					}
				}
				b.WriteByte(inner[i])
			}
			element = b.String()
			for i < len(inner) && isSpace(inner[i]) {
				i++
			}
		} else {
			from := i
			for i < len(inner) && inner[i] != ',' {
				if strings.IndexByte(`{}"\`, inner[i]) >= 0 {
					return nil, false
				}
				i++
			}
			element = strings.TrimRight(inner[from:i], " \t\n\r\v\f")
			if element == "" {
				return nil, false
			}
		}
		if quoted || !strings.EqualFold(element, "null") {
			if len(elements) == maxElements {
				return nil, false
			}
			elements = append(elements, element)
		}
		if i == len(inner) {
			return elements, true
		}
		if inner[i] != ',' {
			return nil, false
		}
		i++
	}
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }
