package life

import (
	"context"
	"crypto/tls"
	"errors"
	"sync"
	"time"

	"tenantrace/lab/pki"
	"tenantrace/lab/traffic"
)

// session is a client's one session, which it offers to whoever it connects to.
type session struct {
	mu    sync.Mutex
	state *tls.ClientSessionState
}

// Get implements tls.ClientSessionCache.
func (s *session) Get(string) (*tls.ClientSessionState, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state, s.state != nil
}

// Put implements tls.ClientSessionCache.
func (s *session) Put(_ string, state *tls.ClientSessionState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if state != nil {
		s.state = state
	}
}

// at makes the client ask for a server name. It keeps its session in kept, if there is one.
func (k *caller) at(version uint16, name string, kept *session) *caller {
	k.Tune = func(config *tls.Config) {
		config.MinVersion, config.MaxVersion, config.ServerName = version, version, name
		if kept != nil {
			config.ClientSessionCache = kept
		}
	}
	return k
}

// resumed are the scenarios of a session that is resumed: at the server name that it was made for, and at one that would have refused its certificate.
func resumed() []take {
	play := func(version uint16, name string) func(context.Context, *stand) error {
		return func(ctx context.Context, s *stand) error {
			if err := s.refused(ctx, version); err != nil {
				return err
			}
			kept := &session{}
			first := s.calls.caller(required, acme).at(version, firstName, kept)
			if err := s.calls.times(ctx, 2, first, "/"); err != nil {
				return err
			}
			return errors.Join(s.resumes(ctx, s.people[acme], version, name, kept), s.resumes(ctx, s.people[acme], version, name, kept))
		}
	}
	// Whoever resumes is not asked for the certificate, whose end nobody looks at.
	ended := func(ctx context.Context, s *stand) error {
		leaf, err := s.shortlived()
		if err != nil {
			return err
		}
		kept := &session{}
		k := s.calls.callerWith(required, leaf).at(tls.VersionTLS13, firstName, kept)
		if err := s.calls.get(ctx, k, "/"); err != nil {
			return err
		}
		k.Close()
		if err := until(ctx, leaf.NotAfter.Add(time.Second)); err != nil {
			return err
		}
		return s.resumes(ctx, leaf, tls.VersionTLS13, firstName, kept)
	}
	full := func(ctx context.Context, s *stand) error {
		first, second := s.calls.caller(required, acme).at(tls.VersionTLS13, firstName, nil), s.calls.caller(required, guest).at(tls.VersionTLS13, secondName, nil)
		return errors.Join(s.calls.times(ctx, 3, first, "/"), s.calls.times(ctx, 3, second, "/"))
	}
	high, info := want{findings: []string{"IDENTITY_FROM_RESUMED_SESSION High acme 2"}}, want{findings: []string{"IDENTITY_FROM_RESUMED_SESSION Informational acme 2"}}
	return []take{
		{"E30", "session of one server name resumed at another", "", play(tls.VersionTLS13, secondName), high},
		{"E30", "  TLS 1.2: OpenSSL goes by the session's name: for information", "", play(tls.VersionTLS12, secondName), info},
		{"E30", "  the same name: for information", "", play(tls.VersionTLS13, firstName), info},
		{"E24", "client resumes the session of a certificate that has ended", "{ grace: 1s }", ended, want{
			findings: []string{"EXPIRED_CERT_IN_USE Medium acme 3", "IDENTITY_FROM_RESUMED_SESSION Informational acme 1"},
		}},
		{"E30", "  clean: full handshakes at both names", "", full, want{}},
	}
}

// refused holds that the second name would not have taken acme's certificate.
func (s *stand) refused(ctx context.Context, version uint16) error {
	k := s.calls.caller(required, acme).at(version, secondName, nil)
	if _, err := k.Do(ctx, traffic.Request{ID: "refused", Method: "GET", Target: "/"}); err == nil {
		return errors.New("the second server name takes the certificates of the first")
	}
	return ctx.Err()
}

// resumes sends requests on a connection that resumes a session of acme's.
func (s *stand) resumes(ctx context.Context, leaf *pki.Leaf, version uint16, name string, kept *session) error {
	k := s.calls.callerWith(required, leaf).at(version, name, kept)
	if err := s.calls.times(ctx, 3, k, "/"); err != nil {
		return err
	}
	if !k.Resumed() {
		return errors.New("the session was not resumed")
	}
	return nil
}
