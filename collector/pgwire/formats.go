package pgwire

// maxCodes is the most format codes that are kept: a result has at most 1664 columns (MaxTupleAttributeNumber).
const maxCodes = 1664

// unreadable is the format of values that cannot be read, beyond the protocol's 0 (text) and 1 (binary).
const unreadable = 2

// formats are the format codes of a Bind, for its values or for its result.
type formats struct {
	all   byte     // the format of every value if mixed is nil
	mixed []uint64 // a bit for each value: 1 binary
	n     int      // values that mixed covers
}

// at gives the i-th format.
func (f *formats) at(i int) byte {
	switch {
	case f.mixed == nil:
		return f.all
	case i < f.n:
		return byte(f.mixed[i/64] >> (i % 64) & 1)
	}
	return unreadable
}

// readFormats reads a count and as many format codes. No code stands for text throughout, one code for all values. Where all are the same,
// the usual case, the result takes no memory.
func readFormats(c *cursor) formats {
	n := int(c.uint16())
	codes := c.next(2 * n)
	if c.bad {
		return formats{all: unreadable}
	}
	if n == 0 {
		return formats{}
	}
	same := true
	for i := 0; i < len(codes); i += 2 {
		if codes[i] != 0 || codes[i+1] > 1 {
			return formats{all: unreadable}
		}
		same = same && codes[i+1] == codes[1]
	}
	if same {
		return formats{all: codes[1]}
	}
	if n > maxCodes {
		return formats{all: unreadable}
	}
	f := formats{mixed: make([]uint64, (n+63)/64), n: n}
	for i := range n {
		f.mixed[i/64] |= uint64(codes[2*i+1]) << (i % 64)
	}
	return f
}
