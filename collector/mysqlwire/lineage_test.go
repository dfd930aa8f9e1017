package mysqlwire

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestLineage(t *testing.T) {
	for text, real := range map[string]bool{
		"SELECT tenant_id FROM invoices":                                                                             true,
		"SELECT `invoices`.`tenant_id` FROM `invoices` WHERE `invoices`.`id` = 7":                                    true,
		"SELECT tenant_id AS t, id AS tenant_id FROM invoices":                                                       true,
		"SELECT i.tenant_id AS tenant_id, (SELECT 1) FROM invoices i":                                                true,
		"SELECT * FROM invoices WHERE id IN (SELECT id FROM other)":                                                  true,
		"SELECT tenant_id FROM invoices i JOIN (SELECT id FROM o) x ON x.id = i.id":                                  true,
		"INSERT INTO invoices (id, tenant_id) VALUES (1, 'a') RETURNING tenant_id":                                   true,
		"SELECT MAX(tenant_id) FROM invoices WHERE tenant_id IN (SELECT tenant_id FROM b WHERE NOT tenant_id = 'x')": true,
		"WITH x (a) AS (SELECT 1) SELECT tenant_id FROM invoices":                                                    true,
		"SELECT tenant_id FROM (SELECT id AS tenant_id FROM o) invoices":                                             false,
		"SELECT tenant_id FROM (SELECT id AS tenant_id FROM o) AS `invoices`":                                        false,
		"SELECT tenant_id FROM (SELECT id AS tenant_id FROM invoices LIMIT 1) z":                                     false,
		"SELECT tenant_id FROM (SELECT id tenant_id FROM invoices LIMIT 1) z":                                        false,
		"SELECT tenant_id FROM (SELECT id AS 'tenant_id' FROM invoices LIMIT 1) z":                                   false,
		"SELECT tenant_id FROM (SELECT COUNT(*) \"TENANT_ID\" FROM invoices LIMIT 1) z":                              false,
		"SELECT tenant_id FROM (SELECT id FROM invoices LIMIT 1) z (tenant_id)":                                      false,
		"SELECT tenant_id FROM (SELECT id, id FROM invoices LIMIT 1) AS z (x, tenant_id)":                            false,
		"WITH invoices AS (SELECT * FROM o) SELECT tenant_id FROM invoices":                                          false,
		"WITH Invoices (tenant_id) AS (SELECT id FROM o) SELECT tenant_id FROM invoices":                             false,
		"WITH z (x, tenant_id) AS (SELECT 1, id FROM invoices) SELECT tenant_id FROM z":                              false,
		"WITH a AS (SELECT 1), invoices AS (SELECT id AS tenant_id FROM o) SELECT tenant_id FROM invoices":           false,
		"EXECUTE s": false,
		"CALL p()":  false,
		"SELECT tenant_id FROM /* ' */ (SELECT id AS /*x*/ tenant_id FROM invoices) z -- '": false,
		"SELECT " + strings.Repeat("(", maxFrames+1) + "tenant_id":                          false,
	} {
		if got := trace(text, "invoices", "tenant_id", false); got.real() != real {
			t.Errorf("%s: %+v", text, got)
		}
	}
}

// threadTime is the processor time of the calling thread so far: other than the clock, it stands still while others run.
func threadTime(t *testing.T) time.Duration {
	t.Helper()
	var used unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_THREAD, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// TestLineageIsLinear has texts that would take long if their parts were looked at again and again.
func TestLineageIsLinear(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for _, part := range []string{"invoices(", "invoices ", "tenant_id,", "x AS (", ")", "/*", "'", "invoices() ", "invoices(a,"} {
		text := strings.Repeat(part, DefaultMaxText/len(part))
		begun := threadTime(t)
		trace(text, "invoices", "tenant_id", false)
		if took := threadTime(t) - begun; took > time.Second {
			t.Errorf("%q repeated: %v", part, took)
		}
	}
}

// TestManyResults has a text of many statements, whose results each ask where their column comes from.
func TestManyResults(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const one = "SELECT tenant_id FROM invoices;"
	n := DefaultMaxText / len(one)
	var answer []string
	for i := range n {
		flags := status(statusMoreResults)
		if i == n-1 {
			flags = 0
		}
		answer = append(answer, result(flags, []string{def("invoices", "tenant_id", "tenant_id", typeString, 0, utf8mb4)}, textRow("acme"))...)
	}
	begun := threadTime(t)
	got := lines(play(t, testConfig(), append(opening(modern), ask("\x03"+strings.Repeat(one, n)), server(packets(1, answer...)))))
	took := threadTime(t) - begun
	if first, last := got[3], got[len(got)-2]; !strings.Contains(first, "@shop.invoices") || !strings.Contains(last, " tenant_id[] (acme) count=1 last") {
		t.Errorf("first %s, last %s", first, last)
	}
	if len(got) != n+4 || took > 3*time.Second {
		t.Errorf("%d events of %d results in %v", len(got), n, took)
	}
}
