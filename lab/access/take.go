package access

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
	id, title string
	policy    policy
	play      func(context.Context, *calls) error
	want      want
}

// policy is a take's.
type policy struct {
	database string // its entry of the section "database"
	groups   string // the file of the hierarchy; "" none
}

// want is all that the daemon is to say of a take.
type want struct {
	findings []string       // "NAME severity tenant count"
	verdicts map[string]int // statements by "verdict[/reason] link evidence identity>database", as line gives it
}

// act is a server with its takes.
type act struct {
	server *server
	takes  []take
}

// tracks are all of them; those of one track share a database.
func tracks() [][]*act {
	return [][]*act{
		{
			{uwsgi(mariadbStatements), written()},
			{gunicorn("gthread-mysql", mariadbStatements), switched()},
		},
		{
			{gunicorn("gthread", postgresStatements), concat(pooled(), many(), related(), unique(), binary())},
		},
	}
}

func concat(lists ...[]take) []take {
	var all []take
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

func (p policy) text() string {
	text := "version: 1\nidentity:\n  tenant:\n    - san_uri: \"spiffe://lab.example/tenant/{tenant}/**\"\n    - subject: { O: \"{tenant}\" }\n"
	if p.groups != "" {
		text += "  hierarchy: { file: groups.yaml }\n"
	}
	return text + "database:\n  - " + p.database + "\n"
}

// act starts a server and plays its takes, one after the other.
func (c *company) act(ctx context.Context, a *act) (err error) {
	dir := filepath.Join(c.stage.Dir, a.server.name)
	r, err := c.start(ctx, a.server, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.stop()) }()
	for i := range a.takes {
		name := fmt.Sprintf("take-%d", i+1)
		if err := c.take(ctx, a, &a.takes[i], r, filepath.Join(dir, name), a.server.name+"-"+name); err != nil {
			return fmt.Errorf("%s: %w", a.takes[i].id, err)
		}
	}
	return nil
}

// take plays one take and prints what came of it. Its error says that it could not be played.
func (c *company) take(ctx context.Context, a *act, t *take, r *running, dir, name string) error {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return fmt.Errorf("make directory: %w", err)
	}
	for file, text := range map[string]string{"policy.yaml": t.policy.text(), "groups.yaml": t.policy.groups} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
			return fmt.Errorf("write policy: %w", err)
		}
	}
	before, err := a.server.statements(c)
	if err != nil {
		return err
	}
	daemon, err := tracer.Start(ctx, tracer.Config{Binary: c.cfg.Daemon, Dir: dir, Policy: filepath.Join(dir, "policy.yaml"), Exe: r.exe, Record: true})
	if err != nil {
		return err
	}
	calls := &calls{company: c, addr: r.addr, hangsUp: a.server.hangsUp, name: name}
	err = t.play(ctx, calls)
	calls.close()
	if err != nil {
		return errors.Join(err, daemon.Stop())
	}
	after, err := a.server.statements(c)
	if err != nil {
		return errors.Join(err, daemon.Stop())
	}
	told, err := finish(ctx, daemon, len(calls.sent), after-before)
	if err != nil {
		return errors.Join(err, daemon.Stop())
	}
	c.print(a, t, told, problems(t, calls, told, after-before), len(calls.sent))
	return nil
}

func (c *company) print(a *act, t *take, told *told, problems []string, requests int) {
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
	fmt.Fprintf(c.cfg.Out, "%s %-4s %-13s %-62s %3d requests %4d statements %4d linked rightly  expected %s  seen %s\n",
		state, t.id, a.server.name, t.title, requests, len(told.lines), told.links.Right, list(t.want.findings), list(told.findings))
	for _, p := range problems {
		fmt.Fprintf(c.cfg.Out, "       %s\n", p)
	}
}
