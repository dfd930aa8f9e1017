// Package scenario holds what the lab tries: requests that are served wrongly, their clean twins, and what is to be seen of each.
package scenario

import (
	"tenantrace/lab/service"
)

// Call is one request, and what becomes of it at the client's end.
type Call struct {
	As     string // whose certificate
	Method string // "" GET
	Target string
	Header map[string]string
	Body   string
	Status int      // expected; 0: the connection or the request is refused by TLS
	Rows   []string // expected tenants of the rows in the answer, sorted; nil: none
	Fault  bool     // serves or changes what the caller must not have: to be flagged
	Raises []string // findings about the request as a whole, each once, fault or not
	Wait   Wait     // before it is sent
	Fresh  bool     // over a connection of its own, not a kept one
	Shared bool     // without a fault, and touches nothing that a tenant owns, whatever Want.Clean says
}

// Wait is something to wait for.
type Wait int

// The waits.
const (
	NoWait Wait = iota
	Expiry      // the caller's certificate has ended, and the policy's grace after it
)

// Scenario is a row of the lab's list.
type Scenario struct {
	ID      string
	Title   string
	Worker  service.Worker          // only for this kind of worker; "" for each
	Server  string                  // runs at this special server; "" at the ordinary ones
	Rounds  int                     // times that it runs
	Round   func(tag string) []Step // tag: unique to the round
	Want    Want
	SlowEnd bool // waits for seconds: runs beside the others
}

// Step are calls that are under way at the same time; the next step begins when all have ended.
type Step []Call

// Want says what the daemon is to make of a scenario.
type Want struct {
	Findings []string // each faulty call has a statement that raises all of these
	Info     []string // each call without a fault may have statements that raise these, and one has
	Verdict  string   // each faulty call has a statement with this verdict; "" violation
	Reason   string   // … and this reason
	Evidence []string // … and one of these evidence levels; nil: not looked at
	// Clean is the verdict that each call without a fault shows at least once; beside it, it may have no_tenant alone. "": all its
	// statements are no_tenant. Reason goes with unattributed.
	Clean       string
	CleanReason string
}

// The verdicts and reasons that the scenarios expect.
const (
	violation     = "violation"
	okExact       = "ok_exact"
	exempt        = "exempt"
	noTenant      = "no_tenant"
	unattributed  = "unattributed"
	noEvidence    = "no_evidence"
	noCertificate = "no_certificate"
	unverified    = "unverified"
)
