package openssl

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// release is a build of OpenSSL in Debian's archive.
type release struct {
	suite    string
	packages []string // that of OpenSSL, and the C library that it needs if that is newer than Debian 12's
	soname   string   // what follows ".so"
	layout   Layout
	write    int // argument of the internal function that carries the length written
}

// releases are the builds that must give exactly these offsets.
var releases = []release{
	{"bullseye", []string{"libssl1.1"}, ".1.1", Layout{
		Session: 0x510, Peer: 0x1b8, TBS: 0x70, Signature: 0x98, Server: 0x38, VerifyResult: 0x5b0, VerifyMode: 0x560, Version: 0,
		ClientRandom: 0xb8, ClientRandomBase: 0xa8,
		Hit: 0xc8, ServerName: 0x640, InInit: 0x64, State: 0x5c, SessionName: 0x218, SessionTime: 0x1e0, SessionTimeUnit: second, SessionResult: 0x1c8}, 3},
	{"bookworm", []string{"libssl3"}, ".3", layout30, 3},
	{"trixie", []string{"libssl3t64", "libc6"}, ".3", layout35, 4},
}

// The layouts of OpenSSL 3.0 and 3.5.
var (
	layout30 = Layout{
		Session: 0x918, Peer: 0x2b8, TBS: 0x70, Signature: 0x98, Server: 0x38, VerifyResult: 0x9b8, VerifyMode: 0x968, Version: 0, ClientRandom: 0x160,
		Hit: 0x4d0, ServerName: 0xa58, InInit: 0x64, State: 0x5c, SessionName: 0x330, SessionTime: 0x2e0, SessionTimeUnit: second, SessionResult: 0x2c8,
	}
	layout35 = Layout{
		Session: 0x900, Peer: 0x2c0, TBS: 0x70, Signature: 0x98, Server: 0x78, VerifyResult: 0x998, VerifyMode: 0x950, Version: 0x48, ClientRandom: 0x188, QUIC: true,
		Hit: 0x508, ServerName: 0xa20, InInit: 0xb4, State: 0xac, SessionName: 0x320, SessionTime: 0x2e0, SessionTimeUnit: 1, SessionResult: 0x2d0,
	}
)

// triplets are the folders of libraries by Debian's name of the machine.
var triplets = map[string]string{"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}

// files gives the paths of libssl and libcrypto of a release, which are fetched once from the mirror that the host's own apt uses and kept in the
// user's cache. If the mirror does not have them the test is skipped, with what apt said.
func (r release) files(t testing.TB, arch string) (ssl, crypto string) {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	root := filepath.Join(cache, "tenantrace", "openssl", strings.Join(append([]string{r.suite, arch}, r.packages...), "-"))
	folder := filepath.Join(root, "usr/lib", triplets[arch])
	ssl, crypto = filepath.Join(folder, "libssl.so"+r.soname), filepath.Join(folder, "libcrypto.so"+r.soname)
	if _, err := os.Stat(ssl); err != nil {
		r.fetch(t, arch, root)
	}
	return ssl, crypto
}

// fetch downloads and unpacks with a private apt state, so that nothing of the host's changes.
func (r release) fetch(t testing.TB, arch, root string) {
	t.Helper()
	work := t.TempDir()
	for _, folder := range []string{"state/lists/partial", "cache/archives/partial", "root"} {
		if err := os.MkdirAll(filepath.Join(work, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	source := fmt.Sprintf("deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s main\n", mirror(t), r.suite)
	for name, text := range map[string]string{"sources.list": source, "status": ""} {
		if err := os.WriteFile(filepath.Join(work, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	options := []string{
		"-qq", "-o", "Dir::Etc::SourceList=" + work + "/sources.list", "-o", "Dir::Etc::SourceParts=/dev/null", "-o", "Dir::State=" + work + "/state",
		"-o", "Dir::State::status=" + work + "/status", "-o", "Dir::Cache=" + work + "/cache", "-o", "APT::Architecture=" + arch,
		"-o", "APT::Architectures::=" + arch, "-o", "APT::Sandbox::User=root", "-o", "Acquire::Languages=none", "-o", "Acquire::Retries=2",
	}
	for _, what := range [][]string{{"update", "-o", "APT::Update::Error-Mode=any"}, append([]string{"download"}, r.packages...)} {
		if out, err := command(work, "apt-get", append(options, what...)...); err != nil {
			t.Skipf("the host's mirror does not give %s of %s for %s: apt-get %s: %v: %s", r.packages, r.suite, arch, what[0], err, out)
		}
	}
	packages, err := filepath.Glob(filepath.Join(work, "*.deb"))
	if err != nil || len(packages) != len(r.packages) {
		t.Fatalf("apt-get download gave %q, %v", packages, err)
	}
	for _, p := range packages {
		if out, err := command(work, "dpkg-deb", "-x", p, "root"); err != nil {
			t.Fatalf("dpkg-deb: %v: %s", err, out)
		}
	}
	install(t, filepath.Join(work, "root"), root)
}

// install moves a folder to its place in the cache, where another test may have put it meanwhile.
func install(t testing.TB, from, to string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		t.Fatal(err)
	}
	near, err := os.MkdirTemp(filepath.Dir(to), "new-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(near)
	if err := os.CopyFS(filepath.Join(near, "root"), os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(near, "root"), to); err != nil && !os.IsExist(err) {
		t.Fatal(err)
	}
}

// mirror is where the host's apt takes the main component of its own release from.
func mirror(t testing.TB) string {
	t.Helper()
	out, err := command("", "apt-get", "indextargets", "--format", "$(RELEASE) $(COMPONENT) $(SITE)", "Created-By: Packages")
	if err != nil {
		t.Skipf("the host has no apt to learn a mirror from: %v: %s", err, out)
	}
	name, err := command("", "sh", "-c", ". /etc/os-release && printf %s \"$VERSION_CODENAME\"")
	if err != nil || len(name) == 0 {
		t.Skipf("the host has no release with a name: %v: %s", err, name)
	}
	for _, line := range strings.Split(string(out), "\n") {
		if f := strings.Fields(line); len(f) == 3 && f[0] == string(name) && f[1] == "main" {
			return f[2]
		}
	}
	t.Skipf("the host's apt knows no mirror of %s: %s", name, out)
	return ""
}

func command(folder, name string, args ...string) ([]byte, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = folder
	return cmd.CombinedOutput()
}
