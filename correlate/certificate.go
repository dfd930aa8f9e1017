package correlate

import (
	"tenantrace/collector/event"
	"tenantrace/correlate/policy"
	"tenantrace/correlate/verdict"
)

// PolicyCertificate gives what a policy sees of a certificate; nil of nil.
func PolicyCertificate(c *event.Certificate) *policy.Certificate {
	if c == nil {
		return nil
	}
	return &policy.Certificate{
		SHA256: c.SHA256, Serial: c.Serial,
		Subject: convert(c.Subject, attribute), Issuer: convert(c.Issuer, attribute),
		URIs: c.URIs, DNSNames: c.DNSNames, Emails: c.Emails, IPs: c.IPs,
		OtherNames: convert(c.OtherNames, typed), Extensions: convert(c.Extensions, typed),
		Malformed: convert(c.Malformed, part), Unreadable: convert(c.Unreadable, part),
	}
}

func attribute(a event.Attribute) policy.Attribute { return policy.Attribute(a) }
func typed(v event.Typed) policy.Typed             { return policy.Typed(v) }
func part(p event.Part) string                     { return string(p) }

func convert[A, B any](in []A, one func(A) B) []B {
	if len(in) == 0 {
		return nil
	}
	out := make([]B, len(in))
	for i, a := range in {
		out[i] = one(a)
	}
	return out
}

// alternativeNames gives the alternative names of a certificate for its line.
func alternativeNames(c *event.Certificate) []verdict.AlternativeName {
	var out []verdict.AlternativeName
	for _, of := range [...]struct {
		kind  string
		names []string
	}{{"URI", c.URIs}, {"DNS", c.DNSNames}, {"Email", c.Emails}, {"IP", c.IPs}} {
		for _, name := range of.names {
			out = append(out, verdict.AlternativeName{Type: of.kind, Name: name})
		}
	}
	for _, other := range c.OtherNames {
		if other.Value != "" {
			out = append(out, verdict.AlternativeName{Type: "Other", Name: other.OID + ":" + other.Value})
		}
	}
	return out
}
