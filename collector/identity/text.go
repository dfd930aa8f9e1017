package identity

import (
	"encoding/hex"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// text decodes an attribute value to UTF-8, NUL kept. One-byte strings are read as Latin-1, as OpenSSL's ASN1_STRING_to_UTF8 does, so that
// what tenantrace reads is what the application reads. Other types become "#" and the DER in hex (RFC 4514, section 2.4). clean is false if the
// value is not as its type wants it; characters that cannot be decoded are U+FFFD.
func text(value element) (s string, clean bool) {
	b := value.body
	switch value.tag {
	case tagUTF8String:
		return strings.ToValidUTF8(string(b), string(utf8.RuneError)), utf8.Valid(b)
	case tagTeletexString:
		return latin1(b), true
	case tagPrintableString, tagIA5String, tagNumericString, tagVisibleString:
		return latin1(b), allowed(value.tag, b)
	case tagBMPString:
		if len(b)%2 == 0 {
			s, clean = bmp(b)
			return s, clean
		}
	case tagUniversalString:
		if len(b)%4 == 0 {
			return universal(b)
		}
	}
	return "#" + hex.EncodeToString(value.raw), false
}

// allowed tells whether a one-byte string keeps to its alphabet (X.680, section 41; "*" and "&" are too common in names to be called wrong).
func allowed(tag byte, b []byte) bool {
	for _, c := range b {
		letter, digit := 'a' <= c|0x20 && c|0x20 <= 'z', '0' <= c && c <= '9'
		switch {
		case c >= utf8.RuneSelf,
			tag == tagNumericString && !digit && c != ' ',
			tag == tagVisibleString && (c < ' ' || c == 0x7f),
			tag == tagPrintableString && !letter && !digit && strings.IndexByte(" '()+,-./:=?*&", c) < 0:
			return false
		}
	}
	return true
}

// bmp decodes UTF-16: a BMPString has no surrogates, but OpenSSL reads them.
func bmp(b []byte) (string, bool) {
	units, clean := make([]uint16, len(b)/2), true
	for i := range units {
		units[i] = uint16(b[2*i])<<8 | uint16(b[2*i+1])
		clean = clean && !utf16.IsSurrogate(rune(units[i]))
	}
	return string(utf16.Decode(units)), clean
}

func universal(b []byte) (string, bool) {
	var out strings.Builder
	clean := true
	for ; len(b) > 0; b = b[4:] {
		r := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
		if r > utf8.MaxRune || !utf8.ValidRune(rune(r)) {
			r, clean = utf8.RuneError, false
		}
		out.WriteRune(rune(r))
	}
	return out.String(), clean
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

// ia5 decodes an alternative name. Applications differ in how they read octets that ASCII does not have: they become U+FFFD, and clean is false.
func ia5(b []byte) (s string, clean bool) {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			runes := make([]rune, len(b))
			for i, c := range b {
				runes[i] = rune(c)
				if c >= utf8.RuneSelf {
					runes[i] = utf8.RuneError
				}
			}
			return string(runes), false
		}
	}
	return string(b), true
}

// maxTyped bounds the value of an otherName or extension that is kept, in bytes: more is no tenant's name.
const maxTyped = 512

// typed reads the value of an otherName or of a private extension: a string type, or an OCTET STRING or bare octets that hold printable UTF-8
// or the 16 octets of a UUID (RFC 9562, section 4). "" for anything else.
func typed(der []byte) string {
	octets := der
	if e, rest, err := next(der); err == nil && len(rest) == 0 {
		switch e.tag {
		case tagUTF8String, tagPrintableString, tagIA5String, tagTeletexString, tagNumericString, tagVisibleString, tagBMPString, tagUniversalString:
			s, _ := text(e)
			if len(s) > maxTyped {
				return ""
			}
			return s
		case tagOctetString:
			octets = e.body
		}
	}
	switch {
	case len(octets) <= maxTyped && utf8.Valid(octets) && !strings.ContainsFunc(string(octets), func(r rune) bool { return !unicode.IsPrint(r) }):
		return string(octets)
	case len(octets) == 16:
		return fmt.Sprintf("%x-%x-%x-%x-%x", octets[:4], octets[4:6], octets[6:8], octets[8:10], octets[10:])
	}
	return ""
}
