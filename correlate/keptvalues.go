package correlate

import "tenantrace/correlate/tenantsql"

// maxKept is how many values of one statement are kept, and maxKeptValue the longest, in bytes.
const (
	maxKept      = 32
	maxKeptValue = 4096
)

// keepValues returns the pseudonyms of a statement's literals and bind values, where the policy for its process keeps them; nil elsewhere.
func (e *Engine) keepValues(s *session, m *message, text string, cut bool) []string {
	key := e.policyOf(m.proc).EvidenceRules().Values
	if key == nil || e.plain {
		return nil
	}
	kept := tenantsql.Literals(s.dialect(), text, cut, maxKept)
	for _, p := range m.seen.Params {
		if len(kept) == maxKept {
			break
		}
		if !p.Known || p.Null {
			p.Value = ""
		}
		kept = append(kept, p.Value)
	}
	for i, value := range kept {
		if len(value) > maxKeptValue {
			value = ""
		}
		kept[i] = key.Of(value)
	}
	return kept
}
