package crl

import (
	"errors"
	"fmt"
)

// The extensions that are known (RFC 5280, sections 5.2 and 5.3), by the encoded OID.
const (
	oidDeltaIndicator    = "\x55\x1d\x1b"
	oidDistributionPoint = "\x55\x1d\x1c"
	oidReason            = "\x55\x1d\x15"
	oidCertificateIssuer = "\x55\x1d\x1d"
)

// harmless are extensions that change nothing of what a list says, be they critical or not: cRLNumber, authorityKeyIdentifier, issuerAltName,
// freshestCRL, authorityInfoAccess; of entries: invalidityDate, holdInstructionCode.
var harmless = map[string]bool{
	"\x55\x1d\x14": true, "\x55\x1d\x23": true, "\x55\x1d\x12": true, "\x55\x1d\x2e": true, "\x2b\x06\x01\x05\x05\x07\x01\x01": true,
	"\x55\x1d\x18": true, "\x55\x1d\x17": true,
}

var (
	errDelta    = errors.New("is a delta list [name the complete one, which the delta adds to]")
	errIndirect = errors.New("is an indirect list, about certificates of other issuers [name the lists of the issuers themselves]")
)

// takeExtension takes the first Extension off a list of them.
func takeExtension(in []byte) (oid []byte, critical bool, value, rest []byte, ok bool) {
	ext, rest, ok := takeTag(in, tagSequence)
	if !ok {
		return nil, false, nil, nil, false
	}
	oid, ext, ok = takeTag(ext, tagOID)
	if !ok {
		return nil, false, nil, nil, false
	}
	tag, body, more, ok := take(ext)
	if ok && tag == tagBoolean {
		critical = len(body) == 1 && body[0] != 0
		tag, body, _, ok = take(more)
	}
	return oid, critical, body, rest, ok && tag == tagOctetString
}

// extensions reads those of the list, the content of the [0].
func (l *List) extensions(in []byte) error {
	in, rest, ok := takeTag(in, tagSequence)
	if !ok || len(rest) > 0 {
		return errors.New("has extensions that cannot be read")
	}
	for len(in) > 0 {
		oid, critical, value, rest, ok := takeExtension(in)
		if !ok {
			return errors.New("has extensions that cannot be read")
		}
		in = rest
		switch {
		case string(oid) == oidDeltaIndicator:
			return errDelta
		case string(oid) == oidDistributionPoint:
			l.scope = string(value)
			if err := checkPoint(value); err != nil {
				return err
			}
		case critical && !harmless[string(oid)]:
			return fmt.Errorf("has the critical extension %s, which is not understood [RFC 5280 forbids to use such a list]", dotted(oid))
		}
	}
	return nil
}

// checkPoint refuses lists that are not about the certificates of clients. issuingDistributionPoint (RFC 5280, section 5.2.5) has
// onlyContainsCACerts [2], indirectCRL [4] and onlyContainsAttributeCerts [5].
func checkPoint(value []byte) error {
	in, rest, ok := takeTag(value, tagSequence)
	if !ok || len(rest) > 0 {
		return errors.New("has a distribution point that cannot be read")
	}
	for len(in) > 0 {
		tag, body, rest, ok := take(in)
		if !ok {
			return errors.New("has a distribution point that cannot be read")
		}
		in = rest
		if yes := len(body) == 1 && body[0] != 0; !yes {
			continue
		}
		switch tag {
		case 0x84:
			return errIndirect
		case 0x82, 0x85:
			return errors.New("is not about certificates of clients [name the list of the CA that issues them]")
		}
	}
	return nil
}

// entryExtensions reads those of an entry, and returns the reason.
func entryExtensions(in []byte) (reason byte, err error) {
	reason = noReason
	for len(in) > 0 {
		oid, critical, value, rest, ok := takeExtension(in)
		if !ok {
			return 0, errors.New("its extensions cannot be read")
		}
		in = rest
		switch {
		case string(oid) == oidReason:
			if body, _, ok := takeTag(value, tagEnumerated); ok && len(body) == 1 {
				reason = body[0]
			}
		case string(oid) == oidCertificateIssuer:
			return 0, errIndirect
		case critical && !harmless[string(oid)]:
			return 0, fmt.Errorf("the critical extension %s is not understood [RFC 5280 forbids to use such a list]", dotted(oid))
		}
	}
	return reason, nil
}
