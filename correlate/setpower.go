package correlate

// memberState is the label of set_candidates_total.
type memberState string

const (
	memberOpen     memberState = "open"
	memberLong     memberState = "long" // open for longer than a statement waits for its request, as a stream is
	memberAnswered memberState = "answered"
)

var memberStates = [...]memberState{memberOpen, memberLong, memberAnswered}

// measureSet counts what a statement was judged by.
func (e *Engine) measureSet(u *unit, o *outcome, service string) {
	e.metrics.setPower.WithLabelValues(e.metrics.label(service)).Observe(e.power(u, o))
	var n [len(memberStates)]int
	for _, r := range o.set {
		switch {
		case r.answered(u.written):
			n[2]++
		case u.written-r.start > int64(e.limits.DeferFor):
			n[1]++
		default:
			n[0]++
		}
	}
	members := e.metrics.held[e.metrics.label(service)].members
	for i, s := range memberStates {
		members[s].Add(float64(n[i]))
	}
}
