package life

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"tenantrace/lab/pki"
)

// step is a step of the client in files/late.py.
type step struct {
	Do     string `json:"do"`
	Cert   string `json:"cert,omitempty"`
	Key    string `json:"key,omitempty"`
	Resume bool   `json:"resume,omitempty"`
	ID     string `json:"id,omitempty"`
	Path   string `json:"path,omitempty"`
	tenant string // whose rows the answer holds
}

// lateClient writes the steps of a client, with what the server must know at each.
type lateClient struct {
	calls   *calls
	steps   []step
	leaf    *pki.Leaf // that it presents when it is asked
	known   *pki.Leaf // that the server has
	tenant  string    // of leaf
	rows    string    // tenant of known
	cached  bool      // the application does not mind another certificate
	resumed bool      // known is that of a resumed session
}

func (l *lateClient) connect(who string, resume bool) {
	leaf := l.calls.stand.people[who]
	l.steps = append(l.steps, step{Do: "connect", Cert: leaf.CertFile, Key: leaf.KeyFile, Resume: resume})
	l.leaf, l.tenant, l.resumed = leaf, who, resume
	if !resume {
		l.known, l.rows = nil, acme // the application's default
	}
}

func (l *lateClient) certificate(who string) {
	leaf := l.calls.stand.people[who]
	l.steps = append(l.steps, step{Do: "certificate", Cert: leaf.CertFile, Key: leaf.KeyFile})
	l.leaf, l.tenant = leaf, who
}

// get sends a request; asked says that the server asks for the certificate while it handles it.
func (l *lateClient) get(path string, asked bool) {
	before := l.known
	id := l.calls.id()
	resumed := l.resumed
	if asked {
		l.known, l.resumed = l.leaf, false // what is shown on the connection is not the session's
	}
	if asked && !l.cached {
		l.rows = l.tenant
	}
	l.calls.sent = append(l.calls.sent, sent{id: id, who: before, answered: l.known, verified: before != nil, resumed: resumed})
	l.steps = append(l.steps, step{Do: "get", ID: id, Path: path, tenant: l.rows})
}

// run does the steps.
func (l *lateClient) run(ctx context.Context, version string) error {
	s := l.calls.stand
	text, err := files.ReadFile("files/late.py")
	if err != nil {
		return err
	}
	script := filepath.Join(s.dir, "late.py")
	if err := os.WriteFile(script, text, 0o644); err != nil {
		return fmt.Errorf("write the client: %w", err)
	}
	job, err := json.Marshal(map[string]any{"port": s.ports[late], "ca": s.stage.CA.RootFile, "tls": version, "steps": l.steps})
	if err != nil {
		return err
	}
	var out, said bytes.Buffer
	python := exec.CommandContext(ctx, "/usr/bin/python3", script)
	python.Stdin, python.Stdout, python.Stderr, python.Env = bytes.NewReader(job), &out, &said, environment("PYTHONDONTWRITEBYTECODE=1")
	if err := python.Run(); err != nil {
		return fmt.Errorf("client of TLS %s: %w: %s", version, err, strings.TrimSpace(said.String()))
	}
	var answers []struct {
		ID     string          `json:"id"`
		Status int             `json:"status"`
		Body   json.RawMessage `json:"body"`
	}
	if err := json.Unmarshal(out.Bytes(), &answers); err != nil {
		return fmt.Errorf("read what the client says: %w", err)
	}
	for _, st := range l.steps {
		if st.Do != "get" {
			continue
		}
		if len(answers) == 0 || answers[0].ID != st.ID || answers[0].Status != 200 {
			return fmt.Errorf("request %q was not served: %s", st.ID, out.String())
		}
		if err := l.calls.page(st.ID, answers[0].Body, st.tenant); err != nil {
			return err
		}
		answers = answers[1:]
	}
	return nil
}

// changing are the scenarios in which Apache asks for certificates late, by path, and is shown two of them on one connection. In TLS 1.3 it asks only once
// on a connection, so that the first identity is that of a resumed session.
func changing() []take {
	afterwards := func(next string) func(context.Context, *stand) error {
		return func(ctx context.Context, s *stand) error {
			l := &lateClient{calls: s.calls}
			l.connect(beta, false)
			l.get("/protected", true) // beta is known
			l.connect(acme, false)
			l.get("/protected", true)
			l.get("/", false)
			if next != acme {
				l.connect(next, true)
				l.get("/", false)
				l.get("/protected", true)
			}
			for range 3 {
				l.get("/protected", false)
			}
			return l.run(ctx, "1.3")
		}
	}
	again := func(next, page string) func(context.Context, *stand) error {
		return func(ctx context.Context, s *stand) error {
			l := &lateClient{calls: s.calls}
			l.connect(beta, false)
			l.get("/protected", true)
			l.connect(acme, false)
			l.get("/optional"+page, true)
			l.get("/", false)
			l.certificate(next)
			l.cached = page != ""
			l.get("/protected"+page, true)
			for range 3 {
				l.get("/protected"+page, false)
			}
			return l.run(ctx, "1.2")
		}
	}
	return []take{
		{"E59", "TLS 1.3: session of acme, then beta's certificate", "", afterwards(beta), want{
			findings: []string{"IDENTITY_CHANGED_ON_CONNECTION High beta 1", "IDENTITY_FROM_RESUMED_SESSION Informational acme 1"},
			verdicts: map[string]int{"ok_exact acme": 3, "ok_exact beta": 5},
		}},
		{"E59", "  clean: TLS 1.3, acme's certificate asked for late", "", afterwards(acme), want{verdicts: map[string]int{"ok_exact acme": 5, "ok_exact beta": 1}}},
		{"E59", "TLS 1.2: acme's certificate, then beta's", "", again(beta, ""), want{
			findings: []string{"IDENTITY_CHANGED_ON_CONNECTION High beta 1"},
			verdicts: map[string]int{"ok_exact acme": 2, "ok_exact beta": 5},
		}},
		{"E59", "TLS 1.2: the same, and the application goes by acme's", "", again(beta, "/cached"), want{
			findings: []string{"IDENTITY_CHANGED_ON_CONNECTION High beta 1", "CROSS_TENANT_READ Critical beta 3"},
			verdicts: map[string]int{"ok_exact acme": 2, "ok_exact beta": 1, "unattributed/conflict beta": 1, "violation beta": 3},
		}},
		{"E59", "  clean: TLS 1.2, acme's certificate twice", "", again(acme, ""), want{verdicts: map[string]int{"ok_exact acme": 6, "ok_exact beta": 1}}},
	}
}
