package scenario

import (
	"strings"

	"tenantrace/lab/stage"
)

// Shortlived is beta's client with a certificate that ends while its connection lives.
const Shortlived = "shortlived"

// The special servers.
const (
	Unasked  = "unasked"  // asks for no certificate: gunicorn's default
	Optional = "optional" // asks, and serves who has none
	Careless = "careless" // asks, and serves whatever is presented
)

// certificates are the scenarios about the certificates themselves.
func certificates() []Scenario {
	return []Scenario{
		{
			ID: "C1", Title: "no certificate asked for", Server: Unasked, Rounds: 2,
			Round: one(get("/correct/override").as(stage.Nobody).fault().raises("CERT_NOT_REQUESTED")),
			Want:  Want{Verdict: unattributed, Reason: noCertificate},
		},
		{
			ID: "C2", Title: "certificate optional", Server: Optional, Rounds: 2,
			Round: one(get("/correct/override").as(stage.Nobody).fault().raises("CERT_NOT_REQUESTED"), get("/correct/override").as("gamma").rows("gamma")),
			Want:  Want{Verdict: unattributed, Reason: noCertificate, Clean: okExact},
		},
		{
			ID: "E37", Title: "failed verification ignored", Server: Careless, Rounds: 2,
			Round: one(get("/correct/override").as(stage.Stranger).rows("beta").fault().raises("CERT_VERIFY_IGNORED"), get("/correct/override").as("gamma").rows("gamma")),
			Want:  Want{Verdict: unattributed, Reason: unverified, Clean: okExact},
		},
		{
			ID: "E24", Title: "certificate ends, connection lives on", Worker: "gthread", Rounds: 1, SlowEnd: true,
			Round: one(
				get("/correct/override").as(Shortlived).rows("beta"),
				get("/correct/override").as(Shortlived).rows("beta").fault().raises("EXPIRED_CERT_IN_USE").after(Expiry),
			),
			Want: Want{Verdict: okExact, Clean: okExact},
		},
		{
			ID: "C3", Title: "expired and untrusted are refused", Rounds: 1,
			Round: one(
				get("/correct/override").as(stage.Lapsed).answers(0).fresh(),
				get("/correct/override").as(stage.Stranger).answers(0).fresh(),
				get("/correct/override").as("beta").rows("beta"),
			),
			Want: Want{Clean: okExact},
		},
	}
}

// All are the scenarios.
func All() []Scenario {
	all := append(reads(), writes()...)
	return append(all, certificates()...)
}

// WarmUp is each tenant's first request at a server.
func WarmUp() *Scenario {
	return &Scenario{
		ID: "E00", Title: "each tenant's own rows", Rounds: 1, Want: Want{Clean: okExact},
		Round: func(string) []Step { return []Step{everybody("/correct/override", 200, true)} },
	}
}

// For tells whether a scenario is played at a server: at the special one that it names, or at each ordinary one of its kind of worker, by whose
// name the server's name begins.
func (s *Scenario) For(server string, ordinary bool) bool {
	if s.Server != "" || !ordinary {
		return s.Server == server
	}
	return strings.HasPrefix(server, string(s.Worker))
}
