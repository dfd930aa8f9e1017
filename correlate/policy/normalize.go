package policy

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Normalize gives the form in which tenant names are compared: without surrounding white space, in simple case folding (Unicode,
// CaseFolding.txt status C and S, lower case where there is one), a UUID in canonical form (RFC 9562 section 4: lower case, hyphens, without
// braces or "urn:uuid:"). Unicode composition is not changed: "é" as one rune and as two are different names. Normalize(Normalize(s)) is
// Normalize(s).
func Normalize(name string) string {
	name = strings.TrimSpace(name)
	if uuid, ok := canonicalUUID(name); ok {
		return uuid
	}
	return foldText(name)
}

// foldText folds case. Text that is not UTF-8 keeps its foreign bytes, so that two different ones never become equal.
func foldText(s string) string {
	ascii, lower := true, true
	for i := range len(s) {
		c := s[i]
		ascii = ascii && c < utf8.RuneSelf
		lower = lower && (c < 'A' || c > 'Z')
	}
	switch {
	case ascii && lower:
		return s
	case ascii:
		return strings.ToLower(s)
	case !utf8.ValidString(s):
		b := []byte(s)
		for i, c := range b {
			if 'A' <= c && c <= 'Z' {
				b[i] = c + 'a' - 'A'
			}
		}
		return string(b)
	}
	return strings.Map(foldRune, s)
}

// foldRune maps all runes of one case-folding orbit to the same rune.
func foldRune(r rune) rune {
	if r < utf8.RuneSelf {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}
	least, alone := r, true
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		least, alone = min(least, f), false
	}
	if alone { // such as U+0130, whose lower case "i" is another letter
		return r
	}
	return unicode.ToLower(least)
}

// canonicalUUID accepts the forms that PostgreSQL and common libraries print and read: 32 hex digits, bare or with the hyphens of 8-4-4-4-12.
func canonicalUUID(s string) (string, bool) {
	const urn = "urn:uuid:"
	if len(s) > len(urn) && strings.EqualFold(s[:len(urn)], urn) {
		s = s[len(urn):]
	} else if len(s) > 2 && s[0] == '{' && s[len(s)-1] == '}' {
		s = s[1 : len(s)-1]
	}
	if len(s) != 32 && len(s) != 36 {
		return "", false
	}
	var out [36]byte
	digits, clean := 0, len(s) == 36
	for i := range len(s) {
		c := s[i]
		if len(s) == 36 && (i == 8 || i == 13 || i == 18 || i == 23) {
			if c != '-' {
				return "", false
			}
			continue
		}
		switch {
		case '0' <= c && c <= '9', 'a' <= c && c <= 'f':
		case 'A' <= c && c <= 'F':
			c, clean = c+'a'-'A', false
		default:
			return "", false
		}
		at := digits
		switch { // the hyphens before this digit
		case digits >= 20:
			at += 4
		case digits >= 16:
			at += 3
		case digits >= 12:
			at += 2
		case digits >= 8:
			at++
		}
		out[at] = c
		digits++
	}
	if clean {
		return s, true
	}
	out[8], out[13], out[18], out[23] = '-', '-', '-', '-'
	return string(out[:]), true
}
