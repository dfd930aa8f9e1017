package accuracy

import (
	"context"
	"fmt"
	"time"
)

// The tenants of the scenes, by number.
const (
	acme = iota
	beta
	gamma
)

// scenes are all of them.
func scenes() []*scene {
	threads := Cell{Server: gunicornGThread, Driver: psycopg2, Pool: appPool, InFlight: 8, Tenants: 3, Violation: independent}
	process, loop, raw := threads, threads, threads
	process.Server = gunicornSync
	loop.Server, loop.Driver = uvicornAsyncio, asyncpg
	raw.Violation = none
	overlap := func(ctx context.Context, s *script) { // beta's request comes while acme's pauses; both use what the last one has set
		together(100*time.Millisecond,
			func() { s.ask(ctx, acme, 300, s.only("flaw=race&at=0")) },
			func() { s.ask(ctx, beta, 300, "") })
	}
	read := []string{"CROSS_TENANT_READ"}
	violation := []string{"violation"}
	return []*scene{
		{id: "E07", title: "a global tenant, and two requests that interleave, on threads", cell: threads, workers: 1, play: overlap,
			want: sceneWant{findings: read, links: []string{"thread"}, verdicts: violation, found: true}},
		{id: "E09", title: "another tenant's rows from a cache in the process, without SQL", cell: process, workers: 1,
			play: func(ctx context.Context, s *script) {
				s.ask(ctx, beta, 0, "mode=remember")
				if s.fault {
					s.ask(ctx, acme, 0, "mode=cached")
				}
			}},
		{id: "E11", title: "a thread that reads another tenant's rows when the request has its answer", cell: process, workers: 1,
			play: func(ctx context.Context, s *script) {
				for range 5 {
					s.ask(ctx, acme, 0, "after&"+s.only("flaw=independent&at=-2&other=t001"))
					time.Sleep(200 * time.Millisecond)
				}
				time.Sleep(apart) // a thread is known to have been a request's own when it has ended
			},
			want: sceneWant{findings: []string{"BACKGROUND_TENANT_DRIFT"}, links: []string{"thread", "set"}, verdicts: violation, found: true}},
		{id: "E12", title: "a job in a worker process of its own, for the wrong tenant", cell: threads, worker: true,
			play: func(ctx context.Context, s *script) {
				for range 5 {
					s.ask(ctx, acme, 0, "mode=enqueue&"+s.only("other=t001"))
				}
				time.Sleep(500 * time.Millisecond)
			},
			want: sceneWant{jobs: []string{"background", "unattributed"}}},
		{id: "E13", title: "a global tenant across an await, on an event loop", cell: loop, play: overlap,
			want: sceneWant{findings: read, links: []string{"task"}, verdicts: violation, found: true}},
		{id: "E14", title: "run_in_executor without the request's context; nobody else is there", cell: loop,
			play: func(ctx context.Context, s *script) {
				for range 5 {
					s.ask(ctx, acme, 0, "child&"+s.only("flaw=independent&at=7&other=t001"))
				}
			},
			want: sceneWant{findings: read, links: []string{"set"}, verdicts: violation, found: true}},
		{id: "E15", title: "the same, while the other tenant's own request is there", cell: loop,
			play: func(ctx context.Context, s *script) {
				together(100*time.Millisecond, func() { s.ask(ctx, beta, 900, "") },
					func() { s.ask(ctx, acme, 0, "child&"+s.only("flaw=independent&at=7&other=t001")) })
			},
			want: sceneWant{links: []string{"set", "none"}, verdicts: []string{"ok_set", "unattributed"}}},
		{id: "E16", title: "a request gives up, and the next one reads the answer to it", cell: pooled(raw), workers: 1,
			play: func(ctx context.Context, s *script) {
				mode := "mode=drop"
				if s.fault {
					mode = "mode=leave"
				}
				together(150*time.Millisecond, func() { s.ask(ctx, acme, 0, mode) }, func() { s.ask(ctx, beta, 0, "mode=take") })
				time.Sleep(500 * time.Millisecond)
			},
			want: sceneWant{findings: []string{"RESPONSE_DESYNC"}}},
		{id: "E17", title: "two workers share a connection from before the fork", cell: pooled(process), preload: true, before: true, fails: true,
			play: func(ctx context.Context, s *script) {
				mode := "mode=own"
				if s.fault {
					mode = "mode=forked"
				}
				together(150*time.Millisecond, func() { s.ask(ctx, acme, 0, mode) }, func() { s.ask(ctx, beta, 0, mode) })
			},
			want: sceneWant{findings: []string{"DB_CONNECTION_SHARED", "RESPONSE_DESYNC"}}},
		{id: "E45", title: "a job's thread goes through all tenants while requests are there", cell: with(threads, background, 20), once: true, play: crowd(397),
			want: sceneWant{jobs: []string{"background", "unattributed"}}},
		{id: "E56", title: "200 greenlets, and one request in a hundred for another tenant", cell: crowded(gunicornGevent, 200, 20), play: crowd(1009),
			want: sceneWant{findings: expected, mixed: true, links: []string{"task", "transaction"}, verdicts: violation, found: true}},
		{id: "E57", title: "Node, 64 requests at once, and one in a hundred for a tenant that is not there", cell: crowded(node, 64, 64), play: crowd(1009),
			want: sceneWant{findings: expected, mixed: true, links: []string{"set"}, verdicts: []string{"violation", "unattributed", "ok_set"}, found: true}},
	}
}

// pooled goes to the database through PgBouncer, which asks for no password.
func pooled(c Cell) Cell {
	c.Pool = pgBouncer
	return c
}

func with(c Cell, violation string, tenants int) Cell {
	c.Violation, c.Tenants = violation, tenants
	return c
}

func crowded(server string, inFlight, tenants int) Cell {
	return Cell{Server: server, Driver: map[string]string{gunicornGevent: psycopg2, node: pg}[server], Pool: appPool, InFlight: inFlight, Tenants: tenants, Violation: independent}
}

// crowd sends many requests at once, of which every hundredth has a fault: data of a tenant that the cell's last third never asks for by itself.
func crowd(requests int) func(context.Context, *script) {
	return func(ctx context.Context, s *script) {
		cell := s.load.cell
		asking := max(1, cell.Tenants*2/3)
		todo := make(chan int)
		all := make([]func(), cell.InFlight)
		for i := range all {
			all[i] = func() {
				for n := range todo {
					query := ""
					if cell.Violation == independent && n%100 == 50 {
						query = s.only(fmt.Sprintf("flaw=independent&at=%d&other=%s", n/100%4, tenantName(asking+n/100%(cell.Tenants-asking))))
					}
					s.ask(ctx, n%asking, n%4, query)
				}
			}
		}
		all = append(all, func() {
			for n := range requests {
				todo <- n
			}
			close(todo)
		})
		together(0, all...)
	}
}
