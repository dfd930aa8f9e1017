package policy

import (
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestHostileFiles bounds the time of hostile files, a quarter of the limit of size each: what grows faster than its input shows there already.
func TestHostileFiles(t *testing.T) {
	const size = maxFile / 4
	fill := func(head, part, tail string) string {
		return head + strings.Repeat(part, (size-len(head)-len(tail))/len(part)) + tail
	}
	for name, text := range map[string]string{
		"flow depth":       fill("", "[", ""),
		"flow mappings":    fill("", "{a: ", ""),
		"block depth":      fill("", "- ", "a"),
		"flow list":        fill("version: 1\nx: [", "a,", "a]"),
		"keys":             fill("version: 1\n", "a: b\n", ""),
		"flow keys":        fill("{", "a,", "a: b}"),
		"complex keys":     fill("", "? a\n", ""),
		"comments":         fill("version: 1\n", "#\n", ""),
		"comments between": fill("", "- #\n", ""),
		"rules":            fill("version: 1\nrequest:\n  ignore:\n", "  - /a\n", ""),
		"stars":            fill("version: 1\nrequest: { ignore: [", "/*a*a*a*a*a*a*a*a*a*a,", "/b] }"),
		"quotes":           fill("version: 1\nservice: \"", "\\x41", "\""),
		"one long word":    fill("version: 1\nservice: ", "a", ""),
		"anchors":          fill("", "- &a b\n", ""),
		"documents":        fill("", "--- a\n", ""),
		"entries":          fill("version: 1\nidentity:\n  map:\n    entries:\n", "      a: b\n", ""),
		"white space":      fill("version: 1\n", " \n", ""),
		"tabs":             fill("version: 1\nservice: a", "\t", "b"),
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			p, err := Parse("x.yaml", []byte(text), "")
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			t.Logf("%v, %d MiB allocated, policy %v", took, (after.TotalAlloc-before.TotalAlloc)>>20, p != nil)
			if took > time.Minute { // a fault of complexity takes hours; a busy machine, seconds
				t.Errorf("took %v", took)
			}
			if err != nil && len(err.Error()) > 64<<10 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
		})
	}
}
