package identity

import (
	"net/netip"
	"strings"

	"tenantrace/collector/event"
)

const (
	oidSubjectAltName = "\x55\x1d\x11"                 // 2.5.29.17, RFC 5280, section 4.2.1.6
	prefixCE          = "\x55\x1d"                     // 2.5.29, the extensions of X.509
	prefixPE          = "\x2b\x06\x01\x05\x05\x07\x01" // 1.3.6.1.5.5.7.1, those of PKIX
)

// maxExtensions bounds the private extensions of one certificate that are kept.
const maxExtensions = 32

// noExtensions forgets what was read of the extensions.
func (w *walker) noExtensions() {
	w.cert.Extensions = nil
	w.noAlternativeNames()
	w.unreadable(event.PartExtensions)
}

func (w *walker) noAlternativeNames() {
	c := w.cert
	c.URIs, c.DNSNames, c.Emails, c.IPs, c.OtherNames = nil, nil, nil, nil, nil
	w.unreadable(event.PartAlternativeNames)
}

// extensions reads the content of TBSCertificate's [3]: the subject's alternative names and the private extensions.
func (w *walker) extensions(in []byte) {
	list, rest, err := expect(in, tagSequence, "list")
	if err != nil {
		w.noExtensions()
		return
	}
	if len(rest) > 0 {
		w.malformed(event.PartExtensions)
	}
	seen := map[string]bool{}
	for in = list.body; len(in) > 0; {
		var id string
		var value []byte
		if id, value, in, err = extension(in); err != nil {
			w.noExtensions()
			return
		}
		again := seen[id]
		seen[id] = true
		if again {
			w.malformed(event.PartExtensions)
		}
		switch {
		case id == oidSubjectAltName && again: // which of them an application reads is not known
			w.noAlternativeNames()
		case id == oidSubjectAltName:
			if err := w.alternativeNames(value); err != nil {
				w.noAlternativeNames()
			}
		case strings.HasPrefix(id, prefixCE), strings.HasPrefix(id, prefixPE):
		case len(w.cert.Extensions) == maxExtensions:
			w.unreadable(event.PartExtensions)
		default:
			w.cert.Extensions = append(w.cert.Extensions, event.Typed{OID: dotted([]byte(id)), Value: typed(value)})
		}
	}
}

// extension takes one extension off in.
func extension(in []byte) (id string, value, rest []byte, err error) {
	ext, rest, err := expect(in, tagSequence, "extension")
	if err != nil {
		return "", nil, rest, err
	}
	e, body, err := expect(ext.body, tagOID, "extension's id")
	if err != nil {
		return "", nil, rest, err
	}
	id = string(e.body)
	if len(body) > 0 && body[0] != tagOctetString { // critical
		if _, body, err = next(body); err != nil {
			return "", nil, rest, err
		}
	}
	e, _, err = expect(body, tagOctetString, "extension's value")
	return id, e.body, rest, err
}

// alternativeNames reads GeneralNames (RFC 5280, section 4.2.1.6). URIs stay as they are in the certificate: no normalisation.
func (w *walker) alternativeNames(in []byte) error {
	names, rest, err := expect(in, tagSequence, "subjectAltName")
	if err != nil {
		return err
	}
	if len(rest) > 0 || len(names.body) == 0 {
		w.malformed(event.PartAlternativeNames)
	}
	for in = names.body; len(in) > 0; {
		var e element
		if e, in, err = next(in); err != nil {
			return err
		}
		var list *[]string
		switch e.tag {
		case tagURIName:
			list = &w.cert.URIs
		case tagDNSName:
			list = &w.cert.DNSNames
		case tagEmailName:
			list = &w.cert.Emails
		case tagIPName:
			if ip, ok := netip.AddrFromSlice(e.body); ok {
				w.cert.IPs = append(w.cert.IPs, ip.String())
			} else {
				w.malformed(event.PartAlternativeNames)
			}
			continue
		case tagOtherName:
			if err := w.otherName(e.body); err != nil {
				return err
			}
			continue
		default:
			continue
		}
		s, clean := ia5(e.body)
		if !clean {
			w.malformed(event.PartAlternativeNames)
		}
		*list = append(*list, s)
	}
	return nil
}

// otherName reads the content of an otherName: an OID and a value in [0].
func (w *walker) otherName(in []byte) error {
	id, in, err := expect(in, tagOID, "otherName's type")
	if err != nil {
		return err
	}
	value, _, err := expect(in, tagOtherValue, "otherName's value")
	if err != nil {
		return err
	}
	w.cert.OtherNames = append(w.cert.OtherNames, event.Typed{OID: dotted(id.body), Value: typed(value.body)})
	return nil
}
