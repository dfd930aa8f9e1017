package policy

import (
	"fmt"
	"slices"
	"strings"
)

// maxValue is the longest value of a certificate that is matched, in bytes.
const maxValue = 2048

// source is the part of a certificate that a matcher reads.
type source uint8

const (
	sourceURI source = iota
	sourceDNS
	sourceEmail
	sourceIP
	sourceOther
	sourceSubject
	sourceIssuer
	sourceExtension
	sourceSerial
	sourceSHA256
)

// attributeOIDs are the names of attribute types that policies may use: those of RFC 4514 section 3 and a few that client certificates carry.
var attributeOIDs = [...]struct{ name, oid string }{
	{"CN", "2.5.4.3"}, {"L", "2.5.4.7"}, {"ST", "2.5.4.8"}, {"O", "2.5.4.10"}, {"OU", "2.5.4.11"}, {"C", "2.5.4.6"}, {"STREET", "2.5.4.9"},
	{"DC", "0.9.2342.19200300.100.1.25"}, {"UID", "0.9.2342.19200300.100.1.1"},
	{"serialNumber", "2.5.4.5"}, {"organizationIdentifier", "2.5.4.97"}, {"emailAddress", "1.2.840.113549.1.9.1"},
}

// attributeOID returns the dotted OID of an attribute type's short name or OID; "" if it is neither.
func attributeOID(name string) string {
	for _, a := range &attributeOIDs {
		if name == a.oid || strings.EqualFold(name, a.name) {
			return a.oid
		}
	}
	dots := 0
	for i := range len(name) {
		switch c := name[i]; {
		case c == '.' && i > 0 && i < len(name)-1 && name[i-1] != '.':
			dots++
		case c < '0' || c > '9':
			return ""
		}
	}
	if dots == 0 {
		return ""
	}
	return name
}

// otherNameOIDs are the names of types of otherName that policies may use: Microsoft's user principal name, RFC 6120 section 13.7.1.4, RFC 8398.
var otherNameOIDs = [...]struct{ name, oid string }{
	{"UPN", "1.3.6.1.4.1.311.20.2.3"}, {"XmppAddr", "1.3.6.1.5.5.7.8.5"}, {"SmtpUTF8Mailbox", "1.3.6.1.5.5.7.8.9"},
}

// otherNameOID returns the dotted OID of a type of otherName; "" if it is none. address tells that its values have the form of an e-mail address.
func otherNameOID(name string) (oid string, address bool) {
	for _, o := range &otherNameOIDs {
		if name == o.oid || strings.EqualFold(name, o.name) {
			return o.oid, true
		}
	}
	if name == "" || name[0] < '0' || name[0] > '9' {
		return "", false
	}
	return attributeOID(name), false
}

// anyIndex is the index of a matcher that reads every attribute of its type.
const anyIndex = -1

// matcher is one condition on a certificate.
type matcher struct {
	source  source
	oid     string // of sourceSubject, sourceIssuer, sourceOther and sourceExtension
	index   int    // of sourceSubject and sourceIssuer: of the attribute among those of its type, or anyIndex
	label   string // as the policy calls the source: "subject.OU"
	pattern pattern
	exact   []string // if not nil, instead of the pattern
	spiffe  bool     // a URI template of scheme spiffe: the certificate must be a valid X.509-SVID as to its names
}

func (m *matcher) String() string {
	if m.exact != nil {
		return m.label + " one of " + quoted(m.exact)
	}
	return fmt.Sprintf("%s %q", m.label, m.pattern.text)
}

// value returns the i-th value of the matcher's source, or ok false after the last one.
func (m *matcher) value(c *Certificate, i int) (v string, ok bool) {
	switch m.source {
	case sourceURI:
		return at(c.URIs, i)
	case sourceDNS:
		v, ok = at(c.DNSNames, i)
		return strings.TrimSuffix(v, "."), ok
	case sourceEmail:
		return at(c.Emails, i)
	case sourceIP:
		return at(c.IPs, i)
	case sourceOther:
		return m.typed(c.OtherNames, i)
	case sourceExtension:
		return m.typed(c.Extensions, i)
	case sourceSubject:
		return m.attribute(c.Subject, i)
	case sourceIssuer:
		return m.attribute(c.Issuer, i)
	case sourceSerial:
		return c.Serial, i == 0 && c.Serial != ""
	case sourceSHA256:
		return c.SHA256, i == 0 && c.SHA256 != ""
	}
	return "", false
}

func at(values []string, i int) (string, bool) {
	if i < len(values) {
		return values[i], true
	}
	return "", false
}

func (m *matcher) attribute(name []Attribute, i int) (string, bool) {
	if m.index != anyIndex {
		if i > 0 {
			return "", false
		}
		i = m.index
	}
	for k := range name {
		if attributeOID(name[k].Type) != m.oid {
			continue
		}
		if i == 0 {
			return name[k].Value, true
		}
		i--
	}
	return "", false
}

func (m *matcher) typed(values []Typed, i int) (string, bool) {
	for k := range values {
		if values[k].OID != m.oid {
			continue
		}
		if i == 0 {
			return values[k].Value, true
		}
		i--
	}
	return "", false
}

// unreadable says why the values of the matcher's source are not known, or returns "".
func (m *matcher) unreadable(c *Certificate) string {
	part := "subject_alt_name"
	switch m.source {
	case sourceSubject:
		part = "subject"
	case sourceIssuer:
		part = "issuer"
	case sourceExtension:
		part = "extensions"
	case sourceSerial:
		part = "serial"
	case sourceSHA256:
		if c.SHA256 == "" {
			return "the SHA-256 of the certificate is not known"
		}
		return ""
	}
	if slices.Contains(c.Unreadable, part) {
		return "the certificate's " + part + " could not be read"
	}
	return ""
}

// refuses says why a URI that matches must not count, or returns "". An X.509-SVID has exactly one URI name, and that is a valid SPIFFE ID
// (SPIFFE X.509-SVID section 2).
func (m *matcher) refuses(c *Certificate) string {
	switch {
	case !m.spiffe:
	case len(c.URIs) > 1:
		return fmt.Sprintf("the certificate has %d URI names, a SPIFFE identity has exactly one", len(c.URIs))
	case !validSPIFFE(c.URIs[0]):
		return "the URI name is no valid SPIFFE ID"
	}
	return ""
}

// validSPIFFE checks the syntax of a SPIFFE ID (SPIFFE-ID section 2: lower-case trust domain, no encoding, query, port, empty or dot segment).
func validSPIFFE(id string) bool {
	const scheme = "spiffe://"
	if len(id) > maxValue || len(id) <= len(scheme) || !strings.EqualFold(id[:len(scheme)], scheme) {
		return false
	}
	domain, rest, _ := strings.Cut(id[len(scheme):], "/")
	if domain == "" || strings.ContainsFunc(domain, func(r rune) bool { return !idRune(r) || 'A' <= r && r <= 'Z' }) {
		return false
	}
	if len(domain)+len(scheme) == len(id) {
		return true
	}
	for segment := range strings.SplitSeq(rest, "/") {
		if segment == "" || segment == "." || segment == ".." || strings.ContainsFunc(segment, func(r rune) bool { return !idRune(r) }) {
			return false
		}
	}
	return true
}

func idRune(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '.' || r == '-' || r == '_'
}
