package life

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"tenantrace/lab/audit"
	"tenantrace/lab/matrix"
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
	t.findings = findings(all)
	if t.requests, t.lost = matrix.Peers(s.daemon.Record); t.requests == nil {
		return nil, t.lost
	}
	if err := t.connections(s.daemon.Record); err != nil {
		return nil, err
	}
	t.replayed, err = s.replay(ctx)
	return t, err
}

// settled waits until the daemon has seen the answer to each request, and judged each statement; or in vain, as the comparison will tell.
func (s *stand) settled(ctx context.Context) error {
	_, err := s.await(ctx, func(metrics string) bool {
		return sum(metrics, "tenantrace_requests_total{") >= len(s.calls.sent) && sum(metrics, "tenantrace_statements_total{") >= s.calls.rows
	})
	return err
}

// await waits until the daemon's metrics are as they should be, and tells whether they came to be.
func (s *stand) await(ctx context.Context, as func(metrics string) bool) (bool, error) {
	for deadline := time.Now().Add(settle); time.Now().Before(deadline); {
		text, err := s.daemon.Metrics(ctx)
		if err != nil || as(text) {
			return true, err
		}
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
	return false, nil
}

// sum adds up the series of a metric that begin with a text.
func sum(text, beginning string) int {
	total := 0.0
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, beginning) {
			continue
		}
		if value, err := strconv.ParseFloat(strings.TrimSpace(line[strings.LastIndexByte(line, ' ')+1:]), 64); err == nil {
			total += value
		}
	}
	return int(total)
}

// findings sums up the lines of findings: the last one of each has its count.
func findings(all []audit.Finding) []string {
	last := make(map[string]string)
	for i := range all {
		f := &all[i]
		last[f.Info.UID] = fmt.Sprintf("%s %s %s %d", f.Info.Title, f.Severity, or(f.Unmapped.IdentityTenant), f.Count)
	}
	var out []string
	for _, text := range last {
		out = append(out, text)
	}
	slices.Sort(out)
	return out
}

func or(tenant string) string {
	if tenant == "" {
		return "-"
	}
	return tenant
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

// replay judges the recording again and says how that differs.
func (s *stand) replay(ctx context.Context) (string, error) {
	findings, verdicts, err := s.daemon.Replay(ctx)
	if err != nil {
		return "", err
	}
	var texts [4]string
	for i, path := range []string{s.daemon.Findings, findings, s.daemon.Verdicts, verdicts} {
		var lines []string
		err := audit.EachLine(path, func(text []byte) error {
			lines = append(lines, string(text))
			return nil
		})
		if err != nil {
			return "", err
		}
		slices.Sort(lines)
		texts[i] = strings.Join(lines, "\n")
	}
	switch {
	case texts[0] != texts[1]:
		return "the replay's findings differ", nil
	case texts[2] != texts[3]:
		return "the replay's verdicts differ", nil
	}
	return "", nil
}
