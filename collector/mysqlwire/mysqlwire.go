// Package mysqlwire reads the MySQL client/server protocol, as MySQL and MariaDB speak it, from captured bytes of both directions of one connection, as its
// client sees it. It is a pure incremental parser: bytes may be split anywhere and may be missing in the middle of packets; what it holds is bounded; and
// hostile bytes give a desynchronised session, never a panic. Packet formats are those of the "MySQL Internals" manual, chapter "Client/Server
// Protocol", and of the MariaDB documentation, "Client/Server Protocol".
package mysqlwire

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
	// Names is shared by any number of sessions. Nil: the session has its own.
	Names *Names
	// MaxText is the most bytes of SQL text kept of a statement; 0 means DefaultMaxText.
	MaxText int
}

// DefaultMaxText is the most bytes of SQL text kept of a statement unless Config says otherwise.
const DefaultMaxText = 64 << 10

// phase is what a session does with the bytes it gets.
type phase uint8

const (
	starting phase = iota // the server's greeting comes next
	greeted               // the client's login, or its request for TLS, comes next
	secured               // TLS was asked for: what follows on this socket is not this protocol
	running               // commands and answers, those of the login first
	lost                  // framing or pairing is lost: waits for a client's write that is a command
	over                  // nothing that can be read follows
)

// Session parses one connection. It is for use from one goroutine.
type Session struct {
	cfg  Config
	conn event.ConnID
	emit func(event.Event)

	phase      phase
	unreadable bool // over, although the connection lives on
	greeting   Greeting
	caps       capabilities // in force; 0 while not known
	late       bool         // the login was not seen
	user       string
	database   string
	started    bool // SessionStarted was emitted

	front, back stream
	commands    queue
	seq         uint64
	infile      bool // the client sends the contents of a file
	unproven    bool // the command in flight is the first after a loss: an older answer may pass for its own
	noBackslash bool // sql_mode NO_BACKSLASH_ESCAPES is on

	// The answer to a Prepare is complete with its last definition, but an EOF may follow, numbered trailer, unless the login agreed to leave it out.
	trails, trailing bool
	trailer          byte

	prepared prepared
	answer   answer
	row      rowReader
	tag      string // the last tag, to spare its next copy
	scratch  []byte
}

// New returns the parser of the connection conn. Events go to emit, in order, during the calls that complete them.
func New(cfg Config, conn event.ConnID, emit func(event.Event)) *Session {
	if cfg.Wanted == nil {
		cfg.Wanted = func(string) bool { return false }
	}
	if cfg.Names == nil {
		cfg.Names = NewNames()
	}
	if cfg.MaxText <= 0 {
		cfg.MaxText = DefaultMaxText
	}
	return &Session{cfg: cfg, conn: conn, emit: emit}
}

// Secured says, before any data, that the bytes are those of a TLS connection whose plain beginning, the server's greeting and the client's request for TLS,
// went over the socket. The zero Greeting stands for one that was not seen.
func (s *Session) Secured(g Greeting) {
	if s.phase == starting {
		s.phase, s.greeting = greeted, g
	}
}

// Late says, before any data, that the connection is older than its tracing. The session begins at the first write of the client that is a command.
func (s *Session) Late(h event.Header) {
	if s.phase != starting {
		return
	}
	s.late = true
	s.start(h, true)
	s.phase = lost
}

// Greeting gives what the server's greeting said.
func (s *Session) Greeting() Greeting { return s.greeting }

// Unreadable reports that nothing of what follows on this byte stream can be read. That TLS was asked for is not enough: while its library's calls are
// followed, none of its bytes comes here.
func (s *Session) Unreadable() bool { return s.unreadable }

// Encrypted reports that the client asked for TLS, and nothing else followed on this byte stream yet.
func (s *Session) Encrypted() bool { return s.phase == secured }

// Ended reports that the client said goodbye.
func (s *Session) Ended() bool { return s.phase == over && !s.unreadable }

// Desync says that an unknown number of bytes of a direction was lost.
func (s *Session) Desync(h event.Header, _ Direction) { s.lose(h) }

// Close ends the session: every statement still without an answer ends unseen.
func (s *Session) Close(h event.Header) {
	s.abandon(h)
	s.front.drop()
	s.back.drop()
	s.prepared.forget()
	s.phase = over
}

// start emits SessionStarted.
func (s *Session) start(h event.Header, unknown bool) {
	s.started = true
	s.emit(&event.SessionStarted{Header: h, Conn: s.conn, Engine: event.MySQL, User: s.user, Database: s.database, Unknown: unknown})
}

// giveUp ends the session because of what follows.
func (s *Session) giveUp(h event.Header, why event.UnreadableReason) {
	s.Close(h)
	s.unreadable = true
	s.emit(&event.SessionUnreadable{Header: h, Conn: s.conn, Reason: why})
}
