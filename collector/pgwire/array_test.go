package pgwire

import (
	"encoding/binary"
	"strings"
	"testing"
)

// arrayOf writes an array in its binary format.
func arrayOf(element uint32, values ...string) []byte {
	var b []byte
	n := func(v uint32) { b = binary.BigEndian.AppendUint32(b, v) }
	if len(values) == 0 {
		n(0)
		n(0)
		n(element)
		return b
	}
	n(1)
	n(1)
	n(element)
	n(uint32(len(values)))
	n(1)
	for _, v := range values {
		if v == "NULL" {
			n(0xffffffff)
			continue
		}
		n(uint32(len(v)))
		b = append(b, v...)
	}
	return b
}

func TestAppendParam(t *testing.T) {
	long := make([]string, maxElements)
	for i := range long {
		long[i] = "\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff" + string(rune(i))
	}
	matrix := arrayOf(oidInt4, "\x00\x00\x00\x01")
	matrix[3] = 2
	text := "{" + strings.Repeat("acme,", 100) + "acme}"
	for _, c := range []struct {
		name   string
		oid    uint32
		format byte
		raw    []byte
		want   string // "" unreadable
	}{
		{"int4[]", 1007, 1, arrayOf(oidInt4, "\x00\x00\x00\x07", "NULL", "\xff\xff\xff\xff"), `{"7",NULL,"-1"}`},
		{"text[]", 1009, 1, arrayOf(oidText, "acme", `a"b\c,{`, "", "NULL"), `{"acme","a\"b\\c,{","",NULL}`},
		{"uuid[]", 2951, 1, arrayOf(oidUUID, "\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff\x00"), `{"11223344-5566-7788-99aa-bbccddeeff00"}`},
		{"empty", 1016, 1, arrayOf(oidInt8), `{}`},
		{"as text", 1009, 0, []byte("{a,b}"), `{a,b}`},
		{"long, as text", 1009, 0, []byte(text), text},
		{"long, as text, no type", 0, 0, []byte(text), text},
		{"long, as text, of another type", oidText, 0, []byte(text), ""},
		{"longer", 1009, 0, []byte("{" + strings.Repeat("x", maxArray) + "}"), ""},
		{"of another element", 1007, 1, arrayOf(oidInt8, "\x00\x00\x00\x00\x00\x00\x00\x01"), ""},
		{"of two dimensions", 1007, 1, matrix, ""},
		{"a wrong length", 1007, 1, arrayOf(oidInt4, "\x00\x07"), ""},
		{"cut", 1007, 1, arrayOf(oidInt4, "\x00\x00\x00\x07")[:22], ""},
		{"more than it says", 1007, 1, append(arrayOf(oidInt4, "\x00\x00\x00\x07"), 0), ""},
		{"no header", 1007, 1, []byte{0, 0}, ""},
		{"no element", oidInt4, 1, []byte{0, 0, 0, 7}, "7"},
		{"too many elements", 1009, 1, arrayOf(oidText, make([]string, maxElements+1)...), ""},
		{"too long an element", 1009, 1, arrayOf(oidText, strings.Repeat("x", maxValue+1)), ""},
	} {
		got, ok := appendParam([]byte("x"), c.oid, c.format, c.raw)
		if ok != (c.want != "") || string(got) != "x"+c.want {
			t.Errorf("%s: %q %v, want %q", c.name, got, ok, c.want)
		}
	}
	if got, ok := appendParam(nil, 2951, 1, arrayOf(oidUUID, long[:maxElements]...)); !ok || len(got) != 1+39*maxElements {
		t.Errorf("%d UUIDs: %d bytes, %v", maxElements, len(got), ok)
	}
}

func FuzzAppendParam(f *testing.F) {
	f.Add(uint32(1009), byte(1), arrayOf(oidText, "a", "NULL", `"`))
	f.Add(uint32(2951), byte(1), arrayOf(oidUUID))
	f.Add(uint32(0), byte(0), []byte("{a}"))
	f.Fuzz(func(t *testing.T, oid uint32, format byte, raw []byte) {
		got, ok := appendParam(nil, oid, format, raw)
		if len(got) > maxArray+2*maxValue || !ok && len(got) > 0 {
			t.Fatalf("%d bytes, %v", len(got), ok)
		}
	})
}
