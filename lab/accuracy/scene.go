package accuracy

import (
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"tenantrace/lab/audit"
	"tenantrace/lab/proc"
	"tenantrace/lab/traffic"
)

// scene is a scenario: the same traffic with a fault and without it.
type scene struct {
	id, title string
	cell      Cell // how the service runs; its violation is what is planted
	workers   int  // of gunicorn; 0 the usual number
	preload   bool // the application is there before the workers are forked
	before    bool // … and has a connection to the database
	worker    bool // a worker of its own process does jobs
	fails     bool // with its fault, requests may go without an answer
	once      bool // there is no fault: it has no twin
	play      func(ctx context.Context, s *script)
	want      sceneWant
}

// sceneWant is what the daemon is to make of the fault. Without it, there must be no finding.
type sceneWant struct {
	findings []string // exactly these
	mixed    bool     // … or some of them: it depends on chance which
	links    []string // that tie the statements in question to their requests; nil: there are none
	verdicts []string // of the statements in question, none other; nil: violation
	found    bool     // of what is planted at least one is found
	jobs     []string // verdicts of statements that no request sent; nil: there must be none
}

// script sends the requests of a scene.
type script struct {
	load    *load
	fault   bool
	random  *rand.Rand
	clients map[int]*traffic.Client
	mu      sync.Mutex
	count   int
}

// ask sends a request of a tenant and waits for its answer. The query's own= and pause= are added.
func (s *script) ask(ctx context.Context, tenant, pause int, query string) {
	s.mu.Lock()
	s.count++
	client := s.clients[tenant]
	if client == nil {
		client = &traffic.Client{Addr: s.load.addr, Roots: s.load.ca.Roots, Certificate: &s.load.people[tenant].TLS}
	}
	delete(s.clients, tenant) // a connection is for one request at a time
	one := &sent{gt: fmt.Sprintf("%s-s-%d", s.load.nonce, s.count), public: fmt.Sprintf("%016x", s.random.Uint64()), tenant: tenantName(tenant)}
	s.mu.Unlock()
	if q, err := url.ParseQuery(query); err == nil && q.Has("flaw") {
		one.flaw = q.Get("flaw")
	}
	s.load.do(ctx, client, one, traffic.Request{ID: one.public, Method: "GET", Header: map[string]string{"X-Gt": one.gt},
		Target: fmt.Sprintf("%s?own=%s&pause=%d&%s", s.load.path, one.tenant, pause, query)})
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.clients[tenant] != nil {
		client.Close()
		return
	}
	s.clients[tenant] = client
}

// only gives the query if the scene is played with its fault.
func (s *script) only(query string) string {
	if s.fault {
		return query
	}
	return ""
}

// together runs what is given side by side, each a little later than the one before.
func together(gap time.Duration, all ...func()) {
	var running sync.WaitGroup
	for _, do := range all {
		running.Go(do)
		time.Sleep(gap)
	}
	running.Wait()
}

// SceneResult is what came of a scene.
type SceneResult struct {
	ID       string   `json:"id"`
	Title    string   `json:"title"`
	Fault    bool     `json:"fault"`
	Findings []string `json:"findings"`
	Links    []string `json:"links"`
	Verdicts []string `json:"verdicts"`
	Tally    *Tally   `json:"tally"`
	Problems []string `json:"problems,omitempty"`
}

// playScene plays a scene once.
func (h *harness) playScene(ctx context.Context, s *scene, fault bool, i int) (*SceneResult, error) {
	r, err := h.perform(ctx, s.cell, i, func(r *running) { r.scene, r.fault = s, fault })
	if err != nil {
		return nil, err
	}
	out := &SceneResult{ID: s.id, Title: s.title, Fault: fault, Tally: r.result.Tally, Problems: r.result.Problems}
	return out, r.sceneSeen(out)
}

// sceneSeen compares what was seen of a scene with what is wanted.
func (r *running) sceneSeen(out *SceneResult) error {
	add := func(format string, args ...any) { out.Problems = append(out.Problems, fmt.Sprintf(format, args...)) }
	raised := make(map[string]bool)
	for _, t := range r.runs {
		all, err := audit.ReadFindings(t.Findings)
		if err != nil {
			return err
		}
		for _, f := range all {
			raised[f.Info.Title] = true
		}
	}
	out.Findings = slices.Sorted(maps.Keys(raised))
	out.Links, out.Verdicts = slices.Sorted(maps.Keys(out.Tally.plantedBy)), slices.Sorted(maps.Keys(out.Tally.plantedAs))
	want, t := r.scene.want, out.Tally
	var wanted []string
	if out.Fault {
		wanted = want.findings
	}
	if some := want.mixed && len(out.Findings) > 0 && subset(out.Findings, wanted); !some && !slices.Equal(out.Findings, wanted) {
		add("findings %q, expected %q", out.Findings, wanted)
	}
	for _, name := range exact {
		if rung := t.Rungs[name]; rung != nil && rung.Wrong > 0 {
			add("%d wrong links by %s", rung.Wrong, name)
		}
	}
	if rung := t.Rungs["set"]; rung != nil && rung.Wrong > 0 {
		add("%d unsound sets", rung.Wrong)
	}
	planted, found := t.planted()
	switch {
	case t.Statements == 0:
		add("no statement was compared")
	case !out.Fault && planted > 0:
		add("%d statements of the clean twin use data of others", planted)
	case out.Fault && len(want.links) > 0 && planted == 0:
		add("the fault did not take place")
	case out.Fault && want.found != (found > 0):
		add("%d of %d faulty statements were found", found, planted)
	case out.Fault && planted > 0 && !subset(out.Links, want.links):
		add("faulty statements are tied by %q, expected %q", out.Links, want.links)
	case out.Fault && planted > 0 && !subset(out.Verdicts, want.verdicts):
		add("faulty statements are judged %q, expected %q", out.Verdicts, want.verdicts)
	}
	jobs := slices.Sorted(maps.Keys(t.jobs))
	if !subset(jobs, want.jobs) || len(jobs) == 0 && len(want.jobs) > 0 {
		add("statements without a request are judged %q, expected %q", jobs, want.jobs)
	}
	if len(out.Problems) > 0 {
		out.Problems = append(out.Problems, t.Examples...)
	}
	return nil
}

func subset(some, all []string) bool {
	for _, s := range some {
		if !slices.Contains(all, s) {
			return false
		}
	}
	return true
}

// print writes a scene's line.
func (s *SceneResult) print(out io.Writer) {
	state, kind := "PASS", "clean"
	if len(s.Problems) > 0 {
		state = "FAIL"
	}
	if s.Fault {
		kind = "fault"
	}
	seen := strings.Join(s.Findings, " ")
	if seen == "" {
		seen = "none"
	}
	fmt.Fprintf(out, "%s %-4s %-5s %-82s %5d statements  findings %s", state, s.ID, kind, s.Title, s.Tally.Statements, seen)
	if len(s.Links) > 0 {
		fmt.Fprintf(out, "; faulty: %s by %s", strings.Join(s.Verdicts, ", "), strings.Join(s.Links, ", "))
	}
	fmt.Fprintln(out)
	for _, p := range s.Problems {
		fmt.Fprintf(out, "       %.600s\n", strings.TrimSpace(p))
	}
}

// act runs the script of a scene, after each tenant has sent a request, so that all names are known.
func (r *running) act(ctx context.Context) error {
	s := &script{load: r.load, fault: r.fault, random: rand.New(rand.NewPCG(r.cfg.Random, 1)), clients: make(map[int]*traffic.Client)}
	for i := range r.cell.Tenants {
		s.ask(ctx, i, 0, "")
	}
	time.Sleep(apart)
	r.scene.play(ctx, s)
	for _, c := range s.clients {
		c.Close()
	}
	return ctx.Err()
}

// apart is longer than a request may go on working when it has been answered (the policy's verdict.linger).
const apart = 2500 * time.Millisecond

// hire starts the worker that does jobs.
func (r *running) hire(env []string) (*proc.Process, error) {
	jobs := filepath.Join(r.yard.dir, "jobs")
	if err := os.Mkdir(jobs, 0o755); err != nil {
		return nil, fmt.Errorf("make directory of jobs: %w", err)
	}
	if err := os.Chown(jobs, int(r.nobody.UID), int(r.nobody.GID)); err != nil {
		return nil, fmt.Errorf("give directory of jobs: %w", err)
	}
	return proc.Start(proc.Spec{Name: "worker", Path: r.exe, Args: []string{"worker.py", jobs}, Env: env, Dir: r.yard.dir, Log: filepath.Join(r.yard.dir, "worker.log"), User: r.nobody, Stop: syscall.SIGTERM})
}
