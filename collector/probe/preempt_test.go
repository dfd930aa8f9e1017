package probe

import "testing"

func TestPreemptsInMode(t *testing.T) {
	for text, want := range map[string]bool{
		"(none) voluntary full \n": false, "none (voluntary) full \n": false, "none voluntary (full) lazy \n": true, "full (lazy) \n": true, "": true,
	} {
		if got := preemptsInMode(text); got != want {
			t.Errorf("mode %q: %v, want %v", text, got, want)
		}
	}
}

func TestPreemptsAsBuilt(t *testing.T) {
	const none = "CONFIG_PREEMPT_BUILD=y\nCONFIG_PREEMPT_NONE=y\n# CONFIG_PREEMPT is not set\n"
	const lazy = "# CONFIG_PREEMPT_NONE is not set\nCONFIG_PREEMPT_LAZY=y\n"
	for _, c := range []struct {
		config, line string
		want         bool
	}{
		{none, "root=/dev/vda2 ro", false},
		{none, "root=/dev/vda2 preempt=full ro", true},
		{none, "preempt=lazy", true},
		{lazy, "quiet", true},
		{lazy, "quiet preempt=voluntary", false},
		{"", "", true},
	} {
		if got := preemptsAsBuilt(c.config, c.line); got != c.want {
			t.Errorf("%q, %q: %v, want %v", c.config, c.line, got, c.want)
		}
	}
}
