package event

// Task says for which request the code works that writes a statement, where the runtime tells: CPython's current context (PEP 567), which is that of the read of
// a request or descends from it. It is the one of the write that completed the statement.
type Task struct {
	Conn   ConnID    `json:"conn,omitempty"`   // of the request; 0 if there is none
	Read   uint64    `json:"read,omitempty"`   // number of the read on Conn that it began with, or a later one of the same request; 0: it began before the first
	Direct bool      `json:"direct,omitempty"` // it is the very context that read, not one that descends from it: what it does later may be for another cause
	Own    bool      `json:"own,omitempty"`    // Direct, and nothing but what read runs in it: a greenlet
	None   TaskCause `json:"none,omitempty"`   // why there is no Conn
}

// TaskCause says why no request is known.
type TaskCause string

// The causes.
const (
	TaskNone       TaskCause = "none"       // the context descends from no read: a pool's or a background thread's own, say
	TaskShared     TaskCause = "shared"     // it read for several connections, or may: it is that of a loop, or a thread's own
	TaskUnreadable TaskCause = "unreadable" // the thread's memory was not resident
	TaskForeign    TaskCause = "foreign"    // the thread is none of the interpreter's
	TaskBacklog    TaskCause = "backlog"    // what was written had waited for room: another may have written it
	TaskClosed     TaskCause = "closed"     // the connection that it began with is not followed any more
)
