package correlate

import (
	"cmp"
	"time"
)

// Limits bound what an Engine remembers. What has to leave is judged with what is known, and counted in tenantrace_evicted_total.
type Limits struct {
	Processes   int // 16,384
	Threads     int // of a process: 4,096
	Connections int // 131,072
	Requests    int // open at a time: 65,536
	Lingering   int // ended ones of a process that may still cause statements: 4,096
	Tokens      int // identifiers of requests, made by servers: 8,192
	InFlight    int // statements of a database connection without their answer: 4,096
	Prepared    int // PREPARE bodies and cursors of a database connection, each: 256
	Texts       int // SQL texts whose analysis is kept: 2,048
	Deferred    int // statements that wait for the end of their request or transaction, each: 20,000
	Held        int // statements that wait for a name to become known: 10,000
	Names       int // tenants known from certificates, of all services: 1,000,000
	Databases   int // of all services: 1,024
	Tables      int // of a database: 10,000
	Findings    int // open ones: 10,000

	DeferFor    time.Duration // how long a statement waits for the end of its request or transaction: 30 s
	HoldFor     time.Duration // how long one waits for a name to become known: 60 s
	UpdateEvery time.Duration // the least time between two updates of a finding: 60 s
}

func (l Limits) withDefaults() Limits {
	l.Processes = cmp.Or(l.Processes, 16_384)
	l.Threads = cmp.Or(l.Threads, 4_096)
	l.Connections = cmp.Or(l.Connections, 131_072)
	l.Requests = cmp.Or(l.Requests, 65_536)
	l.Lingering = cmp.Or(l.Lingering, 4_096)
	l.Tokens = cmp.Or(l.Tokens, 8_192)
	l.InFlight = cmp.Or(l.InFlight, 4_096)
	l.Prepared = cmp.Or(l.Prepared, 256)
	l.Texts = cmp.Or(l.Texts, 2_048)
	l.Deferred = cmp.Or(l.Deferred, 20_000)
	l.Held = cmp.Or(l.Held, 10_000)
	l.Names = cmp.Or(l.Names, 1_000_000)
	l.Databases = cmp.Or(l.Databases, 1_024)
	l.Tables = cmp.Or(l.Tables, 10_000)
	l.Findings = cmp.Or(l.Findings, 10_000)
	l.DeferFor = cmp.Or(l.DeferFor, 30*time.Second)
	l.HoldFor = cmp.Or(l.HoldFor, 60*time.Second)
	l.UpdateEvery = cmp.Or(l.UpdateEvery, 60*time.Second)
	return l
}
