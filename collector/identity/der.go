package identity

import (
	"errors"
	"fmt"
)

// The universal tags and the context tags that a certificate uses (X.690, section 8; RFC 5280, section 4.1).
const (
	tagInteger         = 0x02
	tagBitString       = 0x03
	tagOctetString     = 0x04
	tagOID             = 0x06
	tagUTF8String      = 0x0c
	tagNumericString   = 0x12
	tagPrintableString = 0x13
	tagTeletexString   = 0x14
	tagIA5String       = 0x16
	tagUTCTime         = 0x17
	tagGeneralizedTime = 0x18
	tagVisibleString   = 0x1a
	tagUniversalString = 0x1c
	tagBMPString       = 0x1e
	tagSequence        = 0x30
	tagSet             = 0x31
	tagVersion         = 0xa0 // [0] EXPLICIT Version
	tagExtensions      = 0xa3 // [3] EXPLICIT Extensions
	tagOtherName       = 0xa0 // GeneralName otherName
	tagOtherValue      = 0xa0 // its value: [0] EXPLICIT
	tagIPName          = 0x87 // GeneralName iPAddress
	tagEmailName       = 0x81 // GeneralName rfc822Name
	tagDNSName         = 0x82 // GeneralName dNSName
	tagURIName         = 0x86 // GeneralName uniformResourceIdentifier
)

var errShort = errors.New("element is cut short")

// element is one tag-length-value; raw and body are parts of the input.
type element struct {
	tag  byte
	raw  []byte // with tag and length
	body []byte
}

// next takes the first element off in. It is more tolerant than DER: a length need not be minimal. Multi-byte tags and indefinite lengths
// do not occur in certificates and are errors.
func next(in []byte) (e element, rest []byte, err error) {
	if len(in) < 2 {
		return element{}, nil, errShort
	}
	tag := in[0]
	if tag&0x1f == 0x1f {
		return element{}, nil, fmt.Errorf("tag %#x has more than one byte", tag)
	}
	n, head := int(in[1]), 2
	if n >= 0x80 {
		digits := n & 0x7f
		if digits == 0 {
			return element{}, nil, fmt.Errorf("tag %#x has an indefinite length", tag)
		}
		if len(in) < 2+digits {
			return element{}, nil, errShort
		}
		n = 0
		for _, b := range in[2 : 2+digits] {
			n = n<<8 | int(b)
			if n > maxSize {
				return element{}, nil, errShort
			}
		}
		head += digits
	}
	if len(in)-head < n {
		return element{}, nil, errShort
	}
	return element{tag: tag, raw: in[:head+n], body: in[head : head+n]}, in[head+n:], nil
}

// expect is next for an element that must have the given tag; what names it in errors.
func expect(in []byte, tag byte, what string) (e element, rest []byte, err error) {
	e, rest, err = next(in)
	if err != nil {
		return element{}, nil, fmt.Errorf("%s: %w", what, err)
	}
	if e.tag != tag {
		return element{}, nil, fmt.Errorf("%s: tag is %#x, want %#x", what, e.tag, tag)
	}
	return e, rest, nil
}

// appendElement appends a tag-length-value with a minimal length.
func appendElement(out []byte, tag byte, parts ...[]byte) []byte {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	out = append(out, tag)
	switch {
	case n < 0x80:
		out = append(out, byte(n))
	case n < 1<<8:
		out = append(out, 0x81, byte(n))
	case n < 1<<16:
		out = append(out, 0x82, byte(n>>8), byte(n))
	default:
		out = append(out, 0x83, byte(n>>16), byte(n>>8), byte(n))
	}
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}
