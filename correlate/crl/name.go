package crl

import (
	"encoding/hex"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"tenantrace/collector/event"
)

// IssuerKey brings a distinguished name into the form in which issuers are compared: after RFC 5280, section 7.1, letters of both cases are the
// same, and so are runs of white space; string types do not matter. (Compatibility characters are not mapped, and the attributes of a multi-valued RDN
// count one by one.)
func IssuerKey(name []event.Attribute) string {
	var b strings.Builder
	for _, a := range name {
		v := strings.ToLower(strings.Join(strings.Fields(a.Value), " "))
		b.WriteString(a.Type)
		b.WriteByte('=')
		b.WriteString(strconv.Itoa(len(v)))
		b.WriteByte(':')
		b.WriteString(v)
	}
	return b.String()
}

// readName reads the content of a Name, as certificates are read: short names, values in UTF-8.
func readName(in []byte) (out []event.Attribute, ok bool) {
	for len(in) > 0 {
		set, rest, ok := takeTag(in, tagSet)
		if !ok {
			return nil, false
		}
		in = rest
		for len(set) > 0 {
			pair, more, ok := takeTag(set, tagSequence)
			if !ok {
				return nil, false
			}
			set = more
			oid, value, ok := takeTag(pair, tagOID)
			if !ok {
				return nil, false
			}
			tag, body, _, ok := take(value)
			if !ok {
				return nil, false
			}
			out = append(out, event.Attribute{Type: typeName(oid), Value: text(tag, body, value)})
		}
	}
	return out, true
}

// shortNames are those that event.Attribute has, by the encoded OID.
var shortNames = map[string]string{
	"\x55\x04\x03": "CN", "\x55\x04\x05": "SERIALNUMBER", "\x55\x04\x06": "C", "\x55\x04\x07": "L", "\x55\x04\x08": "ST", "\x55\x04\x09": "STREET",
	"\x55\x04\x0a": "O", "\x55\x04\x0b": "OU", "\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01": "UID", "\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19": "DC",
}

func typeName(oid []byte) string {
	if name, ok := shortNames[string(oid)]; ok {
		return name
	}
	return dotted(oid)
}

// dotted spells an encoded OID (X.690, section 8.19); what is malformed becomes "#" and its octets in hex.
func dotted(oid []byte) string {
	var out strings.Builder
	arc, first := uint64(0), true
	for _, b := range oid {
		if arc >= 1<<56 {
			return "#" + hex.EncodeToString(oid)
		}
		arc = arc<<7 | uint64(b&0x7f)
		if b&0x80 != 0 {
			continue
		}
		if first {
			root := min(2, arc/40)
			out.WriteString(strconv.FormatUint(root, 10))
			arc -= root * 40
			first = false
		}
		out.WriteByte('.')
		out.WriteString(strconv.FormatUint(arc, 10))
		arc = 0
	}
	if len(oid) == 0 || oid[len(oid)-1]&0x80 != 0 {
		return "#" + hex.EncodeToString(oid)
	}
	return out.String()
}

// text decodes an attribute value as the values of event.Attribute are; raw is the whole element.
func text(tag byte, b, raw []byte) string {
	switch tag {
	case 0x0c: // UTF8String
		return strings.ToValidUTF8(string(b), string(utf8.RuneError))
	case 0x12, 0x13, 0x14, 0x16, 0x1a: // one byte a character, read as Latin-1
		runes := make([]rune, len(b))
		for i, c := range b {
			runes[i] = rune(c)
		}
		return string(runes)
	case 0x1e: // BMPString
		if len(b)%2 == 0 {
			units := make([]uint16, len(b)/2)
			for i := range units {
				units[i] = uint16(b[2*i])<<8 | uint16(b[2*i+1])
			}
			return string(utf16.Decode(units))
		}
	case 0x1c: // UniversalString
		if len(b)%4 == 0 {
			runes := make([]rune, len(b)/4)
			for i := range runes {
				r := uint32(b[4*i])<<24 | uint32(b[4*i+1])<<16 | uint32(b[4*i+2])<<8 | uint32(b[4*i+3])
				if runes[i] = rune(r); r > utf8.MaxRune {
					runes[i] = utf8.RuneError
				}
			}
			return string(runes)
		}
	}
	return "#" + hex.EncodeToString(raw)
}
