package stream

import (
	"encoding/binary"
	"testing"

	"tenantrace/bpf"
	"tenantrace/collector/event"
)

// taskOf is what the kernel side says of code that descends from a read of the TLS connection with a random.
func taskOf(ssl uint64, random byte, read uint64, state bpf.TracerTaskState) bpf.TracerTask {
	nonce := [8]byte{random}
	return bpf.TracerTask{Object: ssl, Nonce: binary.NativeEndian.Uint64(nonce[:]), Read: read, State: uint32(state), Tls: 1}
}

func (b *bench) asked(ssl uint64, random byte, read, offset uint64, text string) *event.HTTPRequest {
	b.t.Helper()
	rec := &bpf.TracerTlsDataRecord{Ssl: ssl, Random: [32]uint8{random}, Flags: uint32(bpf.TracerTlsFlagsTLS_SERVER), Offset: offset, Length: uint32(len(text)),
		Task: taskOf(ssl, random, read, bpf.TracerTaskStateTASK_DIRECT), Socket: one}
	b.events = nil
	b.TLSData(head, rec, []byte(text))
	for _, e := range b.events {
		if r, ok := e.(*event.HTTPRequest); ok {
			return r
		}
	}
	return nil
}

func (b *bench) wrote(task bpf.TracerTask, offset *uint64, text string) *event.Statement {
	b.t.Helper()
	data := append([]byte{'Q', 0, 0, 0, byte(len(text) + 5)}, append([]byte(text), 0)...)
	rec := &bpf.TracerSocketDataRecord{Socket: bpf.TracerSocketId{Sk: 50, Inode: 51}, Class: uint32(bpf.TracerSocketClassCLASS_POSTGRESQL), Direction: 1,
		Offset: *offset, Length: uint32(len(data)), Task: task}
	*offset += uint64(len(data))
	b.events = nil
	b.SocketData(head, rec, data)
	for _, e := range b.events {
		if s, ok := e.(*event.Statement); ok {
			return s
		}
	}
	b.t.Fatalf("no statement: %v", b.events)
	return nil
}

func TestTask(t *testing.T) {
	const get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
	b := newBench(t, 0)
	var at uint64
	if r := b.asked(7, 1, 1, 0, get[:10]); r != nil {
		t.Fatalf("half a request: %+v", r)
	}
	r := b.asked(7, 1, 11, 10, get[10:])
	if r == nil || r.Read != 11 {
		t.Fatalf("request %+v, want read 11", r)
	}
	copied, direct := bpf.TracerTaskStateTASK_COPY, bpf.TracerTaskStateTASK_DIRECT
	for name, c := range map[string]struct {
		task bpf.TracerTask
		want *event.Task
	}{
		"not asked":           {bpf.TracerTask{}, nil},
		"a copy":              {taskOf(7, 1, 11, copied), &event.Task{Conn: r.Conn, Read: 11}},
		"the reader":          {taskOf(7, 1, 11, direct), &event.Task{Conn: r.Conn, Read: 11, Direct: true}},
		"a greenlet":          {taskOf(7, 1, 11, bpf.TracerTaskStateTASK_GREENLET), &event.Task{Conn: r.Conn, Read: 11, Direct: true, Own: true}},
		"the connection's":    {taskOf(7, 1, 0, copied), &event.Task{Conn: r.Conn}},
		"another random":      {taskOf(7, 2, 11, copied), &event.Task{None: event.TaskClosed}},
		"another object":      {taskOf(8, 1, 11, copied), &event.Task{None: event.TaskClosed}},
		"a plain socket":      {bpf.TracerTask{Object: 7, Nonce: 1, Read: 1, State: uint32(copied)}, &event.Task{None: event.TaskClosed}},
		"none":                {taskOf(7, 1, 11, bpf.TracerTaskStateTASK_NONE), &event.Task{None: event.TaskNone}},
		"a loop":              {taskOf(7, 1, 11, bpf.TracerTaskStateTASK_SHARED), &event.Task{None: event.TaskShared}},
		"unreadable":          {taskOf(7, 1, 11, bpf.TracerTaskStateTASK_UNREADABLE), &event.Task{None: event.TaskUnreadable}},
		"a thread of another": {taskOf(7, 1, 11, bpf.TracerTaskStateTASK_FOREIGN), &event.Task{None: event.TaskForeign}},
		"had waited":          {taskOf(7, 1, 11, bpf.TracerTaskStateTASK_BACKLOG), &event.Task{None: event.TaskBacklog}},
	} {
		s := b.wrote(c.task, &at, "SELECT 1")
		if (s.Task == nil) != (c.want == nil) || s.Task != nil && *s.Task != *c.want {
			t.Errorf("%s: %+v, want %+v", name, s.Task, c.want)
		}
	}
	b.TLSFreed(head, 7) // its tasks run on
	if s := b.wrote(taskOf(7, 1, 11, copied), &at, "SELECT 1"); s.Task == nil || s.Task.Conn != r.Conn || s.Task.Read != 11 {
		t.Errorf("after the connection's end: %+v", s.Task)
	}
	for range closedMax {
		b.closed.add(origin{object: uint64(b.closed.next)}, begun{})
	}
	if s := b.wrote(taskOf(7, 1, 11, copied), &at, "SELECT 1"); s.Task == nil || s.Task.None != event.TaskClosed {
		t.Errorf("long after the connection's end: %+v", s.Task)
	}
	if n := len(b.closed.of); n != closedMax {
		t.Errorf("%d closed connections are remembered, want %d", n, closedMax)
	}
}

// After another handshake the kernel side counts reads anew, and names the connection by another random.
func TestTaskAfterRenegotiation(t *testing.T) {
	const get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
	b := newBench(t, 0)
	var at uint64
	first := b.asked(7, 1, 1, 0, get)
	second := b.asked(7, 2, 1, 0, get)
	if first == nil || second == nil || second.Conn != first.Conn || second.Read != uint64(len(get))+1 {
		t.Fatalf("requests %+v and %+v, want one connection and read %d", first, second, len(get)+1)
	}
	s := b.wrote(taskOf(7, 2, 1, bpf.TracerTaskStateTASK_COPY), &at, "SELECT 1")
	if s.Task == nil || s.Task.Conn != second.Conn || s.Task.Read != second.Read {
		t.Errorf("%+v, want that of %+v", s.Task, second)
	}
	if s := b.wrote(taskOf(7, 1, 1, bpf.TracerTaskStateTASK_COPY), &at, "SELECT 1"); s.Task == nil || s.Task.None != event.TaskClosed {
		t.Errorf("of before: %+v", s.Task)
	}
}

// A statement of MySQL has the task of the write that completed it.
func TestTaskOfMySQL(t *testing.T) {
	const get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
	b := newBench(t, 0)
	r := b.asked(7, 1, 1, 0, get)
	if r == nil {
		t.Fatal("no request")
	}
	const text = "SELECT 1"
	data := append([]byte{byte(len(text) + 1), 0, 0, 0, 3}, text...)
	b.events = nil
	b.SocketData(head, &bpf.TracerSocketDataRecord{Socket: bpf.TracerSocketId{Sk: 60, Inode: 61}, Class: uint32(bpf.TracerSocketClassCLASS_MYSQL), Direction: 1,
		Length: uint32(len(data)), Task: taskOf(7, 1, 1, bpf.TracerTaskStateTASK_COPY)}, data)
	for _, e := range b.events {
		if s, ok := e.(*event.Statement); ok {
			if want := (event.Task{Conn: r.Conn, Read: 1}); s.Task == nil || *s.Task != want {
				t.Errorf("task %+v, want %+v", s.Task, want)
			}
			return
		}
	}
	t.Errorf("no statement: %v", b.events)
}
