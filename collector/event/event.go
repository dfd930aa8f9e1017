// Package event holds the value types of everything that the collector observes. It is the narrow waist of tenantrace: the
// collector produces these values, correlate judges them, and a recording is a file of them. It imports the standard library only.
package event

// Event is one observation. The concrete types of this package are its only implementations; each is used as a pointer.
type Event interface {
	// Meta gives where and when the observation was made.
	Meta() Header
}

// Header says when and by which thread something was observed.
type Header struct {
	Time int64  `json:"time"`          // nanoseconds since the Unix epoch, UTC; never decreases within a process's thread
	PID  uint32 `json:"pid,omitempty"` // thread group id in the root pid namespace; 0: no process (Tick, host-wide Lost)
	TID  uint32 `json:"tid,omitempty"` // thread id in the root pid namespace
}

// Meta implements Event.
func (h Header) Meta() Header { return h }

// ConnID names a connection: unique within a recording, assigned in order of first sight, never reused.
type ConnID uint64

// ProcessStarted is the first sight of a traced process: at attach, at fork, or at exec (a second one for the same PID replaces the first).
type ProcessStarted struct {
	Header
	Parent  uint32 `json:"parent,omitempty"` // PID of the parent if it forked from a traced process, else 0
	Exe     string `json:"exe"`              // path of the executable as the kernel names it
	Name    string `json:"name"`             // comm, at most 15 bytes
	Cgroup  string `json:"cgroup,omitempty"` // path of its control group in the unified hierarchy, or systemd's; "" unknown
	Service string `json:"service"`          // systemd unit (without its suffix), else the base name of Exe
	Late    bool   `json:"late,omitempty"`   // it ran before it was traced: requests may be open that were not seen
	// Threads tells that the creation of its threads is seen (ThreadStarted): a thread without one was there before the process read any request.
	Threads bool `json:"threads,omitempty"`
}

// ThreadStarted is the creation of a thread, whose id is TID.
type ThreadStarted struct {
	Header
	Parent uint32 `json:"parent"` // id of the thread that created it; 0 unknown
}

// ThreadEnded is the end of a thread of a process that goes on.
type ThreadEnded struct {
	Header
}

// ProcessExited ends a process; its connections end with it.
type ProcessExited struct {
	Header
}

// Role is the end of a connection that the traced process holds.
type Role string

// The roles of a traced process on a connection.
const (
	RoleServer Role = "server"
	RoleClient Role = "client"
)

// ConnectionOpened is the first sight of a connection that carries HTTP or a database protocol. TLS connections of the same socket
// have a ConnID of their own. It comes again, with the addresses, when the socket of a TLS connection becomes known later.
type ConnectionOpened struct {
	Header
	Conn   ConnID `json:"conn"`
	Role   Role   `json:"role"`
	TLS    bool   `json:"tls"`
	Net    string `json:"net"`            // "tcp", "unix", or "" while the socket is not known
	Local  string `json:"local"`          // host:port, or the path of a unix socket, or ""
	Remote string `json:"remote"`         // host:port, or the path of a unix socket, or ""
	Late   bool   `json:"late,omitempty"` // it existed before it was traced: its beginning was not seen
}

// ConnectionClosed ends a connection and every request and statement still open on it.
type ConnectionClosed struct {
	Header
	Conn ConnID `json:"conn"`
}

// ThreadWaited says that a thread which has read a request since its last ThreadWaited waited for several file descriptors at once
// (epoll_wait, poll or select on more than one, but not a poll of pipes alone). Such a thread multiplexes: its open requests cannot be told apart by thread.
type ThreadWaited struct {
	Header
}

// Lost says that events of a process (PID 0: of any process) were lost just before this one.
type Lost struct {
	Header
	Reason string `json:"reason"` // closed set: ringbuf, missed, map_full, read_fault, parser, shed
	Count  uint64 `json:"count"`  // events
}

// Tick is the clock: emitted at least every 250 ms while the collector runs, so that a replay has the live run's clock.
type Tick struct {
	Header
}
