package daemon

import (
	"time"

	"tenantrace/correlate/policy"
)

// status is the document of /api/v1/status.
type status struct {
	Version   string       `json:"version"`
	Started   string       `json:"started"` // RFC 3339, UTC
	Ready     bool         `json:"ready"`
	Waiting   string       `json:"waiting,omitempty"` // what is missing until ready
	Policy    policyStatus `json:"policy"`
	Libraries any          `json:"libraries"` // what is traced, as the check lists it; null when the tracer has no list
}

type policyStatus struct {
	File    string `json:"file,omitempty"` // absent: the embedded policy
	Hash    string `json:"hash"`
	Version string `json:"version"` // of the format
	Tenants string `json:"tenants"` // how lines name them: plain, hmac
	Values  string `json:"values"`  // what they keep of a statement's values: none, hmac (of any service)
	KeyID   string `json:"key_id,omitempty"`
}

func policyStatusOf(file string, p *policy.Policy) policyStatus {
	s := policyStatus{File: file, Hash: p.Hash(), Version: policyFormat, Tenants: "plain", Values: "none", KeyID: keyID(p.Key())}
	if p.Pseudonyms() != nil {
		s.Tenants = "hmac"
	}
	if p.KeepsValues() {
		s.Values = "hmac"
	}
	return s
}

// keyID names a key, "" if there is none.
func keyID(key *policy.Pseudonyms) string {
	if key == nil {
		return ""
	}
	return key.KeyID()
}

// lister is a Tracer that can list the libraries that it traces.
type lister interface {
	Libraries() any
}

func statusOf(cfg *Config, started time.Time, p *policy.Policy, tracer Tracer) status {
	s := status{
		Version: cfg.Version, Started: started.UTC().Format(time.RFC3339),
		Policy: policyStatusOf(cfg.Policy, p),
	}
	s.Ready, s.Waiting = tracer.Ready()
	if s.Ready {
		s.Waiting = ""
	}
	if l, ok := tracer.(lister); ok {
		s.Libraries = l.Libraries()
	}
	return s
}
