package daemon

import (
	"context"
	"log/slog"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tenantrace/correlate/policy"
)

// watchInterval is how often the policy's files are looked at.
const watchInterval = 2 * time.Second

// rules is the policy in force and the file that it comes from. A file that turns bad leaves the policy in force.
type rules struct {
	path string // "": the embedded policy, which never changes
	log  *slog.Logger

	mu      sync.Mutex
	policy  *policy.Policy
	success time.Time        // of the last load that succeeded
	seen    map[string]stamp // the files as they were before the last load, good or bad

	failures prometheus.Counter
}

// openRules loads the policy of path.
func openRules(path string, log *slog.Logger, registry prometheus.Registerer) (*rules, error) {
	r := &rules{path: path, log: log, policy: policy.Default(), success: time.Now(), failures: prometheus.NewCounter(prometheus.CounterOpts{
		Name: "tenantrace_policy_reload_failures_total",
		Help: "Reloads of the policy that failed and left the old one in force.",
	})}
	if path != "" {
		r.seen = map[string]stamp{path: stampOf(path)}
		p, err := policy.Load(path)
		if err != nil {
			return nil, policy.Discreet(err, false)
		}
		r.policy = p
		for _, file := range p.Files() {
			r.seen[file] = stampOf(file)
		}
		r.sayNotes()
	}
	return r, registerAll(registry, r.failures, ruleMetrics{r})
}

// Policy is the policy in force.
func (r *rules) Policy() *policy.Policy {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.policy
}

// loaded is when the policy in force was last read.
func (r *rules) loaded() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.success
}

// follow reads the policy again on each hangup and whenever one of its files changed, until ctx is done, and tells changed each new one.
// A hangup reopens the output files too. The revocation lists follow the policy and their own files.
func (r *rules) follow(ctx context.Context, hangup <-chan os.Signal, out *outputs, revoked *revocation, changed func(*policy.Policy)) {
	ticker := time.NewTicker(watchInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangup:
			if err := out.reopen(); err != nil {
				r.log.Error("cannot reopen output", "err", err)
			}
			r.reload(changed)
		case <-ticker.C:
			if r.touched() {
				r.reload(changed)
			}
		}
		revoked.follow(r.Policy().CertificateRules().Revocation)
	}
}

// reload reads the policy file again; a bad one is said and counted, and the old policy stays.
func (r *rules) reload(changed func(*policy.Policy)) {
	if r.path == "" {
		return
	}
	old := r.Policy()
	// The files are looked at before they are read: a change in between is then seen as one after it.
	seen := make(map[string]stamp)
	for _, file := range r.files(old) {
		seen[file] = stampOf(file)
	}
	p, err := policy.Load(r.path)
	if err != nil {
		r.failures.Inc()
		r.set(old, seen, r.loaded())
		r.log.Error("the policy is broken; the old one stays in force until the file changes again", "policy", old.Hash(),
			"err", policy.Discreet(err, old.Pseudonyms() != nil))
		return
	}
	for _, file := range p.Files() {
		if _, ok := seen[file]; !ok {
			seen[file] = stampOf(file)
		}
	}
	r.set(p, seen, time.Now())
	if p.Same(old) {
		return
	}
	changed(p)
	attrs := []any{"policy", p.Hash(), "was", old.Hash()}
	if now := p.Key(); !now.SameKey(old.Key()) {
		attrs = append(attrs, "privacy_key", keyID(now), "privacy_key_was", keyID(old.Key()))
	}
	r.log.Info("policy reloaded", attrs...)
	r.sayNotes()
}

// sayNotes says what of the policy in force has no effect.
func (r *rules) sayNotes() {
	for _, note := range r.Policy().Notes() {
		r.log.Warn("a part of the policy has no effect", "note", note)
	}
}

func (r *rules) set(p *policy.Policy, seen map[string]stamp, success time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.policy, r.seen, r.success = p, seen, success
}

// touched tells whether a file of the policy differs from what was last loaded.
func (r *rules) touched() bool {
	if r.path == "" {
		return false
	}
	for _, file := range r.files(r.Policy()) {
		now := stampOf(file)
		r.mu.Lock()
		same := r.seen[file] == now
		r.mu.Unlock()
		if !same {
			return true
		}
	}
	return false
}

// files are the policy file and the files that p names.
func (r *rules) files(p *policy.Policy) []string {
	return append([]string{r.path}, p.Files()...)
}

// stamp tells two states of a file apart; the zero stamp is a file that cannot be looked at.
type stamp struct {
	modified int64 // nanoseconds since the Unix epoch
	size     int64
	inode    uint64 // a file that is replaced by renaming may keep size and time
}

func stampOf(path string) stamp {
	info, err := os.Stat(path)
	if err != nil {
		return stamp{}
	}
	s := stamp{modified: info.ModTime().UnixNano(), size: info.Size()}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		s.inode = stat.Ino
	}
	return s
}
