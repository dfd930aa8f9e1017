package stream

import (
	"encoding/binary"

	"tenantrace/bpf"
	"tenantrace/collector/event"
)

// taskCauses name what the kernel side says of a statement without a request.
var taskCauses = map[bpf.TracerTaskState]event.TaskCause{
	bpf.TracerTaskStateTASK_NONE: event.TaskNone, bpf.TracerTaskStateTASK_SHARED: event.TaskShared, bpf.TracerTaskStateTASK_UNREADABLE: event.TaskUnreadable,
	bpf.TracerTaskStateTASK_FOREIGN: event.TaskForeign, bpf.TracerTaskStateTASK_BACKLOG: event.TaskBacklog,
}

// task gives the kernel side's word for which request a statement was written, nil if it was not asked. The connection is named by its SSL object and the first
// bytes of its client's random, or by its socket: of a stream with the same address another connection's would differ.
func (r *Registry) task(pid uint32, t *bpf.TracerTask) *event.Task {
	state := bpf.TracerTaskState(t.State)
	switch state {
	case bpf.TracerTaskStateTASK_UNKNOWN:
		return nil
	case bpf.TracerTaskStateTASK_DIRECT, bpf.TracerTaskStateTASK_GREENLET, bpf.TracerTaskStateTASK_COPY:
	default:
		return &event.Task{None: taskCauses[state]}
	}
	begun, ok := r.begun(origin{pid, t.Object, t.Nonce, t.Tls != 0})
	if !ok {
		return &event.Task{None: event.TaskClosed}
	}
	return &event.Task{
		Conn: begun.conn, Read: number(begun.base, t.Read), Direct: state != bpf.TracerTaskStateTASK_COPY, Own: state == bpf.TracerTaskStateTASK_GREENLET,
	}
}

// note takes what the kernel side says of a piece's task.
func (r *Registry) note(s *stream, pid uint32, t *bpf.TracerTask) {
	s.readNo, s.task = number(s.base[bpf.TracerDirectionDIRECTION_IN], t.Read), r.task(pid, t)
	s.tasks = s.tasks || s.role == event.RoleServer && t.Read != 0
}

// number is that of a read among all of a stream: the kernel side counts anew after each handshake, before which there were base bytes.
func number(base, read uint64) uint64 {
	if read == 0 {
		return 0
	}
	return base + read
}

// origin names the connection that a task began with as the kernel side does.
type origin struct {
	pid           uint32
	object, nonce uint64
	tls           bool
}

// begun is what a task needs to know of it.
type begun struct {
	conn event.ConnID
	base uint64
}

// begun finds the connection of an origin, also if it was closed not long ago: its tasks may run on.
func (r *Registry) begun(o origin) (begun, bool) {
	var s *stream
	if o.tls {
		s = r.streams[tlsKey{o.pid, o.object}]
	} else {
		s = r.streams[bpf.TracerSocketId{Sk: o.object, Inode: o.nonce}]
	}
	if s != nil && s.opened && s.origin() == o {
		return begun{s.conn, s.base[bpf.TracerDirectionDIRECTION_IN]}, true
	}
	b, ok := r.closed.of[o]
	return b, ok
}

func (s *stream) origin() origin {
	switch key := s.key.(type) {
	case tlsKey:
		return origin{s.pid, key.ssl, binary.NativeEndian.Uint64(s.random[:]), true}
	case bpf.TracerSocketId:
		return origin{s.pid, key.Sk, key.Inode, false}
	}
	return origin{}
}

// closedMax is the most closed connections that are remembered for their tasks; over it the oldest is forgotten, and what its tasks write has none.
const closedMax = 4096

// closed are closed connections, in the order of their end.
type closed struct {
	of    map[origin]begun
	order [closedMax]origin
	next  int
}

func (c *closed) add(o origin, b begun) {
	if c.of == nil {
		c.of = map[origin]begun{}
	}
	delete(c.of, c.order[c.next])
	c.of[o], c.order[c.next] = b, o
	c.next = (c.next + 1) % closedMax
}

// emitter gives what a stream's parser emits its read or its task.
func (r *Registry) emitter(s *stream) func(event.Event) {
	return func(e event.Event) {
		switch e := e.(type) {
		case *event.HTTPRequest:
			e.Read = s.readNo
		case *event.Statement:
			e.Task = s.task
		}
		r.cfg.Emit(e)
	}
}
