package crl

import (
	"bufio"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// large writes a list with n random serial numbers of 16 bytes, once.
func large(t testing.TB, n int, asPEM bool) (path, caFile string) {
	t.Helper()
	c := defaultCA(t)
	serials := make([]*big.Int, n)
	b := make([]byte, 16)
	for i := range serials {
		if _, err := rand.Read(b); err != nil {
			t.Fatal(err)
		}
		b[0] |= 0x40
		serials[i] = new(big.Int).SetBytes(b)
	}
	der := c.list(t, x509.RevocationList{}, serials...)
	path = filepath.Join(t.TempDir(), "large")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	if asPEM {
		err = pem.Encode(w, &pem.Block{Type: "X509 CRL", Bytes: der})
	} else {
		_, err = w.Write(der)
	}
	if err == nil {
		err = w.Flush()
	}
	if err != nil {
		t.Fatal(err)
	}
	return path, write(t, "ca.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.cert.Raw}))
}

// heap is the memory in use after a collection, in bytes.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// A list is neither read into memory as a whole nor copied: what is allocated while it is read stays below twice of what is kept.
func TestMemoryIsBounded(t *testing.T) {
	const n = 100_000
	path, caFile := large(t, n, true)
	before := heap()
	var m0, m1 runtime.MemStats
	runtime.ReadMemStats(&m0)
	s, err := Load([]string{path}, caFile)
	if err != nil || s.Len() != n {
		t.Fatalf("%v entries, %v", s.Len(), err)
	}
	runtime.ReadMemStats(&m1)
	allocated := m1.TotalAlloc - m0.TotalAlloc
	kept := heap() - before
	if most := uint64(n * 2 * len(record{})); allocated > most+1<<20 || kept > n*30+1<<20 {
		t.Errorf("%d bytes allocated (at most %d), %d kept", allocated, most, kept)
	}
	runtime.KeepAlive(s)
}

func BenchmarkLoad(b *testing.B) {
	for _, asPEM := range []bool{false, true} {
		path, caFile := large(b, 1_000_000, asPEM)
		info, err := os.Stat(path)
		if err != nil {
			b.Fatal(err)
		}
		for _, ca := range []string{"", caFile} {
			b.Run(fmt.Sprintf("entries=1000000/pem=%v/signature=%v", asPEM, ca != ""), func(b *testing.B) {
				b.SetBytes(info.Size())
				b.ReportAllocs()
				before := heap()
				var s *Set
				for b.Loop() {
					if s, err = Load([]string{path}, ca); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(heap()-before)/1e6, "MB-kept")
				runtime.KeepAlive(s)
			})
		}
	}
}

func BenchmarkFind(b *testing.B) {
	path, _ := large(b, 1_000_000, false)
	s, err := Load([]string{path}, "")
	if err != nil {
		b.Fatal(err)
	}
	var serials []string
	for i := range 1024 {
		serials = append(serials, fmt.Sprintf("%x", s.lists[0].records[i*900][4:maxSerial]), fmt.Sprintf("40%030x", i*7919))
	}
	i, hits := 0, 0
	for b.Loop() {
		if _, ok := s.Find(issuer, serials[i%len(serials)]); ok {
			hits++
		}
		i++
	}
	if i > len(serials) && (hits == 0 || hits == i) {
		b.Fatalf("%d hits of %d", hits, i)
	}
}
