package matrix

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"tenantrace/lab/proc"
)

func nginx() *server {
	return &server{
		name: "nginx", ports: []string{"tickets", "shared", "process", "off", "optional", "optional_no_ca"}, pipeline: true,
		prepare: func(ctx context.Context, y *yard) (proc.Spec, error) {
			config, err := y.put("nginx.conf", true)
			if err != nil {
				return proc.Spec{}, err
			}
			root, err := unpacked(ctx, y.cache, "nginx")
			return proc.Spec{Path: filepath.Join(root, "usr/sbin/nginx"), Args: []string{"-c", config, "-p", y.Dir}, Stop: syscall.SIGTERM}, err
		},
		rows: rows(full("off"), resumed("ticket", "tickets"), []Row{sessionID("session id, shared cache", "shared")},
			[]Row{{TLS: "1.3", Session: "shared cache", port: "shared", mode: "resume", per: 5}},
			[]Row{sessionID("session id, cache in process", "process")},
			[]Row{{TLS: "1.3", Session: "cache in process", port: "process", mode: "resume", per: 5}},
			both(Row{Session: "full, optional", port: "optional", mode: "full", per: usualPer, people: anybody, refused: true}),
			both(Row{Session: "full, optional_no_ca", port: "optional_no_ca", mode: "full", per: usualPer, people: anybody}),
			both(Row{Session: "ticket, optional_no_ca", port: "optional_no_ca", mode: "resume", per: 5, people: strangers}),
		),
	}
}

func apache(variant string) *server {
	protected := []string{"SSLVerifyClient none", "<Location /protected>", "SSLVerifyClient require", "</Location>"}
	return &server{
		name: "apache " + variant, ports: []string{"tickets", "shared", "optional_no_ca", "protected"}, pipeline: true, blocking: variant == "prefork",
		prepare: func(_ context.Context, y *yard) (proc.Spec, error) {
			y.Variant = variant
			y.Hosts = map[string][]string{
				"tickets":        {"SSLVerifyClient require", "SSLSessionTickets on"},
				"shared":         {"SSLVerifyClient require", "SSLSessionTickets off"},
				"optional_no_ca": {"SSLVerifyClient optional_no_ca"},
				"protected":      protected,
			}
			documents := filepath.Join(y.Dir, "documents", "protected")
			if err := os.MkdirAll(documents, 0o755); err != nil {
				return proc.Spec{}, err
			}
			for _, path := range []string{filepath.Join(documents, "page"), filepath.Join(filepath.Dir(documents), "page")} {
				if err := os.WriteFile(path, []byte("here\n"), 0o644); err != nil {
					return proc.Spec{}, err
				}
			}
			config, err := y.put("apache.conf", true)
			return proc.Spec{Path: "/usr/sbin/apache2", Args: []string{"-D", "FOREGROUND", "-f", config}}, err
		},
		early: onPage(both(Row{Session: older, Note: "optional_no_ca", port: "optional_no_ca", people: anybody})),
		rows: onPage(rows(full("tickets"), resumed("ticket", "tickets"), []Row{sessionID("session id, shared cache", "shared")},
			[]Row{{TLS: "1.3", Session: "shared cache", port: "shared", mode: "resume", per: 5}},
			both(Row{Session: "full, optional_no_ca", port: "optional_no_ca", mode: "full", per: usualPer, people: anybody}),
			[]Row{
				{TLS: "1.2", Session: "renegotiation", port: "protected", path: "/protected/page", mode: "protected", per: 5, atResponse: true},
				{TLS: "1.3", Session: "post-handshake", port: "protected", path: "/protected/page", mode: "protected", per: 5, atResponse: true},
			},
		)),
	}
}

func onPage(all []Row) []Row {
	for i := range all {
		if all[i].path == "" {
			all[i].path = "/page"
		}
	}
	return all
}

func node(version string) *server {
	return &server{
		name: "node " + version, ports: []string{"required", "ignored"}, pipeline: true, memory: true,
		prepare: func(ctx context.Context, y *yard) (proc.Spec, error) {
			app, err := y.put("app.js", false)
			if err != nil {
				return proc.Spec{}, err
			}
			exe, err := nodeBinary(ctx, y.cache, version)
			return proc.Spec{Path: exe, Args: []string{app, y.Cert, y.Key, y.CA, y.port("required"), y.port("ignored")}, User: y.nobody}, err
		},
		rows: rows(full("required"), crowded("required"), resumed("ticket", "required"),
			both(Row{Session: "full, rejectUnauthorized: false", port: "ignored", mode: "full", per: usualPer, people: anybody}),
			[]Row{{TLS: "1.3", Session: "full, addresses reused", port: "required", mode: "full", per: 1, shuffle: true, size: 4}},
		),
	}
}

func puma() *server {
	return &server{
		name: "puma", ports: []string{"required"}, exe: "/usr/bin/ruby", memory: true,
		prepare: func(_ context.Context, y *yard) (proc.Spec, error) {
			app, err := y.put("config.ru", false)
			bind := fmt.Sprintf("ssl://127.0.0.1:%s?cert=%s&key=%s&ca=%s&verify_mode=force_peer", y.port("required"), y.Cert, y.Key, y.CA)
			return proc.Spec{Path: "/usr/bin/ruby", Args: []string{"/usr/bin/puma", "-e", "production", "-t", "8:8", "-b", bind, app}, User: y.nobody}, err
		},
		rows: rows(full("required"), resumed("ticket", "required")),
	}
}
