package policy

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// parseDN reads a distinguished name as RFC 4514 writes it, and so OpenSSL's "-nameopt rfc2253" and a verdict's certificate.issuer: the last
// attribute first. The result is in the order of the certificate.
func parseDN(text string) ([]Attribute, error) {
	rest := strings.TrimLeft(text, " ") // a space at the end may be escaped
	if rest == "" {
		return nil, errors.New("is empty (write it as: openssl x509 -noout -issuer -nameopt rfc2253)")
	}
	var out []Attribute
	for {
		name, value, ok := strings.Cut(rest, "=")
		oid := attributeOID(strings.TrimSpace(name))
		if !ok || oid == "" {
			return nil, fmt.Errorf("has no attribute at %s (write it as: openssl x509 -noout -issuer -nameopt rfc2253)", shorten(rest))
		}
		read, n, err := dnValue(value)
		if err != nil {
			return nil, err
		}
		out = append(out, Attribute{Type: oid, Value: read})
		if n == len(value) {
			break
		}
		rest = value[n+1:]
	}
	slices.Reverse(out)
	return out, nil
}

// dnValue reads one value up to a "," or "+", or to the end, which is at n.
func dnValue(in string) (value string, n int, err error) {
	var b []byte
	kept := 0 // up to here white space is escaped, and belongs to the value
	for n < len(in) && in[n] != ',' && in[n] != '+' {
		c := in[n]
		switch {
		case strings.IndexByte(`";<>`, c) >= 0:
			return "", 0, fmt.Errorf(`has a bare %q (write \%c)`, c, c)
		case c != '\\':
			if c != ' ' || len(b) > 0 {
				b = append(b, c)
			}
			n++
			continue
		}
		switch {
		case n+1 < len(in) && strings.IndexByte(` "#+,;<=>\`, in[n+1]) >= 0:
			b = append(b, in[n+1])
			n += 2
		case n+2 < len(in) && hexDigit(in[n+1]) >= 0 && hexDigit(in[n+2]) >= 0:
			b = append(b, byte(hexDigit(in[n+1])<<4|hexDigit(in[n+2])))
			n += 3
		default:
			return "", 0, errors.New(`has a bare \ (write \\)`)
		}
		kept = len(b)
	}
	for len(b) > kept && b[len(b)-1] == ' ' {
		b = b[:len(b)-1]
	}
	if !utf8.Valid(b) {
		return "", 0, errors.New("is not UTF-8")
	}
	return string(b), n, nil
}

// canonicalDN writes a name so that two are equal if RFC 5280, section 7.1, compares them as equal: case and runs of spaces do not matter.
func canonicalDN(name []Attribute) string {
	var b strings.Builder
	for i := range name {
		oid := attributeOID(name[i].Type)
		if oid == "" {
			oid = name[i].Type
		}
		b.WriteString(oid)
		b.WriteByte('=')
		b.WriteString(strconv.Quote(foldText(strings.Join(strings.Fields(name[i].Value), " "))))
	}
	return b.String()
}
