// Package preflight tells whether this host can be traced: what its kernel offers, what this process may do, and how to mend what is missing.
package preflight

import "slices"

// Requirement is one thing that tracing needs of the host.
type Requirement struct {
	Name   string
	OK     bool
	Detail string
	Remedy string // what to do if it is not OK; empty for what cannot fail

	bars bool // while it is not OK, the programs cannot be loaded: the kernel's refusal would say it again, and less clearly
}

// Prerequisites looks at the host: its kernel, and what this process may do. Each is looked at for itself, so that all that is missing is told at once.
func Prerequisites() []Requirement {
	initial := userNamespace()
	out := []Requirement{kernelVersion(), typeInformation()}
	out = append(out, tracepoints()...)
	out = append(out, uprobes(), systemCall(), lockdown(), initial, pidNamespace())
	return append(out, capabilitiesHeld(initial.OK)...)
}

// Requirements are the prerequisites and, unless one bars it, whether the programs load and attach.
func Requirements() []Requirement {
	out := Prerequisites()
	if slices.ContainsFunc(out, func(r Requirement) bool { return r.bars && !r.OK }) {
		return out
	}
	return append(out, load()...)
}
