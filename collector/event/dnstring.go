package event

import "strings"

// DNString writes a distinguished name as RFC 4514, section 2, does: the last attribute first, separated by commas, special characters
// escaped, so that no value can pass for another attribute. It is for people: the attributes of a multi-valued RDN stand one by one, control
// characters are escaped as well, and values of types without a short name are written as text where section 2.4 asks for hex.
func DNString(attrs []Attribute) string {
	var out strings.Builder
	for i := len(attrs) - 1; i >= 0; i-- {
		out.WriteString(attrs[i].Type)
		out.WriteByte('=')
		escape(&out, attrs[i].Value)
		if i > 0 {
			out.WriteByte(',')
		}
	}
	return out.String()
}

func escape(out *strings.Builder, value string) {
	const hexDigits = "0123456789ABCDEF"
	for i := range len(value) {
		switch c := value[i]; {
		case strings.IndexByte(`"+,;<>\`, c) >= 0,
			c == ' ' && (i == 0 || i == len(value)-1),
			c == '#' && i == 0:
			out.WriteByte('\\')
			out.WriteByte(c)
		case c < 0x20 || c == 0x7f:
			out.WriteByte('\\')
			out.WriteByte(hexDigits[c>>4])
			out.WriteByte(hexDigits[c&15])
		default:
			out.WriteByte(c)
		}
	}
}
