package correlate

import (
	"slices"
	"strings"
	"testing"
)

func TestArrayElements(t *testing.T) {
	for _, test := range []struct {
		text string
		want []string
		ok   bool
	}{
		{`{}`, nil, true},
		{` { } `, nil, true},
		{`{a}`, []string{"a"}, true},
		{`{a, b ,"c d","e\"f","g\\h","NULL",NULL,null}`, []string{"a", "b", "c d", `e"f`, `g\h`, "NULL"}, true},
		{`{"a,b" , c}`, []string{"a,b", "c"}, true},
		{`{""}`, []string{""}, true},
		{`a`, nil, false},
		{`{a`, nil, false},
		{`{a,}`, nil, false},
		{`{,a}`, nil, false},
		{`{{a},{b}}`, nil, false},
		{`{"a}`, nil, false},
		{`{"a\}`, nil, false},
		{`{"a"b}`, nil, false},
		{`{a"b}`, nil, false},
		{`[0:1]={a,b}`, nil, false},
		{`{` + strings.Repeat("a,", maxElements) + `b}`, nil, false},
	} {
		got, ok := arrayElements(test.text)
		if ok != test.ok || ok && !slices.Equal(got, test.want) {
			t.Errorf("%s: %q %v, want %q %v", test.text, got, ok, test.want, test.ok)
		}
	}
}

func FuzzArrayElements(f *testing.F) {
	for _, s := range []string{`{a,"b c",NULL}`, `{"a\\`, `{{a}}`, `{}`, `{a , }`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if elements, ok := arrayElements(text); !ok && elements != nil || len(elements) > maxElements {
			t.Errorf("%q: %d elements, %v", text, len(elements), ok)
		}
	})
}
