package life

import (
	"context"
	"crypto/tls"
)

// site says how the scenarios are played at a kind of server.
type site struct {
	optional string // port that serves clients without a certificate
	work     work
}

// work is how a kind of server comes to statements.
type work int

const (
	pages   work = iota // it sends none
	threads             // each request is a statement of the thread that reads it
	loop                // each request is a statement, and one thread waits for all
)

var (
	atApache = site{optional, threads}
	atNginx  = site{optional, pages}
	atNode   = site{anybody, loop}
)

// lines gives what is expected of statements that could be tied to their requests.
func (s site) lines(verdicts map[string]int) map[string]int {
	switch s.work {
	case pages:
		return nil
	case loop:
		n := 0
		for _, count := range verdicts {
			n += count
		}
		return map[string]int{"unattributed/unobserved -": n} // the servers are older than the daemon
	}
	return verdicts
}

// careless are the scenarios of servers that ask for a certificate, and do not mind what they get.
func careless(at site) []take {
	versions := []uint16{tls.VersionTLS12, tls.VersionTLS13}
	// play lets beta be known, and then somebody send requests that name beta, over both versions of TLS.
	play := func(port, who, target string) func(context.Context, *stand) error {
		return func(ctx context.Context, s *stand) error {
			if err := s.calls.get(ctx, s.calls.caller(port, beta), "/t/beta/x"); err != nil {
				return err
			}
			for _, version := range versions {
				if err := s.calls.times(ctx, 3, s.calls.caller(port, who).version(version), target); err != nil {
					return err
				}
			}
			return nil
		}
	}
	none := want{verdicts: at.lines(map[string]int{"unattributed/no_certificate -": 6, "ok_exact beta": 1})}
	if at.work == threads {
		none.findings = []string{"CERT_NOT_REQUESTED High - 6"}
	}
	ignored := want{findings: []string{"CERT_VERIFY_IGNORED Critical - 6"}, verdicts: at.lines(map[string]int{"unattributed/unverified -": 6, "ok_exact beta": 1})}
	title := "no certificate, served as the default tenant"
	if at.work != threads {
		title = "no certificate, and no statement that is tied: nothing to accuse"
	}
	return []take{
		{"E36", title, "", play(at.optional, nobody, "/"), none},
		{"E36", "  clean: a certificate at the same port", "", play(at.optional, acme, "/"), want{verdicts: at.lines(map[string]int{"ok_exact acme": 6, "ok_exact beta": 1})}},
		{"E37", "certificate that beta signed itself, served as beta", "", play(anybody, stranger, "/t/beta/x"), ignored},
		{"E37", "  clean: beta's certificate at the same port", "", play(anybody, beta, "/t/beta/x"), want{verdicts: at.lines(map[string]int{"ok_exact beta": 7})}},
	}
}
