package collector

import (
	"context"

	"tenantrace/collector/discovery"
	"tenantrace/collector/preflight"
)

// Requirement is one thing that tracing needs of the host.
type Requirement = preflight.Requirement

// Prerequisites looks at the host: its kernel, and what this process may do.
func Prerequisites() []Requirement { return preflight.Prerequisites() }

// Requirements are the prerequisites and, if none bars it, whether the programs load and attach.
func Requirements() []Requirement { return preflight.Requirements() }

// Survey lists the libraries of the running processes without attaching to any.
func Survey(ctx context.Context) ([]discovery.Library, error) {
	return discovery.Survey(ctx, Proc)
}
