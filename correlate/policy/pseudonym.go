package policy

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// Lengths of what Pseudonyms writes, in hex digits.
const (
	keyIDDigits     = 8
	pseudonymDigits = 32
)

// What a digest is for: the same text never gives the same digest for two of them.
const (
	forKeyID byte = iota
	forName
	forFinding
)

// Pseudonyms writes names as keyed digests (HMAC-SHA-256, RFC 2104): equal names give equal pseudonyms under one key, and without the key a
// pseudonym cannot be told from that of any other name. It is immutable and safe for concurrent use.
type Pseudonyms struct {
	secret []byte
	id     string
	words  []pattern // segments of paths that may stand as they are
}

func newPseudonyms(secret []byte) *Pseudonyms {
	s := &Pseudonyms{secret: secret}
	s.id = s.digest(forKeyID, "")[:keyIDDigits]
	return s
}

// Format writes the id of the key for every verb, so that no message can show the key.
func (s Pseudonyms) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "key %s", s.id) }

// KeyID names the key: 8 hex digits that tell nothing of it.
func (s *Pseudonyms) KeyID() string { return s.id }

// Of returns the pseudonym of a name, "hmac:", the key's id, ":" and 32 hex digits; "" of "". Names that compare as equal (see Normalize) have the same.
func (s *Pseudonyms) Of(name string) string {
	if name = Normalize(name); name == "" {
		return ""
	}
	return "hmac:" + s.id + ":" + s.digest(forName, name)[:pseudonymDigits]
}

// Finding returns the digest of what identifies a finding, 64 hex digits.
func (s *Pseudonyms) Finding(key string) string { return s.digest(forFinding, key) }

func (s *Pseudonyms) digest(what byte, text string) string {
	mac := hmac.New(sha256.New, s.secret)
	mac.Write([]byte{what})
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil))
}

// SameKey tells whether two are of one key; nil is of none.
func (s *Pseudonyms) SameKey(o *Pseudonyms) bool {
	if s == nil || o == nil {
		return s == o
	}
	return hmac.Equal(s.secret, o.secret)
}
