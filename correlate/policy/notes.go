package policy

import "fmt"

// notes collects what the file says and this version does not act on: who wrote it must not believe it to hold.
func (d *decoder) notes(s *section, p *Policy) {
	say := func(key string, format string, args ...any) {
		line := 0
		if n := s.values[key]; n != nil {
			line = n.Line
		}
		p.notes = append(p.notes, fmt.Sprintf("policy %q line %d: %s", d.file, line, fmt.Sprintf(format, args...)))
	}
	for _, q := range append(p.Services(), p) {
		key, where := "services", "service "+q.service+": "
		if q == p || s.values["select"] != nil {
			key, where = "", ""
		}
		at := func(own string) string {
			if key != "" {
				return key
			}
			return own
		}
		if from := q.identity.hop.From; from != FromConnection {
			say(at("identity"), "%sidentity.from: %s is held, but this version reads no identity behind a proxy: every statement of it ends as unattributed, identity_unknown", where, from)
		}
		if q.verdict.MinIdentity == "asserted" {
			say(at("verdict"), "%sverdict.min_identity: asserted is held, but this version knows verified identities only", where)
		}
		if q.evidence.Retention > 0 {
			say(at("evidence"), "%sevidence.retention is for whoever keeps the lines: this version deletes none", where)
		}
	}
}
