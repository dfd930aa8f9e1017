package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"tenantrace/collector"
	"tenantrace/collector/event"
	"tenantrace/correlate"
	"tenantrace/correlate/policy"
	"tenantrace/correlate/verdict"
)

// Of the traffic: connections, each with one request at a time, and requests on each.
const (
	taskClients = 16
	taskRounds  = 17
	quickRounds = 7
	afterwards  = 200 * time.Millisecond
	unobserved  = 2 * time.Second // how long a process that is older than the tracing is judged by no set
)

// cell is a server whose links are held against the truth.
type cell struct {
	name     string
	needs    []string // Python modules
	command  func(s *taskServer) []string
	env      []string
	path     string
	clients  int      // 0: taskClients
	quick    bool     // one of each mechanism
	nobody   []string // kinds that are no request's work
	unlinked []string // kinds whose context descends from no request, or which have none
	linked   []string // kinds of which each statement must be tied to its request
	suite    string   // of Debian, whose interpreter and C library serve; "" the host's
	packages []string // of it
	version  string   // of its interpreter
}

// asyncKinds are those of kinds.work whose context descends from the request.
var asyncKinds = []string{"after", "await", "create_task", "gather", "to_thread", "transaction"}

func uvicorn(app, loop string) func(*taskServer) []string {
	return func(s *taskServer) []string {
		return []string{"-m", "uvicorn", "--host", "127.0.0.1", "--port", s.port, "--loop", loop, "--log-level", "warning", "--no-access-log",
			"--ssl-certfile", s.certificate, "--ssl-keyfile", s.key, "--ssl-ca-certs", s.authority, "--ssl-cert-reqs", "2", app}
	}
}

func gunicorn(worker string, more ...string) func(*taskServer) []string {
	return func(s *taskServer) []string {
		return append([]string{"-m", "gunicorn", "-k", worker, "-b", "127.0.0.1:" + s.port, "--certfile", s.certificate, "--keyfile", s.key,
			"--ca-certs", s.authority, "--cert-reqs", "2", "--log-level", "warning", "green:app"}, more...)
	}
}

func mini(s *taskServer) []string {
	return []string{"mini.py", s.port, s.certificate, s.key, s.authority}
}

func loopServer(s *taskServer) []string {
	return []string{"loop.py", s.port, s.certificate, s.key, s.authority}
}

// loopKinds are those of loop.py: in a thread's own context nothing tells for whom it works.
var loopKinds = []string{"at_once", "background", "background_copied", "copied_at_once", "copied_later", "later"}

// miniKinds are those of mini.py. What a connection's own task does is tied to the connection alone, once that has had several requests.
var miniKinds = []string{"after", "await", "create_task", "gather", "to_thread"}

var cells = []cell{
	{name: "uvicorn asyncio", quick: true, needs: []string{"uvicorn", "asyncpg"}, command: uvicorn("asgi:app", "asyncio"), unlinked: []string{"background", "executor"}, linked: asyncKinds},
	{name: "uvicorn asyncio, database over TLS", needs: []string{"uvicorn", "asyncpg"}, command: uvicorn("asgi:app", "asyncio"), env: []string{"TASKS_SSL=1"},
		unlinked: []string{"background", "executor"}, linked: asyncKinds},
	{name: "uvicorn uvloop", quick: true, needs: []string{"uvicorn", "asyncpg", "uvloop"}, command: uvicorn("asgi:app", "uvloop"), unlinked: []string{"background", "executor"}, linked: []string{"to_thread"}},
	{name: "uvicorn uvloop, database over TLS", needs: []string{"uvicorn", "asyncpg", "uvloop"}, command: uvicorn("asgi:app", "uvloop"), env: []string{"TASKS_SSL=1"},
		unlinked: []string{"background", "executor"}, linked: []string{"to_thread"}},
	{name: "Django ASGI, sync view", needs: []string{"uvicorn", "django", "asyncpg"}, command: uvicorn("django_app:app", "asyncio"), path: "sync", linked: []string{"async_to_sync", "sync_view"}},
	{name: "Django ASGI, async view", needs: []string{"uvicorn", "django", "asyncpg"}, command: uvicorn("django_app:app", "asyncio"), path: "async",
		unlinked: []string{"executor"}, linked: append([]string{"sync_to_async", "sync_to_async_pool"}, asyncKinds...)},
	{name: "aiohttp", needs: []string{"aiohttp", "asyncpg"}, command: func(s *taskServer) []string { return []string{"aio.py", s.port, s.certificate, s.key, s.authority} },
		unlinked: []string{"background", "executor"}, linked: []string{"await", "create_task", "gather", "to_thread", "transaction"}},
	{name: "hypercorn", needs: []string{"hypercorn", "asyncpg"}, command: func(s *taskServer) []string {
		return []string{"-m", "hypercorn", "--bind", "127.0.0.1:" + s.port, "--certfile", s.certificate, "--keyfile", s.key, "--ca-certs", s.authority,
			"--verify-mode", "CERT_REQUIRED", "--log-level", "warning", "asgi:app"}
	}, unlinked: []string{"background", "executor"}, linked: asyncKinds},
	{name: "asyncio, Python 3.11", command: mini, unlinked: []string{"background", "executor"}, linked: miniKinds},
	{name: "asyncio, Python 3.9", command: mini, unlinked: []string{"background", "executor"}, linked: miniKinds, suite: "bullseye", version: "3.9", packages: []string{
		"python3.9-minimal", "libpython3.9-minimal", "libpython3.9-stdlib", "libc6", "libexpat1", "zlib1g", "libssl1.1", "libffi7", "libbz2-1.0", "liblzma5", "libuuid1"}},
	{name: "asyncio, Python 3.13", command: mini, unlinked: []string{"background", "executor"}, linked: miniKinds, suite: "trixie", version: "3.13", packages: []string{
		"python3.13-minimal", "libpython3.13-minimal", "libpython3.13-stdlib", "libc6", "libexpat1", "zlib1g", "libssl3t64", "libzstd1", "libffi8", "libbz2-1.0", "liblzma5", "libuuid1"}},
	{name: "a process that a request forks", quick: true, command: mini, env: []string{"TASKS_FORK=1"}, nobody: []string{"forked"}, unlinked: []string{"forked"}},
	{name: "a loop in one context", quick: true, command: loopServer, unlinked: loopKinds},
	{name: "a loop in one context, one connection", command: loopServer, clients: 1, unlinked: loopKinds},
	{name: "uvicorn, no room for what is written", quick: true, needs: []string{"uvicorn"}, command: uvicorn("backlog:app", "asyncio"), linked: []string{"had_room"}},
	{name: "gunicorn gevent", quick: true, needs: []string{"gunicorn", "gevent", "psycogreen"}, command: gunicorn("gevent"), env: []string{"TASKS_GREEN=gevent"}, unlinked: []string{"spawn"}, linked: []string{"direct"}},
	{name: "gunicorn eventlet", needs: []string{"gunicorn", "eventlet", "psycogreen"}, command: gunicorn("eventlet"), env: []string{"TASKS_GREEN=eventlet"}, unlinked: []string{"spawn"}, linked: []string{"direct"}},
	{name: "gunicorn gthread", needs: []string{"gunicorn"}, command: gunicorn("gthread", "--threads", "20"), env: []string{"TASKS_GREEN=no"}, linked: []string{"direct", "spawn"}},
}

// wholeTasks names the variable that has all cells played; otherwise it is those that are quick, with fewer requests: "make tasks" sets it.
const wholeTasks = "TENANTRACE_TASKS"

func rounds() int {
	if os.Getenv(wholeTasks) == "all" {
		return taskRounds
	}
	return quickRounds
}

// TestTasks holds every link that names a request against the request that the statement itself names: one that is wrong fails. So does a set of candidates
// without it.
func TestTasks(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skipf("effective uid is %d: probes need root", os.Geteuid())
	}
	if runtime.GOARCH != "amd64" {
		t.Skipf("tasks are followed on amd64 only, this is %s", runtime.GOARCH)
	}
	database := newDatabase(t)
	for _, c := range cells {
		if !c.quick && rounds() != taskRounds {
			continue
		}
		t.Run(c.name, func(t *testing.T) { c.run(t, database) })
	}
}

func (c *cell) run(t *testing.T, database *database) {
	for _, module := range c.needs {
		if out, err := exec.Command("/usr/bin/python3", "-c", "import "+module).CombinedOutput(); err != nil {
			t.Skipf("python3 has no %s [apt-get install python3-%s]: %s", module, module, bytes.TrimSpace(out))
		}
	}
	s := startTaskServer(t, c, database)
	truth := newTruth()
	stop := s.observe(t, truth)
	s.load(t, c.path, cmp.Or(c.clients, taskClients))
	time.Sleep(300 * time.Millisecond) // what goes on after the responses
	stop()
	table := truth.table()
	t.Logf("\n%s", table)
	for kind, n := range truth.kinds {
		if n.wrong > 0 {
			t.Errorf("kind %q: %d of %d statements tied to another request: %s", kind, n.wrong, n.all(), strings.Join(n.examples, "; "))
		}
		if n.unsound > 0 {
			t.Errorf("kind %q: %d of %d sets of candidates lack the statement's request: %s", kind, n.unsound, n.sets, strings.Join(n.examples, "; "))
		}
		if slices.Contains(c.nobody, kind) && n.reasons["background "] != n.all() {
			t.Errorf("kind %q: %+v, want all judged as no request's", kind, n)
		}
		if slices.Contains(c.unlinked, kind) && n.unlinked != n.all() {
			t.Errorf("kind %q: %+v, want none tied to a request", kind, n)
		}
	}
	if len(truth.lost) > 0 {
		t.Logf("lost %q: how many statements are tied is not compared", truth.lost)
		return
	}
	for _, kind := range append(slices.Clone(c.linked), c.nobody...) {
		if n := truth.kinds[kind]; n == nil {
			t.Errorf("kind %q: no statement", kind)
		}
	}
	for _, kind := range c.linked {
		if n := truth.kinds[kind]; n == nil || n.right != n.all() || n.all() == 0 {
			t.Errorf("kind %q: %+v, want all tied to their requests", kind, n)
		}
	}
}

// score counts the statements of a kind.
type score struct {
	right, wrong, unlinked int
	nameless               int // tied to a connection, without a single request
	sets, unsound          int // of the unlinked: judged by a set of candidates, and by one that lacks the request
	links                  map[verdict.Link]int
	reasons                map[string]int
	examples               []string
}

func (n *score) all() int { return n.right + n.wrong + n.unlinked + n.nameless }

// truth knows of each statement which request it is of, by the statement's own comment, and never tells the engine.
type truth struct {
	mu    sync.Mutex
	marks map[string][2]string // by time and thread: request and kind
	tasks map[string]string
	kinds map[string]*score
	lost  []string // what the collector says was lost: statements around it need not be tied
}

func newTruth() *truth {
	return &truth{marks: map[string][2]string{}, tasks: map[string]string{}, kinds: map[string]*score{}}
}

var mark = regexp.MustCompile(`/\* gt=(\S+) kind=(\S+) \*/`)

// strip notes the truth of a statement and takes it out of what the engine sees.
func (tr *truth) strip(s *event.Statement) {
	m := mark.FindStringSubmatchIndex(s.Text)
	if m == nil {
		return
	}
	tr.mu.Lock()
	defer tr.mu.Unlock()
	key := fmt.Sprintf("%s %d", time.Unix(0, s.Time).UTC().Format("2006-01-02T15:04:05.000000000Z07:00"), s.TID)
	tr.marks[key] = [2]string{s.Text[m[2]:m[3]], s.Text[m[4]:m[5]]}
	tr.tasks[key] = fmt.Sprintf("%+v", s.Task)
	s.Text = "SELECT id FROM invoices WHERE tenant_id = 'acme'" // a statement that is judged
}

// judge compares a verdict's request with the statement's.
func (tr *truth) judge(v *verdict.Statement) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	key := fmt.Sprintf("%s %d", v.Time, v.TID)
	m, ok := tr.marks[key]
	if !ok {
		return
	}
	n := tr.kinds[m[1]]
	if n == nil {
		n = &score{links: map[verdict.Link]int{}, reasons: map[string]int{}}
		tr.kinds[m[1]] = n
	}
	n.links[v.Link]++
	switch {
	case v.Link == verdict.LinkSet:
		n.unlinked++
		n.sets++
		if !strings.HasPrefix(m[1], "background") && !slices.ContainsFunc(v.Candidates, func(c verdict.Candidate) bool { return c.ID == m[0] }) {
			n.unsound++
			if len(n.examples) < 4 {
				n.examples = append(n.examples, fmt.Sprintf("%s of %q is none of %d, task %s", v.Time, m[0], len(v.Candidates), tr.tasks[key]))
			}
		}
	case v.Connection == nil:
		n.unlinked++
		n.reasons[string(v.Verdict)+" "+string(v.Reason)]++
		if len(n.examples) < 4 {
			n.examples = append(n.examples, tr.tasks[key])
		}
	case v.Request == nil:
		n.nameless++
	case v.Request.ID == m[0]:
		n.right++
	default:
		n.wrong++
		n.examples = append(n.examples, fmt.Sprintf("%s of %q tied to %q by %s, task %s", v.Time, m[0], v.Request.ID, v.Link, tr.tasks[key]))
	}
}

func (tr *truth) table() string {
	var b bytes.Buffer
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "kind\tstatements\tright\twrong\tunlinked\tby set\tunsound\tconnection only\tlinks\treasons\t")
	for _, kind := range slices.Sorted(maps.Keys(tr.kinds)) {
		n := tr.kinds[kind]
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%v\t%v\t\n", kind, n.all(), n.right, n.wrong, n.unlinked, n.sets, n.unsound, n.nameless, n.links, n.reasons)
	}
	w.Flush()
	return b.String()
}

// handler gives the engine the events without the truth.
type handler struct {
	truth  *truth
	engine *correlate.Engine
}

func (h handler) Handle(e event.Event) {
	if l, ok := e.(*event.Lost); ok {
		h.truth.mu.Lock()
		h.truth.lost = append(h.truth.lost, fmt.Sprintf("%d %s", l.Count, l.Reason))
		h.truth.mu.Unlock()
	}
	if s, ok := e.(*event.Statement); ok {
		h.truth.strip(s)
		if strings.Contains(s.Text, "gt=") {
			panic("the truth reaches the engine")
		}
	}
	h.engine.Handle(e)
}

// observe traces the server until stop.
func (s *taskServer) observe(t *testing.T, tr *truth) (stop func()) {
	t.Helper()
	engine, err := correlate.New(correlate.Config{Policy: policy.Default(), Verdict: tr.judge, Limits: correlate.Limits{DeferFor: unobserved}})
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelInfo}))
	c, err := collector.New(collector.Config{Handler: handler{tr, engine}, Log: log, PIDs: []int{s.pid}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	await(t, "the probes", func() bool { ready, _ := c.Ready(); return ready })
	time.Sleep(2500 * time.Millisecond) // children are looked at with the next scan
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		engine.Close()
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}

func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(60 * time.Second); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("no %s within a minute", what)
		}
	}
}

// load sends the requests: each client has a connection of its own, and the next request follows the answer. Every fifth connection is a new one.
func (s *taskServer) load(t *testing.T, path string, clients int) {
	t.Helper()
	var wg sync.WaitGroup
	for client := range clients {
		wg.Go(func() {
			c := s.client()
			for round := range rounds() {
				if round%5 == 4 {
					time.Sleep(afterwards) // the last request's task outlives it, and is tied to it as long as its connection lives
					c.CloseIdleConnections()
				}
				r, err := http.NewRequest("GET", "https://127.0.0.1:"+s.port+"/"+path, nil)
				if err != nil {
					t.Error(err)
					return
				}
				r.Header.Set("X-Request-ID", fmt.Sprintf("c%d-%d", client, round))
				a, err := c.Do(r)
				if err != nil {
					t.Error(err)
					return
				}
				body, err := io.ReadAll(a.Body)
				a.Body.Close()
				if err != nil || a.StatusCode != 200 {
					t.Errorf("client %d, request %d: %s %q %v", client, round, a.Status, body, err)
					return
				}
			}
			time.Sleep(afterwards)
			c.CloseIdleConnections()
		})
	}
	wg.Wait()
}

func (s *taskServer) client() *http.Client {
	return &http.Client{Timeout: 60 * time.Second, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: s.credentials.roots, Certificates: []tls.Certificate{s.credentials.client}}, MaxConnsPerHost: 1,
	}}
}

// taskServer is a running server.
type taskServer struct {
	credentials                 *credentials
	pid                         int
	port                        string
	certificate, key, authority string
}

func startTaskServer(t *testing.T, c *cell, database *database) *taskServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &taskServer{credentials: newCredentials(t), port: strconv.Itoa(l.Addr().(*net.TCPAddr).Port)}
	l.Close()
	s.certificate, s.key, s.authority = s.credentials.file("server.pem"), s.credentials.file("server.key"), s.credentials.file("ca.pem")
	work, err := filepath.Abs("testdata/tasks")
	if err != nil {
		t.Fatal(err)
	}
	python, more := c.interpreter(t)
	line := append(python, c.command(s)...)
	cmd := exec.Command(line[0], line[1:]...)
	cmd.Dir = work
	cmd.Env = slices.Concat(os.Environ(), []string{"PYTHONPATH=" + work, "PYTHONDONTWRITEBYTECODE=1"}, database.environment(), c.env, more)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.pid = cmd.Process.Pid
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		ended := make(chan struct{})
		go func() { _ = cmd.Wait(); close(ended) }()
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			_ = cmd.Process.Kill()
			<-ended
		}
		if t.Failed() {
			t.Logf("server: %s", out.String()[max(0, out.Len()-4000):])
		}
	})
	await(t, "server", func() bool {
		conn, err := tls.Dial("tcp", "127.0.0.1:"+s.port, &tls.Config{RootCAs: s.credentials.roots, Certificates: []tls.Certificate{s.credentials.client}})
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
	return s
}
