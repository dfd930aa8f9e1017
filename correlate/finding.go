package correlate

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"tenantrace/correlate/bounded"
	"tenantrace/correlate/policy"
	"tenantrace/correlate/verdict"
)

// occurrence is one occurrence of a finding.
type occurrence struct {
	name        string
	detail      string
	severity    verdict.Severity
	evidence    *verdict.Statement
	tenants     []string       // that the finding is about, beside the certificate's
	fingerprint string         // of the statement
	scope       string         // what else keeps occurrences apart
	by          *policy.Policy // that tells routes apart; nil: the file's own
	anyRoute    bool           // occurrences on all routes are the same finding
	anyTenant   bool           // occurrences under all certificates are the same finding
	set         []*request     // candidates by which it was found; nil: it was found by an exact link, or needs none
}

// open is a finding that has been raised.
type open struct {
	verdict.Finding
	sent  uint64 // count that was sent last
	at    int64  // when
	dirty bool   // in the list of those with counts that were not sent

	requests int    // distinct ones that sets of candidates have shown it for, as far as that is certain
	highest  uint64 // number of the candidates so far
}

// maxNamed is how many candidates a finding names; its verdict line names them all.
const maxNamed = 64

// repeated is how many distinct requests must have shown what sets of candidates show, to weigh as much as what exact links show.
const repeated = 3

// weigh notes an occurrence by a set of candidates, and tells whether its kind has come often enough. Sets without a common member had distinct causes.
func (o *open) weigh(set []*request) bool {
	if set[0].no > o.highest {
		o.requests++
	}
	o.highest = max(o.highest, set[len(set)-1].no)
	return o.requests >= repeated
}

// findings aggregates occurrences, so that a fault is one finding with a count.
type findings struct {
	engine  *Engine
	open    *bounded.Map[string, *open]
	unsent  []*open
	flushed int64
	classes map[string]class
}

func (f *findings) init(e *Engine) {
	f.engine = e
	f.classes = make(map[string]class)
	for _, c := range classes() {
		f.classes[c.name] = c
	}
	f.open = bounded.New(e.limits.Findings, func(_ string, o *open) {
		e.metrics.evicted("findings")
		f.send(o, e.now)
	})
}

// raise takes in an occurrence: the first one of its key is handed out at once, later ones are counted.
func (f *findings) raise(e *Engine, x occurrence) {
	service := x.evidence.Service
	route := ""
	if r := x.evidence.Request; r != nil && !x.anyRoute && x.evidence.Hidden {
		route = r.Path
	} else if r != nil && !x.anyRoute {
		rules := x.by
		if rules == nil {
			rules = e.policy
		}
		route = rules.Route(r.Path)
	}
	tenant := x.evidence.IdentityTenant
	if x.anyTenant {
		tenant = ""
	}
	key := findingKey(x.name, service, route, x.fingerprint, tenant, strings.Join(e.veil.names(x.tenants), ","), x.scope)
	at := cmp.Or(x.evidence.Timeline.Use, x.evidence.Timeline.Request, e.now)
	o, ok := f.open.Get(key)
	if !ok {
		o = &open{Finding: verdict.Finding{Name: x.name, Key: key, UID: e.findingUID(key, at), First: at, Last: at, CWE: f.classes[x.name].cwe}}
	}
	if x.set != nil && o.weigh(x.set) {
		x.severity = max(x.severity, f.classes[x.name].severity)
	}
	e.metrics.finding(cmp.Or(x.evidence.Label, service), x.name, x.severity)
	o.Count++
	o.Last, o.Severity = max(o.Last, at), max(o.Severity, x.severity)
	o.Evidence, o.Detail = *x.evidence, x.detail
	if c := o.Evidence.Candidates; len(c) > maxNamed {
		o.Evidence.Candidates = slices.Clone(c[:maxNamed])
	}
	if !ok {
		f.send(o, e.now)
		f.open.Put(key, o)
		return
	}
	if !o.dirty {
		o.dirty = true
		f.unsent = append(f.unsent, o)
	}
}

// send hands out a finding, or an update of it, if its count has changed.
func (f *findings) send(o *open, now int64) {
	if o.Count == o.sent {
		return
	}
	out := o.Finding
	out.Update = o.sent > 0
	o.sent, o.at = o.Count, now
	if f.engine.finding != nil {
		f.engine.finding(&out)
	}
}

// flushStep is how often the list of counts to be sent is looked through.
const flushStep = 1_000_000_000

// flush hands out the updates that are due, or all.
func (f *findings) flush(now int64, all bool) {
	if len(f.unsent) == 0 || !all && now-f.flushed < flushStep {
		return
	}
	f.flushed = now
	kept := f.unsent[:0]
	for _, o := range f.unsent {
		if !all && now-o.at < int64(f.engine.limits.UpdateEvery) && o.sent != o.Count {
			kept = append(kept, o)
			continue
		}
		o.dirty = false
		f.send(o, now)
	}
	clear(f.unsent[len(kept):])
	f.unsent = kept
}

// maxKeyPart is the longest part of a key that stands for itself, in bytes.
const maxKeyPart = 256

// findingKey joins parts so that different ones never give the same key. Long parts stand there as their digest.
func findingKey(parts ...string) string {
	var b strings.Builder
	for i, p := range parts {
		if i > 0 {
			b.WriteByte('|')
		}
		if len(p) > maxKeyPart {
			sum := sha256.Sum256([]byte(p))
			p = "sha256:" + hex.EncodeToString(sum[:])
		}
		b.WriteString(strings.NewReplacer(`\`, `\\`, "|", `\|`).Replace(p))
	}
	return b.String()
}

// findingUID is derived, so that a replay repeats it. Where tenants are hidden it is keyed, for who knows the other parts could try names.
func (e *Engine) findingUID(key string, first int64) string {
	key += "\x00" + strconv.FormatInt(first, 10)
	if e.veil != nil {
		return e.veil.Finding(key)
	}
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}
