// Package policy compiles a policy file: which tenant a client certificate stands for, which tenants a request names, what in the database
// belongs to a tenant, and what is allowed beyond that. A Policy is immutable and safe for concurrent use.
package policy

// Policy is a compiled policy file.
type Policy struct {
	hash         string
	files        []string
	service      string
	identity     identityRules
	request      requestRules
	database     databaseRules
	exemptions   []exemption
	certificates CertificateRules
}

// databaseRules are the policy's section "database".
type databaseRules struct {
	columns  []string // lower case
	settings []string // lower case
	tables   tableRules
}

// Hash identifies what the policy says: "sha256:" and 16 hex digits over the bytes of the policy and of its map file; revocation lists are not in it.
func (p *Policy) Hash() string { return p.hash }

// Files returns the paths of the files that the policy names, for a watch on their changes; the policy file itself and
// revocation lists are not among them.
func (p *Policy) Files() []string { return p.files }

// Service returns the service that the policy is for, "" if it names none.
func (p *Policy) Service() string { return p.service }

// Columns returns the tenant columns, unqualified and in lower case. The result must not be changed.
func (p *Policy) Columns() []string { return p.database.columns }

// Settings returns the settings (GUCs) that hold the session's tenant, in lower case. The result must not be changed.
func (p *Policy) Settings() []string { return p.database.settings }

// CertificateRules returns the rules about certificates that end while their connection lives.
func (p *Policy) CertificateRules() CertificateRules { return p.certificates }
