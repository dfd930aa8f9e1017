package pgwire

// elementOf gives the type of the elements of an array type whose binary format is read (src/include/catalog/pg_type.dat); 0 for other types.
func elementOf(array uint32) uint32 {
	switch array {
	case 1000:
		return oidBool
	case 1003:
		return oidName
	case 1005:
		return oidInt2
	case 1007:
		return oidInt4
	case 1009:
		return oidText
	case 1014:
		return oidBpchar
	case 1015:
		return oidVarchar
	case 1016:
		return oidInt8
	case 2951:
		return oidUUID
	}
	return 0
}

// Limits of an array that is kept.
const (
	maxArray    = 4 << 10 // bytes, in text form
	maxElements = 64      // as correlate reads them
)

// appendArray appends the text form of an array of one dimension as a Bind carries it in binary (array_send), each element quoted:
// {"a","b",NULL}. False: it cannot be read, dst is as it was.
func appendArray(dst []byte, oid uint32, raw []byte) ([]byte, bool) {
	from := len(dst)
	c := cursor{b: raw}
	dimensions, _, element := c.uint32(), c.uint32(), c.uint32()
	n := uint32(0)
	if dimensions == 1 {
		n = c.uint32()
		c.uint32() // the lower bound
	}
	if c.bad || dimensions > 1 || element != oid || n > maxElements {
		return dst, false
	}
	dst = append(dst, '{')
	for i := range n {
		if i > 0 {
			dst = append(dst, ',')
		}
		length := int32(c.uint32())
		if length == -1 && !c.bad {
			dst = append(dst, "NULL"...)
			continue
		}
		value, ok := appendValue(nil, element, 1, c.next(int(length)))
		if c.bad || !ok || len(dst)-from+2*len(value) > maxArray {
			return dst[:from], false
		}
		dst = append(dst, '"')
		for _, b := range value {
			if b == '"' || b == '\\' {
				dst = append(dst, '\\')
			}
			dst = append(dst, b)
		}
		dst = append(dst, '"')
	}
	if len(c.b) > 0 {
		return dst[:from], false
	}
	return append(dst, '}'), true
}

// appendParam is appendValue for a value of Bind, which may be an array, as of tenant_id = ANY($1).
func appendParam(dst []byte, oid uint32, format byte, raw []byte) ([]byte, bool) {
	switch element := elementOf(oid); {
	case element != 0 && format == 1:
		return appendArray(dst, element, raw)
	case format == 0 && len(raw) > maxValue && len(raw) <= maxArray && (element != 0 || oid == 0) && raw[0] == '{':
		return append(dst, raw...), true
	}
	return appendValue(dst, oid, format, raw)
}
