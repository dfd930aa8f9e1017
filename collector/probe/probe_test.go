package probe

import (
	"debug/elf"
	"os"
	"path/filepath"
	"testing"
)

// needRoot skips where programs cannot be loaded, and only there.
func needRoot(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skipf("effective uid is %d: loading programs needs root", os.Geteuid())
	}
}

func load(t testing.TB, cfg Config) *Programs {
	t.Helper()
	needRoot(t)
	p, err := Load(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// target is this host's libssl with the exported functions of both variants.
func target(t testing.TB) Target {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/*-linux-gnu/libssl.so.3")
	if err != nil || len(found) == 0 {
		t.Fatalf("no libssl.so.3 on this host: %v", err)
	}
	f, err := os.Open(found[0])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	e, err := elf.NewFile(f)
	if err != nil {
		t.Fatal(err)
	}
	symbols, err := e.DynamicSymbols()
	if err != nil {
		t.Fatal(err)
	}
	at := map[string]uint64{}
	for _, s := range symbols {
		at[s.Name] = s.Value
	}
	out := Target{File: f, Free: at["SSL_free"]}
	for _, name := range []string{"SSL_read", "SSL_read_ex", "SSL_peek", "SSL_peek_ex", "SSL_write", "SSL_write_ex", "SSL_do_handshake", "SSL_accept", "SSL_connect"} {
		if at[name] == 0 {
			t.Fatalf("%s has no %s", found[0], name)
		}
		out.Calls = append(out.Calls, Call{Symbol: name, Offset: at[name]})
	}
	return out
}

// variants are the ways to attach, by what they do without.
var variants = map[string]Features{
	"one link for all":       {},
	"one link for each":      {UprobeMulti: true},
	"programs of their own":  {Cookies: true},
	"one record after other": {Loop: true},
	"perf events":            {RawTracepoints: true},
}

// Each way attaches all places, and detaching gives everything back.
func TestAttachEachWay(t *testing.T) {
	for name, without := range variants {
		t.Run(name, func(t *testing.T) {
			p := load(t, Config{Without: without})
			if f := p.Features(); without.Cookies && f.Cookies || without.UprobeMulti && f.UprobeMulti || without.Loop && f.Loop {
				t.Fatalf("features %v although without %v", f, without)
			}
			if err := p.TryUprobe(); err != nil {
				t.Fatal(err)
			}
			for range 3 { // the place in the table of libraries is given back
				l, err := p.Attach(target(t))
				if err != nil {
					t.Fatal(err)
				}
				if l.Probes() != 19 {
					t.Errorf("%d probes, want 19: entry and return of 9 functions, and SSL_free", l.Probes())
				}
				if err := l.Close(); err != nil {
					t.Error(err)
				}
			}
			if p.next != 1 {
				t.Errorf("%d places of the table were used, want 1", p.next)
			}
		})
	}
}

// A place that is none is refused, and leaves nothing attached.
func TestAttachAllOrNothing(t *testing.T) {
	for name, without := range variants {
		t.Run(name, func(t *testing.T) {
			p := load(t, Config{Without: without})
			bad := target(t)
			bad.Calls[len(bad.Calls)-1].Offset = 1 << 40
			if l, err := p.Attach(bad); err == nil {
				t.Errorf("attached beyond the file: %d probes", l.Probes())
			}
			if len(p.free) != 1 {
				t.Errorf("%d places of the table are free, want 1", len(p.free))
			}
		})
	}
}

func BenchmarkAttach(b *testing.B) {
	for name, without := range variants {
		b.Run(name, func(b *testing.B) {
			p := load(b, Config{Without: without})
			to := target(b)
			for b.Loop() {
				l, err := p.Attach(to)
				if err != nil {
					b.Fatal(err)
				}
				if err := l.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
