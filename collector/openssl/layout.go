package openssl

import (
	"errors"
	"fmt"
	"io"
	"slices"
)

// Layout holds offsets in bytes into OpenSSL's structures. All pointers have 8 bytes.
type Layout struct {
	Session          uint32 // SSL: SSL_SESSION*, may be null
	Peer             uint32 // SSL_SESSION: X509* of the peer, may be null
	TBS              uint32 // X509: pointer to the DER of the TBSCertificate (RFC 5280, 4.1); its length, a long, follows 8 bytes later
	Signature        uint32 // X509: ASN1_BIT_STRING: int length at 0, pointer to the bytes at 8
	Server           uint32 // SSL: int, not 0 if it is the server
	VerifyResult     uint32 // SSL: long, X509_V_OK (0) or X509_V_ERR_*
	VerifyMode       uint32 // SSL: int, SSL_VERIFY_*
	Version          uint32 // SSL: int, 0x0303 for TLS 1.2, 0x0304 for TLS 1.3
	ClientRandom     uint32 // 32 bytes, in what ClientRandomBase points to
	ClientRandomBase uint32 // SSL: pointer to the structure that holds ClientRandom; 0: the SSL itself does
	QUIC             bool   // the int at SSL+0 tells the kind of object: only 0 has this layout, other kinds are QUIC objects

	// Of sessions and handshakes. An identity is told without them; each is 0 while it is not known, which is no offset of theirs.
	Hit             uint32 // SSL: int, not 0 if the handshake resumed a session
	ServerName      uint32 // SSL: char* of the host name in the ClientHello, may be null
	InInit          uint32 // SSL: int, not 0 while a handshake goes on
	State           uint32 // SSL: int, TLS_ST_*: TLS_ST_OK (1) when the handshake is over
	SessionName     uint32 // SSL_SESSION: char* of the host name that it was made for, may be null
	SessionTime     uint32 // SSL_SESSION: 8 bytes since the Unix epoch, when it was made
	SessionTimeUnit uint32 // ns in one of SessionTime: 1,000,000,000 (time_t) or 1 (OSSL_TIME)
	SessionResult   uint32 // SSL_SESSION: long, the verify result of the handshake that made it
}

// X509Layout is the part of a Layout that libcrypto knows.
type X509Layout struct {
	TBS, Signature uint32
}

// maxOffset bounds what is taken for an offset into a structure. SSL has some 6,000 bytes.
const maxOffset = 1 << 14

// layout learns the offsets, all or none but for those of sessions and handshakes.
func (l *library) layout(crypto io.ReaderAt) (*Layout, error) {
	out := &Layout{}
	x, err := l.x509(crypto)
	if err != nil {
		return nil, err
	}
	out.TBS, out.Signature = x.TBS, x.Signature
	if out.Session, out.Peer, err = l.peer(); err != nil {
		return nil, err
	}
	for _, field := range []struct {
		accessor string
		size     int
		to       *uint32
	}{
		{"SSL_is_server", 4, &out.Server},
		{"SSL_get_verify_result", 8, &out.VerifyResult},
		{"SSL_get_verify_mode", 4, &out.VerifyMode},
		{"SSL_version", 4, &out.Version},
	} {
		links, err := l.returned(field.accessor, []int{field.size})
		if err != nil {
			return nil, err
		}
		*field.to = links[0]
	}
	if out.ClientRandomBase, out.ClientRandom, err = l.clientRandom(); err != nil {
		return nil, err
	}
	if out.QUIC, err = l.typed(out); err != nil {
		return nil, err
	}
	if err := out.distinct(); err != nil {
		return nil, err
	}
	return out, nil
}

// x509 learns from the file itself, or from the libcrypto that goes with it.
func (l *library) x509(crypto io.ReaderAt) (X509Layout, error) {
	if defines(l.functions, "i2d_re_X509_tbs", "X509_get0_signature") {
		return l.learnX509()
	}
	if crypto == nil {
		return X509Layout{}, errors.New("no libcrypto in this file, and none given that goes with it")
	}
	m, err := openImage(crypto)
	if err != nil {
		return X509Layout{}, fmt.Errorf("libcrypto: %w", err)
	}
	if m.machine != l.image.machine {
		return X509Layout{}, fmt.Errorf("libcrypto is for %v, libssl for %v", m.machine, l.image.machine)
	}
	return m.learnX509()
}

// LearnX509 learns the offsets that a libcrypto gives.
func LearnX509(r io.ReaderAt) (X509Layout, error) {
	m, err := openImage(r)
	if err != nil {
		return X509Layout{}, err
	}
	return m.learnX509()
}

func (m *image) learnX509() (X509Layout, error) {
	functions, err := m.symbols(cryptoNames)
	if err != nil {
		return X509Layout{}, fmt.Errorf("symbols: %w", err)
	}
	return (&library{image: m, functions: functions}).learnX509()
}

// peer learns where the session is in an SSL and the certificate in a session. Two accessors each must agree on it.
func (l *library) peer() (session, peer uint32, err error) {
	direct, err := l.returned("SSL_get_session", []int{8})
	if err != nil {
		return 0, 0, err
	}
	// 3.x has an accessor without a reference, 1.1.1 one that adds a reference.
	accessor := "SSL_get0_peer_certificate"
	if !defines(l.functions, accessor) {
		accessor = "SSL_get_peer_certificate"
	}
	through, err := l.returned(accessor, []int{8, 8})
	if err != nil {
		return 0, 0, err
	}
	if through[0] != direct[0] {
		return 0, 0, fmt.Errorf("session is at %#x by %s, at %#x by SSL_get_session", through[0], accessor, direct[0])
	}
	own, err := l.returned("SSL_SESSION_get0_peer", []int{8})
	if err != nil {
		return 0, 0, err
	}
	if own[0] != through[1] {
		return 0, 0, fmt.Errorf("peer certificate is at %#x by %s, at %#x by SSL_SESSION_get0_peer", through[1], accessor, own[0])
	}
	return through[0], through[1], nil
}

// returned executes an accessor of its first argument and gives the offsets of the loads that lead to its result, whose sizes must be as given.
// Of several results, null or the pointer halfway, the one behind the most loads counts; there may be only one such.
func (l *library) returned(accessor string, sizes []int) ([]uint32, error) {
	r, err := l.execute(accessor, true)
	if err != nil {
		return nil, err
	}
	if r.err != nil {
		return nil, fmt.Errorf("%s: %w", accessor, r.err)
	}
	var deepest *chain
	for _, v := range r.returns {
		c, ok := chainOf(v)
		if !ok || c.argument != 0 || len(c.links) == 0 {
			continue
		}
		switch {
		case deepest == nil || len(c.links) > len(deepest.links):
			deepest = &c
		case len(c.links) == len(deepest.links) && !c.equal(*deepest):
			return nil, fmt.Errorf("%s: returns different members", accessor)
		}
	}
	if deepest == nil {
		return nil, fmt.Errorf("%s: returns no member", accessor)
	}
	if deepest.tail != 0 || len(deepest.links) != len(sizes) {
		return nil, fmt.Errorf("%s: returns what is behind %d pointers, not %d", accessor, len(deepest.links), len(sizes))
	}
	out := make([]uint32, len(sizes))
	for i, link := range deepest.links {
		if deepest.sizes[i] != sizes[i] {
			return nil, fmt.Errorf("%s: loads %d bytes, not %d", accessor, deepest.sizes[i], sizes[i])
		}
		if out[i], err = offsetOf(link, sizes[i]); err != nil {
			return nil, fmt.Errorf("%s: %w", accessor, err)
		}
	}
	return out, nil
}

// execute runs a function by its name.
func (l *library) execute(name string, follow bool) (*run, error) {
	f, ok := l.functions[name]
	if !ok {
		return nil, fmt.Errorf("%s: not defined in the file, or twice", name)
	}
	return l.image.execute(f, follow), nil
}

// offsetOf checks that n can be the offset of a member of that size.
func offsetOf(n int64, size int) (uint32, error) {
	if n < 0 || n > maxOffset || n%int64(size) != 0 {
		return 0, fmt.Errorf("%#x is no offset of a member of %d bytes", n, size)
	}
	return uint32(n), nil
}

func (c chain) equal(o chain) bool {
	return c.argument == o.argument && c.tail == o.tail && slices.Equal(c.links, o.links) && slices.Equal(c.sizes, o.sizes)
}
