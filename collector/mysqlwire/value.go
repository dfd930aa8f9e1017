package mysqlwire

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"strconv"
	"unicode/utf8"
)

// Types of columns and parameters (enum_field_types) that are read in a way of their own.
const (
	typeDecimal   = 0
	typeTiny      = 1
	typeShort     = 2
	typeLong      = 3
	typeFloat     = 4
	typeDouble    = 5
	typeNull      = 6
	typeTimestamp = 7
	typeLongLong  = 8
	typeInt24     = 9
	typeDate      = 10
	typeTime      = 11
	typeDateTime  = 12
	typeYear      = 13
	typeNewDate   = 14
	typeVarchar   = 15
	typeBit       = 16
	typeBool      = 244
	typeTinyBlob  = 249 // to 252: the blobs
	typeBlob      = 252
	typeString    = 254
)

// What width gives for values that say their length themselves.
const (
	widthString = -1 // a length-encoded string
	widthTime   = -2 // a length of one byte
)

// width is the size of a value of the binary protocol.
func width(kind byte) int {
	switch kind {
	case typeNull:
		return 0
	case typeTiny, typeBool:
		return 1
	case typeShort, typeYear:
		return 2
	case typeLong, typeInt24, typeFloat:
		return 4
	case typeLongLong, typeDouble:
		return 8
	case typeTimestamp, typeDate, typeDateTime, typeNewDate, typeTime:
		return widthTime
	}
	return widthString
}

// Collations that matter: bytes that are no text, and any that is not known, where bytes are taken for no text only if they can be none.
const (
	charsetBinary  = 63
	charsetUnknown = 0
)

// maxValue is the most bytes of a value, in text form, that is kept.
const maxValue = 256

// appendValue appends the text form of a value as it was sent. False: it cannot be read, dst is as it was.
func appendValue(dst []byte, c column, binary bool, raw []byte) ([]byte, bool) {
	if len(raw) > maxValue {
		return dst, false
	}
	if !binary || width(c.kind) == widthString {
		return appendText(dst, c, raw)
	}
	if width(c.kind) == widthTime {
		return appendTime(dst, c.kind, raw)
	}
	return appendNumber(dst, c, raw)
}

// appendText appends a value that is a string. A binary one that is no text is taken for a UUID if it has its size, else written as a literal.
func appendText(dst []byte, c column, raw []byte) ([]byte, bool) {
	switch {
	case c.kind == typeBit:
		if len(raw) > 8 {
			return dst, false
		}
		v := uint64(0)
		for _, b := range raw {
			v = v<<8 | uint64(b)
		}
		return strconv.AppendUint(dst, v, 10), true
	case isText(raw):
		return append(dst, raw...), true
	case c.charset != charsetBinary && !(c.charset == charsetUnknown && hasControl(raw)):
		return dst, false // in a character set that is not known here
	case len(raw) == 16:
		return appendUUID(dst, raw), true
	case 2+2*len(raw) > maxValue:
		return dst, false
	}
	return hex.AppendEncode(append(dst, "0x"...), raw), true
}

// isText tells whether raw is UTF-8 without control characters.
func isText(raw []byte) bool {
	for _, b := range raw {
		if b < ' ' || b > '~' {
			return !hasControl(raw) && utf8.Valid(raw)
		}
	}
	return true
}

// hasControl tells whether raw has a byte that is part of no text, whatever its character set.
func hasControl(raw []byte) bool {
	for _, b := range raw {
		if b < ' ' && b != '\t' && b != '\n' && b != '\r' || b == 0x7f {
			return true
		}
	}
	return false
}

func appendNumber(dst []byte, c column, raw []byte) ([]byte, bool) {
	if len(raw) != width(c.kind) {
		return dst, false
	}
	switch c.kind {
	case typeFloat:
		return appendFloat(dst, float64(math.Float32frombits(binary.LittleEndian.Uint32(raw))), 32), true
	case typeDouble:
		return appendFloat(dst, math.Float64frombits(binary.LittleEndian.Uint64(raw)), 64), true
	case typeNull:
		return dst, false
	}
	v := littleEndian(raw)
	if c.unsigned || c.kind == typeYear {
		return strconv.AppendUint(dst, v, 10), true
	}
	unused := 64 - 8*len(raw)
	return strconv.AppendInt(dst, int64(v<<unused)>>unused, 10), true
}

// appendFloat writes whole numbers as such: there are clients that send every number as a double.
func appendFloat(dst []byte, v float64, bits int) []byte {
	format := byte('f')
	if a := math.Abs(v); a > 1<<53 || a != 0 && a < 1e-4 {
		format = 'g'
	}
	return strconv.AppendFloat(dst, v, format, -1, bits)
}

// appendTime writes a point or a span of time as the server writes them as text. Parts that are zero at the end are not sent.
func appendTime(dst []byte, kind byte, raw []byte) ([]byte, bool) {
	c := cursor{b: raw}
	if kind == typeTime {
		if n := len(raw); n != 0 && n != 8 && n != 12 {
			return dst, false
		}
		negative, days := c.uint8(), c.uint32()
		if negative == 1 {
			dst = append(dst, '-')
		}
		hours := uint64(days)*24 + uint64(c.uint8())
		return appendClock(dst, hours, &c), true
	}
	if n := len(raw); n != 0 && n != 4 && n != 7 && n != 11 {
		return dst, false
	}
	year := c.uint16()
	dst = appendDigits(dst, uint64(year), 4)
	dst = appendDigits(append(dst, '-'), uint64(c.uint8()), 2)
	dst = appendDigits(append(dst, '-'), uint64(c.uint8()), 2)
	if kind == typeDate || kind == typeNewDate {
		return dst, true
	}
	hours := c.uint8()
	return appendClock(append(dst, ' '), uint64(hours), &c), true
}

func appendClock(dst []byte, hours uint64, c *cursor) []byte {
	dst = appendDigits(dst, hours, 2)
	dst = appendDigits(append(dst, ':'), uint64(c.uint8()), 2)
	dst = appendDigits(append(dst, ':'), uint64(c.uint8()), 2)
	if micros := c.uint32(); micros != 0 {
		dst = appendDigits(append(dst, '.'), uint64(micros), 6)
	}
	return dst
}

// appendDigits writes v with at least n digits.
func appendDigits(dst []byte, v uint64, n int) []byte {
	for limit := uint64(1); n > 1; n-- {
		if limit *= 10; v < limit {
			for range n - 1 {
				dst = append(dst, '0')
			}
			break
		}
	}
	return strconv.AppendUint(dst, v, 10)
}

// appendUUID appends the canonical form: lower case, in groups.
func appendUUID(dst, id []byte) []byte {
	for i, group := range [...][]byte{id[:4], id[4:6], id[6:8], id[8:10], id[10:]} {
		if i > 0 {
			dst = append(dst, '-')
		}
		dst = hex.AppendEncode(dst, group)
	}
	return dst
}
