package event

// HTTPRequest is a request whose header section (RFC 9112, section 2.1) is complete. TID is the thread that read its last byte.
type HTTPRequest struct {
	Header
	Conn        ConnID      `json:"conn"`
	Read        uint64      `json:"read,omitempty"` // number of the read that brought its last byte, for Task; 0 where no tasks are followed
	Seq         uint64      `json:"seq"`            // 1, 2, … on its connection; 0 stands for all requests of a client whose bytes are not understood
	Version     string      `json:"version"`        // of HTTP; of requests that are not understood "2" or ""
	Method      string      `json:"method"`
	Path        string      `json:"path"` // path of the request target as sent, percent-encoded, without query
	Host        string      `json:"host,omitempty"`
	ID          string      `json:"id,omitempty"` // X-Request-ID
	Traceparent string      `json:"traceparent,omitempty"`
	Fields      []HTTPField `json:"fields,omitempty"`    // only the fields that the policy names, in the order received, duplicates kept
	Anomalies   []string    `json:"anomalies,omitempty"` // closed set: duplicate_field, obs_fold, space_before_colon, te_and_cl, bare_lf, header_too_large, header_cut
}

// HTTPField is one header field line.
type HTTPField struct {
	Name  string `json:"name"` // lower case
	Value string `json:"value"`
}

// HTTPResponse is the status line of the final response to a request (1xx are skipped).
type HTTPResponse struct {
	Header
	Conn   ConnID `json:"conn"`
	Seq    uint64 `json:"seq"` // of its request
	Status int    `json:"status"`
	ID     string `json:"id,omitempty"` // X-Request-ID of the response; "" if there is none, or several that differ
}

// HTTPResponseEnd is the last byte of a response, or the loss of it: Reason tells.
type HTTPResponseEnd struct {
	Header
	Conn   ConnID `json:"conn"`
	Seq    uint64 `json:"seq"`
	Bytes  uint64 `json:"bytes"`            // of the message body
	Reason string `json:"reason,omitempty"` // "" complete; "next" the next request or response began; "desync" framing was lost
}
