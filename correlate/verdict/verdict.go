// Package verdict holds what correlate concludes: one Statement line for each SQL statement, and Findings. Field names are the contract of the
// verdict lines (see README.md, "Verdict lines").
package verdict

// FormatVersion is the version of the verdict lines.
const FormatVersion = 1

// Verdict is the conclusion about one statement.
type Verdict string

// The verdicts. Every statement gets exactly one, and their sum is the number of statements seen.
const (
	OKExact      Verdict = "ok_exact"     // the evidence agrees with the identity of the linked request
	OKSet        Verdict = "ok_set"       // the evidence agrees with a member of the sound candidate set
	Violation    Verdict = "violation"    // the evidence disagrees; raises findings
	Exempt       Verdict = "exempt"       // a privileged identity or an exemption covers it
	NoTenant     Verdict = "no_tenant"    // touches no tenant-owned table
	Background   Verdict = "background"   // no request caused it
	Unattributed Verdict = "unattributed" // cannot be judged; Reason says why
	Blind        Verdict = "blind"        // events of this process were lost in the window
)

// All are the verdicts in the order of their documentation.
var All = [...]Verdict{OKExact, OKSet, Violation, Exempt, NoTenant, Background, Unattributed, Blind}

// Reason says why a statement is unattributed or blind.
type Reason string

// The reasons.
const (
	NoLink           Reason = "no_link"           // requests were in flight, but none on this thread
	Ambiguous        Reason = "ambiguous"         // several requests on this thread, or a thread that multiplexes
	IdentityUnknown  Reason = "identity_unknown"  // the request's connection has no readable peer certificate
	NoCertificate    Reason = "no_certificate"    // the connection asked for no certificate, or is not TLS
	Unverified       Reason = "unverified"        // a certificate was presented but not verified
	Unmapped         Reason = "unmapped"          // the certificate yields no tenant
	TenantUnknown    Reason = "tenant_unknown"    // the database value is no tenant's known name
	NoEvidence       Reason = "no_evidence"       // an owned table, but no tenant to be seen
	SessionUnknown   Reason = "session_unknown"   // the session began before it was traced
	Unparsed         Reason = "unparsed"          // the SQL text could not be read
	Cut              Reason = "cut"               // the SQL text was captured in part, and that part shows no tenant
	Conflict         Reason = "conflict"          // two links disagree
	Unseen           Reason = "unseen"            // the answer of the server was not seen and the statement alone shows no tenant
	Unobserved       Reason = "unobserved"        // requests may be open that began before the process was traced
	CandidateUnknown Reason = "candidate_unknown" // a request that may have caused it has no known tenant
	MixedWork        Reason = "mixed_work"        // its thread, or the same statement, was seen to work without any request
	Evicted          Reason = "evicted"           // what would tell had to leave a bounded table
	Loss             Reason = "loss"              // events were lost
	Desync           Reason = "desync"            // the framing of the connection was lost
)

// Link is the rule that ties a statement to a request.
type Link string

// The links.
const (
	LinkToken       Link = "token"
	LinkThread      Link = "thread"
	LinkTask        Link = "task"
	LinkTransaction Link = "transaction"
	LinkSet         Link = "set"
	LinkNone        Link = "none"
)

// IdentityLevel is how well the identity of a request is founded.
type IdentityLevel string

// The identity levels, strongest first; "" when there is no request.
const (
	LevelConnection  IdentityLevel = "connection"   // the verified certificate of this very connection
	LevelVerifiedHop IdentityLevel = "verified_hop" // of the proxy's connection, by an exact hop
	LevelAsserted    IdentityLevel = "asserted"     // a header of a trusted proxy
	LevelUntrusted   IdentityLevel = "untrusted"    // presented, not verified
)

// EvidenceLevel is where a database tenant was seen.
type EvidenceLevel string

// The evidence levels, strongest first; "" when there is none.
const (
	EvidenceRow       EvidenceLevel = "row"
	EvidenceBind      EvidenceLevel = "bind"
	EvidenceSession   EvidenceLevel = "session"
	EvidenceLiteral   EvidenceLevel = "literal"
	EvidenceHeuristic EvidenceLevel = "heuristic"
)

// Statement is one verdict line. Every field is always written: what is not known is "", 0, [] or null.
type Statement struct {
	Version         int           `json:"v"`
	Time            string        `json:"time"` // RFC 3339, UTC, nanoseconds: when the statement was written
	Verdict         Verdict       `json:"verdict"`
	Findings        []string      `json:"findings"` // names, the gravest first; [] if none
	Reason          Reason        `json:"reason"`
	Link            Link          `json:"link"`
	IdentityLevel   IdentityLevel `json:"identity_level"`
	EvidenceLevel   EvidenceLevel `json:"evidence_level"`
	IdentityTenant  string        `json:"identity_tenant"`
	DatabaseTenants []string      `json:"database_tenants"` // sorted; [] if none
	Service         string        `json:"service"`
	PID             uint32        `json:"pid"`
	TID             uint32        `json:"tid"`
	Connection      *Connection   `json:"connection"`  // the request's connection; null without a single request
	Request         *Request      `json:"request"`     // null when no single request is known
	Candidates      []Candidate   `json:"candidates"`  // of a set; [] otherwise
	Certificate     *Certificate  `json:"certificate"` // null when there is none
	SQL             SQL           `json:"statement"`
	Policy          string        `json:"policy"` // hash of the policy that judged
	// Values are the pseudonyms of the statement's literals and then of its bind values, in their order, where the policy keeps them (evidence.values);
	// "" for NULL and for what was not captured.
	Values []string `json:"values,omitempty"`

	Process  string   `json:"-"` // for findings: comm of PID; "" unknown
	Timeline Timeline `json:"-"` // for findings
	Hidden   bool     `json:"-"` // names of tenants are pseudonyms
	Label    string   `json:"-"` // the service as metrics have it, where Service hides a name; else ""
}

// Connection is the address pair of the request's connection.
type Connection struct {
	Remote string `json:"remote"`
	Local  string `json:"local"`

	TLS string `json:"-"` // for findings: "1.2", "1.3"; "" unknown, or no TLS
}

// Request is the HTTP request that a statement is linked to.
type Request struct {
	Method string `json:"method"`
	Path   string `json:"path"`
	ID     string `json:"id"`     // X-Request-ID
	Status int    `json:"status"` // 0: no response was seen before the verdict
}

// Candidate is a member of a candidate set.
type Candidate struct {
	ID     string `json:"id"`
	Tenant string `json:"tenant"`
}

// Certificate identifies a peer certificate; Details is for findings.
type Certificate struct {
	SHA256  string              `json:"sha256"` // lower-case hex over its DER
	Details *CertificateDetails `json:"-"`
}

// CertificateDetails are the readable parts of a certificate.
type CertificateDetails struct {
	Subject   string // RFC 4514 string
	Issuer    string // RFC 4514 string
	Serial    string // lower-case hex
	SANs      []AlternativeName
	NotBefore int64 // nanoseconds since the Unix epoch
	NotAfter  int64 // nanoseconds since the Unix epoch
}

// AlternativeName is a subject alternative name; Type is URI, DNS, Email, IP or Other, whose name is "OID:value".
type AlternativeName struct{ Name, Type string }

// SQL is the statement itself, without its literals.
type SQL struct {
	Engine      string `json:"engine"`
	Server      string `json:"server"` // address of the server: host:port or the socket's path
	Database    string `json:"database"`
	Shape       string `json:"shape"`       // text with literals as "?", at most 2,000 bytes
	Fingerprint string `json:"fingerprint"` // 16 hex digits over the shape
	Rows        int64  `json:"rows"`        // returned or changed, from the command tag; -1 unknown
}

// Timeline are the moments of a finding, nanoseconds since the Unix epoch, 0 unknown.
type Timeline struct {
	Handshake int64 // identity first seen on the connection
	Request   int64
	Check     int64  // an earlier statement of the request whose evidence agreed
	CheckSQL  string // its shape
	Use       int64  // the statement
	Response  int64
}

// Finding is a fault, aggregated by Key.
type Finding struct {
	Name     string
	Key      string // what makes two occurrences the same finding
	UID      string // derived from Key and FirstSeen: a replay repeats it
	Update   bool   // false: first occurrence; true: an update with the count so far
	Count    uint64 // occurrences since FirstSeen
	First    int64  // nanoseconds since the Unix epoch
	Last     int64
	Severity Severity
	CWE      []int
	// Evidence is the (for an update: latest) occurrence. Of a finding about a request without a statement, SQL is empty and Verdict "".
	Evidence Statement
	Detail   string // one sentence for people
}

// Severity is OCSF's severity_id.
type Severity int

// The severities.
const (
	SeverityInfo     Severity = 1
	SeverityLow      Severity = 2
	SeverityMedium   Severity = 3
	SeverityHigh     Severity = 4
	SeverityCritical Severity = 5
)
