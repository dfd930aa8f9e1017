// Package pgwire reads the PostgreSQL frontend/backend protocol, version 3, from captured bytes of both directions of one connection,
// as its client sees it. It is a pure incremental parser: bytes may be split anywhere and may be missing in the middle of messages; what
// it holds is bounded; and hostile bytes give a desynchronised session, never a panic. Message formats are those of the PostgreSQL
// manual, chapter "Frontend/Backend Protocol".
package pgwire

import "tenantrace/collector/event"

// Direction is a direction of the connection.
type Direction uint8

// The directions.
const (
	FromClient Direction = iota
	FromServer
)

// Config is what sessions have in common.
type Config struct {
	// Wanted tells whether a result column's values are kept, by the column's name in lower case. Nil: none are.
	Wanted func(column string) bool
	// Catalog is shared by the sessions of one server. Nil: the session has one of its own.
	Catalog *Catalog
	// MaxText is the most bytes of SQL text kept of a statement; 0 means DefaultMaxText.
	MaxText int
}

// DefaultMaxText is the most bytes of SQL text kept of a statement unless Config says otherwise.
const DefaultMaxText = 64 << 10

// phase is what a session does with the bytes it gets.
type phase uint8

const (
	starting phase = iota // the client's next message is an untyped one of the start-up
	running               // typed messages both ways
	lost                  // framing or pairing is lost: waits for an idle server and the client's next write
	over                  // nothing of this protocol follows: encrypted, a cancel request, or closed
)

// Session parses one connection. It is for use from one goroutine.
type Session struct {
	cfg  Config
	conn event.ConnID
	emit func(event.Event)

	phase     phase
	encrypted bool
	asked     byte // 'S' or 'G': an encryption request whose one-byte answer is to come
	started   bool // SessionStarted was emitted

	front, back stream

	// While lost: framed says that the server's framing still holds; tail are its last bytes otherwise; idle is the transaction status
	// of the ReadyForQuery that it sent last, 0 when it is busy or unknown.
	framed bool
	tail   [6]byte
	idle   byte
	// quiet: found late, and nothing has passed since. unproven: begun by a Query of a quiet client, until the server's next ReadyForQuery.
	quiet, unproven bool
	// While running: adrift says that the server's framing is lost until the end of its answer, hidden that its last bytes were not captured; copyLost
	// that the client's is, within COPY data, until the server is ready.
	adrift, hidden, copyLost bool

	queue    queue
	seq      uint64
	skipping bool       // the server discards messages until the client's next Sync
	copying  bool       // the server takes COPY data and ignores Sync until CopyDone or CopyFail
	early    *earlyCopy // data that came before; nil: none
	// By ParameterStatus: client_encoding is a wide one; standard_conforming_strings is off, so that backslashes are escapes.
	wide, backslashes bool

	prepared prepared
	tables   *tables // what is known of the session's database
	answer   answer
	row      rowReader
	tag      string // the last command tag, to spare its next copy
	text     string // the last SQL text of at most maxSame bytes, as tag
	scratch  []byte

	descriptions descriptions
}

// New returns the parser of the connection conn. Events go to emit, in order, during the calls that complete them.
func New(cfg Config, conn event.ConnID, emit func(event.Event)) *Session {
	if cfg.Wanted == nil {
		cfg.Wanted = func(string) bool { return false }
	}
	if cfg.Catalog == nil {
		cfg.Catalog = NewCatalog()
	}
	if cfg.MaxText <= 0 {
		cfg.MaxText = DefaultMaxText
	}
	// Whose database it is, is not known yet: what is learned meanwhile stays with the session.
	return &Session{cfg: cfg, conn: conn, emit: emit, framed: true, tables: &tables{}}
}

// Encrypted reports that the server agreed to encrypt: what follows on this byte stream is TLS or GSSAPI, not this protocol.
func (s *Session) Encrypted() bool { return s.encrypted }

// Ended reports that the client said goodbye: Terminate, or a cancel request, after which nothing follows.
func (s *Session) Ended() bool { return s.phase == over && !s.encrypted }

// Late says, before any data, that the connection is older than its tracing. The session begins at the first write of the client that
// follows a ReadyForQuery of the server; or at once with a whole Query, if that is the first thing that passes.
func (s *Session) Late(h event.Header) {
	if s.phase != starting {
		return
	}
	s.start(h, &event.SessionStarted{Unknown: true})
	s.phase, s.framed, s.quiet = lost, false, true
}

// Desync says that an unknown number of bytes of a direction was lost.
func (s *Session) Desync(h event.Header, dir Direction) { s.lose(h, dir) }

// Close ends the session: every statement still without an answer ends unseen.
func (s *Session) Close(h event.Header) {
	s.abandon(h)
	s.front, s.back = stream{}, stream{}
	s.prepared.forget()
	s.phase = over
}

// start emits SessionStarted, once.
func (s *Session) start(h event.Header, started *event.SessionStarted) {
	if s.started {
		return
	}
	s.started = true
	started.Header, started.Conn, started.Engine = h, s.conn, event.PostgreSQL
	s.emit(started)
}
