// Package ocsf writes findings as Detection Findings (class 2004) of the Open Cybersecurity Schema Framework, https://schema.ocsf.io,
// one JSON object per line.
package ocsf

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"strconv"
	"time"

	"tenantrace/correlate/verdict"
)

// SchemaVersion is the version of OCSF that the events follow; the field names are checked against it in a test.
const SchemaVersion = "1.4.0"

const (
	categoryFindings      = 2
	classDetectionFinding = 2004
	activityCreate        = 1
	activityUpdate        = 2
	statusNew             = 1
	analyticRule          = 1
	databaseRelational    = 1
	fingerprintSHA256     = 3

	confidenceLow    = 1
	confidenceMedium = 2
	confidenceHigh   = 3
)

// Line gives the JSON line, ended by a newline, that reports f for this version of the product.
func Line(f *verdict.Finding, version string) ([]byte, error) {
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false) // SQL is full of < and >
	if err := encoder.Encode(eventOf(f, version)); err != nil {
		return nil, fmt.Errorf("encode finding %q: %w", f.UID, err)
	}
	return line.Bytes(), nil
}

func eventOf(f *verdict.Finding, version string) event {
	e := event{
		ActivityID: activityCreate, ActivityName: "Create",
		CategoryUID: categoryFindings, CategoryName: "Findings",
		ClassUID: classDetectionFinding, ClassName: "Detection Finding",
		Time: milliseconds(f.Last), StartTime: milliseconds(f.First), EndTime: milliseconds(f.Last),
		Count: f.Count, Message: f.Detail,
		SeverityID: int(f.Severity), Severity: severityName(f.Severity),
		StatusID: statusNew, Status: "New",
		IsAlert: f.Severity > verdict.SeverityInfo,
		FindingInfo: findingInfo{
			UID: f.UID, Title: f.Name, Desc: f.Detail,
			Analytic: analytic{Name: analyticName(f.Evidence.Link), TypeID: analyticRule, Type: "Rule"},
			Created:  milliseconds(f.First), FirstSeen: milliseconds(f.First), LastSeen: milliseconds(f.Last),
		},
		Metadata: metadata{Version: SchemaVersion, Product: product{Name: "tenantrace", VendorName: "tenantrace", Version: version}},
		Unmapped: unmappedOf(f),
	}
	if f.Update {
		e.ActivityID, e.ActivityName = activityUpdate, "Update"
		e.FindingInfo.Modified = milliseconds(f.Last)
	}
	e.TypeUID = classDetectionFinding*100 + e.ActivityID
	e.TypeName = e.ClassName + ": " + e.ActivityName
	e.ConfidenceID, e.Confidence = confidence(&f.Evidence)
	for _, cwe := range f.CWE {
		e.FindingInfo.Types = append(e.FindingInfo.Types, "CWE-"+strconv.Itoa(cwe))
	}
	e.Evidences = []evidence{evidenceOf(&f.Evidence)}
	return e
}

func evidenceOf(s *verdict.Statement) evidence {
	e := evidence{Process: process{Name: s.Process, PID: s.PID, TID: s.TID}, TLS: tlsOf(s)}
	if e.Process.Name == "" {
		e.Process.Name = s.Service
	}
	if r := s.Request; r != nil {
		e.HTTPRequest = &httpRequest{UID: r.ID, Method: r.Method, URL: url{Path: r.Path}}
		if r.Status != 0 {
			e.HTTPResponse = &httpResponse{Code: r.Status}
		}
	}
	if q := &s.SQL; *q != (verdict.SQL{}) {
		if q.Database != "" || q.Server != "" { // the schema wants one of them
			e.Database = &database{Name: q.Database, UID: q.Server, Type: "Relational", TypeID: databaseRelational}
		}
		e.Data = &data{QueryShape: q.Shape, QueryFingerprint: q.Fingerprint}
	}
	if c := s.Connection; c != nil {
		e.SrcEndpoint = endpointOf(c.Remote)
		if e.DstEndpoint = endpointOf(c.Local); e.DstEndpoint != nil {
			e.DstEndpoint.SvcName = s.Service
		}
	}
	return e
}

// tlsOf gives the TLS side of a connection; nil when neither a TLS version nor a certificate is known.
func tlsOf(s *verdict.Statement) *tls {
	t := tls{}
	if s.Connection != nil {
		t.Version = s.Connection.TLS
	}
	if s.Certificate == nil && t.Version == "" {
		return nil
	}
	if c := s.Certificate; c != nil {
		t.Certificate = &certificate{Fingerprints: []fingerprint{{AlgorithmID: fingerprintSHA256, Algorithm: "SHA-256", Value: c.SHA256}}}
		if d := c.Details; d != nil {
			t.Certificate.Subject, t.Certificate.Issuer, t.Certificate.SerialNumber = d.Subject, d.Issuer, d.Serial
			t.Certificate.CreatedTime, t.Certificate.ExpirationTime = milliseconds(d.NotBefore), milliseconds(d.NotAfter)
			for _, name := range d.SANs {
				t.Certificate.SANs = append(t.Certificate.SANs, san(name))
			}
		}
	}
	return &t
}

// endpointOf reads host:port or the path of a unix socket; nil for an address that is not known.
func endpointOf(address string) *endpoint {
	if address == "" {
		return nil
	}
	if ap, err := netip.ParseAddrPort(address); err == nil {
		return &endpoint{IP: ap.Addr().String(), Port: int(ap.Port())}
	}
	return &endpoint{Name: address}
}

// confidence is the least of identity, link and evidence. Only a finding about a request has no link and no evidence of its own.
func confidence(s *verdict.Statement) (id int, name string) {
	id = confidenceHigh
	if s.Link == verdict.LinkSet || s.IdentityLevel == verdict.LevelVerifiedHop || s.EvidenceLevel == verdict.EvidenceLiteral {
		id = confidenceMedium
	}
	if s.IdentityLevel == verdict.LevelAsserted || s.EvidenceLevel == verdict.EvidenceHeuristic {
		id = confidenceLow
	}
	return id, [...]string{confidenceLow: "Low", confidenceMedium: "Medium", confidenceHigh: "High"}[id]
}

// analyticName tells by what rule a finding was raised.
func analyticName(link verdict.Link) string {
	switch link {
	case verdict.LinkSet:
		return "candidate-set"
	case verdict.LinkNone, "":
		return "request" // a finding that needs no statement
	}
	return "exact-link"
}

func severityName(s verdict.Severity) string {
	switch s {
	case verdict.SeverityInfo:
		return "Informational"
	case verdict.SeverityLow:
		return "Low"
	case verdict.SeverityMedium:
		return "Medium"
	case verdict.SeverityHigh:
		return "High"
	case verdict.SeverityCritical:
		return "Critical"
	}
	return "Unknown"
}

func milliseconds(nanoseconds int64) int64 {
	return nanoseconds / int64(time.Millisecond)
}
