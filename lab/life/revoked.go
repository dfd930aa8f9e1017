package life

import (
	"context"
	"crypto/tls"
	"errors"
	"path/filepath"
	"strings"

	"tenantrace/lab/pki"
)

const listName = "crl.pem"

// lists writes a revocation list that names nobody, and the certificate of its issuer, beside a take's policy.
func (c *company) lists(dir string) error {
	return errors.Join(c.stage.CA.Issuer(filepath.Join(dir, "issuer.pem")), c.stage.CA.Revoke(filepath.Join(dir, listName), 1))
}

// revoked are the scenarios in which the revocation list changes while connections live.
func revoked() []take {
	const section, after = "{ revocation: { crl: " + listName + ", ca: issuer.pem } }", 3
	play := func(whose string) func(context.Context, *stand) error {
		return func(ctx context.Context, s *stand) error {
			pair := []*caller{s.calls.caller(required, acme), s.calls.caller(required, beta)}
			for _, k := range pair {
				if err := s.calls.get(ctx, k, "/"); err != nil {
					return err
				}
			}
			if err := s.revoke(ctx, s.people[whose]); err != nil {
				return err
			}
			for _, k := range pair {
				if err := s.calls.times(ctx, after, k, "/"); err != nil {
					return err
				}
			}
			return nil
		}
	}
	// A session that was made before the certificate was revoked.
	resume := func(ctx context.Context, s *stand) error {
		kept := &session{}
		k := s.calls.caller(required, acme).at(tls.VersionTLS13, "localhost", kept)
		if err := s.calls.get(ctx, k, "/"); err != nil {
			return err
		}
		k.Close()
		if err := s.revoke(ctx, s.people[acme]); err != nil {
			return err
		}
		return s.resumes(ctx, s.people[acme], tls.VersionTLS13, "localhost", kept)
	}
	return []take{
		{"E27", "client resumes the session of a certificate revoked since", section, resume, want{
			findings: []string{"REVOKED_CERT_IN_USE Critical acme 3", "IDENTITY_FROM_RESUMED_SESSION Informational acme 1"},
		}},
		{"E27", "list gains the serial number of a living connection", section, play(acme), want{findings: []string{"REVOKED_CERT_IN_USE Critical acme 3"}}},
		{"E29", "  clean: list gains another serial number", section, play(stranger), want{}},
	}
}

// revoke puts another list in the place of the one that is there, and waits until the daemon has it.
func (s *stand) revoke(ctx context.Context, leaf *pki.Leaf) error {
	if err := s.stage.CA.Revoke(filepath.Join(s.dir, listName), 2, leaf); err != nil {
		return err
	}
	ok, err := s.daemon.Await(ctx, settle, func(metrics string) bool { return strings.Contains(metrics, "\ntenantrace_crl_entries 1\n") })
	if err == nil && !ok {
		err = errors.New("the daemon has not taken the new revocation list")
	}
	return err
}
