package probe

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/cilium/ebpf/ringbuf"

	"tenantrace/bpf"
	"tenantrace/collector/openssl"
)

// learned is this host's libssl with what was learned of it; exported: with probes on the exported functions only.
func learned(b *testing.B, exported bool) Target {
	b.Helper()
	to := target(b)
	crypto, err := os.Open(filepath.Join(filepath.Dir(to.File.Name()), "libcrypto.so.3"))
	if err != nil {
		b.Fatal(err)
	}
	defer crypto.Close()
	l, err := openssl.Open(to.File, crypto)
	if err != nil {
		b.Fatal(err)
	}
	if l.Layout == nil {
		b.Fatal(l.LayoutErr)
	}
	o := l.Layout
	to.Offsets = bpf.TracerLibrary{Known: 1, Session: o.Session, Peer: o.Peer, Tbs: o.TBS, Signature: o.Signature, Server: o.Server, VerifyResult: o.VerifyResult,
		VerifyMode: o.VerifyMode, Version: o.Version, ClientRandom: o.ClientRandom, ClientRandomBase: o.ClientRandomBase}
	read, write := bpf.TracerCallKindCALL_READ, bpf.TracerCallKindCALL_WRITE
	var calls []Call
	for _, p := range l.Probes {
		switch kind := map[openssl.Kind]bpf.TracerCallKind{openssl.Read: read, openssl.Write: write}[p.Kind]; {
		case kind == 0:
		case exported:
			symbol := map[bpf.TracerCallKind]string{read: "SSL_read", write: "SSL_write"}[kind]
			at := slices.IndexFunc(to.Calls, func(c Call) bool { return c.Symbol == symbol })
			calls = append(calls, Call{Symbol: symbol, Offset: to.Calls[at].Offset, Kind: kind, LengthFrom: bpf.TracerLengthFromLENGTH_RETURN})
		case !p.Internal:
			b.Fatalf("%s of this host's libssl is not probed one call deeper", p.Symbol)
		default:
			calls = append(calls, Call{Symbol: p.Symbol, Offset: p.Offset, Kind: kind, LengthFrom: bpf.TracerLengthFromLENGTH_ARGUMENT, LengthArgument: p.LengthArgIndex})
		}
	}
	if len(calls) != 2 {
		b.Fatalf("%d functions to probe, want 2", len(calls))
	}
	to.Calls = calls
	return to
}

// drain reads records until it is stopped, and gives how many there were.
func drain(b *testing.B, p *Programs) (stop func() int) {
	b.Helper()
	r, err := ringbuf.NewReader(p.Events())
	if err != nil {
		b.Fatal(err)
	}
	n := 0
	var done sync.WaitGroup
	done.Go(func() {
		for {
			var record ringbuf.Record
			switch err := r.ReadInto(&record); {
			case errors.Is(err, ringbuf.ErrFlushed):
				return
			case err != nil:
				b.Error(err)
				return
			}
			n++
		}
	})
	return func() int {
		if err := r.Flush(); err != nil { // what is there is read before the end
			b.Error(err)
		}
		done.Wait()
		if err := r.Close(); err != nil {
			b.Error(err)
		}
		return n
	}
}

// BenchmarkExchange gives the CPU time of four calls that move 200 bytes each, on a thread that does nothing else: TLS on memory, without probes, with probes
// on the functions behind SSL_read and SSL_write, and on those themselves.
func BenchmarkExchange(b *testing.B) {
	needRoot(b)
	dir := b.TempDir()
	exe, cert, key := filepath.Join(dir, "exchange"), filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for _, command := range [][]string{
		{"gcc", "-O2", "-o", exe, "testdata/exchange.c", "-l:libssl.so.3", "-l:libcrypto.so.3"},
		{"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=exchange", "-keyout", key, "-out", cert},
	} {
		if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
			b.Fatalf("%q: %v\n%s", command, err, out)
		}
	}
	for _, way := range []string{"unprobed", "internal", "exported"} {
		b.Run(way, func(b *testing.B) {
			cmd := exec.Command(exe, cert, key)
			cmd.Stderr = os.Stderr
			in, err := cmd.StdinPipe()
			if err != nil {
				b.Fatal(err)
			}
			pipe, err := cmd.StdoutPipe()
			if err != nil {
				b.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				b.Fatal(err)
			}
			defer cmd.Wait()
			defer in.Close()
			out := bufio.NewReader(pipe)
			if line, err := out.ReadString('\n'); err != nil || line != "ready\n" {
				b.Fatalf("exchange says %q: %v", line, err)
			}
			var stop func() int
			if way != "unprobed" {
				p := load(b, Config{})
				stop = drain(b, p)
				l, err := p.Attach(learned(b, way == "exported"))
				if err != nil {
					b.Fatal(err)
				}
				defer l.Close()
			}
			b.ResetTimer()
			fmt.Fprintln(in, b.N)
			line, err := out.ReadString('\n')
			b.StopTimer()
			if err != nil {
				b.Fatal(err)
			}
			ns, err := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(ns)/float64(b.N), "cpu-ns/op")
			if stop != nil {
				if n := stop(); n < b.N { // under such a load some are lost; none at all would mean that nothing was measured
					b.Errorf("%d records of %d calls", n, 4*b.N)
				}
			}
		})
	}
}
