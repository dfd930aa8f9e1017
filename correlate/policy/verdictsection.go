package policy

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// linkNames are the rules that tie a statement to a request, the most exact first.
var linkNames = []string{"token", "thread", "task", "transaction", "set"}

// VerdictRules are the policy's section "verdict".
type VerdictRules struct {
	Links       []string      // that may tie a statement to a request; nil: all
	Linger      time.Duration // how long after its end a request may still cause statements
	MinIdentity string        // "verified" or "asserted": the least identity that may accuse
}

// AllowsLink tells whether a rule may tie statements to requests.
func (r *VerdictRules) AllowsLink(rule string) bool {
	return r.Links == nil || slices.Contains(r.Links, rule)
}

// EvidenceRules are the policy's section "evidence": what lines keep.
type EvidenceRules struct {
	Values       *Pseudonyms   // writes the values of a statement; nil: they are not kept
	PathTemplate bool          // the path of a request without what is particular to it, instead of the path
	Retention    time.Duration // how long whoever keeps the lines should keep them; 0: not said

	digests bool // values: hmac
}

var (
	verdictKeys  = keys{known: []string{"links", "linger", "min_identity"}}
	evidenceKeys = keys{known: []string{"sql", "values", "headers", "path", "retention"}}
)

func (d *decoder) verdict(n *yaml.Node, r VerdictRules) VerdictRules {
	s, ok := d.section(n, "verdict", verdictKeys)
	if !ok {
		return r
	}
	if n := s.values["links"]; n != nil {
		r.Links = []string{}
		for _, w := range d.words(n, s.sub("links")) {
			if !slices.Contains(linkNames, w.text) {
				d.fail(w.node, "%s is %s (write one of %s)", w.path, shorten(w.text), strings.Join(linkNames, ", "))
			}
			r.Links = append(r.Links, w.text)
		}
		if n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
			d.fail(n, "%s is an empty list (nothing could be judged; remove the key for all of them)", s.sub("links"))
		}
	}
	r.Linger = d.duration(&s, "linger", r.Linger, true)
	r.MinIdentity = d.choice(&s, "min_identity", r.MinIdentity, "verified", "asserted")
	return r
}

func (d *decoder) evidence(n *yaml.Node, r EvidenceRules) EvidenceRules {
	s, ok := d.section(n, "evidence", evidenceKeys)
	if !ok {
		return r
	}
	d.choice(&s, "sql", "shape", "shape")
	values := "none"
	if r.digests {
		values = "hmac"
	}
	r.digests = d.choice(&s, "values", values, "none", "hmac") == "hmac"
	if r.digests && d.valued == nil {
		d.valued = s.values["values"]
	}
	d.choice(&s, "headers", "none", "none")
	path := "full"
	if r.PathTemplate {
		path = "template"
	}
	r.PathTemplate = d.choice(&s, "path", path, "full", "template") == "template"
	if n := s.values["retention"]; n != nil {
		r.Retention = d.days(n, s.sub("retention"))
	}
	return r
}

// days reads a duration that may be written in days.
func (d *decoder) days(n *yaml.Node, path string) time.Duration {
	text, ok := d.text(n, path)
	if !ok {
		return 0
	}
	if number, ok := strings.CutSuffix(text, "d"); ok {
		if days, err := strconv.ParseUint(number, 10, 16); err == nil && days > 0 {
			return time.Duration(days) * 24 * time.Hour
		}
	}
	v, err := time.ParseDuration(text)
	if err != nil || v <= 0 {
		d.fail(n, "%s is %s (write a duration above zero: 30d, 12h)", path, shorten(text))
	}
	return v
}
