package identity

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"time"

	"tenantrace/collector/event"
)

// walker reads a TBSCertificate as far as it can.
type walker struct {
	cert    *event.Certificate
	version byte // as encoded: 0 is version 1
}

func (w *walker) malformed(part event.Part) { w.cert.Malformed = add(w.cert.Malformed, part) }

func (w *walker) unreadable(parts ...event.Part) {
	for _, part := range parts {
		w.cert.Unreadable = add(w.cert.Unreadable, part)
	}
}

func add(parts []event.Part, part event.Part) []event.Part {
	if slices.Contains(parts, part) {
		return parts
	}
	return append(parts, part)
}

// walk reads the content of a TBSCertificate. Where its structure breaks, that part and all behind it are unreadable.
func walk(in []byte) *event.Certificate {
	// A period that cannot be read claims no end: nobody is accused by it.
	w := walker{cert: &event.Certificate{NotBefore: math.MinInt64, NotAfter: math.MaxInt64}}
	w.readVersion(in)
	parts := [...]event.Part{event.PartSerial, event.PartIssuer, event.PartValidity, event.PartSubject, event.PartExtensions, event.PartAlternativeNames}
	serial, _, in, err := front(in)
	if serial.tag == 0 {
		w.unreadable(parts[:]...)
		return w.cert
	}
	w.cert.Serial = serialHex(serial.body)
	if b := serial.body; len(b) == 0 || b[0]&0x80 != 0 || len(b) > 1 && b[0] == 0 && b[1]&0x80 == 0 {
		w.malformed(event.PartSerial)
	}
	if err != nil {
		w.unreadable(parts[1:]...)
		return w.cert
	}
	var e element
	for i, part := range parts[1:4] {
		if e, in, err = expect(in, tagSequence, string(part)); err != nil {
			w.unreadable(parts[i+1:]...)
			return w.cert
		}
		switch part {
		case event.PartIssuer:
			w.cert.Issuer = w.name(e.body, part)
		case event.PartValidity:
			w.validity(e.body)
		case event.PartSubject:
			w.cert.Subject = w.name(e.body, part)
		}
	}
	w.rest(in)
	return w.cert
}

func (w *walker) readVersion(in []byte) {
	if len(in) == 0 || in[0] != tagVersion {
		return
	}
	e, _, err := next(in)
	if err == nil {
		e, _, err = expect(e.body, tagInteger, "version")
	}
	if err != nil || len(e.body) != 1 || e.body[0] > 2 {
		w.malformed(event.PartVersion)
	} else {
		w.version = e.body[0]
	}
}

func (w *walker) name(in []byte, part event.Part) []event.Attribute {
	out, clean, err := name(in)
	if err != nil {
		w.unreadable(part)
	} else if !clean {
		w.malformed(part)
	}
	return out
}

func (w *walker) validity(in []byte) {
	from, to, err := period(in)
	if err != nil {
		w.unreadable(event.PartValidity)
		return
	}
	w.cert.NotBefore, w.cert.NotAfter = from, to
}

// rest reads what follows the subject: subjectPublicKeyInfo, unique identifiers, extensions.
func (w *walker) rest(in []byte) {
	seen := false
	for len(in) > 0 {
		e, rest, err := next(in)
		if err != nil || e.tag == tagExtensions && seen {
			w.noExtensions()
			return
		}
		in = rest
		if e.tag == tagExtensions {
			seen = true
			if w.version != 2 { // OpenSSL reads them all the same
				w.malformed(event.PartVersion)
			}
			w.extensions(e.body)
		}
	}
}

// serialHex gives a DER INTEGER in lower-case hex without leading zeros; a negative one, which RFC 5280 forbids and some issuers use, with a
// leading minus.
func serialHex(body []byte) string {
	n := new(big.Int).SetBytes(body)
	if len(body) > 0 && body[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(len(body))*8))
	}
	return n.Text(16)
}

// period reads a Validity: nanoseconds since the Unix epoch. Moments that int64 cannot hold (years before 1678 and after 2261, such as RFC
// 5280's 99991231235959Z for "no end") become the nearest that it can.
func period(in []byte) (notBefore, notAfter int64, err error) {
	if notBefore, in, err = moment(in); err != nil {
		return 0, 0, fmt.Errorf("notBefore: %w", err)
	}
	if notAfter, _, err = moment(in); err != nil {
		return notBefore, 0, fmt.Errorf("notAfter: %w", err)
	}
	return notBefore, notAfter, nil
}

func moment(in []byte) (int64, []byte, error) {
	e, rest, err := next(in)
	if err != nil {
		return 0, nil, err
	}
	var t time.Time
	switch e.tag {
	case tagUTCTime:
		t, err = parseTime(string(e.body), "060102150405Z0700", "0601021504Z0700")
		// RFC 5280, section 4.1.2.5.1: 50 to 99 are of the twentieth century; Go's pivot is 69.
		if err == nil && t.Year() >= 2050 {
			t = t.AddDate(-100, 0, 0)
		}
	case tagGeneralizedTime:
		t, err = parseTime(string(e.body), "20060102150405Z0700")
	default:
		return 0, rest, fmt.Errorf("tag %#x is not a time", e.tag)
	}
	if err != nil {
		return 0, rest, err
	}
	switch seconds := t.Unix(); {
	case seconds > math.MaxInt64/int64(time.Second)-1:
		return math.MaxInt64, rest, nil
	case seconds < math.MinInt64/int64(time.Second)+1:
		return math.MinInt64, rest, nil
	}
	return t.UnixNano(), rest, nil
}

func parseTime(text string, layouts ...string) (t time.Time, err error) {
	for _, layout := range layouts {
		if t, err = time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return t, err
}
