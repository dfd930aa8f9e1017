package main

import (
	"testing"

	"tenantrace/collector"
)

func TestUnmetNamesAllThatIsMissing(t *testing.T) {
	requirements := []collector.Requirement{
		{Name: "kernel", OK: true, Detail: "6.1"},
		{Name: "btf", Detail: "no type information", Remedy: "boot another kernel"},
		{Name: "uprobes", Detail: "none", Remedy: "boot another kernel too"},
		{Name: "cap_bpf", Detail: "missing", Remedy: "run as root"},
	}
	err := unmet(requirements)
	want := "btf: no type information [boot another kernel; missing too: uprobes, cap_bpf; `tenantrace check` lists all that is needed]"
	if err == nil || err.Error() != want {
		t.Errorf("all:\n%v, want\n%s", err, want)
	}
	err = unmet(requirements[:2])
	if want := "btf: no type information [boot another kernel; `tenantrace check` lists all that is needed]"; err == nil || err.Error() != want {
		t.Errorf("one:\n%v, want\n%s", err, want)
	}
	if err := unmet(requirements[:1]); err != nil {
		t.Errorf("none: %v", err)
	}
}
