package accuracy

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"time"

	"tenantrace/lab/audit"
	"tenantrace/lab/tracer"
)

// jump is by how much the clock steps. The times of events come from a clock that nobody sets (CLOCK_BOOTTIME): it steps only forward, when the host was suspended.
const jump = time.Hour

var eventTime = regexp.MustCompile(`^\{"k":"[a-z_0-9]+","e":\{"time":([0-9]+)`)

// step copies a recording, the second half of which is later.
func step(from, to string) error {
	lines, err := audit.CountLines(from)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("let the clock of a recording step: %w", err)
	}
	out, n := bufio.NewWriter(file), 0
	err = audit.EachLine(from, func(text []byte) error {
		if n++; n > lines/2 {
			at := eventTime.FindSubmatchIndex(text)
			if at == nil {
				return errors.New("an event does not begin with its time")
			}
			old, err := strconv.ParseInt(string(text[at[2]:at[3]]), 10, 64)
			if err != nil {
				return err
			}
			text = fmt.Appendf(nil, "%s%d%s", text[:at[2]], old+int64(jump), text[at[3]:])
		}
		_, err := out.Write(append(text, '\n'))
		return err
	})
	return errors.Join(err, out.Flush(), file.Close())
}

// compareStepped holds what is judged when the clock steps against the truth.
func (r *running) compareStepped(ctx context.Context, t *tracer.Tracer) error {
	late := t.Record + ".stepped"
	if err := step(t.Record, late); err != nil {
		return err
	}
	truth, err := strip(late, late+".stripped")
	if err != nil {
		return err
	}
	findings, verdicts, err := t.ReplayOther(ctx, late+".stripped", "stepped")
	if err != nil {
		return err
	}
	if err := r.result.Tally.score(verdicts, truth, r.load.sent, r.cell.Tenants); err != nil {
		return err
	}
	return r.findings(findings)
}
