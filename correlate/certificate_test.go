package correlate

import (
	"reflect"
	"slices"
	"testing"

	"tenantrace/collector/event"
	"tenantrace/correlate/verdict"
)

// TestPolicyCertificate holds that nothing that rules can name is lost on the way to the policy.
func TestPolicyCertificate(t *testing.T) {
	c := &event.Certificate{
		SHA256: "ab", Serial: "1", Subject: []event.Attribute{{Type: "O", Value: "a"}}, Issuer: []event.Attribute{{Type: "CN", Value: "ca"}},
		URIs: []string{"urn:x"}, DNSNames: []string{"d"}, Emails: []string{"a@b"}, IPs: []string{"::1"},
		OtherNames: []event.Typed{{OID: "1.2.3", Value: "o"}, {OID: "1.2.4"}}, Extensions: []event.Typed{{OID: "1.2.5", Value: "e"}},
		Malformed: []event.Part{event.PartSerial}, Unreadable: []event.Part{event.PartIssuer},
	}
	got := reflect.ValueOf(*PolicyCertificate(c))
	from := reflect.ValueOf(*c)
	for i := range got.NumField() {
		name := got.Type().Field(i).Name
		if got.Field(i).IsZero() || got.Field(i).Len() != from.FieldByName(name).Len() {
			t.Errorf("%s is %v, want it like %v", name, got.Field(i), from.FieldByName(name))
		}
	}
	if PolicyCertificate(nil) != nil {
		t.Error("a certificate of none")
	}
	if names := alternativeNames(c); !slices.Equal(names, []verdict.AlternativeName{{Type: "URI", Name: "urn:x"}, {Type: "DNS", Name: "d"}, {Type: "Email", Name: "a@b"}, {Type: "IP", Name: "::1"}, {Type: "Other", Name: "1.2.3:o"}}) {
		t.Errorf("names %q", names)
	}
}
