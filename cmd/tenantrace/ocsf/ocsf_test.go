package ocsf

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"

	"tenantrace/correlate/verdict"
)

// schema is testdata/fields.json: the objects that we write, taken from the schema's repository at the tag of SchemaVersion. A field's
// type is a scalar (string_t, integer_t, …) or the name of an object; [] marks an array.
type schema struct {
	Version string
	Objects map[string]struct {
		Fields     map[string]string
		Required   []string
		AtLeastOne []string `json:"at_least_one"`
	}
}

func loadSchema(t *testing.T) schema {
	t.Helper()
	text, err := os.ReadFile("testdata/fields.json")
	if err != nil {
		t.Fatal(err)
	}
	var s schema
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	if s.Version != SchemaVersion {
		t.Fatalf("pinned fields are of version %q, events of %q", s.Version, SchemaVersion)
	}
	return s
}

// check walks a decoded value against the object of the schema named kind.
func (s schema) check(t *testing.T, path, kind string, value any) {
	t.Helper()
	if kind, array := strings.CutSuffix(kind, "[]"); array {
		list, ok := value.([]any)
		if !ok {
			t.Errorf("%s: %T, want an array", path, value)
		}
		for _, element := range list {
			s.check(t, path+"[]", kind, element)
		}
		return
	}
	switch kind {
	case "object", "json_t": // unmapped and data: free
		return
	case "integer_t", "long_t", "port_t", "timestamp_t":
		if n, ok := value.(float64); !ok || n != float64(int64(n)) {
			t.Errorf("%s: %v (%T), want an integer", path, value, value)
		}
		return
	case "boolean_t":
		if _, ok := value.(bool); !ok {
			t.Errorf("%s: %T, want a boolean", path, value)
		}
		return
	}
	if strings.HasSuffix(kind, "_t") {
		if _, ok := value.(string); !ok {
			t.Errorf("%s: %T, want a string (%s)", path, value, kind)
		}
		return
	}
	object, ok := s.Objects[kind]
	if !ok {
		t.Errorf("%s: object %q is not pinned", path, kind)
		return
	}
	fields, ok := value.(map[string]any)
	if !ok {
		t.Errorf("%s: %T, want an object", path, value)
		return
	}
	for name, field := range fields {
		if object.Fields[name] == "" {
			t.Errorf("%s.%s: %s has no such field in OCSF %s", path, name, kind, s.Version)
			continue
		}
		s.check(t, path+"."+name, object.Fields[name], field)
	}
	for _, name := range object.Required {
		if _, ok := fields[name]; !ok {
			t.Errorf("%s: required field %q is missing", path, name)
		}
	}
	one := len(object.AtLeastOne) == 0
	for _, name := range object.AtLeastOne {
		_, has := fields[name]
		one = one || has
	}
	if !one {
		t.Errorf("%s: needs one of %v", path, object.AtLeastOne)
	}
}

const second = int64(1e9)

// full is a finding with everything known.
func full() *verdict.Finding {
	return &verdict.Finding{
		Name: "CROSS_TENANT_READ", Key: "k", UID: "0193-uid", Count: 1, First: 1763938000_123456789, Last: 1763938000_123456789,
		Severity: verdict.SeverityCritical, CWE: []int{639, 863, 284}, Detail: "a request of tenant acme read rows of tenant beta",
		Evidence: verdict.Statement{
			Version: 1, Time: "2025-11-23T22:46:40.123456789Z", Verdict: verdict.Violation, Findings: []string{"CROSS_TENANT_READ", "IDENTITY_TOCTOU"},
			Link: verdict.LinkThread, IdentityLevel: verdict.LevelConnection, EvidenceLevel: verdict.EvidenceRow, IdentityTenant: "acme",
			DatabaseTenants: []string{"beta"}, Service: "billing", PID: 4711, TID: 4713, Process: "gunicorn",
			Connection:  &verdict.Connection{Remote: "127.0.0.1:40112", Local: "[::1]:8443", TLS: "1.3"},
			Request:     &verdict.Request{Method: "GET", Path: "/t/beta/invoices", ID: "req-1", Status: 200},
			Candidates:  []verdict.Candidate{{ID: "req-1", Tenant: "acme"}},
			Certificate: &verdict.Certificate{SHA256: strings.Repeat("ab", 32), Details: &verdict.CertificateDetails{Subject: "CN=api,O=acme", Issuer: "CN=Client CA", Serial: "1f", SANs: []verdict.AlternativeName{{Type: "URI", Name: "spiffe://prod.example/tenant/acme"}, {Type: "DNS", Name: "acme.example"}, {Type: "Email", Name: "ops@acme.example"}}, NotBefore: 1 * second, NotAfter: 2 * second}},
			SQL:         verdict.SQL{Engine: "postgresql", Server: "127.0.0.1:5432", Database: "app", Shape: "SELECT * FROM invoices WHERE tenant_id = ?", Fingerprint: "00112233aabbccdd", Rows: 3},
			Policy:      "sha256:1234",
			Timeline:    verdict.Timeline{Handshake: 1 * second, Request: 2 * second, Check: 3 * second, CheckSQL: "SELECT ? FROM accounts", Use: 4 * second, Response: 5 * second},
		},
	}
}

func update() *verdict.Finding {
	f := full()
	f.Update, f.Count, f.Last = true, 17, f.Last+60*second
	return f
}

// bare is a finding about a request without a statement, on a connection without a certificate.
func bare() *verdict.Finding {
	return &verdict.Finding{Name: "CERT_NOT_REQUESTED", Key: "k2", UID: "u2", Count: 1, First: second, Last: second, Severity: verdict.SeverityHigh, CWE: []int{306, 287},
		Evidence: verdict.Statement{Version: 1, Service: "billing", PID: 1, Connection: &verdict.Connection{Remote: "/run/app.sock"}, Request: &verdict.Request{Method: "GET", Path: "/"}}}
}

// changed is a finding about a connection on which no request is open.
func changed() *verdict.Finding {
	f := full()
	e := &f.Evidence
	f.Name, f.CWE, f.Severity = "IDENTITY_CHANGED_ON_CONNECTION", []int{367}, verdict.SeverityHigh
	e.Request, e.SQL, e.Verdict, e.Link, e.EvidenceLevel, e.DatabaseTenants = nil, verdict.SQL{Rows: -1}, "", verdict.LinkNone, "", []string{}
	e.Timeline = verdict.Timeline{Handshake: 1 * second}
	return f
}

// late is a finding on a database session whose beginning was not seen.
func late() *verdict.Finding {
	f := full()
	f.Evidence.SQL.Database, f.Evidence.SQL.Server = "", ""
	return f
}

func decode(t *testing.T, f *verdict.Finding) map[string]any {
	t.Helper()
	line, err := Line(f, "1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(line), "\n") != 1 || line[len(line)-1] != '\n' {
		t.Fatalf("not one line: %q", line)
	}
	var got map[string]any
	if err := json.Unmarshal(line, &got); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestFieldsAreOfThePinnedSchema(t *testing.T) {
	s := loadSchema(t)
	for name, f := range map[string]*verdict.Finding{"full": full(), "update": update(), "bare": bare(), "changed": changed(), "late": late()} {
		t.Run(name, func(t *testing.T) {
			s.check(t, "finding", "detection_finding", decode(t, f))
		})
	}
}

// Every field that the structs can write is of the schema, whatever the findings above happen to fill.
func TestStructsAreOfThePinnedSchema(t *testing.T) {
	s := loadSchema(t)
	var walk func(kind string, typ reflect.Type)
	walk = func(kind string, typ reflect.Type) {
		for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
			typ = typ.Elem()
		}
		kind = strings.TrimSuffix(kind, "[]")
		if typ.Kind() != reflect.Struct || kind == "object" || kind == "json_t" {
			return
		}
		object, ok := s.Objects[kind]
		if !ok {
			t.Errorf("%s: object %q is not pinned", typ, kind)
			return
		}
		for i := range typ.NumField() {
			name, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
			if object.Fields[name] == "" {
				t.Errorf("%s.%s: %s has no field %q", typ, typ.Field(i).Name, kind, name)
				continue
			}
			walk(object.Fields[name], typ.Field(i).Type)
		}
	}
	walk("detection_finding", reflect.TypeFor[event]())
}

func at(t *testing.T, value any, path string) any {
	t.Helper()
	for _, step := range strings.Split(path, ".") {
		if list, ok := value.([]any); ok {
			if step != "0" || len(list) == 0 {
				t.Fatalf("%s: no element %s of %d", path, step, len(list))
			}
			value = list[0]
			continue
		}
		object, ok := value.(map[string]any)
		if !ok {
			t.Fatalf("%s: %T at %s", path, value, step)
		}
		value = object[step]
	}
	return value
}

func TestValues(t *testing.T) {
	for _, tc := range []struct {
		finding *verdict.Finding
		path    string
		want    any
	}{
		{full(), "class_uid", 2004.0}, {full(), "category_uid", 2.0},
		{full(), "activity_id", 1.0}, {full(), "type_uid", 200401.0},
		{update(), "activity_id", 2.0}, {update(), "type_uid", 200402.0}, {update(), "count", 17.0},
		{full(), "time", 1763938000123.0}, {update(), "time", 1763938060123.0},
		{update(), "start_time", 1763938000123.0}, {update(), "finding_info.first_seen_time", 1763938000123.0}, {update(), "finding_info.last_seen_time", 1763938060123.0},
		{full(), "severity_id", 5.0}, {full(), "confidence_id", 3.0}, {full(), "status_id", 1.0}, {full(), "is_alert", true},
		{full(), "finding_info.uid", "0193-uid"}, {full(), "finding_info.title", "CROSS_TENANT_READ"},
		{full(), "finding_info.types", []any{"CWE-639", "CWE-863", "CWE-284"}}, {full(), "finding_info.analytic.name", "exact-link"},
		{full(), "metadata.version", "1.4.0"}, {full(), "metadata.product.version", "1.2.3"},
		{full(), "evidences.0.tls.version", "1.3"}, {full(), "evidences.0.tls.certificate.subject", "CN=api,O=acme"},
		{full(), "evidences.0.tls.certificate.serial_number", "1f"}, {full(), "evidences.0.tls.certificate.expiration_time", 2000.0},
		{full(), "evidences.0.tls.certificate.fingerprints.0.value", strings.Repeat("ab", 32)},
		{full(), "evidences.0.tls.certificate.fingerprints.0.algorithm_id", 3.0},
		{full(), "evidences.0.tls.certificate.sans", []any{
			map[string]any{"name": "spiffe://prod.example/tenant/acme", "type": "URI"},
			map[string]any{"name": "acme.example", "type": "DNS"},
			map[string]any{"name": "ops@acme.example", "type": "Email"}}},
		{full(), "evidences.0.http_request.http_method", "GET"}, {full(), "evidences.0.http_request.url.path", "/t/beta/invoices"},
		{full(), "evidences.0.http_request.uid", "req-1"}, {full(), "evidences.0.http_response.code", 200.0},
		{full(), "evidences.0.database.name", "app"}, {full(), "evidences.0.data.query_shape", "SELECT * FROM invoices WHERE tenant_id = ?"},
		{full(), "evidences.0.database.uid", "127.0.0.1:5432"}, {late(), "evidences.0.database", nil},
		{full(), "evidences.0.process.pid", 4711.0}, {full(), "evidences.0.process.name", "gunicorn"},
		{full(), "evidences.0.src_endpoint.ip", "127.0.0.1"}, {full(), "evidences.0.src_endpoint.port", 40112.0},
		{full(), "evidences.0.dst_endpoint.ip", "::1"}, {full(), "evidences.0.dst_endpoint.svc_name", "billing"},
		{full(), "unmapped.identity_tenant", "acme"}, {full(), "unmapped.database_tenants", []any{"beta"}}, {full(), "unmapped.link", "thread"},
		{full(), "unmapped.statement.rows", 3.0}, {full(), "unmapped.policy", "sha256:1234"}, {full(), "unmapped.verdict", "violation"},
		{full(), "unmapped.certificate.sha256", strings.Repeat("ab", 32)}, {full(), "unmapped.evidence_level", "row"}, {full(), "unmapped.identity_level", "connection"},
		{bare(), "evidences.0.tls", nil}, {bare(), "evidences.0.database", nil}, {bare(), "evidences.0.src_endpoint.name", "/run/app.sock"},
		{bare(), "evidences.0.dst_endpoint", nil}, {bare(), "evidences.0.process.name", "billing"}, {bare(), "unmapped.statement", nil},
		{bare(), "unmapped.findings", []any{"CERT_NOT_REQUESTED"}}, {bare(), "finding_info.analytic.name", "request"}, {bare(), "unmapped.timeline", []any{}},
	} {
		if got := at(t, decode(t, tc.finding), tc.path); !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%s: %s = %v, want %v", tc.finding.Name, tc.path, got, tc.want)
		}
	}
}

func TestTimeline(t *testing.T) {
	moments := at(t, decode(t, full()), "unmapped.timeline").([]any)
	var steps []string
	for _, m := range moments {
		steps = append(steps, m.(map[string]any)["step"].(string))
	}
	if want := []string{"handshake", "request", "check", "use", "response"}; !reflect.DeepEqual(steps, want) {
		t.Errorf("steps %v, want %v", steps, want)
	}
	if got := at(t, moments, "0.time"); got != "1970-01-01T00:00:01Z" {
		t.Errorf("handshake at %v", got)
	}
	if got := moments[2].(map[string]any)["shape"]; got != "SELECT ? FROM accounts" {
		t.Errorf("check has shape %v", got)
	}
}

func TestConfidenceIsTheLeast(t *testing.T) {
	for _, tc := range []struct {
		link     verdict.Link
		identity verdict.IdentityLevel
		evidence verdict.EvidenceLevel
		want     string
	}{
		{verdict.LinkThread, verdict.LevelConnection, verdict.EvidenceRow, "High"},
		{verdict.LinkTransaction, verdict.LevelConnection, verdict.EvidenceBind, "High"},
		{verdict.LinkSet, verdict.LevelConnection, verdict.EvidenceRow, "Medium"},
		{verdict.LinkThread, verdict.LevelVerifiedHop, verdict.EvidenceRow, "Medium"},
		{verdict.LinkThread, verdict.LevelConnection, verdict.EvidenceLiteral, "Medium"},
		{verdict.LinkThread, verdict.LevelAsserted, verdict.EvidenceRow, "Low"},
		{verdict.LinkSet, verdict.LevelConnection, verdict.EvidenceHeuristic, "Low"},
	} {
		if _, got := confidence(&verdict.Statement{Link: tc.link, IdentityLevel: tc.identity, EvidenceLevel: tc.evidence}); got != tc.want {
			t.Errorf("%s, %s, %s: %s, want %s", tc.link, tc.identity, tc.evidence, got, tc.want)
		}
	}
}

func BenchmarkLine(b *testing.B) {
	f := full()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Line(f, "1.2.3"); err != nil {
			b.Fatal(err)
		}
	}
}
