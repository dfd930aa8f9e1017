package pgwire

// maxMessage is the most that a length field may say: the server refuses messages of 1 GiB and over.
const maxMessage = 1 << 30

// frontendType tells whether b is the type of a client's message.
func frontendType(b byte) bool {
	switch b {
	case 'Q', 'P', 'B', 'D', 'E', 'C', 'S', 'H', 'F', 'd', 'c', 'f', 'X', 'p':
		return true
	}
	return false
}

// frontendPlausible tells whether a client's message of this type can have this length (of the length field and the body).
func frontendPlausible(kind byte, size int) bool {
	switch kind {
	case 'S', 'H', 'c', 'X': // Sync, Flush, CopyDone, Terminate
		return size == 4
	case 'Q', 'f': // Query, CopyFail: a string
		return size >= 5 && size < maxMessage
	case 'P': // Parse: two strings and a count
		return size >= 8 && size < maxMessage
	case 'B': // Bind: two strings and three counts
		return size >= 12 && size < maxMessage
	case 'D', 'C': // Describe, Close: what, and a string
		return size >= 6 && size < maxMessage
	case 'E': // Execute: a string and a row limit
		return size >= 9 && size < maxMessage
	case 'F': // FunctionCall
		return size >= 14 && size < maxMessage
	case 'd', 'p': // CopyData; password, GSS and SASL messages
		return size >= 4 && size < maxMessage
	}
	return false
}

// backendPlausible is frontendPlausible for the server's messages.
func backendPlausible(kind byte, size int) bool {
	switch kind {
	case 'Z': // ReadyForQuery
		return size == 5
	case '1', '2', '3', 'n', 'I', 's', 'c': // ParseComplete, BindComplete, CloseComplete, NoData, EmptyQueryResponse, PortalSuspended, CopyDone
		return size == 4
	case 'D', 'T', 't': // DataRow, RowDescription, ParameterDescription: a count
		return size >= 6 && size < maxMessage
	case 'C', 'E', 'N': // CommandComplete, ErrorResponse, NoticeResponse
		return size >= 5 && size < maxMessage
	case 'S': // ParameterStatus: two strings
		return size >= 6 && size < maxMessage
	case 'R', 'K', 'V', 'v': // Authentication, BackendKeyData, FunctionCallResponse, NegotiateProtocolVersion
		return size >= 8 && size < maxMessage
	case 'A': // NotificationResponse
		return size >= 10 && size < maxMessage
	case 'G', 'H', 'W': // CopyInResponse, CopyOutResponse, CopyBothResponse
		return size >= 7 && size < maxMessage
	case 'd': // CopyData
		return size >= 4 && size < maxMessage
	}
	return false
}
