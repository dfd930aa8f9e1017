package identity

import (
	"fmt"
	"math"
	"math/big"
	"time"

	"tenantrace/collector/event"
)

// oidSubjectAltName is 2.5.29.17, encoded (RFC 5280, section 4.2.1.6).
const oidSubjectAltName = "\x55\x1d\x11"

// walk reads the content of a TBSCertificate as far as it can. The certificate is never nil; the error says where it stopped.
func walk(in []byte) (*event.Certificate, error) {
	cert := &event.Certificate{}
	serial, _, in, err := front(in)
	if serial.tag != 0 {
		cert.Serial = serialHex(serial.body)
	}
	if err != nil {
		return cert, err
	}
	issuer, in, err := expect(in, tagSequence, "issuer")
	if err != nil {
		return cert, err
	}
	var failed error
	note := func(what string, err error) {
		if err != nil && failed == nil {
			failed = fmt.Errorf("%s: %w", what, err)
		}
	}
	cert.Issuer, err = name(issuer.body)
	note("issuer", err)
	validity, in, err := expect(in, tagSequence, "validity")
	if err != nil {
		return cert, err
	}
	cert.NotBefore, cert.NotAfter, err = period(validity.body)
	note("validity", err)
	subject, in, err := expect(in, tagSequence, "subject")
	if err != nil {
		return cert, err
	}
	cert.Subject, err = name(subject.body)
	note("subject", err)
	for len(in) > 0 { // subjectPublicKeyInfo, unique identifiers, extensions
		var e element
		if e, in, err = next(in); err != nil {
			note("extensions", err)
			break
		}
		if e.tag == tagExtensions {
			note("extensions", extensions(cert, e.body))
		}
	}
	return cert, failed
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

// extensions reads the subject alternative names out of the content of TBSCertificate's [3].
func extensions(cert *event.Certificate, in []byte) error {
	list, _, err := expect(in, tagSequence, "list")
	if err != nil {
		return err
	}
	for in = list.body; len(in) > 0; {
		var ext, id, value element
		if ext, in, err = expect(in, tagSequence, "extension"); err != nil {
			return err
		}
		body := ext.body
		if id, body, err = expect(body, tagOID, "extension's id"); err != nil {
			return err
		}
		if string(id.body) != oidSubjectAltName {
			continue
		}
		if len(body) > 0 && body[0] != tagOctetString { // critical
			if _, body, err = next(body); err != nil {
				return err
			}
		}
		if value, _, err = expect(body, tagOctetString, "subjectAltName"); err != nil {
			return err
		}
		if err = alternativeNames(cert, value.body); err != nil {
			return err
		}
	}
	return nil
}

// alternativeNames reads GeneralNames (RFC 5280, section 4.2.1.6). URIs stay as they are in the certificate: no normalisation.
func alternativeNames(cert *event.Certificate, in []byte) error {
	names, _, err := expect(in, tagSequence, "subjectAltName")
	if err != nil {
		return err
	}
	for in = names.body; len(in) > 0; {
		var e element
		if e, in, err = next(in); err != nil {
			return fmt.Errorf("subjectAltName: %w", err)
		}
		switch e.tag { // each an IA5String
		case tagURIName:
			cert.URIs = append(cert.URIs, latin1(e.body))
		case tagDNSName:
			cert.DNSNames = append(cert.DNSNames, latin1(e.body))
		case tagEmailName:
			cert.Emails = append(cert.Emails, latin1(e.body))
		}
	}
	return nil
}
