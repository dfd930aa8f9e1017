package scenario

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"tenantrace/lab/pki"
	"tenantrace/lab/service"
	"tenantrace/lab/stage"
	"tenantrace/lab/traffic"
)

// grace is the policy's certificates.grace, and some time for clocks of whole seconds.
const grace = 1500 * time.Millisecond

// shortLife is for how long the short-lived certificate is valid.
const shortLife = 4 * time.Second

// Sent is a call that was made.
type Sent struct {
	Call
	ID         string // X-Request-ID
	Statements int
	Problem    string // what came back is not what the call expects; "" it is
}

// Play is a scenario that was played at a server.
type Play struct {
	*Scenario
	Cell string // name of the server
	Sent []Sent
}

// Player plays scenarios at a server. It may play several at once.
type Player struct {
	Stage  *stage.Stage
	Server *service.Server
	Cell   string // name of the server, and the beginning of each request's id
}

// Play plays a scenario. Calls that go wrong say so in the result.
func (p *Player) Play(ctx context.Context, s *Scenario) *Play {
	play := &Play{Scenario: s, Cell: p.Cell}
	hand := hand{player: p, clients: make(map[slot]*traffic.Client)}
	defer hand.close()
	n := 0
	for round := range s.Rounds {
		for _, step := range s.Round(fmt.Sprintf("%s-%s-%d", p.Cell, s.ID, round)) {
			sent := make([]Sent, len(step))
			var group sync.WaitGroup
			for i, call := range step {
				n++
				kind := "clean"
				if call.Fault {
					kind = "fault"
				}
				sent[i] = Sent{Call: call, ID: fmt.Sprintf("%s-%s-%s-%d", p.Cell, s.ID, kind, n)}
				client, until, err := hand.client(slot{call.As, i}, call.Fresh)
				if err != nil {
					sent[i].Problem = err.Error()
					continue
				}
				group.Go(func() { sent[i].make(ctx, client, until) })
			}
			group.Wait()
			play.Sent = append(play.Sent, sent...)
		}
	}
	return play
}

// slot names a connection that a scenario keeps: calls of one step that are under way at once have one each.
type slot struct {
	as    string
	index int
}

// hand holds the connections of a scenario.
type hand struct {
	player  *Player
	clients map[slot]*traffic.Client
	until   time.Time // end of the short-lived certificate
}

// client returns a client for a call, and the end of its certificate if that matters.
func (h *hand) client(s slot, fresh bool) (*traffic.Client, time.Time, error) {
	if s.as == Shortlived {
		s.index = 0
	}
	if kept := h.clients[s]; kept != nil && !fresh {
		return kept, h.until, nil
	}
	var client *traffic.Client
	var err error
	if s.as == Shortlived {
		client, err = h.shortlived()
	} else {
		client, err = h.player.Stage.Client(h.player.Server, s.as)
	}
	if err != nil {
		return nil, time.Time{}, err
	}
	if old := h.clients[s]; old != nil {
		old.Close()
	}
	h.clients[s] = client
	return client, h.until, nil
}

func (h *hand) shortlived() (*traffic.Client, error) {
	profile := pki.Tenant("beta")
	profile.File, profile.Until = Shortlived+"-"+h.player.Cell, time.Now().Add(shortLife)
	leaf, err := h.player.Stage.CA.Client(profile)
	if err != nil {
		return nil, err
	}
	h.until = leaf.NotAfter
	return &traffic.Client{Addr: h.player.Server.Addr, Roots: h.player.Stage.CA.Roots, Certificate: &leaf.TLS}, nil
}

func (h *hand) close() {
	for _, client := range h.clients {
		client.Close()
	}
}

// make sends the call and compares the answer with what it expects.
func (s *Sent) make(ctx context.Context, client *traffic.Client, until time.Time) {
	if s.Wait == Expiry {
		select {
		case <-ctx.Done():
			s.Problem = ctx.Err().Error()
			return
		case <-time.After(time.Until(until.Add(grace))):
		}
	}
	method := s.Method
	if method == "" {
		method = "GET"
	}
	response, err := client.Do(ctx, traffic.Request{ID: s.ID, Method: method, Target: s.Target, Header: s.Header, Body: s.Body})
	switch {
	case err != nil && s.Status == 0 && ctx.Err() == nil:
		return
	case err != nil:
		s.Problem = err.Error()
		return
	case s.Wait == Expiry && !response.Reused:
		s.Problem = "the connection did not live until the certificate ended"
		return
	}
	s.Statements = response.Statements
	s.Problem = Compare(&s.Call, response)
}

// Compare says what an answer has that the call does not expect; "" nothing.
func Compare(c *Call, r *traffic.Response) string {
	if r.Status != c.Status {
		return fmt.Sprintf("status %d, expected %d", r.Status, c.Status)
	}
	var answer struct {
		Rows []struct {
			Tenant string `json:"tenant"`
		} `json:"rows"`
	}
	if len(r.Body) > 0 && r.Body[0] == '{' {
		if err := json.Unmarshal(r.Body, &answer); err != nil {
			return fmt.Sprintf("answer: %v", err)
		}
	}
	tenants := make(map[string]bool)
	for _, row := range answer.Rows {
		tenants[row.Tenant] = true
	}
	if got := slices.Sorted(maps.Keys(tenants)); !slices.Equal(got, c.Rows) {
		return fmt.Sprintf("rows of %v, expected of %v", got, c.Rows)
	}
	return ""
}
