package mysqlwire

// SniffGreeting tells whether b, the first bytes captured of what a server sends, begin with its greeting.
func SniffGreeting(b []byte) bool {
	if len(b) < headerSize+4 {
		return false
	}
	size := int(b[0]) | int(b[1])<<8 | int(b[2])<<16
	if size < greetingMin || size > greetingMax || b[3] != 0 || b[4] != protocolVersion {
		return false
	}
	for i, c := range b[5:] {
		if c == 0 {
			return i > 0
		}
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

// SniffLogin tells whether b, the first bytes of what a client sends over TLS, begin with a login: the second message of the client, which asked for TLS
// with the first.
func SniffLogin(b []byte) bool {
	const fixed = headerSize + 4 + 4 + 1 + 19
	if len(b) < fixed || b[3] != 2 || b[2] != 0 {
		return false
	}
	caps := capabilities(b[4]) | capabilities(b[5])<<8
	if caps&capProtocol41 == 0 || caps&capSSL == 0 {
		return false
	}
	for _, filler := range b[headerSize+9 : fixed] {
		if filler != 0 {
			return false
		}
	}
	return true
}

// SniffCommands tells whether b, the captured beginning of a write of length bytes, is a row of commands: on a connection that is older than its tracing.
func SniffCommands(b []byte, length int) bool { return commands(b, length) }
