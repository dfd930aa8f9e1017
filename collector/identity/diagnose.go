package identity

import (
	"bytes"
	"net/url"
	"strings"

	"tenantrace/collector/event"
)

// diagnose says what crypto/x509 may have refused and the walk took for right. after is what follows the TBSCertificate.
func diagnose(cert *event.Certificate, outer, tbs element, after []byte) {
	note := func(wrong bool, part event.Part) {
		if wrong {
			cert.Malformed = add(cert.Malformed, part)
		}
	}
	note(!distinguished(outer.raw, 0), event.PartEncoding)
	if _, inner, _, err := front(tbs.body); err == nil {
		sign, _, err := next(after)
		note(err != nil || !bytes.Equal(sign.raw, inner.raw), event.PartSignature)
	}
	for _, uri := range cert.URIs {
		u, err := url.Parse(uri)
		note(err != nil || u.Host != "" && !hostname(u.Hostname()), event.PartAlternativeNames)
	}
	for _, name := range cert.DNSNames {
		note(!hostname(strings.TrimPrefix(name, "*.")), event.PartAlternativeNames)
	}
	for _, part := range cert.Unreadable { // the private extensions beyond the limit are no fault
		note(part != event.PartExtensions || len(cert.Extensions) == 0, part)
	}
	note(len(cert.Malformed) == 0, event.PartOther)
}

// maxNesting bounds the depth to which an encoding is checked.
const maxNesting = 32

// distinguished tells whether lengths are as short as DER wants them. Primitive values, and what octet strings hold, are not looked into.
func distinguished(in []byte, depth int) bool {
	for len(in) > 0 {
		e, rest, err := next(in)
		if err != nil || len(appendElement(nil, e.tag, e.body)) != len(e.raw) {
			return false
		}
		if e.tag&0x20 != 0 && depth < maxNesting && !distinguished(e.body, depth+1) {
			return false
		}
		in = rest
	}
	return true
}

// hostname tells whether a name has the form of a host's (RFC 1123, section 2.1), underscores allowed.
func hostname(name string) bool {
	if strings.Contains(name, ":") { // an IPv6 address of a URI
		return true
	}
	for label := range strings.SplitSeq(strings.TrimSuffix(name, "."), ".") {
		if label == "" || len(label) > 63 || strings.ContainsFunc(label, func(r rune) bool {
			return r != '-' && r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
		}) {
			return false
		}
	}
	return true
}
