package traffic

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Outcome is what became of one request of a load.
type Outcome struct {
	Request  Request
	Response *Response // nil with Err
	Err      error
}

// Load sends exactly n requests over the clients, each client's one after the other. next makes request i for the client with index c;
// done takes each outcome and may be called from several goroutines. Load ends early only with the context.
func Load(ctx context.Context, clients []*Client, n int, next func(c, i int) Request, done func(Outcome)) error {
	var taken atomic.Int64
	var running sync.WaitGroup
	for c, client := range clients {
		running.Go(func() {
			for ctx.Err() == nil {
				i := int(taken.Add(1)) - 1
				if i >= n {
					return
				}
				r := next(c, i)
				response, err := client.Do(ctx, r)
				done(Outcome{Request: r, Response: response, Err: err})
			}
		})
	}
	running.Wait()
	return ctx.Err()
}

// Latencies are the durations of requests.
type Latencies []time.Duration

// ErrNoLatencies is returned when there is nothing to rank.
var ErrNoLatencies = errors.New("no latencies")

// Percentiles returns the nearest-rank percentiles for each of ps, in percent (0 < p <= 100).
func (l Latencies) Percentiles(ps ...float64) ([]time.Duration, error) {
	if len(l) == 0 {
		return nil, ErrNoLatencies
	}
	sorted := slices.Sorted(slices.Values(l))
	values := make([]time.Duration, len(ps))
	for i, p := range ps {
		rank := int(p/100*float64(len(sorted)) + 0.9999999) // the smallest rank with at least p percent at or below it
		values[i] = sorted[min(max(rank, 1), len(sorted))-1]
	}
	return values, nil
}
