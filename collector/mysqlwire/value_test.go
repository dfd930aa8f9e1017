package mysqlwire

import (
	"math"
	"strings"
	"testing"
)

func TestValues(t *testing.T) {
	double := func(v float64) string { return le(math.Float64bits(v), 8) }
	for _, q := range []struct {
		kind    byte
		charset uint16
		raw     string
		want    string // "?" unreadable
	}{
		{typeTiny, 0, "\xff", "-1"}, {typeShort, 0, "\x00\x80", "-32768"}, {typeInt24, 0, "\xff\xff\xff\xff", "-1"}, {typeLong, 0, "\x01\x00\x00\x80", "-2147483647"}, {typeYear, 0, "\xe8\x07", "2024"},
		{typeDouble, 0, double(42), "42"}, {typeDouble, 0, double(0.1), "0.1"}, {typeDouble, 0, double(1e20), "1e+20"}, {typeDouble, 0, double(-9007199254740991), "-9007199254740991"},
		{typeFloat, 0, "\x00\x00\xc0\x3f", "1.5"}, {typeDate, 0, "", "0000-00-00"}, {typeDate, 0, "\xe8\x07\x02\x03", "2024-02-03"}, {typeDateTime, 0, "\xe8\x07\x02\x03", "2024-02-03 00:00:00"},
		{typeTimestamp, 0, "\xe8\x07\x02\x03\x04\x05\x06\x07\x00\x00\x00", "2024-02-03 04:05:06.000007"}, {typeTime, 0, "", "00:00:00"}, {typeTime, 0, "\x01\x01\x00\x00\x00\x02\x03\x04", "-26:03:04"},
		{typeTime, 0, "\x01", "?"}, {typeDate, 0, "\x01", "?"}, {typeLong, 0, "\x01", "?"}, {typeBit, 0, "\x01\x02", "258"}, {typeBit, 0, "123456789", "?"},
		{typeString, utf8mb4, "M\xc3\xbcller", "M\xc3\xbcller"}, {typeString, 8, "M\xfcller", "?"}, {typeString, charsetUnknown, "M\xfcller-Betriebe", "?"}, {typeString, charsetUnknown, "M\xfcller-Betriebe1", "?"},
		{typeString, charsetUnknown, "\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff\x00", "11223344-5566-7788-99aa-bbccddeeff00"}, {typeString, charsetBinary, "sixteen letters!", "sixteen letters!"},
		{typeString, charsetBinary, "\xff", "0xff"}, {typeString, charsetBinary, strings.Repeat("\xff", 128), "?"}, {typeString, utf8mb4, strings.Repeat("x", maxValue), strings.Repeat("x", maxValue)},
		{typeString, utf8mb4, strings.Repeat("x", maxValue+1), "?"},
	} {
		got, ok := appendValue([]byte("-"), column{kind: q.kind, charset: q.charset}, true, []byte(q.raw))
		if !ok {
			got = append(got, '?')
		}
		if string(got) != "-"+q.want {
			t.Errorf("type %d, collation %d, %q: %s, want %s", q.kind, q.charset, q.raw, got[1:], q.want)
		}
	}
	if got, ok := appendValue(nil, column{kind: typeLongLong, unsigned: true}, true, []byte(le(1<<63, 8))); !ok || string(got) != "9223372036854775808" {
		t.Errorf("%s, want 9223372036854775808", got)
	}
}

// TestTypesThatAreNotSent has a parameter of a type that servers read in different ways: nothing behind it is known.
func TestTypesThatAreNotSent(t *testing.T) {
	calls := append(opening(modern), ask("\x16DO ?, ?, ?"), answers(preparedAs(1, 3, nil, true)...),
		ask(executionOf(1, true, text("acme"), bind{kind: typeInt24, value: "\x01\x00\x00\x00"}, text("beta"))), answers(ok(0, 2)))
	if got, want := lines(play(t, testConfig(), calls))[2], `statement 1 "DO ?, ?, ?" $1=acme $2=? $3=?`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
