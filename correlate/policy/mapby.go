package policy

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// columns are the columns of a map file, and what the key is.
type columns struct {
	key, value string
	issuer     string // beside a serial number, which means nothing without; else ""
	by         *matcher
}

func (c *columns) names() []string {
	if c.issuer != "" {
		return []string{c.key, c.issuer, c.value}
	}
	return []string{c.key, c.value}
}

// byNames are the values that identity.map.by may have as one word; subject, issuer, oid and san_other need a type beside them.
var byNames = []string{"name", "san_uri", "san_dns", "san_email", "san_ip", "serial", "sha256"}

// mapBy reads identity.map.by: nil for the name that a rule captures.
func (d *decoder) mapBy(s *section) (by *matcher, ok bool) {
	n := s.values["by"]
	if n == nil {
		return nil, true
	}
	path := s.sub("by")
	if n.Kind == yaml.MappingNode {
		if len(n.Content) == 2 {
			key, value := n.Content[0], n.Content[1]
			if i := slices.Index(matcherNames, key.Value); i >= 0 && !slices.Contains(byNames, key.Value) {
				m, _, ok := d.typed(value, source(i), path+"."+key.Value)
				m.label = key.Value + "." + value.Value
				return &m, ok
			}
		}
		d.fail(n, "%s is a mapping of something else (write one of subject, issuer, oid and san_other, as { subject: CN })", path)
		return nil, false
	}
	text, ok := d.text(n, path)
	switch {
	case !ok:
		return nil, false
	case text == "name":
		return nil, true
	case !slices.Contains(byNames, text):
		d.fail(n, "%s is %s (write one of %s, or { subject: CN })", path, shorten(text), strings.Join(byNames, ", "))
		return nil, false
	}
	return &matcher{source: source(slices.Index(matcherNames, text)), index: anyIndex, label: text, spiffe: text == "san_uri"}, true
}

// mapColumns reads which columns of the file are the key and the value.
func (d *decoder) mapColumns(s *section, by *matcher) (c columns, ok bool) {
	c = columns{key: "cert", value: "db", by: by}
	ok = true
	if n := s.values["value"]; n != nil {
		c.value, ok = d.text(n, s.sub("value"))
	}
	n := s.values["key"]
	switch {
	case by != nil && by.source == sourceSerial:
		c.key, c.issuer = "serial", "issuer"
		if n == nil {
			break
		}
		if n.Kind != yaml.SequenceNode || len(n.Content) != 2 {
			d.fail(n, "%s is not the two columns of serial number and issuer (write [serial, issuer])", s.sub("key"))
			return c, false
		}
		if w := d.words(n, s.sub("key")); len(w) == 2 {
			c.key, c.issuer = w[0].text, w[1].text
		} else {
			return c, false
		}
	case n != nil:
		var fine bool
		c.key, fine = d.text(n, s.sub("key"))
		ok = ok && fine
	}
	return c, ok
}

// mapKey brings a key of a map into the form that a certificate is looked up by, or says what is wrong with it.
func mapKey(by *matcher, text, issuer string) (key, why string) {
	text = strings.TrimSpace(text)
	if by == nil {
		return Normalize(text), ""
	}
	switch by.source {
	case sourceSerial, sourceSHA256, sourceIP:
		key, remedy := exactValue(by.source, text)
		if remedy != "" {
			return "", fmt.Sprintf("is no %s (%s)", by.label, remedy)
		}
		if by.source != sourceSerial {
			return key, ""
		}
		dn, err := parseDN(issuer)
		if err != nil {
			return "", fmt.Sprintf("has the issuer %s: %v", shorten(issuer), err)
		}
		return serialKey(key, dn), ""
	case sourceDNS:
		text = strings.TrimSuffix(text, ".")
	}
	return Normalize(text), ""
}

// serialKey joins what RFC 5280, section 4.1.2.2, makes unique.
func serialKey(serial string, issuer []Attribute) string {
	return serial + " of " + canonicalDN(issuer)
}

// looked identifies a certificate by the map alone.
func (r *identityRules) looked(c *Certificate, trace func(string)) Identity {
	m := r.names.by
	id := Identity{Rule: "map by " + m.label}
	tell := func(format string, args ...any) {
		if trace != nil {
			trace(fmt.Sprintf(format, args...))
		}
	}
	doubt := func(why string) Identity {
		id.Name, id.Tenants = "", nil
		tell("%s: unmapped: %s", id.Rule, why)
		id.Rule += ": unmapped: " + why
		return id
	}
	why := m.unreadable(c)
	if why == "" && m.source == sourceSerial {
		why = (&matcher{source: sourceIssuer}).unreadable(c)
	}
	if why != "" {
		return doubt(why)
	}
	var names []string
	several := false
	for i := 0; ; i++ {
		v, ok := m.value(c, i)
		if !ok {
			break
		}
		v = strings.TrimSpace(v)
		if len(v) > maxName || unclean(v) != "" || strings.ContainsRune(v, utf8.RuneError) { // no key of a map
			continue
		}
		key := Normalize(v)
		switch m.source {
		case sourceSerial:
			key = serialKey(v, c.Issuer)
		case sourceSHA256, sourceIP:
			key = v
		}
		found := r.names.find(key)
		if len(found) == 0 || slices.Contains(names, v) {
			continue
		}
		tell("%s: %s -> %s in the database", id.Rule, shorten(v), quoted(found))
		several = several || len(names) > 0 && !slices.Equal(found, id.Tenants)
		names = append(names, v)
		id.Tenants = union(id.Tenants, found)
		if m.spiffe && strings.EqualFold(v[:min(len(v), 7)], "spiffe:") {
			if why := m.refuses(c); why != "" {
				return doubt(why)
			}
		}
	}
	switch {
	case len(names) == 0:
		return doubt("the map does not hold it")
	case several && !r.anyValue:
		return doubt(fmt.Sprintf("%s names different tenants: %s (multi: reject)", m.label, quoted(names)))
	}
	id.Name = strings.Join(names, ", ")
	return id
}

func union(all, more []string) []string {
	if len(all) == 0 {
		return more
	}
	all = slices.Clone(all)
	for _, v := range more {
		if !slices.Contains(all, v) {
			all = append(all, v)
		}
	}
	return all
}
