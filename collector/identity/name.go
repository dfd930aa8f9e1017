package identity

import (
	"encoding/hex"
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"tenantrace/collector/event"
)

// name reads the content of a Name, an RDNSequence (RFC 5280, section 4.1.2.4): every attribute in the order of the DER, those of a
// multi-valued RDN one after the other. Part of a name is no name: with an error nothing is returned. clean is false if a value is not as its
// type wants it.
func name(in []byte) (out []event.Attribute, clean bool, err error) {
	clean = true
	for len(in) > 0 {
		set, rest, err := expect(in, tagSet, "RDN")
		if err != nil {
			return nil, false, err
		}
		in = rest
		for in := set.body; len(in) > 0; {
			var pair, id, value element
			if pair, in, err = expect(in, tagSequence, "attribute"); err != nil {
				return nil, false, err
			}
			id, body, err := expect(pair.body, tagOID, "attribute type")
			if err != nil {
				return nil, false, err
			}
			if value, _, err = next(body); err != nil {
				return nil, false, fmt.Errorf("attribute value: %w", err)
			}
			v, ok := text(value)
			clean = clean && ok
			out = append(out, event.Attribute{Type: typeName(id.body), Value: v})
		}
	}
	return out, clean, nil
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
