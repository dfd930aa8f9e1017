package accuracy

import (
	"io"
	"slices"
	"testing"
)

// TestCells demands that each value of each column is played, and the pairs that are dangerous.
func TestCells(t *testing.T) {
	all := cells()
	played := func(what string, is func(c Cell) bool) {
		t.Helper()
		if !slices.ContainsFunc(all, is) {
			t.Errorf("no cell plays %s", what)
		}
	}
	for _, k := range kinds() {
		played(k.name, func(c Cell) bool { return c.Server == k.name })
		for _, security := range []bool{true, false} {
			played(k.name+" and a database with or without TLS", func(c Cell) bool { return c.Server == k.name && c.TLS == security })
		}
		for _, pool := range []string{noPool, appPool, pgBouncer} {
			played(k.name+" with pool "+pool, func(c Cell) bool { return c.Server == k.name && c.Pool == pool })
		}
		for _, v := range []string{independent, background} { // a wrong link, and the trap of the set: someone works while requests are there
			played(k.name+" with violation "+v, func(c Cell) bool { return c.Server == k.name && c.Violation == v && c.Chaos == "" })
		}
		if k.name != gunicornSync { // which has one request at a time
			played(k.name+" with a race", func(c Cell) bool { return c.Server == k.name && c.Violation == race && c.InFlight > 1 })
			played(k.name+" with many requests in flight", func(c Cell) bool { return c.Server == k.name && c.InFlight >= 16 })
		}
	}
	for _, driver := range []string{psycopg2, asyncpg, psycopg3, pg} {
		for _, pool := range []string{noPool, appPool, pgBouncer} {
			played(driver+" with pool "+pool, func(c Cell) bool { return c.Driver == driver && c.Pool == pool })
		}
		for _, security := range []bool{true, false} {
			played(driver+" with or without TLS", func(c Cell) bool { return c.Driver == driver && c.TLS == security })
		}
		for _, v := range []string{none, independent, race, stale, background} {
			played(driver+" with violation "+v, func(c Cell) bool { return c.Driver == driver && c.Violation == v })
		}
	}
	for _, n := range []int{1, 4, 16, 64} {
		for _, tenants := range []int{2, 20, 200} {
			played("a pair of in flight and tenants", func(c Cell) bool { return c.InFlight == n && c.Tenants == tenants })
		}
	}
	for _, pool := range []string{appPool, pgBouncer} {
		for _, v := range []string{none, independent, race, stale, background} {
			played(pool+" with violation "+v, func(c Cell) bool { return c.Pool == pool && c.Violation == v })
		}
	}
	for _, what := range chaos {
		for _, server := range []string{gunicornGThread, uvicornAsyncio} {
			played(server+" with "+what, func(c Cell) bool { return c.Server == server && c.Chaos == what })
		}
	}
	played("a token", func(c Cell) bool { return c.Tokens })
}

// TestCellsCanBePlayed finds cells that mean nothing.
func TestCellsCanBePlayed(t *testing.T) {
	names := make(map[string]bool)
	for _, c := range cells() {
		k := slices.IndexFunc(kinds(), func(k *kind) bool { return k.name == c.Server })
		switch {
		case k < 0:
			t.Errorf("%s: no such server", c)
		case !slices.Contains(kinds()[k].drivers, c.Driver):
			t.Errorf("%s: the server does not have the driver", c)
		case c.Violation == race && c.InFlight == 1:
			t.Errorf("%s: nobody is there to race with", c)
		case c.Violation == stale && c.Pool == noPool:
			t.Errorf("%s: no session outlives its request", c)
		case names[c.short()]:
			t.Errorf("%s is there twice", c)
		}
		names[c.short()] = true
	}
}

func TestChoose(t *testing.T) {
	for _, tc := range []struct {
		cfg  Config
		want func(n int) bool
	}{
		{Config{Small: "x"}, func(n int) bool { return n == len(cells()) }},
		{Config{}, func(n int) bool { return n > 0 && n < len(cells()) }}, // without the small ring buffer
		{Config{Quick: true}, func(n int) bool { return n == len(quick()) }},
		{Config{Small: "x", Cells: []string{node, puma}}, func(n int) bool { return n > 2 && n < len(cells())/2 }},
	} {
		tc.cfg.Out = io.Discard
		chosen, acts, err := choose(&tc.cfg)
		if whole := !tc.cfg.Quick && len(tc.cfg.Cells) == 0; err != nil || !tc.want(len(chosen)) || len(acts) > 0 != whole || tc.cfg.Statements == 0 {
			t.Errorf("%+v: %d cells, %d statements, %v", tc.cfg, len(chosen), tc.cfg.Statements, err)
		}
	}
	cfg := Config{Scenes: []string{"E13"}, Out: io.Discard}
	if chosen, acts, err := choose(&cfg); err != nil || len(chosen) > 0 || len(acts) != 1 {
		t.Errorf("one scene: %d cells, %d scenes, %v", len(chosen), len(acts), err)
	}
	if _, _, err := choose(&Config{Cells: []string{"no such"}, Out: io.Discard}); err == nil {
		t.Error("no error for cells that are not there")
	}
}
