// Package policy compiles a policy file: which tenant a client certificate stands for, which tenants a request names, what in the database
// belongs to a tenant, and what is allowed beyond that. A Policy is immutable and safe for concurrent use.
package policy

// Policy is a compiled policy file, or the part of it that is for one service.
type Policy struct {
	hash         string
	files        []string
	service      string
	services     []service
	identity     identityRules
	request      requestRules
	databases    []*Database
	exemptions   []exemption
	certificates CertificateRules
	verdict      VerdictRules
	evidence     EvidenceRules
	pseudonyms   *Pseudonyms
	wanted       wanted
	notes        []string
}

// Hash identifies what the policy says: "sha256:" and 16 hex digits over the bytes of the policy and of the map and hierarchy files that it
// names; revocation lists are not in it.
func (p *Policy) Hash() string { return p.hash }

// Files returns the paths of the files that the policy names, for a watch on their changes; the policy file itself and
// revocation lists are not among them.
func (p *Policy) Files() []string { return p.files }

// Service returns the service that the policy is for, "" if it names none.
func (p *Policy) Service() string { return p.service }

// CertificateRules returns the rules about certificates that end while their connection lives.
func (p *Policy) CertificateRules() CertificateRules { return p.certificates }

// VerdictRules returns what may accuse.
func (p *Policy) VerdictRules() *VerdictRules { return &p.verdict }

// EvidenceRules returns what lines keep.
func (p *Policy) EvidenceRules() *EvidenceRules { return &p.evidence }

// Hop returns where the identity of requests comes from.
func (p *Policy) Hop() *Hop { return &p.identity.hop }

// Notes tells which keys of the file are held but have no effect in this version, each with its line and what follows from it.
func (p *Policy) Notes() []string { return p.notes }
