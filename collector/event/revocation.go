package event

// Revocation says that the certificate of a connection's peer is on a revocation list, from this moment on, or is no more (Lifted). It follows the
// Identity of a certificate that is listed already, and comes by itself when a new list changes the answer.
type Revocation struct {
	Header
	Conn   ConnID `json:"conn"`
	Lifted bool   `json:"lifted,omitempty"`
	Since  int64  `json:"since,omitempty"`  // when the issuer revoked it, nanoseconds since the Unix epoch; 0 if Lifted
	Reason string `json:"reason,omitempty"` // CRLReason (RFC 5280, section 5.3.1); "" when the list gives none
}

// RevocationLists says which revocation lists are asked from this moment on. A recording without one was made without any.
type RevocationLists struct {
	Header
	Digest  string `json:"digest"`  // over the bytes of the files; "" without lists
	Lists   int    `json:"lists"`   // lists
	Entries int    `json:"entries"` // certificates on them
}
