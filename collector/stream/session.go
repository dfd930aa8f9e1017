package stream

import (
	"bytes"
	"reflect"
	"strings"

	"tenantrace/bpf"
	"tenantrace/collector/event"
)

// handshake is what was told of a TLS connection since its last handshake.
type handshake struct {
	read  bool               // an identity was read
	first *event.Certificate // its certificate, nil none
	later bool               // another certificate came later
	shown *event.Certificate // the last that was shown on this connection, also in handshakes before
}

// resumption fills what an identity says of the session, and of its verification: applications set the connection's result (Apache's mod_ssl sets it to
// X509_V_OK before each request, with "optional_no_ca" and TLS 1.2), but not the session's. A certificate that differs from one told of the same handshake
// before was shown on this connection, not on the one whose session it resumed; and a handshake may resume a session of the same connection.
func (s *stream) resumption(id *event.Identity, rec *bpf.TracerTlsIdentityRecord) {
	if id.Certificate != nil && id.VerifyResult == 0 {
		id.VerifyResult = rec.SessionResult
	}
	id.ServerName = hostName(rec.ServerName[:])
	if read := id.Source == "ssl" && id.Error == ""; read {
		s.later = s.later || s.read && !reflect.DeepEqual(s.first, id.Certificate)
		if !s.read {
			s.read, s.first = true, id.Certificate
		}
	}
	own := s.later || s.shown != nil && reflect.DeepEqual(s.shown, id.Certificate)
	if bpf.TracerTlsFlags(rec.Flags)&bpf.TracerTlsFlagsTLS_RESUMED != 0 && !own {
		id.Resumed, id.SessionName, id.SessionTime = true, hostName(rec.SessionName[:]), int64(min(rec.SessionTime, 1<<63-1))
	} else if id.Certificate != nil {
		s.shown = id.Certificate
	}
}

// hostName gives the name before the first zero byte. Its client chose the bytes: what is not UTF-8 is replaced, as it would be in a recording.
func hostName(b []byte) string {
	if end := bytes.IndexByte(b, 0); end >= 0 {
		b = b[:end]
	}
	return strings.ToValidUTF8(string(b), "\uFFFD")
}
