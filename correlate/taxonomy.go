package correlate

import "tenantrace/correlate/verdict"

// The names of the findings that the engine raises.
const (
	CrossTenantRead       = "CROSS_TENANT_READ"
	CrossTenantWrite      = "CROSS_TENANT_WRITE"
	CrossTenantByKey      = "CROSS_TENANT_BY_KEY"
	IdentityTOCTOU        = "IDENTITY_TOCTOU"
	RequestTenantMismatch = "REQUEST_TENANT_MISMATCH"
	DeniedAttempt         = "DENIED_ATTEMPT"
	CertNotRequested      = "CERT_NOT_REQUESTED"
	CertVerifyIgnored     = "CERT_VERIFY_IGNORED"
	ExpiredCertInUse      = "EXPIRED_CERT_IN_USE"
	RevokedCertInUse      = "REVOKED_CERT_IN_USE"
	IdentityFromResumed   = "IDENTITY_FROM_RESUMED_SESSION"
	IdentityChanged       = "IDENTITY_CHANGED_ON_CONNECTION"
	ConnectionTooOld      = "CONNECTION_TOO_OLD"
	PrivilegedAccess      = "PRIVILEGED_ACCESS"
	MixedInTransaction    = "MIXED_TENANTS_IN_TRANSACTION"
	MixedInResult         = "MIXED_TENANTS_IN_RESULT"
	StateCarryover        = "SESSION_STATE_CARRYOVER"
	StateUnderPooling     = "SESSION_STATE_UNDER_TXN_POOLING"
	UnscopedLookup        = "UNSCOPED_LOOKUP"
	ResponseDesync        = "RESPONSE_DESYNC"
	ConnectionShared      = "DB_CONNECTION_SHARED"
	TenantDrift           = "BACKGROUND_TENANT_DRIFT"
)

// class is what all findings of one name have in common.
type class struct {
	name     string
	severity verdict.Severity // where nothing lowers or raises it
	cwe      []int            // ids of the Common Weakness Enumeration
}

// classes are all findings, the gravest first.
func classes() []class {
	return []class{
		{CrossTenantWrite, verdict.SeverityCritical, []int{639, 863, 284}},
		{CrossTenantRead, verdict.SeverityCritical, []int{639, 863, 284}},
		{CrossTenantByKey, verdict.SeverityCritical, []int{566, 639}},
		{CertVerifyIgnored, verdict.SeverityCritical, []int{295}},
		{RevokedCertInUse, verdict.SeverityCritical, []int{370, 299}},
		{ResponseDesync, verdict.SeverityCritical, []int{488, 362}},
		{IdentityTOCTOU, verdict.SeverityHigh, []int{367, 863}},
		{MixedInTransaction, verdict.SeverityHigh, []int{863, 362}}, // medium without a request
		{StateCarryover, verdict.SeverityHigh, []int{226, 488}},
		{ConnectionShared, verdict.SeverityHigh, []int{362, 488}},
		{IdentityChanged, verdict.SeverityHigh, []int{367}},
		{CertNotRequested, verdict.SeverityHigh, []int{306, 287}},
		{RequestTenantMismatch, verdict.SeverityHigh, []int{639}},
		{TenantDrift, verdict.SeverityMedium, []int{367, 863}},   // low by a set
		{MixedInResult, verdict.SeverityMedium, []int{863, 668}}, // critical when a row is foreign to its request
		{StateUnderPooling, verdict.SeverityMedium, []int{226, 488}},
		{ExpiredCertInUse, verdict.SeverityMedium, []int{298, 613, 672}},
		{UnscopedLookup, verdict.SeverityLow, []int{566, 862}},
		{ConnectionTooOld, verdict.SeverityLow, []int{613}},
		{IdentityFromResumed, verdict.SeverityInfo, []int{295, 863}}, // high when it was made for another server name
		{DeniedAttempt, verdict.SeverityInfo, []int{639}},
		{PrivilegedAccess, verdict.SeverityInfo, nil},
	}
}

// severityNames are the label values of severities.
var severityNames = map[verdict.Severity]string{
	verdict.SeverityInfo: "info", verdict.SeverityLow: "low", verdict.SeverityMedium: "medium", verdict.SeverityHigh: "high",
	verdict.SeverityCritical: "critical",
}
