// Package crl reads certificate revocation lists (RFC 5280, section 5) of any size into a form that is small and fast to search: 25 bytes for each
// revoked certificate, sorted by serial number. Serial numbers are kept whole, so that no certificate can be taken for another.
package crl

import (
	"bytes"
	"encoding/hex"
	"math/big"
	"slices"
	"strings"
	"time"
)

// Entry is what a list says of a certificate.
type Entry struct {
	Since  time.Time // when the issuer revoked it
	Reason string    // CRLReason (RFC 5280, section 5.3.1), such as "keyCompromise"; "" if the list gives none
}

// List is one revocation list.
type List struct {
	Issuer     string    // as IssuerKey gives it
	Name       string    // the issuer for people, as in RFC 4514
	ThisUpdate time.Time // when it was issued
	NextUpdate time.Time // when the next one is due; zero: not said
	Verified   bool      // the signature was checked

	scope   string // its issuingDistributionPoint: which part of the issuer's certificates it is about
	records []record
	odd     map[string]record // by hex; serial numbers that are negative or longer than maxSerial
}

// maxSerial is the longest serial number that RFC 5280 allows, in bytes.
const maxSerial = 20

// record is the serial number (big-endian, zeros in front), the moment in seconds since the Unix epoch, and the reason.
type record [maxSerial + 5]byte

func compareSerials(a, b record) int { return bytes.Compare(a[:maxSerial], b[:maxSerial]) }

// noReason stands for an entry without a reason.
const noReason = 0xff

// removeFromCRL is the reason that takes a certificate off a list.
const removeFromCRL = 8

var reasons = [...]string{
	"unspecified", "keyCompromise", "cACompromise", "affiliationChanged", "superseded", "cessationOfOperation", "certificateHold", "", "removeFromCRL",
	"privilegeWithdrawn", "aACompromise",
}

func newRecord(at time.Time, reason byte) (r record) {
	seconds := uint32(min(max(at.Unix(), 0), 1<<32-1))
	r[maxSerial], r[maxSerial+1], r[maxSerial+2], r[maxSerial+3] = byte(seconds>>24), byte(seconds>>16), byte(seconds>>8), byte(seconds)
	r[maxSerial+4] = reason
	return r
}

func (r record) entry() Entry {
	b := r[maxSerial:]
	e := Entry{Since: time.Unix(int64(b[0])<<24|int64(b[1])<<16|int64(b[2])<<8|int64(b[3]), 0).UTC()}
	if int(b[4]) < len(reasons) {
		e.Reason = reasons[b[4]]
	}
	return e
}

// Len is the number of entries.
func (l *List) Len() int { return len(l.records) + len(l.odd) }

// Find looks up a certificate by its serial number, in lower-case hex without leading zeros.
func (l *List) Find(serial string) (Entry, bool) {
	if len(serial) > 2*maxSerial || strings.HasPrefix(serial, "-") {
		r, ok := l.odd[serial]
		return r.entry(), ok
	}
	var want record
	if len(serial)%2 != 0 {
		serial = "0" + serial
	}
	if serial == "" {
		return Entry{}, false
	}
	if _, err := hex.Decode(want[maxSerial-len(serial)/2:], []byte(serial)); err != nil {
		return Entry{}, false
	}
	i, ok := slices.BinarySearchFunc(l.records, want, compareSerials)
	if !ok {
		return Entry{}, false
	}
	return l.records[i].entry(), true
}

// Stale tells whether a list is older than its issuer or its user wants it; maxAge 0: no limit.
func (l *List) Stale(now time.Time, maxAge time.Duration) bool {
	return !l.NextUpdate.IsZero() && now.After(l.NextUpdate) || maxAge > 0 && now.Sub(l.ThisUpdate) > maxAge
}

// oddSerial is the hex of an INTEGER's content.
func oddSerial(content []byte) string {
	n := new(big.Int).SetBytes(content)
	if content[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(content))))
	}
	return n.Text(16)
}
