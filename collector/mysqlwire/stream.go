package mysqlwire

const (
	headerSize = 4         // a packet's length in three bytes, and its number in its exchange
	maxPayload = 1<<24 - 1 // bytes of a packet; one that is full is continued by the next
)

// stream frames one direction: a message is one packet, or several of which all but the last are full. No more than keep bytes of it are kept.
type stream struct {
	head  [headerSize]byte
	have  int  // bytes of head read
	open  bool // a message has begun and is not complete
	begun bool // its first byte was seen
	more  bool // another packet follows the one being read
	seq   byte // of the last packet
	size  int  // bytes of the message's first packet
	left  int  // bytes of the packet to come
	keep  int
	kind  byte // first byte of the message
	buf   []byte
	cut   bool // bytes that were to be kept are missing, after buf or at the end
}

// header reads a header, or as much of it as there is, and returns the rest of data. complete: a packet begins; first: so does a message.
func (st *stream) header(data []byte) (rest []byte, complete, first bool) {
	n := headerSize
	if st.have == 0 && len(data) >= headerSize {
		st.head = [headerSize]byte(data)
	} else {
		n = copy(st.head[st.have:], data)
	}
	st.have += n
	if st.have < headerSize {
		return data[n:], false, false
	}
	st.have = 0
	size := int(st.head[0]) | int(st.head[1])<<8 | int(st.head[2])<<16
	st.left, st.more, st.seq = size, size == maxPayload, st.head[3]
	if first = !st.open; first {
		st.open, st.begun, st.cut, st.size, st.kind, st.keep = true, false, false, size, 0, 0
	}
	return data[n:], true, first
}

// due tells whether a header comes next.
func (st *stream) due() bool { return st.left == 0 }

// begin says how much is kept of the message whose first byte is at hand.
func (st *stream) begin(kind byte, keep int) { st.begun, st.kind, st.keep = true, kind, keep }

// take reads bytes of the message and returns the rest of data. When it is complete, body are its kept bytes, valid until the next call.
func (st *stream) take(data []byte) (body, rest []byte, complete bool) {
	n := min(st.left, len(data))
	part, rest := data[:n], data[n:]
	st.left -= n
	complete = st.left == 0 && !st.more
	if complete && len(st.buf) == 0 && !st.cut {
		if n > st.keep {
			part, st.cut = part[:st.keep], true
		}
		return part, rest, true
	}
	if !st.cut {
		if room := st.keep - len(st.buf); n > room {
			part, st.cut = part[:room], true
		}
		st.buf = append(st.buf, part...)
	}
	return st.buf, rest, complete
}

// skip passes over bytes that were not captured; n is at most left.
func (st *stream) skip(n int) (body []byte, complete bool) {
	st.left -= n
	st.cut = true
	return st.buf, st.left == 0 && !st.more
}

// end closes the message. A large buffer is not kept for the next one.
func (st *stream) end() {
	st.open = false
	if cap(st.buf) > 1024 {
		st.buf = nil
	}
	st.buf = st.buf[:0]
}

// drop forgets the message being read, and wipes what is kept of it.
func (st *stream) drop() {
	clear(st.buf)
	*st = stream{}
}
