package accuracy

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"tenantrace/lab/audit"
	"tenantrace/lab/tracer"
)

// Result is what came of a cell.
type Result struct {
	Cell     Cell     `json:"cell"`
	Seconds  float64  `json:"seconds"`
	Failed   int      `json:"failed"` // requests without their answer
	Lost     uint64   `json:"lost"`   // events that the daemon lost, as it says
	Tally    *Tally   `json:"tally"`
	Problems []string `json:"problems,omitempty"` // what must not be
}

// running is a cell that is being played.
type running struct {
	*harness
	scene    *scene // nil: the cell's own load
	fault    bool   // of the scene
	cell     Cell
	kind     *kind
	yard     *yard
	exe      string
	load     *load
	result   *Result
	runs     []*tracer.Tracer // daemons, in the order of their start
	labelled int              // statements with a label, in all recordings
}

// play plays a cell.
func (h *harness) play(ctx context.Context, c Cell, i int) (*Result, error) {
	r, err := h.perform(ctx, c, i, func(*running) {})
	if err != nil {
		return nil, err
	}
	r.weigh()
	return r.result, nil
}

// perform runs the service of a cell, with a daemon, and compares what that says with the truth.
func (h *harness) perform(ctx context.Context, c Cell, i int, prepare func(*running)) (_ *running, err error) {
	r := &running{harness: h, cell: c, result: &Result{Cell: c, Tally: newTally()}}
	prepare(r)
	all := kinds()
	r.kind = all[slices.IndexFunc(all, func(k *kind) bool { return k.name == c.Server })]
	if r.yard, err = h.yardOf(i); err != nil {
		return nil, err
	}
	if r.exe, err = h.executable(ctx, r.kind); err != nil {
		return nil, err
	}
	if c.Chaos == recycling {
		r.yard.recycle = 150
	}
	// The daemon is first: what a process did before it was traced is not known.
	if err := r.trace(ctx); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.untrace()) }()
	processes, err := r.serve(ctx)
	defer func() {
		for _, p := range processes {
			err = errors.Join(err, end(p))
		}
	}()
	if err != nil {
		return nil, err
	}
	time.Sleep(warmUp)
	begun := time.Now()
	if err := r.send(ctx); err != nil {
		return nil, err
	}
	r.result.Seconds = time.Since(begun).Seconds()
	time.Sleep(settle)
	if err := r.quiet(ctx); err != nil {
		return nil, err
	}
	if err := r.untrace(); err != nil {
		return nil, err
	}
	return r, r.judge(ctx)
}

// warmUp is how long the daemon has to find a server that has just started.
const warmUp = 2 * time.Second

// trace starts a daemon.
func (r *running) trace(ctx context.Context) error {
	dir := filepath.Join(r.yard.dir, fmt.Sprintf("daemon-%d", len(r.runs)))
	if err := os.Mkdir(dir, 0o755); err != nil {
		return fmt.Errorf("make directory of the daemon: %w", err)
	}
	binary := r.cfg.Daemon
	if r.cell.Chaos == smallRing {
		binary = r.cfg.Small
	}
	t, err := tracer.Start(ctx, tracer.Config{Binary: binary, Dir: dir, Policy: r.stage.Policy, Exe: r.exe, Record: true})
	if err == nil {
		r.runs = append(r.runs, t)
	}
	return err
}

// untrace ends the daemon that runs.
func (r *running) untrace() error {
	if len(r.runs) == 0 {
		return nil
	}
	return r.runs[len(r.runs)-1].Stop()
}

// requests is how many it takes for so many statements: each sends at least five that bear a label.
func (r *running) requests() int { return (r.cfg.Statements + 4) / 5 }

func (r *running) send(ctx context.Context) error {
	nonce, err := newNonce()
	if err != nil {
		return err
	}
	r.load = &load{cell: r.cell, seed: r.cfg.Random, nonce: nonce, addr: "localhost:" + r.yard.port, ca: r.stage.CA, people: r.people, requests: r.requests(),
		steps: r.kind.steps, path: r.kind.path, sent: make(map[string]*sent)}
	if r.scene != nil {
		return r.act(ctx)
	}
	disturb := disturbances[r.cell.Chaos]
	if disturb == nil {
		r.load.run(ctx)
		return ctx.Err()
	}
	return disturb(ctx, r)
}

// quiet waits until no more verdict lines come: some wait for what is still to be learned.
func (r *running) quiet(ctx context.Context) error {
	file, last, since := r.runs[len(r.runs)-1].Verdicts, -1, time.Now()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline) && ctx.Err() == nil; time.Sleep(100 * time.Millisecond) {
		n, err := audit.CountLines(file)
		if err != nil {
			return err
		}
		if n != last {
			last, since = n, time.Now()
		}
		if time.Since(since) > 1500*time.Millisecond || r.cell.Violation == background && time.Since(since) > 0 {
			break
		}
	}
	return ctx.Err()
}

// judge compares.
func (r *running) judge(ctx context.Context) error {
	for _, s := range r.load.sent {
		if s.err != nil {
			r.result.Failed++
		}
	}
	r.result.Tally.Requests = len(r.load.sent)
	if r.result.Failed > 0 && !failing[r.cell.Chaos] && !(r.scene != nil && r.scene.fails && r.fault) {
		r.problem("%d requests failed, as %v", r.result.Failed, r.firstError())
	}
	for _, t := range r.runs {
		if err := r.compare(ctx, t); err != nil {
			return err
		}
		if r.cell.Chaos == stepped {
			if err := r.compareStepped(ctx, t); err != nil {
				return err
			}
		}
	}
	if r.labelled == 0 {
		r.problem("no statement bears a label: nothing was compared")
	}
	return nil
}

func (r *running) firstError() error {
	for _, s := range r.load.sent {
		if s.err != nil {
			return s.err
		}
	}
	return nil
}

func (r *running) problem(format string, args ...any) {
	r.result.Problems = append(r.result.Problems, fmt.Sprintf(format, args...))
}

// compare holds what a daemon said against the truth: its own lines, those that a replay of its recording gives, and those of a replay that has nothing of the
// truth in it. All three must be the same, and the last are the ones that count.
func (r *running) compare(ctx context.Context, t *tracer.Tracer) error {
	stripped := t.Record + ".stripped"
	truth, err := strip(t.Record, stripped)
	if err != nil {
		return err
	}
	for _, text := range []string{r.load.nonce, truthField} {
		left, err := contains(stripped, text)
		if err != nil {
			return err
		}
		if left {
			r.problem("truth is left in what is judged: %q", text)
		}
	}
	recorded, err := contains(t.Record, r.load.nonce)
	if err != nil {
		return err
	}
	if truth.labelled > 0 != recorded {
		r.problem("%d statements bear a label, but it is %v that the recording holds one", truth.labelled, recorded)
	}
	r.labelled += truth.labelled
	_, whole, err := t.Replay(ctx)
	if err != nil {
		return err
	}
	if err := r.same("a replay", t.Verdicts, whole); err != nil {
		return err
	}
	findings, verdicts, err := t.ReplayOther(ctx, stripped, "stripped")
	if err != nil {
		return err
	}
	if err := r.same("a replay without the truth", t.Verdicts, verdicts); err != nil {
		return err
	}
	if err := r.lost(t.Record); err != nil {
		return err
	}
	if err := r.result.Tally.score(verdicts, truth, r.load.sent, r.cell.Tenants); err != nil {
		return err
	}
	return r.findings(findings)
}

func (r *running) same(what, live, replayed string) error {
	difference, err := audit.Difference(live, replayed)
	if difference != "" {
		r.problem("%s judges otherwise: %s", what, difference)
	}
	return err
}
