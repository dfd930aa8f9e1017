package life

import (
	"context"
	"crypto/tls"
)

// pipelined are the scenarios in which one read of the server holds two requests.
func pipelined(at site) []take {
	play := func(second string) func(context.Context, *stand) error {
		return func(ctx context.Context, s *stand) error {
			if at.work == threads { // of a process that is older than the daemon, a request may have been put aside unseen: there such a second request is nobody's
				if err := s.renew(ctx); err != nil {
					return err
				}
			}
			if err := s.calls.get(ctx, s.calls.caller(required, beta), "/t/beta/x"); err != nil {
				return err
			}
			for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
				k := s.calls.caller(required, acme).version(version)
				for range 2 {
					if err := s.calls.get(ctx, k, "/", second); err != nil {
						return err
					}
				}
			}
			return nil
		}
	}
	verdicts := at.lines(map[string]int{"ok_exact acme": 8, "ok_exact beta": 1})
	return []take{
		{"E50", "two requests in one read, the second names beta", "", play("/t/beta/x"), want{findings: []string{"REQUEST_TENANT_MISMATCH High acme 4"}, verdicts: verdicts}},
		{"E50", "  clean: both of them its own", "", play("/t/acme/x"), want{verdicts: verdicts}},
	}
}
