package policy

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestSettingMember(t *testing.T) {
	s := Setting{Name: "request.jwt.claims", Member: []string{"app_metadata", "org"}}
	for text, want := range map[string]string{
		`{"app_metadata": {"org": "Acme"}, "x": [1, {"org": 2}]}`: "acme",
		`{"app_metadata": {"org": 42}}`:                           "42",
		`{"app_metadata": {"org": 1e400}}`:                        "1e400",
		`{"app_metadata": {"org": "a"}, "app_metadata": {}}`:      "",
		`{"app_metadata": {"org": "a", "org": "b"}}`:              "",
		`{"app_metadata": {"\u006frg": "a"}}`:                     "a",
		`{"app_metadata": {"org": null}}`:                         "",
		`{"app_metadata": {"org": ["a"]}}`:                        "",
		`{"app_metadata": {"org": true}}`:                         "",
		`{"app_metadata": "x"}`:                                   "",
		`{"app_metadata": {"org": "a\u0000"}}`:                    "",
		`{"app_metadata": {"org": "a\ud800"}}`:                    "",
		`{"app_metadata": {"org": "a"}} x`:                        "",
		`{"app_metadata": {"org": "a"}`:                           "",
		`acme`:                                                    "",
		``:                                                        "",
		`{"app_metadata": {"org": "a"}, "p": "` + strings.Repeat("x", maxSetting) + `"}`: "",
	} {
		if got := s.Tenant(text); got != want {
			t.Errorf("%.60s: %q, want %q", text, got, want)
		}
	}
	if plain := (Setting{Name: "a.b"}); plain.Tenant(" ACME ") != "acme" || plain.Tenant("a\x00") != "" {
		t.Error("a plain value")
	}
}

// FuzzSettingMember checks that a member that is found is one that encoding/json finds too, by other means.
func FuzzSettingMember(f *testing.F) {
	f.Add(`{"a":{"b":"x"}}`, "a", "b")
	f.Add(`{"a":{"b":1,"b":2}}`, "a", "b")
	f.Add(`{"\u0061":[]}`, "a", "")
	f.Fuzz(func(t *testing.T, text, first, second string) {
		s := Setting{Name: "x.y", Member: []string{first, second}}
		got := s.Tenant(text)
		if got != Normalize(got) || unclean(got) != "" {
			t.Errorf("%q gives %q", text, got)
		}
		if got == "" {
			return
		}
		if want := memberOracle(text, first, second); Normalize(want) != got {
			t.Errorf("%q gives %q, the oracle %q", text, got, want)
		}
	})
}

// memberOracle reads a member of a member through maps.
func memberOracle(text, first, second string) string {
	var outer map[string]json.RawMessage
	if json.Unmarshal([]byte(text), &outer) != nil {
		return ""
	}
	var inner map[string]json.RawMessage
	if json.Unmarshal(outer[first], &inner) != nil {
		return ""
	}
	var number json.Number
	var word string
	if json.Unmarshal(inner[second], &word) == nil {
		return word
	}
	if json.Unmarshal(inner[second], &number) == nil {
		return number.String()
	}
	return ""
}
