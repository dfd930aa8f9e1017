package openssl

import (
	"fmt"
	"strings"
)

// String describes the library in one line for a report.
func (l *Library) String() string {
	machine := strings.ToLower(strings.TrimPrefix(l.Machine.String(), "EM_"))
	id := l.BuildID
	if id == "" {
		id = "none"
	}
	probes := make([]string, len(l.Probes))
	for i, p := range l.Probes {
		probes[i] = p.String()
	}
	offsets := fmt.Sprintf("offsets not learned (%v)", l.LayoutErr)
	if l.Layout != nil {
		offsets = "offsets " + l.Layout.String()
		if l.Unknown != nil {
			offsets += fmt.Sprintf(" (unknown: %s)", strings.ReplaceAll(l.Unknown.Error(), "\n", "; "))
		}
	}
	return fmt.Sprintf("%s, build id %s, %s, probes %s", machine, id, offsets, strings.Join(probes, " "))
}

// String lists the offsets.
func (o *Layout) String() string {
	random := fmt.Sprintf("%#x", o.ClientRandom)
	if o.ClientRandomBase != 0 {
		random = fmt.Sprintf("*(%#x)+%#x", o.ClientRandomBase, o.ClientRandom)
	}
	s := fmt.Sprintf("session=%#x peer=%#x tbs=%#x signature=%#x server=%#x verify_result=%#x verify_mode=%#x version=%#x client_random=%s quic=%t",
		o.Session, o.Peer, o.TBS, o.Signature, o.Server, o.VerifyResult, o.VerifyMode, o.Version, random, o.QUIC)
	for _, m := range o.optional() {
		if m.start == 0 {
			s += " " + m.name + "=unknown"
			continue
		}
		s += fmt.Sprintf(" %s=%#x", m.name, m.start)
		if m.start == o.SessionTime && m.session {
			s += fmt.Sprintf("*%dns", o.SessionTimeUnit)
		}
	}
	return s
}

// String names the function, marked if it is the internal one that is probed, and its first instruction, marked if the kernel must single-step it.
func (p Probe) String() string {
	name := p.Symbol
	if p.Internal {
		name += "(internal)"
	}
	if p.Emulated {
		return name + ":" + p.FirstInsn
	}
	return name + ":" + p.FirstInsn + "(stepped)"
}
