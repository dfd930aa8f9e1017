package accuracy

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"tenantrace/lab/pki"
	"tenantrace/lab/traffic"
)

// sent is a request that was sent, and the truth about it.
type sent struct {
	gt     string // its name in truth: in a header field that no policy names, and in the comments before its statements
	public string // X-Request-ID, by which verdict lines name it
	tenant string // of its certificate
	flaw   string // what the service was asked to do wrong; "" nothing
	local  string // address of the client's end of its connection
	rows   map[int]string
	err    error
}

// perConnection is how many requests a client sends on a connection, before another one with another certificate.
const perConnection = 7

// flawEvery is the share of requests with a fault: one in so many.
const flawEvery = 8

// sharedTraceparent is what many clients send at once.
const sharedTraceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

// load is the traffic of one cell.
type load struct {
	cell     Cell
	seed     uint64
	nonce    string // in each name of truth: nothing else in a recording holds it
	addr     string
	ca       *pki.Authority
	people   []*pki.Leaf // by number of the tenant
	requests int

	steps   int // that a fault may be in
	path    string
	taken   atomic.Int64
	session atomic.Int64
	mu      sync.Mutex
	sent    map[string]*sent
}

// tenantName is the name of a tenant.
func tenantName(i int) string { return fmt.Sprintf("t%03d", i) }

// run first lets each tenant send one request, so that all names are known, and then sends the requests of the cell.
func (l *load) run(ctx context.Context) {
	l.each(min(l.cell.InFlight, 8), func() {
		for ctx.Err() == nil {
			i := int(l.session.Add(1)) - 1
			if i >= l.cell.Tenants {
				return
			}
			l.connection(ctx, i, 1, rand.New(rand.NewPCG(l.seed, uint64(i))))
		}
	})
	l.session.Store(int64(l.cell.Tenants))
	l.each(l.cell.InFlight, func() {
		for ctx.Err() == nil {
			s := int(l.session.Add(1)) - 1
			r := rand.New(rand.NewPCG(l.seed, uint64(s)))
			n := min(perConnection, l.requests-int(l.taken.Add(perConnection))+perConnection)
			if n <= 0 {
				return
			}
			l.connection(ctx, s, n, r)
		}
	})
}

func (l *load) each(n int, do func()) {
	var running sync.WaitGroup
	for range n {
		running.Go(do)
	}
	running.Wait()
}

// connection sends n requests over one connection. Session number s decides all about them.
func (l *load) connection(ctx context.Context, s, n int, r *rand.Rand) {
	warm := s < l.cell.Tenants
	tenant := s
	if !warm {
		tenant = r.IntN(l.cell.Tenants)
	}
	client := &traffic.Client{Addr: l.addr, Roots: l.ca.Roots, Certificate: &l.people[tenant].TLS}
	defer client.Close()
	for j := range n {
		if ctx.Err() != nil {
			return
		}
		if warm {
			one, request := l.plan(s, j, tenant, r, false)
			l.do(ctx, client, one, request)
			continue
		}
		l.turn(ctx, client, s, j, tenant, r)
	}
}

// plan makes a request.
func (l *load) plan(s, j, tenant int, r *rand.Rand, flaws bool) (*sent, traffic.Request) {
	one := &sent{gt: fmt.Sprintf("%s-%d-%d", l.nonce, s, j), public: fmt.Sprintf("%016x%08x", r.Uint64(), s<<8|j), tenant: tenantName(tenant)}
	query := fmt.Sprintf("own=%s&pause=%d", one.tenant, r.IntN(4))
	if flaws && r.IntN(flawEvery) == 0 && (l.cell.Violation == independent || l.cell.Violation == race || l.cell.Violation == stale) {
		one.flaw = l.cell.Violation
		query += fmt.Sprintf("&flaw=%s&at=%d", one.flaw, r.IntN(l.steps))
		if one.flaw == independent {
			query += "&other=" + tenantName((tenant+1+r.IntN(l.cell.Tenants-1))%l.cell.Tenants)
		}
	}
	for _, also := range []string{"child", "after"} {
		if r.IntN(4) == 0 {
			query += "&" + also
		}
	}
	if r.IntN(20) == 0 {
		query += "&repeat"
	}
	traceparent := sharedTraceparent
	if r.IntN(2) == 0 {
		traceparent = fmt.Sprintf("00-%016x%016x-%016x-01", r.Uint64(), r.Uint64(), r.Uint64())
	}
	return one, traffic.Request{ID: one.public, Method: "GET", Target: l.path + "?" + query, Header: map[string]string{"X-Gt": one.gt, "traceparent": traceparent}}
}

// do sends a request and keeps what became of it.
func (l *load) do(ctx context.Context, client *traffic.Client, one *sent, request traffic.Request) {
	response, err := client.Do(ctx, request)
	one.local = client.Local()
	l.keep(one, response, err)
}

func (l *load) keep(one *sent, response *traffic.Response, err error) {
	if err == nil {
		err = one.read(response)
	}
	one.err = err
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sent[one.gt] = one
}

// read takes what the service says of its rows.
func (s *sent) read(response *traffic.Response) error {
	if response.Status != 200 {
		return fmt.Errorf("status %d", response.Status)
	}
	if err := json.Unmarshal(response.Body, &s.rows); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	return nil
}

// settle is how long work goes on after the last response, at most.
const settle = 700 * time.Millisecond
