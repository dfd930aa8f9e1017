package policy

// describe tells what of a certificate rules can name, each as they call it.
func (c *Certificate) describe(line func(format string, args ...any)) {
	for _, part := range c.Malformed {
		line("certificate: its %s is malformed", part)
	}
	for _, part := range c.Unreadable {
		line("certificate: its %s could not be read whole: rules that need it leave it unmapped", part)
	}
	for _, name := range [...]struct {
		label  string
		values []Attribute
	}{{"subject", c.Subject}, {"issuer", c.Issuer}} {
		seen := map[string]int{}
		for _, a := range name.values {
			line("certificate: %s.%s[%d] %s", name.label, a.Type, seen[a.Type], shorten(a.Value))
			seen[a.Type]++
		}
	}
	for _, names := range [...]struct {
		label  string
		values []string
	}{{"san_uri", c.URIs}, {"san_dns", c.DNSNames}, {"san_email", c.Emails}, {"san_ip", c.IPs}} {
		for _, v := range names.values {
			line("certificate: %s %s", names.label, shorten(v))
		}
	}
	for _, names := range [...]struct {
		label  string
		values []Typed
	}{{"san_other", c.OtherNames}, {"oid", c.Extensions}} {
		for _, v := range names.values {
			text := shorten(v.Value)
			if v.Value == "" {
				text = "is no text"
			}
			line("certificate: %s.%s %s", names.label, v.OID, text)
		}
	}
}
