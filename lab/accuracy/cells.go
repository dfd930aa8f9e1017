package accuracy

import (
	"fmt"
	"slices"
	"strings"
)

// cells are all that are played: each value of each column, the pairs that cells_test.go names as dangerous, and what goes wrong meanwhile.
func cells() []Cell {
	var all []Cell
	for _, c := range []struct {
		server, driver    string
		tls               bool
		pool              string
		inFlight, tenants int
		violation         string
	}{
		{gunicornSync, psycopg2, false, noPool, 4, 2, background},
		{gunicornSync, psycopg2, true, appPool, 4, 2, none},
		{gunicornSync, psycopg2, false, pgBouncer, 16, 20, independent},
		{gunicornGThread, psycopg2, false, pgBouncer, 4, 200, independent},
		{gunicornGThread, psycopg2, true, appPool, 16, 200, background},
		{gunicornGThread, psycopg2, true, noPool, 16, 20, race},
		{gunicornGevent, psycopg2, false, noPool, 4, 200, race},
		{gunicornGevent, psycopg2, true, appPool, 16, 20, independent},
		{gunicornGevent, psycopg2, true, pgBouncer, 64, 20, background},
		{uvicornAsyncio, asyncpg, true, pgBouncer, 4, 20, independent},
		{uvicornAsyncio, psycopg2, false, pgBouncer, 4, 2, race},
		{uvicornAsyncio, asyncpg, true, appPool, 4, 2, stale},
		{uvicornAsyncio, psycopg3, false, pgBouncer, 64, 20, background},
		{uvicornAsyncio, asyncpg, false, noPool, 64, 200, none},
		{uvicornUvloop, psycopg2, true, appPool, 1, 200, independent},
		{uvicornUvloop, asyncpg, false, appPool, 16, 200, background},
		{uvicornUvloop, psycopg3, false, noPool, 16, 200, none},
		{uvicornUvloop, asyncpg, false, pgBouncer, 64, 20, race},
		{djangoASGI, psycopg2, false, pgBouncer, 4, 20, background},
		{djangoASGI, psycopg2, true, appPool, 64, 2, independent},
		{djangoASGI, psycopg2, false, noPool, 64, 2, race},
		{aiohttp, asyncpg, false, noPool, 1, 2, background},
		{aiohttp, psycopg3, true, pgBouncer, 1, 2, independent},
		{aiohttp, psycopg3, false, pgBouncer, 16, 20, race},
		{aiohttp, psycopg3, true, appPool, 16, 20, stale},
		{uWSGI, psycopg2, false, appPool, 4, 20, race},
		{uWSGI, psycopg2, true, noPool, 16, 20, independent},
		{uWSGI, psycopg2, true, pgBouncer, 64, 200, background},
		{uWSGI, psycopg2, true, pgBouncer, 64, 200, stale},
		{puma, pg, true, pgBouncer, 1, 2, stale},
		{puma, pg, false, noPool, 4, 20, independent},
		{puma, pg, false, appPool, 16, 2, race},
		{puma, pg, false, noPool, 64, 20, background},
		{node, pg, false, appPool, 1, 20, background},
		{node, pg, false, pgBouncer, 1, 20, none},
		{node, pg, true, noPool, 64, 2, independent},
		{node, pg, false, noPool, 64, 2, race},
		{node, pg, false, appPool, 16, 200, independent},
	} {
		all = append(all, Cell{Server: c.server, Driver: c.driver, TLS: c.tls, Pool: c.pool, InFlight: c.inFlight, Tenants: c.tenants, Violation: c.violation})
	}
	for _, c := range []Cell{
		{Server: gunicornGThread, Driver: psycopg2, Pool: appPool, InFlight: 16, Tenants: 20, Violation: independent},
		{Server: uvicornAsyncio, Driver: psycopg2, Pool: noPool, InFlight: 16, Tenants: 20, Violation: race},
		{Server: node, Driver: pg, TLS: true, Pool: appPool, InFlight: 16, Tenants: 20, Violation: race},
	} {
		c.Tokens = true
		all = append(all, c)
	}
	threads := Cell{Server: gunicornGThread, Driver: psycopg2, Pool: appPool, InFlight: 16, Tenants: 20, Violation: independent}
	tasks := Cell{Server: uvicornAsyncio, Driver: asyncpg, Pool: appPool, InFlight: 16, Tenants: 20, Violation: independent}
	single := Cell{Server: node, Driver: pg, Pool: appPool, InFlight: 16, Tenants: 20, Violation: independent}
	for _, what := range chaos {
		for _, c := range []Cell{threads, tasks, single} {
			if what == recycling && c.Server == node {
				continue // it has no workers that could be replaced
			}
			c.Chaos = what
			all = append(all, c)
		}
	}
	return all
}

// quick are the cells of the quick subset: each kind of link, in a minute.
func quick() []Cell {
	return []Cell{
		{Server: gunicornGThread, Driver: psycopg2, Pool: appPool, InFlight: 4, Tenants: 20, Violation: independent},
		{Server: uvicornAsyncio, Driver: asyncpg, TLS: true, Pool: appPool, InFlight: 16, Tenants: 20, Violation: race},
		{Server: uvicornAsyncio, Driver: asyncpg, Pool: appPool, InFlight: 4, Tenants: 20, Violation: background},
	}
}

// choose gives the cells and scenes that were asked for.
func choose(cfg *Config) ([]Cell, []*scene, error) {
	all, acts := cells(), scenes()
	switch {
	case cfg.Quick:
		all = quick()
	case len(cfg.Cells) == 0 && len(cfg.Scenes) > 0:
		all = nil
	}
	if len(cfg.Scenes) == 0 && (cfg.Quick || len(cfg.Cells) > 0) {
		acts = nil
	}
	if cfg.Statements == 0 {
		cfg.Statements = DefaultStatements
		if cfg.Quick {
			cfg.Statements = QuickStatements
		}
	}
	if len(cfg.Cells) > 0 {
		all = slices.DeleteFunc(all, func(c Cell) bool {
			return !slices.ContainsFunc(cfg.Cells, func(part string) bool { return strings.Contains(c.short(), part) })
		})
	}
	if len(cfg.Scenes) > 0 {
		acts = slices.DeleteFunc(acts, func(s *scene) bool { return !slices.Contains(cfg.Scenes, s.id) })
	}
	if cfg.Small == "" {
		all = slices.DeleteFunc(all, func(c Cell) bool {
			if c.Chaos == smallRing {
				fmt.Fprintf(cfg.Out, "left out %s: --small names no daemon with a small ring buffer\n", c.short())
			}
			return c.Chaos == smallRing
		})
	}
	if len(all)+len(acts) == 0 {
		return nil, nil, fmt.Errorf("no cell's name has one of %q in it, and no scene is one of %q", cfg.Cells, cfg.Scenes)
	}
	return all, acts, nil
}
