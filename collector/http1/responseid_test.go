package http1

import (
	"strings"
	"testing"
)

func TestResponseID(t *testing.T) {
	for fields, want := range map[string]string{
		"Content-Length: 2\r\nX-Request-Id: 3f2a77c011\r\n\r\n":        "3f2a77c011",
		"x-request-id:3f2a77c011\r\nX-Request-ID: 3f2a77c011\r\n\r\n":  "3f2a77c011",
		"X-Request-ID: 3f2a77c011\r\nX-Request-ID: 3f2a77c012\r\n\r\n": "",
		"X-Request-ID: 3f2a77c011\r\n more\r\n\r\n":                    "",
		"X-Request-ID: " + strings.Repeat("a", 129) + "\r\n\r\n":       "",
		"X-Request-ID: a\xffb\r\n\r\n":                                 "a\ufffdb",
		"X-Request-ID-2: 3f2a77c011\r\n\r\n":                           "",
		"":                                                             "",
	} {
		var scratch [maxName]byte
		if got := responseID([]byte(fields), &scratch); got != want {
			t.Errorf("%q: %q, want %q", fields, got, want)
		}
	}
}
