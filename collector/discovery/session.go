package discovery

import (
	"strings"

	"tenantrace/bpf"
	"tenantrace/collector/openssl"
)

// sessionOffsets gives what is known of sessions and handshakes to the eBPF side.
func sessionOffsets(l *openssl.Layout, out *bpf.TracerLibrary) {
	out.Hit, out.ServerName, out.InInit, out.State = l.Hit, l.ServerName, l.InInit, l.State
	out.SessionName, out.SessionTime, out.SessionTimeUnit, out.SessionResult = l.SessionName, l.SessionTime, l.SessionTimeUnit, l.SessionResult
}

// unknown says what of a library could not be learned although its offsets are known, in one line.
func unknown(l *openssl.Library) string {
	if l.Unknown == nil {
		return ""
	}
	return strings.ReplaceAll(l.Unknown.Error(), "\n", "; ")
}
