package ocsf

import (
	"time"

	"tenantrace/correlate/verdict"
)

// unmapped holds what OCSF has no field for, by the names of the verdict lines.
type unmapped struct {
	Version         int                   `json:"v"`
	Time            string                `json:"time"` // of the occurrence in evidences
	Verdict         verdict.Verdict       `json:"verdict,omitempty"`
	Findings        []string              `json:"findings"`
	Reason          verdict.Reason        `json:"reason,omitempty"`
	Link            verdict.Link          `json:"link,omitempty"`
	IdentityLevel   verdict.IdentityLevel `json:"identity_level,omitempty"`
	EvidenceLevel   verdict.EvidenceLevel `json:"evidence_level,omitempty"`
	IdentityTenant  string                `json:"identity_tenant,omitempty"`
	DatabaseTenants []string              `json:"database_tenants"`
	Service         string                `json:"service"`
	Connection      *verdict.Connection   `json:"connection"`
	Candidates      []verdict.Candidate   `json:"candidates,omitempty"`
	Certificate     *verdict.Certificate  `json:"certificate"`
	Statement       *verdict.SQL          `json:"statement"` // null for a finding about a request alone
	Values          []string              `json:"values,omitempty"`
	Policy          string                `json:"policy"`
	Timeline        []moment              `json:"timeline"`
}

// moment is a step of a finding, in the order of their times.
type moment struct {
	Step  string `json:"step"` // handshake, request, check, use, response
	Time  string `json:"time"` // RFC 3339, UTC, nanoseconds
	Shape string `json:"shape,omitempty"`
}

func unmappedOf(f *verdict.Finding) unmapped {
	s := &f.Evidence
	u := unmapped{
		Version: verdict.FormatVersion, Time: s.Time, Verdict: s.Verdict, Findings: s.Findings, Reason: s.Reason, Link: s.Link,
		IdentityLevel: s.IdentityLevel, EvidenceLevel: s.EvidenceLevel, IdentityTenant: s.IdentityTenant,
		DatabaseTenants: s.DatabaseTenants, Service: s.Service, Connection: s.Connection, Candidates: s.Candidates,
		Certificate: s.Certificate, Policy: s.Policy, Values: s.Values, Timeline: timeline(s),
	}
	if u.Findings == nil {
		u.Findings = []string{f.Name}
	}
	if u.DatabaseTenants == nil {
		u.DatabaseTenants = []string{}
	}
	if s.SQL != (verdict.SQL{}) {
		u.Statement = &s.SQL
	}
	return u
}

// timeline lists the known moments. They are given in the order in which a request goes, which is the order of their times but for a
// handshake seen late.
func timeline(s *verdict.Statement) []moment {
	t := &s.Timeline
	moments := make([]moment, 0, 5)
	add := func(step string, nanoseconds int64, shape string) {
		if nanoseconds != 0 {
			moments = append(moments, moment{step, time.Unix(0, nanoseconds).UTC().Format(time.RFC3339Nano), shape})
		}
	}
	add("handshake", t.Handshake, "")
	add("request", t.Request, "")
	add("check", t.Check, t.CheckSQL)
	add("use", t.Use, s.SQL.Shape)
	add("response", t.Response, "")
	return moments
}
