package access

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"sync"

	"tenantrace/lab/pki"
	"tenantrace/lab/traffic"
)

// calls are the requests of a take.
type calls struct {
	*company
	addr    string
	hangsUp bool
	name    string // of the take

	mu       sync.Mutex // guards what follows
	sent     map[string]*pki.Leaf
	callers  []*caller
	problems []string // what the clients saw that they should not
}

// caller is a client with the certificate of a tenant. It is for one goroutine at a time.
type caller struct {
	traffic.Client
	calls *calls
	leaf  *pki.Leaf
}

func (c *calls) caller(tenant string) (*caller, error) {
	leaf, err := c.person(tenant)
	if err != nil {
		return nil, err
	}
	k := &caller{Client: traffic.Client{Addr: c.addr, Roots: c.stage.CA.Roots, Certificate: &leaf.TLS}, calls: c, leaf: leaf}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.callers = append(c.callers, k)
	return k, nil
}

func (c *calls) close() {
	for _, k := range c.callers {
		k.Close()
	}
}

// get sends a request and looks whose rows the answer holds, "" for none. The application tells it by a column that the policy does not know.
func (k *caller) get(ctx context.Context, whose, path string, query ...string) error {
	c := k.calls
	values := url.Values{"take": {c.name}}
	for i := 0; i+1 < len(query); i += 2 {
		values.Set(query[i], query[i+1])
	}
	c.mu.Lock()
	if c.sent == nil {
		c.sent = make(map[string]*pki.Leaf)
	}
	id := fmt.Sprintf("%s.%d", c.name, len(c.sent)+1)
	c.sent[id] = k.leaf
	c.mu.Unlock()
	answer, err := k.Do(ctx, traffic.Request{ID: id, Method: "GET", Target: path + "?" + values.Encode()})
	if err != nil {
		return err
	}
	if c.hangsUp {
		k.Close()
	}
	if answer.Status != 200 {
		return fmt.Errorf("request %q: status %d: %.200s", id, answer.Status, answer.Body)
	}
	var page struct {
		Rows []map[string]string `json:"rows"`
	}
	if err := json.Unmarshal(answer.Body, &page); err != nil {
		return fmt.Errorf("answer to %q: %w", id, err)
	}
	c.look(id, whose, page.Rows)
	return nil
}

// look holds an answer against what it must be: a fault that leaks nothing would prove nothing.
func (c *calls) look(id, whose string, rows []map[string]string) {
	problem := ""
	switch {
	case whose == "" && len(rows) > 0:
		problem = fmt.Sprintf("%d rows, expected none", len(rows))
	case whose != "" && len(rows) == 0:
		problem = "no rows, expected of " + whose
	}
	for _, row := range rows {
		if owner, ok := row["whose"]; ok && owner != whose {
			problem = fmt.Sprintf("rows of %s, expected of %s", owner, whose)
		}
	}
	if problem != "" {
		c.mu.Lock()
		c.problems = append(c.problems, id+": "+problem)
		c.mu.Unlock()
	}
}

// request is one of a sequence.
type request struct {
	who, whose, path string
	query            []string
}

// known lets the daemon know a tenant.
func known(who string) request { return request{who: who, path: "/known"} }

// oneByOne sends requests one after the other, each tenant's over a connection of its own.
func oneByOne(requests ...request) func(context.Context, *calls) error {
	return func(ctx context.Context, c *calls) error {
		callers := make(map[string]*caller)
		for _, r := range requests {
			k := callers[r.who]
			if k == nil {
				var err error
				if k, err = c.caller(r.who); err != nil {
					return err
				}
				callers[r.who] = k
			}
			if err := k.get(ctx, r.whose, r.path, r.query...); err != nil {
				return err
			}
		}
		return nil
	}
}

// atOnce sends requests of several clients together.
func atOnce(requests ...request) func(context.Context, *calls) error {
	return func(ctx context.Context, c *calls) error {
		failed := make(chan error, len(requests))
		for _, r := range requests {
			k, err := c.caller(r.who)
			if err != nil {
				return err
			}
			go func() { failed <- k.get(ctx, r.whose, r.path, r.query...) }()
		}
		var first error
		for range requests {
			if err := <-failed; first == nil {
				first = err
			}
		}
		return first
	}
}

// crowd has many tenants send requests, as many at once as the server has threads.
func crowd(tenants, each int, path string) func(context.Context, *calls) error {
	return func(ctx context.Context, c *calls) error {
		turns, failed := make(chan int), make(chan error, threads)
		for range threads {
			go func() {
				var first error
				for n := range turns {
					if first == nil {
						first = c.one(ctx, fmt.Sprintf("many-%d", n+1), each, path)
					}
				}
				failed <- first
			}()
		}
		for n := range tenants {
			turns <- n
		}
		close(turns)
		var first error
		for range threads {
			if err := <-failed; first == nil {
				first = err
			}
		}
		return first
	}
}

func (c *calls) one(ctx context.Context, tenant string, times int, path string) error {
	k, err := c.caller(tenant)
	if err != nil {
		return err
	}
	defer k.Close()
	for range times {
		if err := k.get(ctx, tenant, path); err != nil {
			return err
		}
	}
	return nil
}
