package matrix

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"tenantrace/lab/tracer"
)

// manyPer is the number of requests on a connection that is kept to the end.
const manyPer = 1 << 20

// act is a server on which rows are played.
type act struct {
	*matrix
	server  *server
	running *running
	clients *clients
	dir     string
	daemons int // started so far
	results []result
}

// result is what was sent for a row, and when a daemon was ready for it.
type result struct {
	row     Row
	played  *played
	windows []window
}

// play plays all rows of a server.
func (m *matrix) play(ctx context.Context, s *server) (err error) {
	y := m.yard(s)
	a := &act{matrix: m, server: s, dir: y.Dir}
	if a.running, err = s.start(ctx, y); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.running.stop()) }()
	if a.clients, err = startClients(a.dir); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.clients.stop()) }()
	return a.rows(ctx)
}

func (a *act) rows(ctx context.Context) error {
	kept, err := a.early()
	if err != nil {
		return err
	}
	daemon, err := a.trace(ctx)
	if err != nil {
		return err
	}
	defer func() { daemon.Stop() }() // the daemon in force; its error was taken where it was stopped in order
	ready := time.Now().UnixNano()
	for _, row := range append(kept, a.server.rows...) {
		p, err := a.clients.play(a.job(&row))
		if err != nil {
			return err
		}
		a.results = append(a.results, result{row, p, []window{{ready, time.Now().UnixNano()}}})
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	recordings := []string{daemon.Record}
	for _, row := range both(Row{Session: restarted, port: a.server.rows[0].port, path: a.server.rows[0].path, mode: "full"}) {
		next, r, err := a.restart(ctx, daemon, ready, row)
		if err != nil {
			return err
		}
		daemon, ready = next, r.windows[1].from
		recordings = append(recordings, daemon.Record)
		a.results = append(a.results, *r)
	}
	a.end(daemon)
	return a.tell(recordings)
}

// early opens connections before there is a daemon, and gives the rows that use them.
func (a *act) early() ([]Row, error) {
	if a.server.hangUp {
		return nil, nil
	}
	rows := both(Row{Session: older, port: a.server.rows[0].port, path: a.server.rows[0].path, mode: "full"})
	for i := range rows {
		j := a.job(&rows[i])
		j.Keep, j.Requests, j.Name = true, j.Clients, "early"+rows[i].TLS
		p, err := a.clients.play(j)
		if err != nil {
			return nil, err
		}
		if len(p.Errors) > 0 {
			return nil, fmt.Errorf("open early connections: %s", p.Errors[0])
		}
		rows[i].mode = "kept"
	}
	return rows, nil
}

// trace starts a daemon.
func (a *act) trace(ctx context.Context) (*tracer.Tracer, error) {
	a.daemons++
	dir := filepath.Join(a.dir, fmt.Sprintf("daemon-%d", a.daemons))
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make directory of the daemon: %w", err)
	}
	return tracer.Start(ctx, tracer.Config{Binary: a.cfg.Daemon, Dir: dir, Policy: a.policy, Exe: a.running.exe, Record: true})
}

// end stops a daemon. One that does not stop in order is a fault, but what it has recorded is compared all the same.
func (a *act) end(daemon *tracer.Tracer) {
	if err := daemon.Stop(); err != nil {
		a.bad++
		fmt.Fprintf(a.cfg.Out, "FAIL %-18s %v\n", a.server.name, err)
	}
}

// job is what the clients do for a row.
func (a *act) job(row *Row) job {
	j := job{
		Name: fmt.Sprintf("row%d", len(a.results)), Port: a.running.ports[row.port], Path: row.path, TLS: row.TLS, Mode: row.mode, CA: a.authority.RootFile,
		Certificates: a.files, Shuffle: row.shuffle, Tickets: !row.noTickets, Pipeline: a.server.pipeline && row.mode != "protected", Close: a.server.hangUp,
		Clients: Clients, Requests: a.cfg.Requests * max(row.size, 1), Per: row.per,
	}
	if j.Path == "" {
		j.Path = "/"
	}
	if j.Per == 0 {
		j.Per = manyPer
	}
	if row.mode == "kept" {
		j.Of = "early" + row.TLS
		j.Requests += 2 * Clients // for those that a server's excuse takes away
	}
	for i := range a.people {
		if row.people != tenants || a.people[i].trusted {
			j.Spread = append(j.Spread, i)
		}
	}
	if row.people != tenants { // few enough that each has a client
		j.Spread = j.Spread[tenantCount-8:]
	}
	if row.people == anybody {
		j.Spread = append(j.Spread, -1, -1)
	}
	return j
}

// restart plays a row during which the daemon is stopped and started again.
func (a *act) restart(ctx context.Context, daemon *tracer.Tracer, ready int64, row Row) (*tracer.Tracer, *result, error) {
	j := a.job(&row)
	j.Until = filepath.Join(a.dir, j.Name+".enough")
	type outcome struct {
		played *played
		err    error
	}
	done := make(chan outcome, 1)
	go func() {
		p, err := a.clients.play(j)
		done <- outcome{p, err}
	}()
	pause := func() {
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
	pause()
	r := &result{row: row, windows: []window{{ready, time.Now().UnixNano()}}}
	a.end(daemon)
	next, err := a.trace(ctx)
	from := time.Now().UnixNano()
	pause()
	err = errors.Join(err, os.WriteFile(j.Until, nil, 0o644)) // the clients end with their process if this fails
	o := <-done
	if err := errors.Join(err, o.err); err != nil {
		if next != nil {
			err = errors.Join(err, next.Stop())
		}
		return nil, nil, err
	}
	r.played, r.windows = o.played, append(r.windows, window{from, time.Now().UnixNano()})
	return next, r, nil
}
