package lab

import (
	"strings"
	"testing"

	"tenantrace/lab/stage"
)

func TestPlan(t *testing.T) {
	ids, faults, targets := map[string]bool{}, 0, map[string]int{}
	for i := range DefaultRequests {
		tenant := i % len(stage.Tenants)
		p := plan(tenant, i)
		if ids[p.request.ID] {
			t.Fatalf("request id %q twice", p.request.ID)
		}
		ids[p.request.ID] = true
		own := stage.Tenants[tenant]
		switch {
		case p.fault && len(p.rows) > 0 && p.rows[0] == own, !p.fault && len(p.rows) > 0 && p.rows[0] != own:
			t.Errorf("request %d of %s: fault %v, rows %v", i, own, p.fault, p.rows)
		case p.fault != strings.HasSuffix(p.request.ID, "-fault"):
			t.Errorf("request %d: fault %v, id %q", i, p.fault, p.request.ID)
		}
		if p.fault {
			faults++
		}
		target, _, _ := strings.Cut(p.request.Target, "?")
		targets[target]++
	}
	if faults != DefaultRequests/faultEvery+1 && faults != DefaultRequests/faultEvery {
		t.Errorf("%d faults in %d requests", faults, DefaultRequests)
	}
	if len(targets) < 10 {
		t.Errorf("only these targets: %v", targets)
	}
}
