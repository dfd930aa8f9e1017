package stream

import (
	"fmt"
	"reflect"

	"tenantrace/bpf"
	"tenantrace/collector/event"
	"tenantrace/collector/identity"
)

// tlsStream gives the stream of an SSL object's current connection.
func (r *Registry) tlsStream(h event.Header, ssl uint64, random [bpf.RandomSize]byte, id bpf.TracerSocketId, flags uint32) *stream {
	key := tlsKey{h.PID, ssl}
	s := r.find(key)
	if s != nil && s.random != random {
		if id.Sk != 0 && id == s.socket {
			s.renegotiated(random)
		} else {
			r.remove(h, s)
			s = nil
		}
	}
	if s == nil {
		role := event.RoleClient
		if flags&uint32(bpf.TracerTlsFlagsTLS_SERVER) != 0 {
			role = event.RoleServer
		} else if flags&uint32(bpf.TracerTlsFlagsTLS_ROLE_UNKNOWN) != 0 {
			role = "" // until the first bytes tell
		}
		s = r.add(h, key, &stream{role: role, tls: true, random: random})
	}
	if id.Sk != 0 && s.socket != id {
		r.onto(h, s, id, flags)
	}
	return s
}

// renegotiated goes on after another handshake of the same SSL object on the same socket (RFC 5246, section 7.4.1.1): it has another random, and the kernel
// side counts its bytes anew. Requests that were open stay so: a server that asks for a certificate only for some paths does it in the middle of one. Bytes that
// were lost just before it leave no gap here; that they were lost is told of their process.
func (s *stream) renegotiated(random [bpf.RandomSize]byte) {
	s.random, s.base, s.peer, s.handshake = random, s.position, nil, handshake{shown: s.shown}
}

// verifiedOnce keeps a verification that failed: Apache's mod_ssl sets the SSL object's result to X509_V_OK before each request (TLS 1.2, "optional_no_ca").
// Only another handshake, or another certificate, is verified anew. False: id says nothing that was not said before.
func (s *stream) verifiedOnce(id *event.Identity) bool {
	before := s.peer
	if before != nil && before.VerifyResult != 0 && id.VerifyResult == 0 && reflect.DeepEqual(before.Certificate, id.Certificate) {
		return false
	}
	if id.Certificate != nil { // one that could not be read this time is no other
		s.peer = id
	}
	return true
}

// onSocket finds the TLS connection on a socket.
func (r *Registry) onSocket(id bpf.TracerSocketId) *stream {
	return r.bySocket[id]
}

// Identity takes what was read of an SSL object's peer: tbs is the captured TBSCertificate, or the certificate if it came from d2i_X509.
func (r *Registry) Identity(h event.Header, rec *bpf.TracerTlsIdentityRecord, tbs []byte) {
	s := r.tlsStream(h, rec.Ssl, rec.Random, rec.Socket, rec.Flags)
	id := &event.Identity{
		Header: h, Conn: s.conn, Role: s.role,
		VerifyResult: rec.VerifyResult, VerifyMode: int(rec.VerifyMode), Version: tlsVersion(rec.Version), Source: "ssl",
	}
	var err error
	switch flags := bpf.TracerTlsFlags(rec.Flags); {
	case flags&bpf.TracerTlsFlagsTLS_FROM_D2I != 0:
		id.Source = "d2i"
		id.Certificate, err = parseWhole(rec, tbs)
	case flags&bpf.TracerTlsFlagsTLS_UNREADABLE != 0:
		id.Source, id.Error = "unreadable", "the memory of the SSL object could not be read"
	case flags&bpf.TracerTlsFlagsTLS_HAS_PEER != 0:
		id.Certificate, err = parsePeer(rec, tbs)
	}
	if err != nil {
		id.Error = err.Error()
		if id.Certificate == nil {
			id.Source = "unreadable"
		}
	}
	s.resumption(id, rec)
	if !s.verifiedOnce(id) {
		return
	}
	if s.role == "" {
		s.held = id
		return
	}
	r.open(s, h)
	r.cfg.Emit(id)
}

func parseWhole(rec *bpf.TracerTlsIdentityRecord, der []byte) (*event.Certificate, error) {
	if len(der) < int(rec.Length) {
		return nil, fmt.Errorf("certificate of %d bytes: more than the %d that are captured", rec.Length, len(der))
	}
	return identity.Parse(der)
}

func parsePeer(rec *bpf.TracerTlsIdentityRecord, tbs []byte) (*event.Certificate, error) {
	if len(tbs) < int(rec.Length) {
		return nil, fmt.Errorf("certificate of %d bytes: more than the %d that are captured", rec.Length, len(tbs))
	}
	var signature []byte
	if n := int(rec.SignatureLength); n <= len(rec.Signature) {
		signature = rec.Signature[:n]
	}
	return identity.ParsePeer(tbs, signature)
}

// tlsVersion names a protocol version number (RFC 8446, section 4.2.1, and RFC 5246, appendix A.1).
func tlsVersion(v uint32) string {
	switch v {
	case 0x0301:
		return "1.0"
	case 0x0302:
		return "1.1"
	case 0x0303:
		return "1.2"
	case 0x0304:
		return "1.3"
	}
	return ""
}

// TLSData takes a piece of plaintext.
func (r *Registry) TLSData(h event.Header, rec *bpf.TracerTlsDataRecord, data []byte) {
	s := r.tlsStream(h, rec.Ssl, rec.Random, rec.Socket, rec.Flags)
	r.note(s, h.PID, &rec.Task)
	direction := bpf.TracerDirection(rec.Direction & 1)
	if direction == bpf.TracerDirectionDIRECTION_IN {
		r.seek(h, s)
	}
	r.take(s, piece{header: h, direction: direction, offset: s.base[direction] + rec.Offset, length: uint64(rec.Length), data: data})
}

// TLSFreed ends the connection of an SSL object.
func (r *Registry) TLSFreed(h event.Header, ssl uint64) {
	if s := r.streams[tlsKey{h.PID, ssl}]; s != nil {
		r.remove(h, s)
	}
}
