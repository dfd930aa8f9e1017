package openssl

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestUnknown covers what must not be believed of sessions and handshakes: it stays unknown, which is said, and the rest holds.
func TestUnknown(t *testing.T) {
	for name, c := range map[string]struct {
		suite   int // of releases
		damage  func(ssl *patched)
		want    string
		without func(*Layout)
	}{
		"hit": {1, func(p *patched) { p.add("SSL_session_reused", []byte{0x8b, 0x87}, 4) },
			"SSL_session_reused: SSL_get_servername does not look at", func(l *Layout) { l.Hit = 0 }},
		"session's name": {1, func(p *patched) { p.add("SSL_SESSION_get0_hostname", loadFromRDI, 8) },
			"by SSL_SESSION_get0_hostname", func(l *Layout) { l.ServerName, l.SessionName = 0, 0 }},
		"no names": {1, func(p *patched) { p.rename("SSL_get_servername") },
			"SSL_get_servername: not defined", func(l *Layout) { l.ServerName, l.SessionName, l.Hit = 0, 0, 0 }},
		"two names": {1, func(p *patched) { p.add("SSL_get_servername", []byte{0x48, 0x8b, 0x83}, 8) },
			"SSL_get_servername: returns different members", func(l *Layout) { l.ServerName, l.SessionName = 0, 0 }},
		"time": {1, func(p *patched) { p.add("SSL_SESSION_get_time", loadFromRDI, 8) },
			"SSL_SESSION_get_time: reads something else", func(l *Layout) { l.SessionTime, l.SessionTimeUnit = 0, 0 }},
		"time set twice": {1, func(p *patched) { p.add("SSL_SESSION_set_time", []byte{0x48, 0x89, 0xab}, 8) },
			"SSL_SESSION_set_time: writes the time to different places", func(l *Layout) { l.SessionTime, l.SessionTimeUnit = 0, 0 }},
		"unit": {2, func(p *patched) { p.add("SSL_SESSION_set_time_ex", []byte{0x4c, 0x69, 0xe6}, 1) }, // imul
			"SSL_SESSION_set_time: writes no time", func(l *Layout) { l.SessionTime, l.SessionTimeUnit = 0, 0 }},
		"unit of one": {2, func(p *patched) { p.replace("SSL_SESSION_get_time_ex", 0x48, 0x8b, 0x87, 0xe0, 2, 0, 0, 0xc3) },
			"SSL_SESSION_get_time: has another unit", func(l *Layout) { l.SessionTime, l.SessionTimeUnit = 0, 0 }},
		"result": {1, func(p *patched) { p.add("SSL_set_session", []byte{0x48, 0x89, 0x83}, 8) },
			"SSL_set_session: does not set the verify result", func(l *Layout) { l.SessionResult = 0 }},
		"result of another": {1, func(p *patched) { p.replace("SSL_set_session", 0x48, 0x89, 0xb7, 0xb8, 9, 0, 0, 0xc3) }, // mov %rsi, 0x9b8(%rdi)
			"SSL_set_session: sets the verify result to something else", func(l *Layout) { l.SessionResult = 0 }},
		"in_init": {1, func(p *patched) { p.replace("SSL_in_init", 0x8b, 0x47, 0x68, 0xc3) },
			"SSL_in_init: SSL_is_init_finished does not look at", func(l *Layout) { l.InInit, l.State = 0, 0 }},
		"state": {1, func(p *patched) { p.replace("SSL_get_state", 0x8b, 0x47, 0x60, 0xc3) },
			"SSL_get_state: SSL_is_init_finished does not look at", func(l *Layout) { l.InInit, l.State = 0, 0 }},
		"same place": {1, func(p *patched) { p.replace("SSL_get_state", 0x8b, 0x47, 0x64, 0xc3) },
			"state and in_init are both at", func(l *Layout) { l.InInit, l.State = 0, 0 }},
	} {
		t.Run(name, func(t *testing.T) {
			sslPath, cryptoPath := releases[c.suite].files(t, "amd64")
			ssl := load64(t, sslPath)
			c.damage(ssl)
			l, err := Open(ssl.reader(), open(t, cryptoPath))
			if err != nil {
				t.Fatal(err)
			}
			want := releases[c.suite].layout
			c.without(&want)
			if l.LayoutErr != nil || *l.Layout != want {
				t.Errorf("layout\n%v, error %v, want\n%v", l.Layout, l.LayoutErr, &want)
			}
			if l.Unknown == nil || !strings.Contains(l.Unknown.Error(), c.want) {
				t.Errorf("unknown: %v, want %q", l.Unknown, c.want)
			}
			if text := l.String(); !strings.Contains(text, "=unknown") || !strings.Contains(text, c.want) {
				t.Errorf("%q does not say what is unknown", text)
			}
		})
	}
}

// TestNode learns from the builds of Node that npm has, which hold OpenSSL.
func TestNode(t *testing.T) {
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	for version, layout := range map[string]Layout{"20": layout30, "24": layout35} {
		for _, arch := range []string{"x64", "arm64"} {
			t.Run(version+"/"+arch, func(t *testing.T) {
				t.Parallel() // each may have to be fetched
				folder := filepath.Join(cache, "tenantrace", "openssl", "node-"+version+"-"+arch)
				name := "node-linux-" + arch
				path := filepath.Join(folder, "node_modules", name, "bin", "node")
				if _, err := os.Stat(path); err != nil {
					work := t.TempDir()
					// --force: npm else refuses the packages of other machines
					if out, err := command("", "npm", "install", "--loglevel=error", "--no-audit", "--no-fund", "--ignore-scripts", "--force", "--prefix", work,
						name+"@"+version); err != nil {
						t.Skipf("npm does not give %s@%s: %v: %s", name, version, err, out)
					}
					install(t, work, folder)
				}
				l := learn(t, path, path)
				if *l.Layout != layout || l.Unknown != nil {
					t.Errorf("layout\n%v, want\n%v; unknown %v", l.Layout, &layout, l.Unknown)
				}
				if l.D2I == 0 || l.Free == 0 || len(l.Probes) == 0 {
					t.Errorf("%v", l)
				}
			})
		}
	}
}
