package crl

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"tenantrace/collector/event"
)

// maxOdd bounds the serial numbers of one list that RFC 5280 does not allow.
const maxOdd = 10_000

// parse reads one list in DER, of at most size bytes. most bounds its entries. With cas, the signature must be of one of them; else it is not checked.
func parse(in *bufio.Reader, size int64, most int, cas []authority) (*List, error) {
	s := &stream{in: in, size: size}
	tag, n, err := s.open()
	if err == nil && tag != tagSequence {
		err = errors.New("is no revocation list [name a file of PEM blocks \"X509 CRL\", or one in DER]")
	}
	if err != nil {
		return nil, err
	}
	end := s.at + n
	proof := &proof{}
	if len(cas) > 0 {
		s.tap = proof
	}
	l := &List{}
	algorithm, err := s.signedPart(l, proof, most)
	if err != nil {
		return nil, err
	}
	s.tap = nil
	tag, body, err := s.element()
	if err != nil {
		return nil, err
	}
	if tag != tagSequence || !bytes.Equal(body, algorithm) {
		return nil, errors.New("names two different signature algorithms")
	}
	if tag, body, err = s.element(); err != nil {
		return nil, err
	}
	if tag != tagBitString || len(body) < 2 || body[0] != 0 {
		return nil, errors.New("has no signature")
	}
	if s.at != end {
		return nil, errors.New("is shorter or longer than it says [fetch it again]")
	}
	if len(cas) > 0 {
		if err := proof.check(l.Issuer, body[1:], cas); err != nil {
			return nil, err
		}
		l.Verified = true
	}
	l.sort()
	return l, nil
}

// signedPart reads the TBSCertList, and returns the content of its AlgorithmIdentifier.
func (s *stream) signedPart(l *List, proof *proof, most int) (algorithm []byte, err error) {
	tag, n, err := s.open()
	if err != nil || tag != tagSequence {
		return nil, cmpErr(err, "has no list inside")
	}
	end := s.at + n
	tag, body, err := s.element()
	if err == nil && tag == tagInteger { // version, 1 for 2; without it, 1
		if len(body) != 1 || body[0] != 1 {
			return nil, errors.New("has a version that RFC 5280 does not know")
		}
		tag, body, err = s.element()
	}
	if err != nil || tag != tagSequence {
		return nil, cmpErr(err, "names no signature algorithm")
	}
	algorithm = bytes.Clone(body)
	if s.tap != nil {
		if err := proof.begin(algorithm); err != nil {
			return nil, err
		}
	}
	if tag, body, err = s.element(); err != nil || tag != tagSequence {
		return nil, cmpErr(err, "names no issuer")
	}
	name, ok := readName(body)
	if !ok || len(name) == 0 {
		return nil, errors.New("has an issuer that cannot be read")
	}
	l.Issuer, l.Name = IssuerKey(name), event.DNString(name)
	if tag, body, err = s.element(); err != nil {
		return nil, err
	}
	if l.ThisUpdate, ok = readTime(tag, body); !ok {
		return nil, errors.New("has no time of issue that can be read")
	}
	seen := 0 // what must come in this order: nextUpdate 1, revokedCertificates 2, crlExtensions 3
	for s.at < end {
		tag, n, err := s.open()
		if err != nil {
			return nil, err
		}
		switch {
		case seen < 1 && (tag == tagUTCTime || tag == tagGeneralizedTime):
			seen = 1
			if body, err = s.content(n); err != nil {
				return nil, err
			}
			if l.NextUpdate, ok = readTime(tag, body); !ok {
				return nil, errors.New("has a time of its next update that cannot be read")
			}
		case seen < 2 && tag == tagSequence:
			seen = 2
			if s.at+n > end {
				return nil, errShort
			}
			if err := s.entries(l, n, most); err != nil {
				return nil, err
			}
		case seen < 3 && tag == tagExtensions:
			seen = 3
			if body, err = s.content(n); err != nil {
				return nil, err
			}
			if err := l.extensions(body); err != nil {
				return nil, err
			}
		default:
			return nil, fmt.Errorf("has an element %#x before byte %d that does not belong there", tag, s.at)
		}
	}
	if s.at != end {
		return nil, errShort
	}
	return algorithm, nil
}

// entries reads the entries, n bytes.
func (s *stream) entries(l *List, n int64, most int) error {
	for end := s.at + n; s.at < end; {
		before := s.at
		tag, body, err := s.element()
		if err != nil {
			return err
		}
		if tag != tagSequence || s.at > end {
			return fmt.Errorf("has an entry at byte %d that cannot be read", before)
		}
		if l.records == nil { // entries are about the same size; an estimate spares the copies of a growing slice
			l.records = make([]record, 0, min(min(n, s.size)/max(s.at-before, 16)+1, int64(most)))
		}
		if l.Len() == most {
			return fmt.Errorf("has more than %d entries [split the lists by distribution point, or leave out those of certificates that have ended]", most)
		}
		if err := l.entry(body); err != nil {
			return fmt.Errorf("entry at byte %d: %w", before, err)
		}
	}
	return nil
}

func (l *List) entry(in []byte) error {
	serial, in, ok := takeTag(in, tagInteger)
	if !ok || len(serial) == 0 {
		return errors.New("no serial number")
	}
	tag, body, rest, ok := take(in)
	if !ok {
		return errShort
	}
	at, ok := readTime(tag, body)
	if !ok {
		return errors.New("its time cannot be read")
	}
	reason := byte(noReason)
	if len(rest) > 0 {
		list, more, ok := takeTag(rest, tagSequence)
		if !ok || len(more) > 0 {
			return errors.New("its extensions cannot be read")
		}
		var err error
		if reason, err = entryExtensions(list); err != nil {
			return err
		}
	}
	if reason == removeFromCRL {
		return nil
	}
	r := newRecord(at, reason)
	digits := bytes.TrimLeft(serial, "\x00")
	if serial[0]&0x80 == 0 && len(digits) <= maxSerial {
		copy(r[maxSerial-len(digits):], digits)
		l.records = append(l.records, r)
		return nil
	}
	if len(l.odd) == maxOdd || len(serial) > 256 {
		return fmt.Errorf("a serial number is longer than %d bytes, or negative, and there are too many such", maxSerial)
	}
	if l.odd == nil {
		l.odd = make(map[string]record)
	}
	l.odd[oddSerial(serial)] = r
	return nil
}

// sort makes the entries searchable. Of one that is there twice, the earlier moment counts.
func (l *List) sort() {
	byTime := func(a, b record) int { return bytes.Compare(a[:], b[:]) } // of one serial number, the earliest first
	if !slices.IsSortedFunc(l.records, byTime) {
		slices.SortFunc(l.records, byTime)
	}
	l.records = slices.CompactFunc(l.records, func(a, b record) bool { return compareSerials(a, b) == 0 })
	if cap(l.records)-len(l.records) > len(l.records)/8 {
		l.records = slices.Clip(append([]record(nil), l.records...))
	}
}

// readTime reads UTCTime or GeneralizedTime in the forms of RFC 5280, section 4.1.2.5: to the second, in UTC.
func readTime(tag byte, b []byte) (time.Time, bool) {
	year, n := 0, 4
	if tag == tagUTCTime {
		n = 2
	} else if tag != tagGeneralizedTime {
		return time.Time{}, false
	}
	if len(b) != n+11 || b[len(b)-1] != 'Z' {
		return time.Time{}, false
	}
	for _, c := range b[:len(b)-1] {
		if c < '0' || c > '9' {
			return time.Time{}, false
		}
	}
	for _, c := range b[:n] {
		year = year*10 + int(c-'0')
	}
	if tag == tagUTCTime {
		if year += 1900; year < 1950 {
			year += 100
		}
	}
	two := func(i int) int { return int(b[n+i]-'0')*10 + int(b[n+i+1]-'0') }
	month, day, hour, minute, second := two(0), two(2), two(4), two(6), two(8)
	t := time.Date(year, time.Month(month), day, hour, minute, second, 0, time.UTC)
	return t, t.Month() == time.Month(month) && t.Day() == day && hour < 24 && minute < 60 && second < 60
}

func cmpErr(err error, otherwise string) error {
	if err != nil {
		return err
	}
	return errors.New(otherwise)
}

// drained tells whether nothing follows.
func drained(in *bufio.Reader) bool {
	_, err := in.ReadByte()
	return errors.Is(err, io.EOF)
}
