package collector

import (
	"context"
	"crypto/tls"
	"debug/elf"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// enter starts a program in namespaces of its own, on an overlay of an image: container IMAGE DIRECTORY COMMAND…
const enter = `set -e
image=$1 directory=$2
shift 2
mount -t tmpfs tmpfs "$directory"
mkdir "$directory/upper" "$directory/work" "$directory/merged"
mount -t overlay overlay -o "lowerdir=$image,upperdir=$directory/upper,workdir=$directory/work" "$directory/merged"
ip link set lo up
exec chroot "$directory/merged" "$@"`

// image makes a root directory with the server and the libraries of a folder at the place where this machine has its own.
func image(t *testing.T, exe, folder string, files []string) string {
	t.Helper()
	root := t.TempDir()
	host, _ := hostLibraries(t)
	copies := map[string]string{exe: "/server"}
	for _, f := range files {
		copies[f] = f // the certificates, at the paths that the command line names
	}
	for _, name := range []string{"libssl.so.3", "libcrypto.so.3", "libc.so.6", "libz.so.1", "libzstd.so.1"} {
		from := filepath.Join(folder, name)
		if _, err := os.Stat(from); err != nil {
			from = filepath.Join(filepath.Dir(host), name)
		}
		if _, err := os.Stat(from); err == nil {
			copies[from] = filepath.Join(filepath.Dir(host), name)
		}
	}
	e, err := elf.Open(exe)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	loader, err := e.Section(".interp").Data()
	if err != nil {
		t.Fatal(err)
	}
	to := strings.TrimRight(string(loader), "\x00")
	from := filepath.Join(folder, filepath.Base(to))
	if _, err := os.Stat(from); err != nil {
		from = to
	}
	copies[from] = to
	for from, to := range copies {
		b, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		to = filepath.Join(root, to)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, b, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// container runs the server of an image in mount, pid and network namespaces of its own.
func (a *authority) container(t *testing.T, image string) *running {
	t.Helper()
	r := a.run(t, "/server", "unshare", "--mount", "--pid", "--net", "--fork", "--kill-child", "sh", "-c", enter, "container", image, t.TempDir())
	outside := r.pid
	wait(t, "the process in the container", func() bool {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", outside, outside))
		if err != nil {
			t.Fatal(err)
		}
		r.pid, err = strconv.Atoi(strings.TrimSpace(string(b)))
		return err == nil
	})
	return r
}

// within is a client in the network namespace of a process.
func (a *authority) within(t *testing.T, pid int, certificate tls.Certificate) *http.Client {
	c := a.client(certificate)
	c.Transport.(*http.Transport).DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		type result struct {
			net.Conn
			error
		}
		dialed := make(chan result)
		go func() {
			runtime.LockOSThread() // for good: the thread ends with the goroutine
			f, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", pid))
			if err == nil {
				defer f.Close()
				err = unix.Setns(int(f.Fd()), unix.CLONE_NEWNET)
			}
			if err != nil {
				dialed <- result{nil, err}
				return
			}
			conn, err := new(net.Dialer).DialContext(ctx, network, address)
			dialed <- result{conn, err}
		}()
		r := <-dialed
		return r.Conn, r.error
	}
	return c
}

func buildID(t *testing.T, path string) string {
	t.Helper()
	e, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	b, err := e.Section(".note.gnu.build-id").Data()
	if err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(b[16:])
}

// Containers have their own OpenSSL at the host's path, on overlays whose numbers of files are not those of the file below, and processes with two numbers.
// Two of one image share a file: it is probed once.
func TestContainers(t *testing.T) {
	needRoot(t)
	host, crypto := hostLibraries(t)
	triplet := filepath.Base(filepath.Dir(host))
	newer := filepath.Join(unpacked(t, newOpenSSL), "usr/lib", triplet)
	a := newAuthority(t)
	exe, files := compile(t), a.files(t)
	images := map[string]string{"host": image(t, exe, filepath.Dir(host), files), "newer": image(t, exe, newer, files)}
	if buildID(t, host) == buildID(t, filepath.Join(newer, "libssl.so.3")) {
		t.Fatal("both images have the same OpenSSL")
	}
	n := &notes{}
	early := a.container(t, images["newer"])
	ports := map[*running]string{early: early.do("load " + host + " " + crypto)}
	c, stop := start(t, n)
	second, third := a.container(t, images["host"]), a.container(t, images["newer"])
	for _, r := range []*running{second, third} {
		ports[r] = r.do("load " + host + " " + crypto)
	}
	for _, r := range []*running{early, second, third} {
		wait(t, "the container's process", func() bool {
			_, traced := c.programs.Lost(uint32(r.pid))
			return traced
		})
	}
	for name, r := range map[string]*running{"early": early, "second": second, "third": third} {
		certificate := tenant(t, a, name)
		client := a.within(t, r.pid, certificate)
		for range requests {
			get(t, client, "https://127.0.0.1:"+ports[r]+"/"+name+"/x")
		}
		client.CloseIdleConnections()
		seen(t, n, r.pid, certificate, requests)
	}
	stop()
	for name, processes := range map[string]int{"host": 1, "newer": 2} {
		id, found := buildID(t, filepath.Join(images[name], host)), 0
		for _, l := range c.Libraries() {
			if l.BuildID == id && l.Device != deviceOf(t, host) {
				found++
				if !l.OffsetsKnown || l.Processes != processes {
					t.Errorf("library %+v: want offsets, and %d processes", l, processes)
				}
			}
		}
		if found != 1 {
			t.Errorf("libraries %+v: %d are that of image %q, want 1", c.Libraries(), found, name)
		}
	}
}

// deviceOf is the device of a file as the kernel numbers it.
func deviceOf(t *testing.T, path string) uint32 {
	t.Helper()
	var s unix.Stat_t
	if err := unix.Stat(path, &s); err != nil {
		t.Fatal(err)
	}
	return unix.Major(s.Dev)<<20 | unix.Minor(s.Dev)
}
