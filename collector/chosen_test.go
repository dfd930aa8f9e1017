package collector

import (
	"io"
	"maps"
	"net"
	"os"
	"os/exec"
	"testing"

	"tenantrace/collector/event"
)

// TestChosenProcessWithoutOpenSSL: a process that is asked for is traced whatever it maps (a program of Go maps no library at all).
func TestChosenProcessWithoutOpenSSL(t *testing.T) {
	needRoot(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				b := make([]byte, 1<<10)
				for _, answer := range []string{"R\x00\x00\x00\x08\x00\x00\x00\x00Z\x00\x00\x00\x05I", "C\x00\x00\x00\x0dSELECT 1\x00Z\x00\x00\x00\x05I"} {
					if _, err := c.Read(b); err != nil {
						return
					}
					if _, err := io.WriteString(c, answer); err != nil {
						return
					}
				}
				c.Read(b)
			}()
		}
	}()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	const client = `
exec 3<>"/dev/tcp/127.0.0.1/$1"
printf '\0\0\0\033\0\003\0\0user\0a\0database\0d\0\0' >&3
head -c 15 <&3 >/dev/null
printf 'Q\0\0\0\031SELECT id FROM plain\0' >&3
head -c 20 <&3 >/dev/null
`
	run := func() (begin func(), pid int) { // a shell that waits for a line
		cmd := exec.Command("/bin/bash", "-c", "read line\n"+client, "bash", port)
		cmd.Stderr = os.Stderr
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			in.Close()
			cmd.Wait()
		})
		return func() {
			if _, err := io.WriteString(in, "\n"); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Wait(); err != nil {
				t.Fatal(err)
			}
		}, cmd.Process.Pid
	}
	chosen, pid := run()
	other, _ := run()
	n := &notes{}
	_, stop := start(t, n, pid)
	other()
	chosen()
	wait(t, "the statement", func() bool { return len(collect(n, func(*event.Statement) bool { return true })) > 0 })
	stop()
	seen := collect(n, func(*event.Statement) bool { return true })
	if len(seen) != 1 || seen[0].PID != uint32(pid) {
		t.Errorf("%d statements, the first of process %d; want one, of process %d", len(seen), seen[0].PID, pid)
	}
}

// A process that has ended and waits for its parent is not traced: the kernel side would keep it, for nobody is told of its end again.
func TestChosenProcessThatHasEnded(t *testing.T) {
	needRoot(t)
	cmd := exec.Command("/usr/bin/python3", "-c", "import os, sys\nfor _ in range(3):\n    if os.fork() == 0:\n        os._exit(0)\nfor _ in range(3):\n    os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)\nprint(flush=True)\nsys.stdin.read()")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		cmd.Wait()
	})
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	earlier := kernelObjects(t, "map_id")
	c, stop := start(t, &notes{}, cmd.Process.Pid)
	defer stop()
	tables := kernelObjects(t, "map_id")
	maps.DeleteFunc(tables, func(id int, _ bool) bool { return earlier[id] })
	if n := holding(t, c, tables).entries["processes"]; n != 1 {
		t.Errorf("%d processes are traced, want the one that runs", n)
	}
}
