package policy

import (
	"path/filepath"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"
)

// CertificateRules are the policy's section "certificates".
type CertificateRules struct {
	Expired          bool          // a request after the certificate's end plus Grace is a finding
	Grace            time.Duration // not negative
	MaxConnectionAge time.Duration // a request on an older connection is a finding; 0: none is too old
	Revocation       *Revocation   // nil: revoked certificates are not looked for
}

// Revocation says where revoked certificates are listed. The lists are not part of the policy or its hash: they live by their own clock.
type Revocation struct {
	Lists  []string      // paths of files with certificate revocation lists, at least one
	CA     string        // path of a file with the certificates that sign them; "": signatures are not checked
	MaxAge time.Duration // a list that was issued longer ago is stale; 0: as long as the list itself says
}

// Equal tells whether two sections, which may be nil, say the same.
func (r *Revocation) Equal(o *Revocation) bool {
	if r == nil || o == nil {
		return r == o
	}
	return slices.Equal(r.Lists, o.Lists) && r.CA == o.CA && r.MaxAge == o.MaxAge
}

// Files returns the paths of all files; r may be nil.
func (r *Revocation) Files() []string {
	if r == nil {
		return nil
	}
	files := slices.Clone(r.Lists)
	if r.CA != "" {
		files = append(files, r.CA)
	}
	return files
}

func (d *decoder) certificates(n *yaml.Node, r CertificateRules) CertificateRules {
	s, ok := d.section(n, "certificates", certificateKeys)
	if !ok {
		return r
	}
	r.Expired = d.choice(&s, "expired", "finding", "finding", "off") == "finding"
	r.Grace = d.duration(&s, "grace", r.Grace, true)
	r.MaxConnectionAge = d.duration(&s, "max_connection_age", r.MaxConnectionAge, false)
	if n := s.values["revocation"]; n != nil {
		r.Revocation = d.revocation(n)
	}
	return r
}

// duration reads a duration, or gives fallback for a key that is missing.
func (d *decoder) duration(s *section, key string, fallback time.Duration, zero bool) time.Duration {
	n := s.values[key]
	if n == nil {
		return fallback
	}
	text, ok := d.text(n, s.sub(key))
	if !ok {
		return fallback
	}
	v, err := time.ParseDuration(text)
	switch {
	case zero && (err != nil || v < 0):
		d.fail(n, "%s is %s (write a duration that is not negative: 0s, 90s, 5m, 1h30m)", s.sub(key), shorten(text))
	case !zero && (err != nil || v <= 0):
		d.fail(n, "%s is %s (write a duration above zero: 30m, 12h, 24h)", s.sub(key), shorten(text))
	}
	return v
}

func (d *decoder) revocation(n *yaml.Node) *Revocation {
	const path = "certificates.revocation"
	if n.Kind == yaml.ScalarNode && n.Value == "off" {
		return nil
	}
	s, ok := d.section(n, path, revocationKeys)
	if !ok {
		return nil
	}
	r := &Revocation{}
	if n := s.values["ocsp"]; n != nil {
		if text, ok := d.text(n, s.sub("ocsp")); ok && text != "off" {
			d.fail(n, "%s.ocsp is %s (write off, or leave it out: nobody is asked over the network; name revocation lists under crl)", path, shorten(text))
		}
	}
	if n := s.values["crl"]; n == nil {
		d.missing(&s, "%s names no file (add crl: FILE, or write revocation: off)", path)
	} else {
		before := len(d.problems)
		for _, w := range d.words(n, s.sub("crl")) {
			if file := d.beside(w.text); slices.Contains(r.Lists, file) {
				d.fail(w.node, "%s names %q twice (keep one)", s.sub("crl"), w.text)
			} else {
				r.Lists = append(r.Lists, file)
			}
		}
		if len(r.Lists) == 0 && len(d.problems) == before {
			d.fail(n, "%s is an empty list (name a file, or write revocation: off)", s.sub("crl"))
		}
	}
	if n := s.values["ca"]; n != nil {
		if text, ok := d.text(n, s.sub("ca")); ok {
			r.CA = d.beside(text)
		}
	}
	r.MaxAge = d.duration(&s, "max_age", 0, false)
	return r
}

// beside is the path of a file that the policy names.
func (d *decoder) beside(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(d.dir, path)
}
