package matrix

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	"tenantrace/lab/proc"
)

// release is a suite of Debian's archive, and its packages of OpenSSL (and of the C library that it needs, if that is newer than Debian 12's).
type release struct {
	openssl  string
	suite    string
	packages []string
	soname   string
	loader   string // of the C library among the packages; "" the machine's own
}

var releases = []release{
	{"1.1.1", "bullseye", []string{"libssl1.1"}, ".so.1.1", ""},
	{"3.0", "bookworm", []string{"libssl3"}, ".so.3", ""},
	{"3.5", "trixie", []string{"libssl3t64", "libc6"}, ".so.3", "ld-linux-*.so.*"},
}

// small is a small server in C on a release's OpenSSL.
func small(r release) *server {
	return &server{
		name: "C server " + r.openssl, ports: []string{"tickets", "process", "off", "careless"}, pipeline: true,
		prepare: func(ctx context.Context, y *yard) (proc.Spec, error) {
			exe, err := r.compile(ctx, y)
			return proc.Spec{Path: exe, Args: []string{y.Cert, y.Key, y.CA, y.port("tickets"), y.port("process"), y.port("off"), y.port("careless")}, User: y.nobody}, err
		},
		rows: rows(full("off"), resumed("ticket", "tickets"), []Row{sessionID("session id, cache in process", "process")},
			[]Row{{TLS: "1.3", Session: "cache in process", port: "process", mode: "resume", per: 5}},
			both(Row{Session: "full, callback lets all pass", port: "careless", mode: "full", per: usualPer, people: strangers}),
			both(Row{Session: "full, addresses reused", port: "off", mode: "full", per: 1, shuffle: true, size: 4}),
		),
	}
}

// compile links the server with the libraries of the release, and with its loader where the machine's C library is too old for them.
func (r release) compile(ctx context.Context, y *yard) (string, error) {
	source, err := y.put("server.c", false)
	if err != nil {
		return "", err
	}
	root, err := unpackedFrom(ctx, y.cache, r.suite, r.packages...)
	if err != nil {
		return "", err
	}
	found, err := filepath.Glob(filepath.Join(root, "usr/lib/*-linux-gnu/libssl"+r.soname))
	if err != nil || len(found) != 1 {
		return "", fmt.Errorf("packages %s of %s have no single libssl%s: %q, %v", r.packages, r.suite, r.soname, found, err)
	}
	folder := filepath.Dir(found[0])
	exe := filepath.Join(y.Dir, "server")
	args := []string{"-O1", "-D_GNU_SOURCE", "-o", exe, source, found[0], filepath.Join(folder, "libcrypto"+r.soname), "-Wl,-rpath," + folder,
		"-Wl,--unresolved-symbols=ignore-in-shared-libs"}
	if r.loader != "" {
		loaders, err := filepath.Glob(filepath.Join(folder, r.loader))
		if err != nil || len(loaders) != 1 {
			return "", fmt.Errorf("packages %s of %s have no single loader: %q, %v", r.packages, r.suite, loaders, err)
		}
		args = append(args, "-Wl,--dynamic-linker,"+loaders[0], "-Wl,--disable-new-dtags")
	}
	if out, err := exec.CommandContext(ctx, "gcc", args...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("compile: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return exe, nil
}
