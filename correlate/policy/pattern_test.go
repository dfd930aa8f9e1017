package policy

import (
	"strings"
	"testing"
	"time"
)

func TestPattern(t *testing.T) {
	for _, c := range []struct {
		pattern string
		sep     byte
		yes, no string // texts, separated by spaces
	}{
		{"a", '/', "a", "b aa /a a/"},
		{"a*c", '/', "ac abc abbc", "a/c ab bc"},
		{"*", '/', "a ab", "a/b /"},
		{"**", '/', "a a/b / /a/b/", ""},
		{"/a/**", '/', "/a /a/ /a/b /a/b/c", "/ab /a2/x a/b"},
		{"/**", '/', "/ /a /a/b", "a a/b"},
		{"**/c", '/', "c a/c /c a/b/c", "ac c/ a/c/d"},
		{"/a/**/c", '/', "/a/c /a/b/c /a/b/b/c", "/a/bc /ac /a/b/c/d /a/cc"},
		{"/a/**/**/c", '/', "/a/c /a/b/c", "/a/bc"},
		{"/**/b/**", '/', "/b /a/b /a/b/c /b/c", "/bb /ab /a"},
		{"/*/x", '/', "/a/x //x", "/x /a/b/x"},
		{"public.*", '.', "public.a public.", "a.b public.a.b"},
		{"a**b", 0, "ab axxb a/b", "a b"},
		{"Ünï*", 0, "Ünïx ÜNÏ ünï", "uni"},
	} {
		p, err := compile(c.pattern, c.sep, c.sep != '/')
		if err != nil {
			t.Errorf("%q: %v", c.pattern, err)
			continue
		}
		for _, v := range strings.Fields(c.yes) {
			if !p.match(v) {
				t.Errorf("%q does not match %q", c.pattern, v)
			}
		}
		for _, v := range strings.Fields(c.no) {
			if p.match(v) {
				t.Errorf("%q matches %q", c.pattern, v)
			}
		}
	}
}

func TestCapture(t *testing.T) {
	for _, c := range []struct {
		pattern, text, want string // want "?" if ambiguous
	}{
		{"{tenant}", "acme", "acme"},
		{"{tenant}", "a/b", ""},
		{"{tenant}", "", ""},
		{"{tenant}", " ", ""},
		{"/t/{tenant}", "/t/acme", "acme"},
		{"/t/{tenant}/**", "/t/acme/a/b", "acme"},
		{"/**/t/{tenant}/**", "/x/t/acme/y", "acme"},
		{"/**/t/{tenant}/**", "/t/acme", "acme"},
		{"/**/t/{tenant}/**", "/t/a/t/b", "?"},
		{"**/{tenant}", "a/b/acme", "acme"},
		{"{tenant}/**", "acme/b", "acme"},
		{"x-{tenant}-y", "x-a-y", "a"},
		{"x-{tenant}-y", "x--y", ""},
		{"x-{tenant}-y", "x-a-y-y", "a-y"},
		{"x-{tenant}-*", "x-a-b", "a"},
		{"x-{tenant}-*", "x-a-b-c", "?"},
		{"*-{tenant}", "a-b-c", "?"},
		{"*-{tenant}", "a-b", "b"},
		{"{tenant}-*", "a--", "?"},
	} {
		p, err := compile(c.pattern, '/', true)
		if err != nil {
			t.Errorf("%q: %v", c.pattern, err)
			continue
		}
		got := ""
		switch from, to, n := p.find(c.text); n {
		case 1:
			got = c.text[from:to]
		case 2:
			got = "?"
		}
		if got != c.want {
			t.Errorf("%q in %q: %q, want %q", c.pattern, c.text, got, c.want)
		}
	}
}

// TestHostilePatterns bounds the time of patterns that make backtracking matchers explode.
func TestHostilePatterns(t *testing.T) {
	text := strings.Repeat("a", maxPath)
	start := time.Now()
	for _, s := range []string{strings.Repeat("*a", 500) + "b", strings.Repeat("a*", 200) + "-{tenant}", strings.Repeat("**/", 300) + "b"} {
		p, err := compile(s, '/', true)
		if err != nil {
			t.Fatal(err)
		}
		if p.match(text) {
			t.Errorf("%.20q matches", s)
		}
	}
	if d := time.Since(start); d > time.Minute { // a fault of complexity takes hours; a busy machine, seconds
		t.Errorf("took %v", d)
	}
}

func TestNormalize(t *testing.T) {
	for in, want := range map[string]string{
		" Acme\t": "acme", "ÄÖÜ": "äöü", "ΣΊΣΥΦΟΣ": "σίσυφοσ", "σίσυφος": "σίσυφοσ", "\u212a": "k", "ſ": "s", "ẞ": "ß", "İ": "İ", "i": "i",
		"8F14E45F-CEEA-467F-A0E6-4F1B7F1B2C3D":          "8f14e45f-ceea-467f-a0e6-4f1b7f1b2c3d",
		"8f14e45fceea467fa0e64f1b7f1b2c3d":              "8f14e45f-ceea-467f-a0e6-4f1b7f1b2c3d",
		"{8f14e45f-ceea-467f-a0e6-4f1b7f1b2c3d}":        "8f14e45f-ceea-467f-a0e6-4f1b7f1b2c3d",
		"URN:UUID:8f14e45f-ceea-467f-a0e6-4f1b7f1b2c3d": "8f14e45f-ceea-467f-a0e6-4f1b7f1b2c3d",
		"8f14e45f-ceea-467f-a0e6-4f1b7f1b2c3g":          "8f14e45f-ceea-467f-a0e6-4f1b7f1b2c3g",
		"8f14e45f+ceea-467f-a0e6-4f1b7f1b2c3d":          "8f14e45f+ceea-467f-a0e6-4f1b7f1b2c3d",
		"{acme}":                                        "{acme}", "A\xffB": "a\xffb", "": "", "007": "007",
	} {
		if got := Normalize(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
