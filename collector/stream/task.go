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
	case bpf.TracerTaskStateTASK_DIRECT, bpf.TracerTaskStateTASK_COPY:
	default:
		return &event.Task{None: taskCauses[state]}
	}
	var s *stream
	if t.Tls != 0 {
		s = r.streams[tlsKey{pid, t.Object}]
		if s != nil && binary.NativeEndian.Uint64(s.random[:]) != t.Nonce {
			s = nil
		}
	} else {
		s = r.streams[bpf.TracerSocketId{Sk: t.Object, Inode: t.Nonce}]
	}
	if s == nil || !s.opened {
		return &event.Task{None: event.TaskClosed}
	}
	return &event.Task{Conn: s.conn, Read: s.number(t.Read), Direct: state == bpf.TracerTaskStateTASK_DIRECT}
}

// number is that of a read among all of the stream: the kernel side counts anew after each handshake.
func (s *stream) number(read uint64) uint64 {
	if read == 0 {
		return 0
	}
	return s.base[bpf.TracerDirectionDIRECTION_IN] + read
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
