package crl

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"time"
)

// Bounds of what Load reads.
const (
	MaxEntries = 4_000_000 // of all lists: 100 MB
	maxFile    = 512 << 20 // bytes of one file
	maxCAFile  = 4 << 20
	maxLists   = 1_000
)

// Set is the lists in force. It is immutable and safe for concurrent use.
type Set struct {
	lists    []*List
	byIssuer map[string][]*List
	digest   string
}

// Load reads the lists of files, each with one or several in PEM, or in DER. With caFile, a file of certificates in PEM, every list must carry a
// signature of one of them; with "" signatures are not checked. Errors name the file and a remedy.
func Load(files []string, caFile string) (*Set, error) {
	return load(files, caFile, MaxEntries)
}

func load(files []string, caFile string, most int) (*Set, error) {
	var cas []authority
	if caFile != "" {
		data, err := readAll(caFile)
		if err == nil {
			cas, err = readAuthorities(data)
		}
		if err != nil {
			return nil, fmt.Errorf("certificates of list issuers %q: %w", caFile, err)
		}
	}
	sum := sha256.New()
	var lists []*List
	for _, file := range files {
		found, err := loadFile(file, most, cas, sum)
		if err != nil {
			return nil, fmt.Errorf("revocation list %q: %w", file, err)
		}
		for _, l := range found {
			most -= l.Len()
		}
		lists = append(lists, found...)
		if len(lists) > maxLists {
			return nil, fmt.Errorf("revocation list %q: more than %d lists [name fewer]", file, maxLists)
		}
	}
	s := newSet(lists)
	s.digest = hex.EncodeToString(sum.Sum(nil)[:8])
	return s, nil
}

// newSet puts lists together. Of several of one issuer for the same certificates, the newest counts: an older one may still hold what was taken off.
func newSet(lists []*List) *Set {
	s := &Set{byIssuer: make(map[string][]*List)}
	for _, l := range lists {
		same := s.byIssuer[l.Issuer]
		known := false
		for i, other := range same {
			if other.scope == l.scope {
				known = true
				if l.ThisUpdate.After(other.ThisUpdate) {
					same[i] = l
				}
			}
		}
		if !known {
			s.byIssuer[l.Issuer] = append(same, l)
		}
	}
	for _, l := range lists {
		for _, kept := range s.byIssuer[l.Issuer] {
			if kept == l {
				s.lists = append(s.lists, l)
			}
		}
	}
	return s
}

func loadFile(path string, most int, cas []authority, sum hash.Hash) ([]*List, error) {
	f, err := open(path, maxFile)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	// One byte more than the bound: a file that grows while it is read is then seen to.
	return read(io.TeeReader(io.LimitReader(f, maxFile+1), sum), info.Size(), most, cas)
}

// read reads the lists of a file of size bytes.
func read(file io.Reader, size int64, most int, cas []authority) (lists []*List, err error) {
	in := bufio.NewReaderSize(file, 1<<16)
	first, err := in.Peek(1)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if len(first) > 0 && first[0] == tagSequence {
		l, err := parse(in, size, most, cas)
		if err == nil && !drained(in) {
			err = errors.New("has bytes behind its end [fetch it again]")
		}
		if err != nil {
			return nil, err
		}
		return []*List{l}, nil
	}
	for {
		block, err := nextBlock(in)
		switch {
		case errors.Is(err, io.EOF) && len(lists) > 0:
			return lists, nil
		case errors.Is(err, io.EOF):
			return nil, errors.New("holds no revocation list [name a file of PEM blocks \"X509 CRL\", or one in DER]")
		case err != nil:
			return nil, err
		case len(lists) == maxLists:
			return nil, fmt.Errorf("holds more than %d lists [name fewer]", maxLists)
		}
		inside := bufio.NewReaderSize(block, 1<<15)
		l, err := parse(inside, size, most, cas)
		if err == nil && !drained(inside) {
			err = errors.New("has bytes behind its end, or is not base64 [fetch it again]")
		}
		if err != nil {
			return nil, fmt.Errorf("list %d: %w", len(lists)+1, err)
		}
		most -= l.Len()
		lists = append(lists, l)
	}
}

// open opens a regular file of at most most bytes.
func open(path string, most int64) (*os.File, error) {
	info, err := os.Stat(path) // before opening: opening a pipe would block
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, errors.New("is not a regular file [name a file]")
	case info.Size() > most:
		return nil, fmt.Errorf("is larger than %d bytes [split the lists by distribution point]", most)
	}
	return os.Open(path)
}

func readAll(path string) ([]byte, error) {
	f, err := open(path, maxCAFile)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxCAFile))
}

// Find looks up a certificate by its issuer, as IssuerKey gives it, and its serial number in lower-case hex.
func (s *Set) Find(issuer, serial string) (Entry, bool) {
	for _, l := range s.byIssuer[issuer] {
		if e, ok := l.Find(serial); ok {
			return e, true
		}
	}
	return Entry{}, false
}

// Lists returns the lists in force, in the order of the files. The result must not be changed.
func (s *Set) Lists() []*List { return s.lists }

// Len is the number of entries in all lists.
func (s *Set) Len() int {
	n := 0
	for _, l := range s.lists {
		n += l.Len()
	}
	return n
}

// Digest identifies the files: 16 hex digits over their bytes.
func (s *Set) Digest() string { return s.digest }

// Updates returns when the oldest list was issued, and when the next new one is due; zero: no list, or none says.
func (s *Set) Updates() (last, next time.Time) {
	for i, l := range s.lists {
		if i == 0 || l.ThisUpdate.Before(last) {
			last = l.ThisUpdate
		}
		if !l.NextUpdate.IsZero() && (next.IsZero() || l.NextUpdate.Before(next)) {
			next = l.NextUpdate
		}
	}
	return last, next
}
