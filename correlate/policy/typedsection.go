package policy

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// attributes reads the conditions of sources whose values have types: { OU: "tenant-{tenant}" }.
func (d *decoder) attributes(n *yaml.Node, source source, name, path string) (out []matcher) {
	if n.Kind != yaml.MappingNode {
		d.fail(n, "%s is %s (write %s)", path, describe(n), example(source))
		return nil
	}
	if len(n.Content) == 0 {
		d.fail(n, "%s is empty (write %s)", path, example(source))
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		m, sep, ok := d.typed(key, source, path)
		if !ok {
			continue
		}
		m.label = name + "." + key.Value
		if slices.ContainsFunc(out, func(o matcher) bool { return o.oid == m.oid && o.index == m.index }) {
			d.fail(key, "attribute %q stands twice in %s (keep one)", key.Value, path)
			continue
		}
		if !d.count(key) {
			break
		}
		at := path + "." + key.Value
		if text, ok := d.text(value, at); ok {
			if m.pattern, ok = d.pattern(word{text, value, at}, sep, true); ok {
				out = append(out, m)
			}
		}
	}
	return out
}

func example(source source) string {
	switch source {
	case sourceOther:
		return `types: { UPN: "*@{tenant}" }`
	case sourceExtension:
		return `object identifiers: { 1.3.6.1.4.1.99999.1: "{tenant}" }`
	}
	return `attributes: { OU: "tenant-{tenant}" }`
}

// typed reads the name of an attribute, perhaps with an index, of a type of otherName, or of an extension.
func (d *decoder) typed(key *yaml.Node, source source, path string) (m matcher, sep byte, ok bool) {
	m = matcher{source: source, index: anyIndex}
	if key.Kind != yaml.ScalarNode {
		d.fail(key, "a key in %s is %s (write %s)", path, describe(key), example(source))
		return m, 0, false
	}
	switch name := key.Value; source {
	case sourceOther:
		var address bool
		if m.oid, address = otherNameOID(name); m.oid == "" {
			d.fail(key, "unknown type %s in %s (write UPN, XmppAddr, SmtpUTF8Mailbox, or a dotted OID)", shorten(name), path)
		}
		if address {
			sep = '@'
		}
	case sourceExtension:
		m.oid = attributeOID(name)
		switch {
		case m.oid == "" || m.oid != name && !strings.HasPrefix(m.oid, "2.5.4."):
			d.fail(key, "unknown extension %s in %s (write a dotted OID)", shorten(name), path)
			m.oid = ""
		case strings.HasPrefix(m.oid, "2.5.4."):
			d.fail(key, "%s: %s is an attribute of a name, no extension (write subject: { %q: … })", path, shorten(name), name)
			m.oid = ""
		case strings.HasPrefix(m.oid, "2.5.29."), strings.HasPrefix(m.oid, "1.3.6.1.5.5.7.1."):
			d.fail(key, "%s: %s is an extension of X.509 itself, no private one (write san_uri, san_dns, issuer or the like)", path, shorten(name))
			m.oid = ""
		}
	default:
		bare, index, indexed := strings.Cut(name, "[")
		if indexed {
			n, err := strconv.ParseUint(strings.TrimSuffix(index, "]"), 10, 8)
			if err != nil || !strings.HasSuffix(index, "]") {
				d.fail(key, `attribute %s in %s has no index (write "OU[0]" for the first one, up to 255)`, shorten(name), path)
				return m, 0, false
			}
			m.index = int(n)
		}
		if m.oid = attributeOID(bare); m.oid == "" {
			d.fail(key, "unknown attribute %s in %s (write CN, O, OU, another short name of RFC 4514, or a dotted OID)", shorten(name), path)
		}
	}
	return m, sep, m.oid != ""
}

// exact reads a serial number, fingerprint or address, a list of them, or {tenant}.
func (d *decoder) exact(n *yaml.Node, source source, name, path string) (m matcher, ok bool) {
	m = matcher{source: source, label: name}
	if n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
		d.fail(n, "%s is an empty list (remove the key or give it a value)", path)
		return m, false
	}
	before := len(d.problems)
	for _, w := range d.words(n, path) {
		if w.text == placeholder {
			if n.Kind == yaml.SequenceNode {
				d.fail(w.node, "%s is %s inside a list (write %s: %q)", w.path, placeholder, name, placeholder)
				continue
			}
			m.pattern, ok = d.pattern(w, 0, true)
			return m, ok
		}
		text, remedy := exactValue(source, w.text)
		if remedy != "" {
			d.fail(w.node, "%s is %s (%s)", w.path, shorten(w.text), remedy)
			continue
		}
		if n.Kind != yaml.SequenceNode {
			m.pattern, ok = d.pattern(word{text, w.node, w.path}, 0, true)
			return m, ok
		}
		m.exact = append(m.exact, text)
	}
	slices.Sort(m.exact)
	m.exact = slices.Compact(m.exact)
	return m, len(d.problems) == before && len(m.exact) > 0
}

// exactValue brings a serial number, fingerprint or address into the form of Certificate, or says what to write instead.
func exactValue(source source, text string) (value, remedy string) {
	if source == sourceIP {
		ip, err := netip.ParseAddr(text)
		if err != nil || ip.Zone() != "" {
			return "", "write an IPv4 or IPv6 address"
		}
		return ip.String(), ""
	}
	digits := strings.ToLower(strings.ReplaceAll(text, ":", ""))
	sign := ""
	if source == sourceSerial {
		if strings.HasPrefix(digits, "-") { // which RFC 5280 forbids and some issuers use
			sign, digits = "-", digits[1:]
		}
		if trimmed := strings.TrimLeft(digits, "0"); trimmed != "" || digits == "" {
			digits = trimmed
		} else {
			sign, digits = "", "0"
		}
	}
	wrong := digits == "" || strings.ContainsFunc(digits, func(r rune) bool { return r > 'f' || hexDigit(byte(r)) < 0 })
	switch {
	case source == sourceSHA256 && (wrong || len(digits) != 64):
		return "", "write the 64 hex digits of: openssl x509 -noout -fingerprint -sha256"
	case wrong || len(digits) > 64:
		return "", "write the hex digits of: openssl x509 -noout -serial"
	}
	return sign + digits, ""
}
