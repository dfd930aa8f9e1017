package event

// Identity says who the peer of a TLS connection is, from this moment on. It comes once per connection when its handshake is first
// seen complete, and again whenever the peer certificate or the verification changed. A connection without a peer certificate
// has an Identity with a nil Certificate.
type Identity struct {
	Header
	Conn         ConnID       `json:"conn"`
	Role         Role         `json:"role"` // of the traced process; only a server's peer is a request's identity
	Certificate  *Certificate `json:"certificate,omitempty"`
	VerifyResult int64        `json:"verify_result"` // X509_V_OK (0) or X509_V_ERR_*, openssl/x509_vfy.h
	VerifyMode   int          `json:"verify_mode"`   // bits SSL_VERIFY_PEER 1, FAIL_IF_NO_PEER_CERT 2, CLIENT_ONCE 4, POST_HANDSHAKE 8
	Version      string       `json:"version"`       // "1.2", "1.3", or "" when unknown
	Source       string       `json:"source"`        // "ssl": read from the SSL object; "d2i": from d2i_X509; "unreadable": offsets unknown
	Error        string       `json:"error,omitempty"`
}

// Verified tells whether the library verified the peer's certificate: we are the server, a certificate is there, the verify result is
// X509_V_OK and the mode asks for a peer certificate.
func (i *Identity) Verified() bool {
	return i.Role == RoleServer && i.Certificate != nil && i.VerifyResult == 0 && i.VerifyMode&1 != 0
}

// Certificate is a parsed X.509 certificate (RFC 5280), reduced to what identifies it.
type Certificate struct {
	SHA256    string      `json:"sha256"` // lower-case hex over the DER of the whole certificate
	Serial    string      `json:"serial"` // lower-case hex, no leading zeros, no separators
	Subject   []Attribute `json:"subject"`
	Issuer    []Attribute `json:"issuer"`
	NotBefore int64       `json:"not_before"` // nanoseconds since the Unix epoch
	NotAfter  int64       `json:"not_after"`  // nanoseconds since the Unix epoch; valid until this moment, inclusive
	URIs      []string    `json:"uris,omitempty"`
	DNSNames  []string    `json:"dns_names,omitempty"`
	Emails    []string    `json:"emails,omitempty"`
}

// Attribute is one AttributeTypeAndValue of a distinguished name, in the order of the DER.
type Attribute struct {
	Type  string `json:"type"`  // RFC 4514 short name ("CN", "O", "OU", …), else the dotted OID
	Value string `json:"value"` // decoded to UTF-8; may contain any character, NUL included
}
