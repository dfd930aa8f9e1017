package stream

import (
	"bytes"
	"net/netip"

	"tenantrace/bpf"
	"tenantrace/collector/event"
)

// Address families (socket(2)).
const (
	afUnix  = 1
	afInet  = 2
	afInet6 = 10
)

// socket is what is known of a socket.
type socket struct {
	net, local, remote string
	late               bool
}

// socketsMax bounds the sockets remembered; the table is rebuilt from the live streams when it is full.
const socketsMax = 4 * DefaultMax

// Socket takes the description of a socket.
func (r *Registry) Socket(h event.Header, rec *bpf.TracerSocketRecord) {
	if len(r.sockets) >= socketsMax {
		r.forgetSockets()
	}
	s := &socket{late: rec.Origin == uint32(bpf.TracerSocketOriginORIGIN_LATE)}
	switch rec.Family {
	case afUnix:
		s.net = "unix"
		s.remote = unixPath(rec.Path[:])
	case afInet, afInet6:
		s.net = "tcp"
		s.local = addressOf(rec.Family, rec.Local, rec.LocalPort)
		s.remote = addressOf(rec.Family, rec.Remote, rec.RemotePort)
	}
	r.sockets[rec.Socket] = s
}

// unixPath is the name of a unix socket (unix(7)): a path, or "@name" for an abstract one.
func unixPath(b []byte) string {
	if len(b) > 1 && b[0] == 0 && b[1] != 0 {
		return "@" + string(bytes.TrimRight(b[1:], "\x00"))
	}
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return string(b)
}

func addressOf(family uint16, ip [16]uint8, port uint16) string {
	a := netip.AddrFrom16(ip).Unmap()
	if family == afInet {
		a = netip.AddrFrom4([4]byte(ip[:4]))
	}
	return netip.AddrPortFrom(a, port).String()
}

func (r *Registry) address(id bpf.TracerSocketId) (net, local, remote string) {
	if s := r.sockets[id]; s != nil {
		return s.net, s.local, s.remote
	}
	return "", "", ""
}

// forgetSockets keeps only the sockets of live streams.
func (r *Registry) forgetSockets() {
	keep := make(map[bpf.TracerSocketId]*socket, len(r.streams))
	for _, s := range r.streams {
		if k := r.sockets[s.socket]; k != nil {
			keep[s.socket] = k
		}
	}
	r.sockets = keep
}

// SocketData takes a piece of a plain socket.
func (r *Registry) SocketData(h event.Header, rec *bpf.TracerSocketDataRecord, data []byte) {
	s := r.find(rec.Socket)
	if s == nil {
		role := event.RoleServer
		switch bpf.TracerSocketClass(rec.Class) {
		case bpf.TracerSocketClassCLASS_POSTGRESQL, bpf.TracerSocketClassCLASS_MYSQL:
			role = event.RoleClient
		}
		s = r.add(h, rec.Socket, &stream{role: role, socket: rec.Socket})
		if k := r.sockets[rec.Socket]; k != nil {
			s.late = k.late
		}
	}
	r.note(s, h.PID, &rec.Task)
	r.take(s, piece{header: h, direction: bpf.TracerDirection(rec.Direction & 1), offset: rec.Offset, length: uint64(rec.Length), data: data})
}

// SocketClosed ends a socket and the connections on it.
func (r *Registry) SocketClosed(h event.Header, id bpf.TracerSocketId) {
	if s := r.streams[id]; s != nil {
		r.remove(r.owned(h, s), s)
	}
	if s := r.onSocket(id); s != nil {
		r.remove(r.owned(h, s), s)
	}
	delete(r.sockets, id)
}

// owned gives a record of interrupt context the process that the stream belongs to.
func (r *Registry) owned(h event.Header, s *stream) event.Header {
	if h.PID != s.pid {
		h.PID, h.TID = s.pid, 0
	}
	return h
}
