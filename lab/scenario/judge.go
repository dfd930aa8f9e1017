package scenario

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"tenantrace/lab/audit"
)

// Seen is what the daemon said.
type Seen struct {
	Lines    map[string][]audit.Line    // by the X-Request-ID of the request that they were truly sent for
	Findings map[string][]audit.Finding // by X-Request-ID of their occurrence
	// Exact tells of findings about requests as a whole whether their counts sum up to what all plays expect. Such findings are aggregated
	// over servers, so that only the first occurrence names its request.
	Exact map[string]bool
}

// Result is what became of a play.
type Result struct {
	*Play
	Faults, Flagged int      // calls with a fault, and those of them that were flagged as wanted
	Cleans, Passed  int      // calls without a fault, and those of them that were left alone as wanted
	Names           []string // findings seen, sorted
	Verdicts        []string // of the calls without a fault, no_tenant left out unless it is alone
	Links           []string // seen on the statements that decide
	Evidence        []string // of the same
	Problems        []string
}

// OK tells whether everything was as wanted.
func (r *Result) OK() bool { return len(r.Problems) == 0 }

// Judge holds what was seen against what a play wants.
func Judge(p *Play, seen *Seen) *Result {
	r := &Result{Play: p}
	names, verdicts, links, evidence := set{}, set{}, set{}, set{}
	for i := range p.Sent {
		call := &p.Sent[i]
		lines := seen.Lines[call.ID]
		problem := call.Problem
		if problem == "" && len(lines) != call.Statements {
			problem = fmt.Sprintf("%d verdict lines for %d statements", len(lines), call.Statements)
		}
		raised := set{}
		for _, f := range seen.Findings[call.ID] {
			raised.add(f.Info.Title)
		}
		for _, l := range lines {
			raised.add(l.Findings...)
		}
		for _, name := range call.Raises {
			if seen.Exact[name] {
				raised.add(name)
			} else if problem == "" {
				problem = "finding " + name + " was not raised by each request that should"
			}
		}
		names.add(slices.Collect(maps.Keys(raised))...)
		if call.Fault {
			r.Faults++
			if problem == "" {
				problem = p.Want.flagged(lines, raised, links, evidence)
			}
			if problem == "" {
				r.Flagged++
			}
		} else {
			r.Cleans++
			for _, l := range lines {
				verdicts.add(l.Verdict)
				if !hasFault(p.Sent) && p.Want.deciding(&l) {
					links.add(l.Link)
					evidence.add(l.EvidenceLevel)
				}
			}
			if problem == "" {
				problem = p.Want.leftAlone(call, lines, raised)
			}
			if problem == "" {
				r.Passed++
			}
		}
		if problem != "" {
			r.Problems = append(r.Problems, call.ID+": "+problem)
		}
	}
	for _, name := range p.Want.Info {
		if !names[name] {
			r.Problems = append(r.Problems, "finding "+name+" was not raised")
		}
	}
	if len(verdicts) > 1 {
		delete(verdicts, noTenant)
	}
	r.Names, r.Verdicts, r.Links, r.Evidence = names.sorted(), verdicts.sorted(), links.sorted(), evidence.sorted()
	return r
}

// flagged says why a faulty call counts as missed; "" it does not. The links and evidence of what was seen are added to the sets.
func (w *Want) flagged(lines []audit.Line, raised, links, evidence set) string {
	for _, name := range w.Findings {
		if !raised[name] {
			return fmt.Sprintf("finding %s was not raised (raised: %s; %s)", name, strings.Join(raised.sorted(), ", "), describe(lines))
		}
	}
	verdict := w.Verdict
	if verdict == "" {
		verdict = violation
	}
	ok := false
	for _, l := range lines {
		if l.Verdict != verdict || w.Reason != "" && l.Reason != w.Reason {
			continue
		}
		links.add(l.Link)
		evidence.add(l.EvidenceLevel)
		ok = ok || w.Evidence == nil || slices.Contains(w.Evidence, l.EvidenceLevel)
	}
	if !ok {
		return fmt.Sprintf("no statement with verdict %s, reason %q, evidence %v (%s)", verdict, w.Reason, w.Evidence, describe(lines))
	}
	return ""
}

// deciding tells whether a clean call's line has the verdict that is wanted of it.
func (w *Want) deciding(l *audit.Line) bool {
	if w.Clean == "" {
		return l.Verdict == noTenant
	}
	return l.Verdict == w.Clean && (w.CleanReason == "" || l.Reason == w.CleanReason)
}

// leftAlone says why a call without a fault counts as wrongly treated; "" it does not.
func (w *Want) leftAlone(call *Sent, lines []audit.Line, raised set) string {
	for name := range raised {
		if !slices.Contains(w.Info, name) && !slices.Contains(call.Raises, name) {
			return fmt.Sprintf("finding %s was raised (%s)", name, describe(lines))
		}
	}
	wanted := *w
	if call.Shared {
		wanted.Clean = "" // nothing but no_tenant
	}
	decided := call.Statements == 0
	for i := range lines {
		l := &lines[i]
		if wanted.deciding(l) {
			decided = true
		} else if l.Verdict != noTenant {
			return "unexpected verdict (" + describe(lines) + ")"
		}
		if l.Verdict != unattributed && l.Link != "thread" && l.Link != "transaction" {
			return "statement without an exact link (" + describe(lines) + ")"
		}
	}
	if !decided {
		return fmt.Sprintf("no statement with verdict %s (%s)", w.Clean, describe(lines))
	}
	return ""
}

func describe(lines []audit.Line) string {
	var parts []string
	for _, l := range lines {
		part := l.Verdict
		if l.Reason != "" {
			part += "/" + l.Reason
		}
		parts = append(parts, fmt.Sprintf("%s by %s %s: %.60s", part, l.Link, l.EvidenceLevel, l.Statement.Shape))
	}
	if parts == nil {
		return "no verdict line"
	}
	return strings.Join(parts, " | ")
}

type set map[string]bool

func (s set) add(values ...string) {
	for _, v := range values {
		if v != "" {
			s[v] = true
		}
	}
}

func (s set) sorted() []string { return slices.Sorted(maps.Keys(s)) }

func hasFault(sent []Sent) bool {
	return slices.ContainsFunc(sent, func(s Sent) bool { return s.Fault })
}

// Expected are the findings that a play is to raise, those of statements first.
func (p *Play) Expected() []string {
	names := slices.Concat(p.Want.Findings, p.Want.Info)
	for i := range p.Sent {
		for _, name := range p.Sent[i].Raises {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}
