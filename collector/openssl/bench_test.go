package openssl

import (
	"os/exec"
	"testing"
)

func BenchmarkExports(b *testing.B) {
	ssl, crypto := host(b)
	paths := map[string]string{"libssl": ssl, "libcrypto": crypto}
	if node, err := exec.LookPath("node"); err == nil {
		paths["node"] = node
	}
	for name, path := range paths {
		b.Run(name, func(b *testing.B) {
			f := open(b, path)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Exports(f); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	ssl, crypto := host(b)
	s, c := open(b, ssl), open(b, crypto)
	b.ReportAllocs()
	for b.Loop() {
		if l, err := Open(s, c); err != nil || l.Layout == nil {
			b.Fatal(err)
		}
	}
}
