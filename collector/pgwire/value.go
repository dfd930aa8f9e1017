package pgwire

import (
	"encoding/binary"
	"encoding/hex"
	"strconv"
)

// Type OIDs (src/include/catalog/pg_type.dat) whose binary format is read.
const (
	oidBool    = 16
	oidName    = 19
	oidInt8    = 20
	oidInt2    = 21
	oidInt4    = 23
	oidText    = 25
	oidUnknown = 705
	oidBpchar  = 1042
	oidVarchar = 1043
	oidUUID    = 2950
)

// maxValue is the most bytes of a value, in text form, that is kept.
const maxValue = 256

// appendValue appends the text form of a value as it was sent. False: it cannot be read, dst is as it was.
func appendValue(dst []byte, oid uint32, format byte, raw []byte) ([]byte, bool) {
	if len(raw) > maxValue {
		return dst, false
	}
	switch oid {
	case oidText, oidVarchar, oidBpchar, oidName, oidUnknown:
		return append(dst, raw...), true // both formats are the same, so one that was not captured is not missed
	}
	switch format {
	case 0:
		if oid == oidUUID {
			if id, ok := parseUUID(raw); ok {
				return appendUUID(dst, id), true
			}
		}
		return append(dst, raw...), true
	case 1:
		return appendBinary(dst, oid, raw)
	}
	return dst, false
}

func appendBinary(dst []byte, oid uint32, raw []byte) ([]byte, bool) {
	switch oid {
	case oidInt2:
		if len(raw) == 2 {
			return strconv.AppendInt(dst, int64(int16(binary.BigEndian.Uint16(raw))), 10), true
		}
	case oidInt4:
		if len(raw) == 4 {
			return strconv.AppendInt(dst, int64(int32(binary.BigEndian.Uint32(raw))), 10), true
		}
	case oidInt8:
		if len(raw) == 8 {
			return strconv.AppendInt(dst, int64(binary.BigEndian.Uint64(raw)), 10), true
		}
	case oidBool:
		if len(raw) == 1 {
			if raw[0] != 0 {
				return append(dst, 't'), true
			}
			return append(dst, 'f'), true
		}
	case oidUUID:
		if len(raw) == 16 {
			return appendUUID(dst, [16]byte(raw)), true
		}
	}
	return dst, false
}

// appendUUID appends the canonical form: lower case, in groups.
func appendUUID(dst []byte, id [16]byte) []byte {
	for i, group := range [...][]byte{id[:4], id[4:6], id[6:8], id[8:10], id[10:]} {
		if i > 0 {
			dst = append(dst, '-')
		}
		dst = hex.AppendEncode(dst, group)
	}
	return dst
}

// parseUUID reads the forms that the server takes: 32 hexadecimal digits in either case, with a hyphen after any group of four, and with
// or without braces around.
func parseUUID(raw []byte) (id [16]byte, ok bool) {
	if n := len(raw); n >= 2 && raw[0] == '{' && raw[n-1] == '}' {
		raw = raw[1 : n-1]
	}
	for i := range id {
		if i > 0 && i%2 == 0 && len(raw) > 0 && raw[0] == '-' {
			raw = raw[1:]
		}
		if len(raw) < 2 {
			return id, false
		}
		if _, err := hex.Decode(id[i:i+1], raw[:2]); err != nil {
			return id, false
		}
		raw = raw[2:]
	}
	return id, len(raw) == 0
}
