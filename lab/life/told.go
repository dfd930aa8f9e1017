package life

import (
	"context"
	"encoding/json"
	"time"

	"tenantrace/lab/audit"
	"tenantrace/lab/matrix"
	"tenantrace/lab/tracer"
)

// settle is for how long something is waited for that the daemon is to see or judge.
const settle = 20 * time.Second

// told is what the daemon said of a take.
type told struct {
	findings []string // as want's
	lines    []audit.Line
	requests map[string]matrix.Peer
	verified map[string]int // connections with a verified certificate, by its SHA-256
	unread   int            // connections whose requests are not understood
	replayed string         // how a replay differs; "" not at all
	lost     error
}

// finish waits for the last verdicts, ends the daemon and reads what it wrote.
func (s *stand) finish(ctx context.Context) (*told, error) {
	if err := s.settled(ctx); err != nil {
		return nil, err
	}
	if err := s.daemon.Stop(); err != nil {
		return nil, err
	}
	t := &told{verified: make(map[string]int)}
	var err error
	if t.lines, err = audit.ReadLines(s.daemon.Verdicts); err != nil {
		return nil, err
	}
	all, err := audit.ReadFindings(s.daemon.Findings)
	if err != nil {
		return nil, err
	}
	t.findings = audit.Summaries(all)
	if t.requests, t.lost = matrix.Peers(s.daemon.Record); t.requests == nil {
		return nil, t.lost
	}
	if err := t.connections(s.daemon.Record); err != nil {
		return nil, err
	}
	t.replayed, err = s.daemon.Replayed(ctx)
	return t, err
}

// settled waits until the daemon has seen the answer to each request, and judged each statement; or in vain, as the comparison will tell.
func (s *stand) settled(ctx context.Context) error {
	_, err := s.daemon.Await(ctx, settle, func(metrics string) bool {
		return tracer.Sum(metrics, "tenantrace_requests_total{") >= len(s.calls.sent) && tracer.Sum(metrics, "tenantrace_statements_total{") >= s.calls.rows
	})
	return err
}

// connections counts the connections of a recording.
func (t *told) connections(path string) error {
	seen := make(map[uint64]bool)
	return audit.EachLine(path, func(text []byte) error {
		var l struct {
			Kind  string `json:"k"`
			Event struct {
				Conn        uint64 `json:"conn"`
				Seq         uint64 `json:"seq"`
				Role        string `json:"role"`
				Result      int64  `json:"verify_result"`
				Mode        int    `json:"verify_mode"`
				Resumed     bool   `json:"resumed"`
				Certificate *struct {
					SHA256 string `json:"sha256"`
				} `json:"certificate"`
			} `json:"e"`
		}
		if err := json.Unmarshal(text, &l); err != nil {
			return err
		}
		e := &l.Event
		switch {
		case l.Kind == "http_request" && e.Seq == 0:
			t.unread++
		case l.Kind == "identity" && e.Role == "server" && e.Certificate != nil && e.Result == 0 && (e.Mode&1 != 0 || e.Resumed) && !seen[e.Conn]:
			seen[e.Conn] = true
			t.verified[e.Certificate.SHA256]++
		}
		return nil
	})
}
