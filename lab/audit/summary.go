package audit

import (
	"fmt"
	"slices"
)

// Summaries gives each finding as "NAME severity tenant count", sorted: its last line has its count, and "-" is no tenant.
func Summaries(findings []Finding) []string {
	last := make(map[string]string)
	for i := range findings {
		f := &findings[i]
		tenant := f.Unmapped.IdentityTenant
		if tenant == "" {
			tenant = "-"
		}
		last[f.Info.UID] = fmt.Sprintf("%s %s %s %d", f.Info.Title, f.Severity, tenant, f.Count)
	}
	var out []string
	for _, text := range last {
		out = append(out, text)
	}
	slices.Sort(out)
	return out
}
