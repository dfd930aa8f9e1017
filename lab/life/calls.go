package life

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"

	"tenantrace/lab/pki"
	"tenantrace/lab/traffic"
)

// calls are the requests of a take.
type calls struct {
	stand    *stand
	prefix   string // of the requests' ids
	sent     []sent
	rows     int // answers with rows: each is a statement
	callers  []*caller
	problems []string // what the clients saw that they should not
}

// sent is a request that was answered, with the identity that it must have.
type sent struct {
	id       string
	who      *pki.Leaf // whose it is as it is read; nil nobody's
	answered *pki.Leaf // as its answer begins
	verified bool      // the first of them
	resumed  bool
}

// caller is a client with a certificate.
type caller struct {
	traffic.Client
	leaf     *pki.Leaf // nil none
	verified bool
	tenant   string    // whose rows the application gives it
	of       *pki.Leaf // whose identity the server has of it: leaf, but where a session is resumed
}

// caller makes a client of one of the server's ports. Its certificate is presented to whoever asks.
func (c *calls) caller(purpose, who string) *caller {
	leaf := c.stand.people[who]
	k := c.callerWith(purpose, leaf)
	k.verified = leaf != nil && who != stranger
	switch who {
	case nobody:
		k.tenant = acme // the application's default
	case stranger:
		k.tenant = beta
	default:
		k.tenant = who
	}
	return k
}

// callerWith is caller with a certificate of acme's that only this take has.
func (c *calls) callerWith(purpose string, leaf *pki.Leaf) *caller {
	k := &caller{Client: traffic.Client{Addr: c.stand.addr(purpose), Roots: c.stand.stage.CA.Roots}, leaf: leaf, of: leaf, verified: true, tenant: acme}
	if leaf != nil {
		k.Certificate = &leaf.TLS
	}
	c.callers = append(c.callers, k)
	return k
}

// version bounds the client to one version of TLS.
func (k *caller) version(v uint16) *caller {
	k.Tune = func(config *tls.Config) { config.MinVersion, config.MaxVersion = v, v }
	return k
}

func (c *calls) close() {
	for _, k := range c.callers {
		k.Close()
	}
}

// id gives the next request's.
func (c *calls) id() string { return fmt.Sprintf("%s.%d", c.prefix, len(c.sent)+1) }

// get sends requests, all at once if there are several, and reads the answers, which are to be the caller's own rows or a page of no tenant.
func (c *calls) get(ctx context.Context, k *caller, targets ...string) error {
	var requests []traffic.Request
	for _, target := range targets {
		r := traffic.Request{ID: c.id(), Method: "GET", Target: target}
		requests = append(requests, r)
		c.sent = append(c.sent, sent{id: r.ID, who: k.of, answered: k.of, verified: k.verified})
	}
	answers, err := k.Pipeline(ctx, requests...)
	if err != nil {
		return err
	}
	for i, a := range answers {
		c.sent[len(c.sent)-len(answers)+i].resumed = k.Resumed()
		if a.Status != 200 {
			return fmt.Errorf("request %q: status %d", requests[i].ID, a.Status)
		}
		if err := c.page(requests[i].ID, a.Body, k.tenant); err != nil {
			return err
		}
	}
	return nil
}

// times sends a request again and again.
func (c *calls) times(ctx context.Context, n int, k *caller, target string) error {
	for range n {
		if err := c.get(ctx, k, target); err != nil {
			return err
		}
	}
	return nil
}

// page looks at an answer: the application's holds rows of one tenant alone.
func (c *calls) page(id string, body []byte, tenant string) error {
	if len(body) == 0 || body[0] != '{' {
		return nil
	}
	var answer struct {
		Rows []struct {
			Tenant string `json:"tenant"`
		} `json:"rows"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return fmt.Errorf("answer to %q: %w", id, err)
	}
	c.rows++
	if len(answer.Rows) == 0 {
		c.problems = append(c.problems, id+": no rows")
	}
	for _, row := range answer.Rows {
		if row.Tenant != tenant {
			c.problems = append(c.problems, fmt.Sprintf("%s: rows of %s, expected of %s", id, row.Tenant, tenant))
			break
		}
	}
	return nil
}
