package policy

import "time"

// Certificate is what a policy sees of a peer certificate.
type Certificate struct {
	SHA256, Serial              string      // lower-case hex; SHA256 is "" when it is not known
	Subject, Issuer             []Attribute // in the order of the certificate
	URIs, DNSNames, Emails, IPs []string
	OtherNames, Extensions      []Typed // alternative names of type otherName; private extensions
	Malformed                   []string
	// Unreadable are the parts that could not be read whole: "serial", "issuer", "subject", "extensions", "subject_alt_name". What a rule says of
	// such a part is in doubt.
	Unreadable []string
}

// Typed is a value whose type is a dotted OID. Value is "" if it is no text.
type Typed struct{ OID, Value string }

// Attribute is one attribute of a distinguished name; Type is the RFC 4514 short name or the dotted OID.
type Attribute struct{ Type, Value string }

// Identity is what a policy makes of a certificate.
type Identity struct {
	// Tenants are the database names (normalised, see Normalize) of the certificate's tenant; more than one only by the map or "multi: any". Empty: unmapped.
	Tenants []string
	Name    string // the tenant as the certificate names it, before the map
	Rule    string // the rule that matched, as policy explain prints it
	// Below are the tenants that the hierarchy puts below those, sorted: the certificate may act for them too.
	Below []string
	// Privileged is set when a privilege covers the certificate.
	Privileged *Privilege
	// Ended is a privilege that would cover the certificate had it not ended; nil: there is none. One for every tenant comes first.
	Ended *Privilege
}

// Privilege allows a certificate the data of other tenants.
type Privilege struct {
	Any     bool     // every tenant
	Request bool     // else those that the request itself names
	Tenants []string // and these, normalised
	Until   time.Time
	Why     string
}

// TableClass is what a policy knows of a table.
type TableClass uint8

// The classes of a table.
const (
	TableUnknown TableClass = iota // decided by whether a tenant column of it has been seen
	TableShared
	TableOwned
)

// RequestTenant is a tenant that a request names.
type RequestTenant struct {
	Tenant string // normalised
	Source string // "path" or "header"
	Rule   string // the template or the header's name
}

// Use is what an exemption may cover.
type Use struct {
	Time           time.Time
	Route          string // path of the request, "" without one
	Privileged     bool   // the identity has a privilege
	DatabaseRole   string // user of the database session
	Application    string // application_name of the database session, "" unknown
	Service        string
	Process        *Process // nil unknown
	Write          bool     // changes rows
	Tables         []string
	Fingerprint    string
	Shown          string // the fingerprint as lines have it: another one where they hide names
	IdentityTenant string // "" without one
}

// Exemption is an allowance in a policy.
type Exemption struct {
	Index int // position in the file, 1-based
	Why   string
	Until time.Time
}
