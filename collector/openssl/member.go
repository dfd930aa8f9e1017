package openssl

import (
	"errors"
	"fmt"
)

// clientRandom learns where SSL_get_client_random(ssl, out, length) copies from: a call of memcpy, or the copy in place. base is the offset of a pointer
// in the SSL to what holds the random, 0 if the SSL itself does.
func (l *library) clientRandom() (base, offset uint32, err error) {
	const accessor = "SSL_get_client_random"
	r, err := l.execute(accessor, false)
	if err != nil {
		return 0, 0, err
	}
	if r.err != nil {
		return 0, 0, fmt.Errorf("%s: %w", accessor, r.err)
	}
	var source *chain
	for _, v := range copiedTo(r, 1) {
		c, ok := chainOf(v)
		if !ok || c.argument != 0 {
			continue
		}
		if source != nil && !c.equal(*source) {
			return 0, 0, fmt.Errorf("%s: copies from different places", accessor)
		}
		source = &c
	}
	switch {
	case source == nil:
		return 0, 0, fmt.Errorf("%s: copies nothing from the connection", accessor)
	case len(source.links) > 1:
		return 0, 0, fmt.Errorf("%s: copies from behind %d pointers", accessor, len(source.links))
	case len(source.links) == 1:
		if base, err = offsetOf(source.links[0], 8); err != nil || base == 0 || source.sizes[0] != 8 {
			return 0, 0, fmt.Errorf("%s: no pointer at %#x", accessor, source.links[0])
		}
	}
	if offset, err = offsetOf(source.tail, 1); err != nil {
		return 0, 0, fmt.Errorf("%s: %w", accessor, err)
	}
	return base, offset, nil
}

// copiedTo gives the addresses from which bytes are copied to the start of what an argument points to.
func copiedTo(r *run, i int) []value {
	var out []value
	for _, c := range r.calls {
		if !c.tail && c.arguments[0].isArgument(i) {
			out = append(out, c.arguments[1])
		}
	}
	for _, s := range r.stores {
		if s.address.isArgument(i) && s.value.root != nil && s.value.root.kind == loadNode && s.value.offset == 0 {
			out = append(out, s.value.root.of)
		}
	}
	return out
}

// typed tells whether an SSL begins with the kind of object that it is (3.2 and later), which the accessors then look at.
func (l *library) typed(found *Layout) (bool, error) {
	r, err := l.execute("SSL_get_session", true)
	if err != nil {
		return false, err
	}
	kind := load(argument(0), 4)
	typed := false
	for _, v := range r.tested {
		typed = typed || v.equal(kind)
	}
	if defines(l.functions, "OSSL_QUIC_client_method") && !typed {
		return false, fmt.Errorf("SSL_get_session: does not look at the kind of object, although the library has QUIC")
	}
	if typed && found.Version == 0 {
		return false, fmt.Errorf("SSL_version: is where SSL_get_session finds the kind of object")
	}
	return typed, nil
}

// span is where a member of a structure lies.
type span struct {
	name       string
	start, end uint32
}

// distinct checks that no two members of an SSL, or of a session, lie in the same place.
func (o *Layout) distinct() error {
	ssl := []span{
		{"session", o.Session, o.Session + 8}, {"server", o.Server, o.Server + 4}, {"verify_result", o.VerifyResult, o.VerifyResult + 8},
		{"verify_mode", o.VerifyMode, o.VerifyMode + 4}, {"version", o.Version, o.Version + 4},
	}
	if o.ClientRandomBase == 0 {
		ssl = append(ssl, span{"client_random", o.ClientRandom, o.ClientRandom + 32})
	} else {
		ssl = append(ssl, span{"pointer to client_random", o.ClientRandomBase, o.ClientRandomBase + 8})
	}
	session := []span{{"peer", o.Peer, o.Peer + 8}}
	for _, m := range o.optional() {
		switch {
		case m.start == 0:
		case m.session:
			session = append(session, m.span)
		default:
			ssl = append(ssl, m.span)
		}
	}
	return errors.Join(apart(ssl), apart(session))
}

// apart checks that no two members of one structure lie in the same place.
func apart(members []span) error {
	for i, a := range members {
		for _, b := range members[:i] {
			if a.start < b.end && b.start < a.end {
				return fmt.Errorf("%s and %s are both at %#x", a.name, b.name, max(a.start, b.start))
			}
		}
	}
	return nil
}

// learnX509 learns where an X509 holds the TBSCertificate and the signature.
func (l *library) learnX509() (X509Layout, error) {
	tbs, err := l.encoding()
	if err != nil {
		return X509Layout{}, err
	}
	algorithm, signature, err := l.signature()
	if err != nil {
		return X509Layout{}, err
	}
	// An X509 begins with the parsed TBSCertificate, which ends with its encoding (24 bytes); then come an X509_ALGOR (16 bytes) and the signature.
	if tbs+24 > algorithm || algorithm+16 != signature {
		return X509Layout{}, fmt.Errorf("encoding at %#x, signature algorithm at %#x and signature at %#x do not follow one another", tbs, algorithm, signature)
	}
	return X509Layout{TBS: tbs, Signature: signature}, nil
}

// encoding learns where an X509 caches the DER of its TBSCertificate: i2d_re_X509_tbs(x, out) marks the cache as outdated. The mark is the last of {pointer,
// long length, int modified}, and the only thing that the function writes.
func (l *library) encoding() (uint32, error) {
	const accessor = "i2d_re_X509_tbs"
	r, err := l.execute(accessor, false)
	if err != nil {
		return 0, err
	}
	if r.err != nil {
		return 0, fmt.Errorf("%s: %w", accessor, r.err)
	}
	var mark *store
	for i, s := range r.stores {
		c, ok := chainOf(s.address)
		if !ok || c.argument != 0 || len(c.links) > 0 || !s.value.equal(constant(1)) || s.size != 4 {
			return 0, fmt.Errorf("%s: writes something else than a mark", accessor)
		}
		if mark != nil && !mark.address.equal(s.address) {
			return 0, fmt.Errorf("%s: writes two marks", accessor)
		}
		mark = &r.stores[i]
	}
	if mark == nil {
		return 0, fmt.Errorf("%s: writes no mark", accessor)
	}
	offset, err := offsetOf(mark.address.offset-16, 8)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", accessor, err)
	}
	return offset, nil
}

// signature learns where an X509 holds the algorithm and the signature: X509_get0_signature(&signature, &algorithm, x) gives their addresses.
func (l *library) signature() (algorithm, signature uint32, err error) {
	const accessor = "X509_get0_signature"
	r, err := l.execute(accessor, false)
	if err != nil {
		return 0, 0, err
	}
	if r.err != nil {
		return 0, 0, fmt.Errorf("%s: %w", accessor, r.err)
	}
	var found [2]*value
	for i, s := range r.stores {
		for out := range found {
			if !s.address.isArgument(out) {
				continue
			}
			if found[out] != nil && !found[out].equal(s.value) {
				return 0, 0, fmt.Errorf("%s: gives different addresses", accessor)
			}
			found[out] = &r.stores[i].value
		}
	}
	var offsets [2]uint32
	for out, v := range found {
		if v == nil {
			return 0, 0, fmt.Errorf("%s: gives no address of a member", accessor)
		}
		c, ok := chainOf(*v)
		if !ok || c.argument != 2 || len(c.links) > 0 {
			return 0, 0, fmt.Errorf("%s: gives no address of a member", accessor)
		}
		if offsets[out], err = offsetOf(c.tail, 8); err != nil {
			return 0, 0, fmt.Errorf("%s: %w", accessor, err)
		}
	}
	return offsets[1], offsets[0], nil
}
