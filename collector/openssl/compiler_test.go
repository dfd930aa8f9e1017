package openssl

import (
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestCompilers learns from functions of OpenSSL's shape that other compilers and settings than Debian's have made.
func TestCompilers(t *testing.T) {
	want := Layout{
		Session: 0x768, Peer: 0x2b8, TBS: 0x70, Signature: 0x98, Server: 0x38, VerifyResult: 0x770, VerifyMode: 0x760, Version: 0, ClientRandom: 0x140,
		Hit: 0x40, ServerName: 0x50, InInit: 0x44, State: 0x48, SessionName: 0x2e8, SessionTime: 0x2e0, SessionTimeUnit: second, SessionResult: 0x2c8,
	}
	typed := want
	typed.Version, typed.QUIC, typed.SessionTimeUnit = 0x778, true, 1
	folder := t.TempDir()
	for _, cc := range []string{"gcc", "clang"} {
		if _, err := exec.LookPath(cc); err != nil {
			t.Logf("without %s: %v", cc, err)
			continue
		}
		for _, flags := range []string{
			"-O0", "-O1", "-O2", "-O3", "-Os", "-O2 -fno-plt", "-O2 -fstack-protector-strong", "-O0 -fstack-protector-all", "-O2 -fno-omit-frame-pointer",
			"-O2 -fcf-protection",
		} {
			if runtime.GOARCH != "amd64" && strings.Contains(flags, "cf-protection") {
				continue
			}
			for define, layout := range map[string]Layout{"-DPLAIN": want, "-DTYPED": typed} {
				t.Run(cc+" "+flags+" "+define, func(t *testing.T) {
					out := filepath.Join(folder, "library.so")
					args := append(strings.Fields(flags), define, "-shared", "-fPIC", "-w", "-o", out, "testdata/library.c")
					if text, err := command("", cc, args...); err != nil {
						t.Fatalf("%v: %s", err, text)
					}
					l := learn(t, out, out)
					if *l.Layout != layout {
						t.Errorf("layout\n%v, want\n%v: %v", l.Layout, &layout, l.Unknown)
					}
					checkInternal(t, l, 3)
				})
			}
		}
	}
}
