package probe

import (
	"net"
	"os"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// BenchmarkReceive is a write and a read of a record on a socket that carries TLS outside of the library's calls: of a process that is not traced, of one that is
// (after its ClientHello a socket costs a look-up), and while the sockets of older connections are sought.
func BenchmarkReceive(b *testing.B) {
	p := load(b, Config{})
	if err := p.AttachTracepoints(); err != nil {
		b.Fatal(err)
	}
	pid := uint32(os.Getpid())
	for _, mode := range []struct {
		name   string
		traced bool
		seek   bool
	}{{"untraced", false, false}, {"traced", true, false}, {"sought", true, true}} {
		b.Run(mode.name, func(b *testing.B) {
			if mode.traced {
				if _, err := p.Trace(pid); err != nil {
					b.Fatal(err)
				}
			}
			if err := p.Seek(pid, mode.seek); err != nil {
				b.Fatal(err)
			}
			from, to := pair(b)
			record := make([]byte, 64)
			copy(record, "\x16\x03\x01\x00\x3b\x01\x00\x00\x37\x03\x03") // a ClientHello
			exchange(b, from, to, record)
			copy(record, "\x17\x03\x03\x00\x3b")
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			begin := cpuTime(b)
			for b.Loop() {
				exchange(b, from, to, record)
			}
			b.ReportMetric(float64(cpuTime(b)-begin)/float64(b.N), "cpu-ns/op") // the wall's clock tells of other processes too
			if err := p.Untrace(pid); err != nil {
				b.Fatal(err)
			}
		})
	}
}

// cpuTime is what the thread has used, in nanoseconds.
func cpuTime(b *testing.B) int64 {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		b.Fatal(err)
	}
	return t.Nano()
}

// pair gives the descriptors of both ends of a TCP connection, in blocking mode.
func pair(b *testing.B) (from, to int) {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	server, err := l.Accept()
	if err != nil {
		b.Fatal(err)
	}
	for i, conn := range []net.Conn{client, server} {
		f, err := conn.(*net.TCPConn).File()
		if err != nil {
			b.Fatal(err)
		}
		conn.Close()
		fd := int(f.Fd()) // makes it blocking
		b.Cleanup(func() { f.Close() })
		if i == 0 {
			from = fd
		} else {
			to = fd
		}
	}
	return from, to
}

func exchange(b *testing.B, from, to int, record []byte) {
	if n, err := unix.Write(from, record); n != len(record) {
		b.Fatalf("write: %d, %v", n, err)
	}
	var in [64]byte
	if n, err := unix.Read(to, in[:]); n != len(record) {
		b.Fatalf("read: %d, %v", n, err)
	}
}
