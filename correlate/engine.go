// Package correlate ties SQL statements to the requests that caused them, and those to the certificates of their connections, and judges each
// statement: does the tenant that the database was asked for agree with the tenant that the certificate names?
//
// The Engine is driven by events alone and takes its clock from them, so that a replay of a recording gives the same verdicts and findings.
package correlate

import (
	"errors"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tenantrace/collector/event"
	"tenantrace/correlate/bounded"
	"tenantrace/correlate/policy"
	"tenantrace/correlate/verdict"
)

// Config configures an Engine.
type Config struct {
	Policy     *policy.Policy           // required
	Verdict    func(*verdict.Statement) // gets each verdict; may be nil. The value is its to keep
	Finding    func(*verdict.Finding)   // gets each finding and each update; may be nil. The value is its to keep
	Registerer prometheus.Registerer    // of the metrics; nil: none are exported
	Log        *slog.Logger             // nil: nothing is logged
	Limits     Limits                   // a field that is zero has its default
}

// Engine judges. It is not safe for concurrent use: one goroutine calls all of its methods.
type Engine struct {
	verdict    func(*verdict.Statement)
	finding    func(*verdict.Finding)
	explain    func(*unit, outcome, *verdict.Statement) // gets each verdict with what led to it; nil: nobody asks
	explainUse func(policy.Use)                         // gets what the exemptions are asked
	log        *slog.Logger
	limits     Limits
	metrics    *metrics

	policy *policy.Policy
	rules  map[rulesKey]*rules
	texts  *bounded.Map[textKey, *analysis] // analyses that are kept

	now       int64 // latest event time
	timersRan int64
	sweptAt   int64
	requestNo uint64
	unitNo    uint64
	closed    bool

	processes *bounded.Map[uint32, *process]
	conns     *bounded.Map[event.ConnID, *connection]
	gone      *bounded.Map[event.ConnID, *connection] // closed ones, whose requests' tasks may run on
	answered  *bounded.Map[uint64, *request]          // ended ones that connections keep for their tasks, by number
	requests  *bounded.Map[uint64, *request]          // open ones, by number
	databases *bounded.Map[databaseKey, *database]
	tokens    *bounded.Map[string, *token]
	names     names
	directory directory
	veil      *veil           // nil: tenants are named
	plain     bool            // they are, whatever the policy says
	told      map[string]bool // allowances whose end was said
	findings  findings

	deferred queue // answered, waiting for the end of their request
	grouped  queue // answered, waiting for the end of their transaction
	bearing  queue // answered, waiting for the end of their thread
	parting  queue // of a thread that ended
	weighed  weighed
	stamp    stamp
	meeting  queue // answered, waiting for the response with their identifier
	held     queue // judged but for a name that nobody is known to have
}

// New returns an engine that judges by cfg.Policy.
func New(cfg Config) (*Engine, error) {
	if cfg.Policy == nil {
		return nil, errors.New("correlate: no policy [set Config.Policy, for example to policy.Default()]")
	}
	e := &Engine{verdict: cfg.Verdict, finding: cfg.Finding, log: cfg.Log, limits: cfg.Limits.withDefaults()}
	if e.log == nil {
		e.log = slog.New(slog.DiscardHandler)
	}
	var err error
	if e.metrics, err = newMetrics(cfg.Registerer); err != nil {
		return nil, err
	}
	l := &e.limits
	e.processes = bounded.New(l.Processes, func(_ uint32, p *process) {
		e.metrics.evicted("processes")
		e.endProcess(p)
	})
	e.conns = bounded.New(l.Connections, func(_ event.ConnID, c *connection) {
		e.metrics.evicted("connections")
		e.endConnection(c)
	})
	e.gone = bounded.New[event.ConnID, *connection](maxGone, nil)
	e.answered = bounded.New(maxAllAnswered, func(_ uint64, r *request) { forgetAnswered(r) })
	e.requests = bounded.New(l.Requests, func(_ uint64, r *request) { e.evictRequest(r) })
	e.databases = bounded.New(l.Databases, func(databaseKey, *database) { e.metrics.evicted("databases") })
	e.tokens = bounded.New(l.Tokens, func(_ string, t *token) {
		if len(t.waiting) > 0 {
			e.metrics.evicted("tokens")
		}
		t.void = true
		e.meetAll(t)
	})
	e.weighed.seen = make(map[string]struct{})
	e.names.init(l.Names)
	e.directory.init(l.Names)
	e.findings.init(e)
	e.setPolicy(cfg.Policy)
	return e, nil
}

// SetPolicy makes later judgements follow p.
func (e *Engine) SetPolicy(p *policy.Policy) {
	if p == nil {
		return
	}
	e.setPolicy(p)
	attrs := []any{"policy", p.Hash()}
	if key := p.Key(); key != nil {
		attrs = append(attrs, "privacy_key", key.KeyID())
	}
	e.log.Info("judging by another policy", attrs...)
}

func (e *Engine) setPolicy(p *policy.Policy) {
	e.setVeil(p)
	e.policy = p
	e.rules = make(map[rulesKey]*rules)
	e.texts = bounded.New[textKey, *analysis](e.limits.Texts, nil)
	e.told = make(map[string]bool)
	for _, d := range e.databases.All() {
		d.catalogue.forget() // other columns may matter now
	}
	for _, c := range e.conns.All() {
		e.learnIdentity(c)
	}
	e.releaseKnown()
}

// Handle takes in the next event.
func (e *Engine) Handle(ev event.Event) {
	if e.closed || ev == nil {
		return
	}
	e.now = max(e.now, ev.Meta().Time)
	switch ev := ev.(type) {
	case *event.ProcessStarted:
		e.processStarted(ev)
	case *event.ProcessPlaced:
		e.processPlaced(ev)
	case *event.ProcessExited:
		e.processExited(ev)
	case *event.ConnectionOpened:
		e.connectionOpened(ev)
	case *event.ConnectionClosed:
		e.connectionClosed(ev)
	case *event.Identity:
		e.identitySeen(ev)
	case *event.Revocation:
		e.revocationSeen(ev)
	case *event.HTTPRequest:
		e.requestStarted(ev)
	case *event.HTTPResponse:
		e.responseStarted(ev)
	case *event.HTTPResponseEnd:
		e.responseEnded(ev)
	case *event.ThreadStarted:
		e.threadStarted(ev)
	case *event.ThreadEnded:
		e.threadEnded(ev)
	case *event.ThreadWaited:
		e.threadWaited(ev)
	case *event.SessionStarted:
		e.sessionStarted(ev)
	case *event.SessionSetting:
		e.sessionSetting(ev)
	case *event.SessionDatabase:
		e.sessionDatabase(ev)
	case *event.SessionUnreadable:
		e.sessionUnreadable(ev)
	case *event.Statement:
		e.statementWritten(ev)
	case *event.Result:
		e.resultSeen(ev)
	case *event.SessionReady:
		e.sessionReady(ev)
	case *event.SessionDesync:
		e.sessionDesync(ev)
	case *event.Lost:
		e.lost(ev)
	}
	if e.now-e.timersRan >= int64(timerStep) {
		e.runTimers()
	}
}

// timerStep is the clock's resolution.
const timerStep = 100 * time.Millisecond

// sweepStep is how often gauges over all connections are counted anew.
const sweepStep = 5 * time.Second

func (e *Engine) runTimers() {
	e.timersRan = e.now
	for u := e.deferred.expired(e.now); u != nil; u = e.deferred.expired(e.now) {
		e.judgeEarly(u)
	}
	for u := e.meeting.expired(e.now); u != nil; u = e.meeting.expired(e.now) {
		e.missed(u)
	}
	for u := e.bearing.expired(e.now); u != nil; u = e.bearing.expired(e.now) {
		e.outlived(u)
	}
	for u := e.parting.expired(e.now); u != nil; u = e.parting.expired(e.now) {
		e.parted(u)
	}
	for u := e.grouped.expired(e.now); u != nil; u = e.grouped.expired(e.now) {
		e.leaveGroup(u)
	}
	for u := e.held.expired(e.now); u != nil; u = e.held.expired(e.now) {
		e.giveUpName(u)
	}
	e.findings.flush(e.now, false)
	if e.now-e.sweptAt >= int64(sweepStep) {
		e.sweptAt = e.now
		e.countExpired()
		e.sayEnded()
	}
}

// Close judges what is pending with what is known, and sends the counts of findings that were not sent yet. The engine takes in nothing any more.
func (e *Engine) Close() {
	if e.closed {
		return
	}
	for id, c := range e.conns.All() {
		e.conns.Delete(id)
		e.endConnection(c)
	}
	for u := e.bearing.first(); u != nil; u = e.bearing.first() {
		e.outlived(u)
	}
	for u := e.parting.first(); u != nil; u = e.parting.first() {
		e.parted(u)
	}
	for u := e.meeting.first(); u != nil; u = e.meeting.first() {
		e.missed(u)
	}
	for u := e.deferred.first(); u != nil; u = e.deferred.first() {
		e.judge(u)
	}
	for u := e.grouped.first(); u != nil; u = e.grouped.first() {
		e.leaveGroup(u)
	}
	for u := e.held.first(); u != nil; u = e.held.first() {
		e.giveUpName(u)
	}
	e.findings.flush(e.now, true)
	e.closed = true
}
