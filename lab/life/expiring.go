package life

import (
	"context"
	"fmt"
	"time"

	"tenantrace/lab/pki"
)

// shortLife is for how long a short-lived certificate is valid, and that is more than shaking hands takes.
const shortLife = 4 * time.Second

// shortlived issues a certificate of acme's that ends soon.
func (s *stand) shortlived() (*pki.Leaf, error) {
	profile := pki.Tenant(acme)
	profile.File, profile.Until = fmt.Sprintf("short-%d", time.Now().UnixNano()), time.Now().Add(shortLife)
	return s.stage.CA.Client(profile)
}

// until waits for a moment, and a little longer for clocks of whole seconds.
func until(ctx context.Context, at time.Time) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Until(at.Add(300 * time.Millisecond))):
		return nil
	}
}

// expiring are the scenarios in which a certificate ends while its connection lives.
func expiring() []take {
	const after = 5
	// play sends a request over each of two connections, waits for the end of their certificate and longer, and sends more.
	play := func(longer time.Duration, certificate func(*stand) (*pki.Leaf, error)) func(context.Context, *stand) error {
		return func(ctx context.Context, s *stand) error {
			leaf, err := certificate(s)
			if err != nil {
				return err
			}
			first, other := s.calls.callerWith(required, leaf), s.calls.callerWith(required, leaf)
			begin := time.Now()
			for _, k := range []*caller{first, other} {
				if err := s.calls.get(ctx, k, "/"); err != nil {
					return err
				}
			}
			end := leaf.NotAfter
			if end.After(begin.Add(time.Hour)) {
				end = begin.Add(shortLife)
			}
			if err := until(ctx, end.Add(longer)); err != nil {
				return err
			}
			if err := s.calls.times(ctx, after, first, "/"); err != nil {
				return err
			}
			return s.calls.times(ctx, 2, other, "/")
		}
	}
	lasting := func(s *stand) (*pki.Leaf, error) { return s.people[acme], nil }
	clean := want{verdicts: map[string]int{"ok_exact acme": 2 + after + 2}}
	fault := clean
	fault.findings = []string{"EXPIRED_CERT_IN_USE Medium acme 5", "EXPIRED_CERT_IN_USE Medium acme 2"}
	old := want{verdicts: clean.verdicts, findings: []string{"CONNECTION_TOO_OLD Low acme 5", "CONNECTION_TOO_OLD Low acme 2"}}
	return []take{
		{"E24", "certificate ends, its connections live on", "{ grace: 1s }", play(time.Second, (*stand).shortlived), fault},
		{"E24", "  clean: certificate that has not ended, same traffic", "{ grace: 1s }", play(time.Second, lasting), clean},
		{"E24", "  clean: within the grace", "{ grace: 1h }", play(0, (*stand).shortlived), clean},
		{"E25", "certificate ends, client comes back with a new one", "{ grace: 3s }", renewed, want{verdicts: map[string]int{"ok_exact acme": 7}}},
		{"C4", "connection older than the policy allows", "{ max_connection_age: 3s }", play(0, lasting), old},
	}
}

// renewed comes back with a new certificate within the grace, and sends requests when that has passed too.
func renewed(ctx context.Context, s *stand) error {
	leaf, err := s.shortlived()
	if err != nil {
		return err
	}
	k := s.calls.callerWith(required, leaf)
	if err := s.calls.get(ctx, k, "/"); err != nil {
		return err
	}
	if err := until(ctx, leaf.NotAfter); err != nil {
		return err
	}
	if err := s.calls.get(ctx, k, "/"); err != nil {
		return err
	}
	k.Close()
	k = s.calls.caller(required, acme)
	if err := s.calls.get(ctx, k, "/"); err != nil {
		return err
	}
	if err := until(ctx, leaf.NotAfter.Add(3*time.Second)); err != nil {
		return err
	}
	return s.calls.times(ctx, 4, k, "/")
}
