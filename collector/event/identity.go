package event

// Identity says who the peer of a TLS connection is, from this moment on. It comes once per connection when its handshake is first
// seen complete, and again whenever the peer certificate or the verification changed. A connection without a peer certificate
// has an Identity with a nil Certificate.
type Identity struct {
	Header
	Conn         ConnID       `json:"conn"`
	Role         Role         `json:"role"` // of the traced process; only a server's peer is a request's identity
	Certificate  *Certificate `json:"certificate,omitempty"`
	VerifyResult int64        `json:"verify_result"` // X509_V_OK (0) or X509_V_ERR_*, openssl/x509_vfy.h; OK only if the session's is too
	VerifyMode   int          `json:"verify_mode"`   // bits SSL_VERIFY_PEER 1, FAIL_IF_NO_PEER_CERT 2, CLIENT_ONCE 4, POST_HANDSHAKE 8
	Version      string       `json:"version"`       // "1.2", "1.3", or "" when unknown
	Source       string       `json:"source"`        // "ssl": read from the SSL object; "d2i": from d2i_X509; "unreadable": offsets unknown
	Error        string       `json:"error,omitempty"`

	// Of the session (RFC 8446, section 2.2; RFC 5246, section 7.3). What is not known is zero, so that only a true value says something.
	Resumed     bool   `json:"resumed,omitempty"`      // the handshake resumed a session, in whose own handshake the certificate was shown
	ServerName  string `json:"server_name,omitempty"`  // server_name of this connection's ClientHello (RFC 6066, section 3); a server of TLS 1.2 that resumes keeps none
	SessionName string `json:"session_name,omitempty"` // that of the handshake that made the resumed session
	SessionTime int64  `json:"session_time,omitempty"` // when the resumed session, or in TLS 1.3 its ticket, was made, nanoseconds since the Unix epoch;
	// a server of TLS 1.3 overwrites it when its handshake is over, so that it is known where that had to wait for the client
}

// Verified tells whether the library verified the peer's certificate: we are the server, a certificate is there, the verify result is
// X509_V_OK and the mode asks for a peer certificate, or the session was resumed: it keeps the result of the handshake that made it, which asked.
func (i *Identity) Verified() bool {
	return i.Role == RoleServer && i.Certificate != nil && i.VerifyResult == 0 && (i.VerifyMode&1 != 0 || i.Resumed)
}

// Certificate is a parsed X.509 certificate (RFC 5280), reduced to what identifies it.
type Certificate struct {
	SHA256     string      `json:"sha256"` // lower-case hex over the DER of the whole certificate; "" when its signature is not known
	Serial     string      `json:"serial"` // lower-case hex, no leading zeros, no separators
	Subject    []Attribute `json:"subject"`
	Issuer     []Attribute `json:"issuer"`
	NotBefore  int64       `json:"not_before"` // nanoseconds since the Unix epoch
	NotAfter   int64       `json:"not_after"`  // nanoseconds since the Unix epoch; valid until this moment, inclusive
	URIs       []string    `json:"uris,omitempty"`
	DNSNames   []string    `json:"dns_names,omitempty"`
	Emails     []string    `json:"emails,omitempty"`
	IPs        []string    `json:"ips,omitempty"` // as net/netip prints them
	OtherNames []Typed     `json:"other_names,omitempty"`
	Extensions []Typed     `json:"extensions,omitempty"` // private ones: those of RFC 5280 and its relatives are left out
	Malformed  []Part      `json:"malformed,omitempty"`  // parts that are not as RFC 5280 wants them, and were read all the same
	Unreadable []Part      `json:"unreadable,omitempty"` // parts that could not be read whole: nothing of them is above
}

// Typed is a value whose type is a dotted OID. An empty Value means that the value is no text and no UUID, or is too long.
type Typed struct {
	OID   string `json:"oid"`
	Value string `json:"value"`
}

// Part is a part of a certificate of which something is to be said.
type Part string

// The parts of a certificate, as Certificate names them.
const (
	PartVersion          Part = "version" // a number that does not exist, or extensions in a certificate of an older one
	PartSerial           Part = "serial"
	PartSignature        Part = "signature" // its algorithm
	PartIssuer           Part = "issuer"
	PartValidity         Part = "validity"
	PartSubject          Part = "subject"
	PartExtensions       Part = "extensions"
	PartAlternativeNames Part = "subject_alt_name"
	PartEncoding         Part = "encoding" // not DER, or bytes behind the end
	PartOther            Part = "other"    // refused by crypto/x509 for none of these reasons, such as an unknown curve
)

// Attribute is one AttributeTypeAndValue of a distinguished name, in the order of the DER.
type Attribute struct {
	Type  string `json:"type"`  // RFC 4514 short name ("CN", "O", "OU", …), else the dotted OID
	Value string `json:"value"` // decoded to UTF-8; may contain any character, NUL included; U+FFFD for what could not be decoded
}
