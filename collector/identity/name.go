package identity

import (
	"encoding/hex"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"tenantrace/collector/event"
)

// name reads the content of a Name, an RDNSequence (RFC 5280, section 4.1.2.4): every attribute in the order of the DER, those of a
// multi-valued RDN one after the other. What was read before an error is returned with it.
func name(in []byte) ([]event.Attribute, error) {
	var out []event.Attribute
	for len(in) > 0 {
		set, rest, err := expect(in, tagSet, "RDN")
		if err != nil {
			return out, err
		}
		in = rest
		for in := set.body; len(in) > 0; {
			var pair, id, value element
			if pair, in, err = expect(in, tagSequence, "attribute"); err != nil {
				return out, err
			}
			id, body, err := expect(pair.body, tagOID, "attribute type")
			if err != nil {
				return out, err
			}
			if value, _, err = next(body); err != nil {
				return out, fmt.Errorf("attribute value: %w", err)
			}
			out = append(out, event.Attribute{Type: typeName(id.body), Value: text(value)})
		}
	}
	return out, nil
}

// typeName gives the short name of an attribute type, RFC 4514, section 3, and SERIALNUMBER; for others the dotted OID.
func typeName(oid []byte) string {
	switch string(oid) {
	case "\x55\x04\x03":
		return "CN"
	case "\x55\x04\x05":
		return "SERIALNUMBER"
	case "\x55\x04\x06":
		return "C"
	case "\x55\x04\x07":
		return "L"
	case "\x55\x04\x08":
		return "ST"
	case "\x55\x04\x09":
		return "STREET"
	case "\x55\x04\x0a":
		return "O"
	case "\x55\x04\x0b":
		return "OU"
	case "\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01":
		return "UID"
	case "\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19":
		return "DC"
	}
	return dotted(oid)
}

// maxOID bounds an OID that is spelt out, in bytes: the decimal form of one long arc costs quadratic time.
const maxOID = 128

// dotted spells an encoded OID (X.690, section 8.19). One that is malformed or too long becomes "#" and its octets in hex.
func dotted(oid []byte) string {
	if len(oid) == 0 || len(oid) > maxOID || oid[len(oid)-1]&0x80 != 0 {
		return "#" + hex.EncodeToString(oid)
	}
	var out strings.Builder
	arc, first := new(big.Int), true
	for _, b := range oid {
		arc.Lsh(arc, 7).Or(arc, big.NewInt(int64(b&0x7f)))
		if b&0x80 != 0 {
			continue
		}
		if first { // the first two arcs share one number
			root := min(2, new(big.Int).Div(arc, big.NewInt(40)).Uint64())
			if arc.BitLen() > 63 {
				root = 2
			}
			out.WriteString(strconv.FormatUint(root, 10))
			arc.Sub(arc, new(big.Int).SetUint64(root*40))
			first = false
		}
		out.WriteByte('.')
		out.WriteString(arc.String())
		arc.SetInt64(0)
	}
	return out.String()
}

// text decodes an attribute value to UTF-8, NUL kept. One-byte strings are read as Latin-1, as OpenSSL's ASN1_STRING_to_UTF8 does, so that
// what tenantrace reads is what the application reads. Other types become "#" and the DER in hex (RFC 4514, section 2.4).
func text(value element) string {
	b := value.body
	switch value.tag {
	case tagUTF8String:
		return strings.ToValidUTF8(string(b), string(utf8.RuneError))
	case tagPrintableString, tagIA5String, tagTeletexString, tagNumericString, tagVisibleString:
		return latin1(b)
	case tagBMPString:
		if len(b)%2 == 0 {
			units := make([]uint16, len(b)/2)
			for i := range units {
				units[i] = uint16(b[2*i])<<8 | uint16(b[2*i+1])
			}
			return string(utf16.Decode(units))
		}
	case tagUniversalString:
		if len(b)%4 == 0 {
			var out strings.Builder
			for ; len(b) > 0; b = b[4:] {
				r := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
				if r > utf8.MaxRune {
					r = utf8.RuneError
				}
				out.WriteRune(rune(r))
			}
			return out.String()
		}
	}
	return "#" + hex.EncodeToString(value.raw)
}

func latin1(b []byte) string {
	for i, c := range b {
		if c >= utf8.RuneSelf {
			out := append(make([]byte, 0, len(b)+len(b)/2), b[:i]...)
			for _, c := range b[i:] {
				out = utf8.AppendRune(out, rune(c))
			}
			return string(out)
		}
	}
	return string(b)
}
