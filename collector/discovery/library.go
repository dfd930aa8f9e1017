package discovery

import (
	"tenantrace/collector/openssl"
)

// Library is what is known of one file with OpenSSL inside.
type Library struct {
	Path         string
	Device       uint32
	Inode        uint64
	BuildID      string
	OffsetsKnown bool
	Unknown      string // which offsets of sessions and handshakes are not known, and why; "" none
	Hidden       bool   // it has no symbols: nothing of it can be probed
	Error        string // why offsets are not known, or why probes are not attached
	Functions    Functions
	Probes       int // that are attached
	Processes    int
}

// Functions counts the functions that are probed, each at its entry and its return, by the way that was taken.
type Functions struct {
	Internal int // one call deeper than the exported ones: they serve both variants of these, and mostly begin with an instruction that the kernel emulates
	Exported int // themselves
	Stepped  int // of both: those whose first instruction the kernel cannot emulate; it costs each call about ten times more
}

// describe takes over what was learned.
func (l *Library) describe(from *openssl.Library) {
	l.BuildID, l.OffsetsKnown = from.BuildID, from.Layout != nil
	l.Unknown = unknown(from)
	if from.LayoutErr != nil {
		l.Error = from.LayoutErr.Error()
	}
	l.Functions = Functions{}
	for _, p := range from.Probes {
		if p.Internal {
			l.Functions.Internal++
		} else {
			l.Functions.Exported++
		}
		if !p.Emulated {
			l.Functions.Stepped++
		}
	}
}
