package stream

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"tenantrace/bpf"
)

// What a client sends in the middle of a long write may be anybody's text: a session that is late does not begin with it.
func TestLongWriteHoldsNoBeginning(t *testing.T) {
	long := strings.Repeat("x", bpf.DataLarge)
	insert := "\x00\x00\x03\x00\x03INSERT INTO files VALUES ('" // of 196,608 bytes
	insert += long[len(insert):]
	const postgres = "Q\x00\x00\x00\x0dSELECT 1\x00"
	for name, c := range map[string]struct{ first, forged string }{
		"MySQL": {insert, mysqlQuery}, "neither of MySQL": {long, mysqlQuery}, "nor of PostgreSQL": {long, postgres},
	} {
		for _, gap := range []uint64{0, 50000} {
			b := newBench(t, 0)
			b.tls(77, 1, 0, out, 0, c.first)
			b.tls(77, 1, 0, out, bpf.DataLarge+gap, c.forged)
			b.expect()
			b.tls(77, 1, 0, out, bpf.DataLarge+gap+uint64(len(c.forged)), c.forged) // this one is true
			b.expect("ConnectionOpened 1 client tls=true late=true", "SessionStarted", "Statement 1 SELECT 1")
			if t.Failed() {
				t.Fatalf("%s, %d bytes left out", name, gap)
			}
		}
	}
	// The session is known, and was lost.
	b := newBench(t, 0)
	b.tls(77, 1, 0, out, 0, mysqlQuery)
	b.tls(77, 1, 0, inward, 0, "\x01\x00\x00\x01\xff")
	b.tls(77, 1, 0, inward, 5, "\x01\x00\x00\x01\x00")
	b.expect("ConnectionOpened 1 client tls=true late=true", "SessionStarted", "Statement 1 SELECT 1", "Result", "SessionReady", "SessionDesync")
	at := uint64(len(mysqlQuery))
	b.tls(77, 1, 0, out, at, insert)
	b.tls(77, 1, 0, out, at+bpf.DataLarge+7, mysqlQuery)
	b.expect()
	b.tls(77, 1, 0, out, at+bpf.DataLarge+7+at, mysqlQuery)
	b.expect("Statement 1 SELECT 1")
}

func TestDataLarge(t *testing.T) {
	text, err := os.ReadFile("../../bpf/events.h")
	if err != nil {
		t.Fatal(err)
	}
	if found := regexp.MustCompile(`(?m)^#define DATA_LARGE (\d+)$`).FindSubmatch(text); found == nil || string(found[1]) != fmt.Sprint(bpf.DataLarge) {
		t.Errorf("events.h has %q, Go has %d", found, bpf.DataLarge)
	}
}
