package life

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"tenantrace/lab/tracer"
)

// take is one playing of a scenario.
type take struct {
	id, title    string
	certificates string // the policy's section "certificates"; "" the defaults
	play         func(context.Context, *stand) error
	want         want
}

// want is all that the daemon is to say of a take.
type want struct {
	findings []string       // "NAME severity tenant count"
	verdicts map[string]int // statements by "verdict[/reason] tenant"
	unread   int            // connections whose requests are not understood

	connections map[string]int // verified connections of people; nil: not looked at
}

// act is a server with its takes.
type act struct {
	server *server
	takes  []take
}

// acts are all of them.
func acts() []*act {
	return []*act{
		{gunicorn(), expiring()},
		{apache(), concat(careless(atApache), pipelined(atApache), changing(), multiplexed(atApache))},
		{nginx(), concat(revoked(), careless(atNginx), pipelined(atNginx), multiplexed(atNginx))},
		{node(), concat(careless(atNode), pipelined(atNode), multiplexed(atNode))},
		{names(), resumed()},
	}
}

func concat(lists ...[]take) []take {
	var all []take
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

// policy is that of a take.
func (t *take) policy() string {
	text := `version: 1
identity:
  tenant:
    - san_uri: "spiffe://lab.example/tenant/{tenant}/**"
request:
  tenant: [ { path: "/t/{tenant}/**" } ]
database:
  - { engine: postgres, tenant: { columns: [tenant_id] }, tables: { owned: [invoices] } }
`
	if t.certificates != "" {
		text += "certificates: " + t.certificates + "\n"
	}
	return text
}

// stand is what a take plays with: the server, and a daemon of its own.
type stand struct {
	*company
	*running
	dir    string
	daemon *tracer.Tracer
	calls  *calls
}

// act starts a server and plays its takes, one after the other.
func (c *company) act(ctx context.Context, a *act) (err error) {
	dir := filepath.Join(c.stage.Dir, strings.ReplaceAll(a.server.name, " ", "-"))
	r, err := c.start(ctx, a.server, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.stop()) }()
	for i := range a.takes {
		s := &stand{company: c, running: r, dir: filepath.Join(dir, fmt.Sprintf("take-%d", i+1))}
		if err := c.take(ctx, a, &a.takes[i], s); err != nil {
			return fmt.Errorf("%s: %w", a.takes[i].id, err)
		}
	}
	return nil
}

// take plays one take and prints what came of it. Its error says that it could not be played.
func (c *company) take(ctx context.Context, a *act, t *take, s *stand) (err error) {
	if err := os.Mkdir(s.dir, 0o755); err != nil {
		return fmt.Errorf("make directory: %w", err)
	}
	policy := filepath.Join(s.dir, "policy.yaml")
	if err := os.WriteFile(policy, []byte(t.policy()), 0o644); err != nil {
		return fmt.Errorf("write policy: %w", err)
	}
	if err := c.lists(s.dir); err != nil {
		return err
	}
	if s.daemon, err = tracer.Start(ctx, tracer.Config{Binary: c.cfg.Daemon, Dir: s.dir, Policy: policy, Exe: s.exe, Record: true}); err != nil {
		return err
	}
	s.calls = &calls{stand: s, prefix: strings.ReplaceAll(fmt.Sprintf("%s.%s", a.server.name, filepath.Base(s.dir)), " ", "-")}
	err = t.play(ctx, s)
	s.calls.close()
	if err != nil {
		return errors.Join(err, s.daemon.Stop())
	}
	told, err := s.finish(ctx)
	if err != nil {
		return err
	}
	c.print(a, t, s, told, problems(t, s.calls, told))
	return nil
}

func (c *company) print(a *act, t *take, s *stand, told *told, problems []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ran++
	state := "PASS"
	if len(problems) > 0 {
		state = "FAIL"
		c.bad++
	}
	list := func(findings []string) string {
		if len(findings) == 0 {
			return "none"
		}
		return strings.Join(findings, ", ")
	}
	fmt.Fprintf(c.cfg.Out, "%s %-4s %-9s %-62s %3d requests %3d statements  expected %s  seen %s\n",
		state, t.id, a.server.name, t.title, len(s.calls.sent), len(told.lines), list(t.want.findings), list(told.findings))
	for _, p := range problems {
		fmt.Fprintf(c.cfg.Out, "       %s\n", p)
	}
}
