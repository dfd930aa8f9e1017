package tracer

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"tenantrace/lab/audit"
)

// Await waits until the daemon's metrics are as they should be, for at most patience, and tells whether they came to be.
func (t *Tracer) Await(ctx context.Context, patience time.Duration, as func(metrics string) bool) (bool, error) {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		text, err := t.Metrics(ctx)
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

// Sum adds up the series of a metric that begin with a text.
func Sum(metrics, beginning string) int {
	total := 0.0
	for line := range strings.Lines(metrics) {
		if !strings.HasPrefix(line, beginning) {
			continue
		}
		if value, err := strconv.ParseFloat(strings.TrimSpace(line[strings.LastIndexByte(line, ' ')+1:]), 64); err == nil {
			total += value
		}
	}
	return int(total)
}

// Replayed judges the recording again, after Stop, and says how that differs from what the daemon wrote; "" not at all.
func (t *Tracer) Replayed(ctx context.Context) (string, error) {
	findings, verdicts, err := t.Replay(ctx)
	if err != nil {
		return "", err
	}
	var texts [4]string
	for i, path := range []string{t.Findings, findings, t.Verdicts, verdicts} {
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
