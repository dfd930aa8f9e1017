package policy

import (
	"net/netip"
	"strings"

	"go.yaml.in/yaml/v3"
)

// The values of Hop.From.
const (
	FromConnection = "connection"
	FromHeader     = "header"
	FromProxy      = "proxy_v2"
	FromFastCGI    = "fastcgi"
)

// Hop says where the identity of a request comes from.
type Hop struct {
	From    string
	Trusted []TrustedProxy // none for FromConnection
	Headers HopHeaders
	Require string // "cert_conn": the certificate must have been shown on the front connection itself; "" nothing
}

// TrustedProxy is a peer whose word about identities counts: a socket, a network, or a certificate.
type TrustedProxy struct {
	Unix    string       // path
	Network netip.Prefix // valid if it is a network
	cert    rule
}

// Certificate tells whether the proxy is known by a certificate, and c is one of its.
func (t *TrustedProxy) Certificate(c *Certificate) bool {
	return c != nil && len(t.cert.matchers) > 0 && t.cert.apply(c, true).matched
}

// HopHeaders are the request fields in which a proxy hands over the identity: names in lower case, "" for none.
type HopHeaders struct {
	Cert, Subject, Verify string
	XFCC                  string // which element of x-forwarded-client-cert counts: "first", "last"; "" the field is not read
}

var (
	hopHeaderKeys = keys{known: []string{"cert", "subject", "verify", "xfcc"}}
	proxyKeys     = keys{known: matcherNames}
)

// hop reads where the identity comes from.
func (d *decoder) hop(s *section, base Hop) Hop {
	h := base
	before := len(d.problems)
	h.From = d.choice(s, "from", base.From, FromConnection, FromHeader, FromProxy, FromFastCGI)
	if h.From == "" {
		h.From = FromConnection
	}
	if n := s.values["trusted_proxies"]; n != nil {
		h.Trusted = d.trusted(n, s.sub("trusted_proxies"))
	}
	if n := s.values["headers"]; n != nil {
		h.Headers = d.hopHeaders(n, s.sub("headers"))
		if h.From != FromHeader && h.Headers != (HopHeaders{}) && s.values["from"] == nil {
			d.fail(n, "%s is read only with from: header (add it, or remove the key)", s.sub("headers"))
		}
	}
	if n := s.values["require"]; n != nil {
		h.Require = d.choice(s, "require", "", "cert_conn")
		if h.From != FromProxy {
			d.fail(n, "%s is read only with from: proxy_v2 (remove the key)", s.sub("require"))
		}
	}
	n := s.values["from"]
	if len(d.problems) > before || s.wrong {
		return h // what seems to be missing may be what was refused
	}
	switch {
	case h.From == FromConnection && len(h.Trusted) > 0:
		d.fail(s.values["trusted_proxies"], "%s stands beside from: connection, which asks no proxy (remove one)", s.sub("trusted_proxies"))
	case n != nil && h.From != FromConnection && len(h.Trusted) == 0:
		d.fail(n, "%s %s trusts nobody (add trusted_proxies: a unix:PATH, a network, or { subject: { CN: … } })", s.sub("from"), h.From)
	}
	if n != nil && h.From == FromHeader && h.Headers == (HopHeaders{}) {
		d.fail(n, "%s header reads no field (add headers: { cert: X-SSL-Client-Cert }, or subject, or xfcc: last)", s.sub("from"))
	}
	return h
}

func (d *decoder) trusted(n *yaml.Node, path string) (out []TrustedProxy) {
	items := []*yaml.Node{n}
	if n.Kind != yaml.ScalarNode {
		items = d.list(n, path)
	}
	for i, item := range items {
		if !d.count(item) {
			break
		}
		at := index(path, i)
		if item.Kind == yaml.MappingNode {
			s, ok := d.section(item, at, proxyKeys)
			if !ok {
				continue
			}
			matchers, ok := d.matchers(&s)
			for k := range matchers {
				if matchers[k].pattern.captures {
					d.fail(item, "%s: %s captures, which nothing reads here (write * instead of %s)", at, &matchers[k], placeholder)
				}
			}
			if ok {
				out = append(out, TrustedProxy{cert: newRule(matchers, "")})
			}
			continue
		}
		text, ok := d.text(item, at)
		if !ok {
			continue
		}
		if socket, ok := strings.CutPrefix(text, "unix:"); ok {
			if !strings.HasPrefix(socket, "/") && !strings.HasPrefix(socket, "@") {
				d.fail(item, "%s: %q is no path of a socket (write unix:/run/app.sock)", at, text)
				continue
			}
			out = append(out, TrustedProxy{Unix: socket})
			continue
		}
		network, err := netip.ParsePrefix(text)
		if err != nil {
			ip, err := netip.ParseAddr(text)
			if err != nil || ip.Zone() != "" {
				d.fail(item, "%s is %s (write unix:/run/app.sock, a network as 10.0.0.0/8, an address, or { subject: { CN: … } })", at, shorten(text))
				continue
			}
			network = netip.PrefixFrom(ip, ip.BitLen())
		}
		out = append(out, TrustedProxy{Network: network.Masked()})
	}
	return out
}

func (d *decoder) hopHeaders(n *yaml.Node, path string) (h HopHeaders) {
	s, ok := d.section(n, path, hopHeaderKeys)
	if !ok {
		return h
	}
	before := len(d.problems)
	for _, f := range [...]struct {
		key string
		to  *string
	}{{"cert", &h.Cert}, {"subject", &h.Subject}, {"verify", &h.Verify}} {
		n := s.values[f.key]
		if n == nil {
			continue
		}
		text, ok := d.text(n, s.sub(f.key))
		if ok && strings.ContainsFunc(text, func(r rune) bool { return !isToken(r) }) {
			d.fail(n, "%s: %q is no name of a request field (write it like X-SSL-Client-Cert)", s.sub(f.key), text)
			continue
		}
		*f.to = strings.ToLower(text)
	}
	h.XFCC = d.choice(&s, "xfcc", "", "last", "first")
	if h == (HopHeaders{}) && len(d.problems) == before {
		d.missing(&s, "%s names no field (add cert, subject or xfcc)", path)
	}
	return h
}
