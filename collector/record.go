package collector

import (
	"bytes"
	"unsafe"

	"tenantrace/bpf"
	"tenantrace/collector/event"
)

// view gives a record of the ring buffer as its type, and the payload behind it. False: the sample is shorter than the type.
func view[T any](sample []byte) (*T, []byte, bool) {
	var zero T
	size := int(unsafe.Sizeof(zero))
	if len(sample) < size {
		return nil, nil, false
	}
	return (*T)(unsafe.Pointer(unsafe.SliceData(sample))), sample[size:], true
}

// captured cuts the payload to what was captured.
func captured(payload []byte, n uint32) []byte {
	return payload[:min(int(n), len(payload))]
}

// handle decodes one record, takes it where it belongs, and gives its time. The sample is reused by the next read.
func (c *Collector) handle(sample []byte) int64 {
	head, _, ok := view[bpf.TracerRecordHeader](sample)
	if !ok {
		c.counts.badRecords.Add(1)
		return 0
	}
	c.counts.records.Add(1)
	h := event.Header{Time: c.clock.wall(head.Time), PID: head.Tgid, TID: head.Tid}
	if !c.taken(h, head, sample) {
		c.counts.badRecords.Add(1)
	}
	return h.Time
}

// taken takes one record. False: unknown, or too short.
func (c *Collector) taken(h event.Header, head *bpf.TracerRecordHeader, sample []byte) bool {
	switch bpf.TracerRecordType(head.Type) {
	case bpf.TracerRecordTypeRECORD_FILE:
		c.finder.Request(h.PID)
		return true
	case bpf.TracerRecordTypeRECORD_PROCESS:
		r, _, ok := view[bpf.TracerProcessRecord](sample)
		if ok {
			c.processChanged(h, r)
		}
		return ok
	case bpf.TracerRecordTypeRECORD_SOCKET_CLOSED:
		r, _, ok := view[bpf.TracerSocketClosedRecord](sample)
		if ok {
			c.streams.SocketClosed(h, r.Socket)
		}
		return ok
	}
	c.account(h, c.process(h), head.Lost)
	return c.transferred(h, head.Type, sample)
}

// transferred takes the records of connections and threads of traced processes. False: unknown, or too short.
func (c *Collector) transferred(h event.Header, kind uint32, sample []byte) bool {
	switch bpf.TracerRecordType(kind) {
	case bpf.TracerRecordTypeRECORD_SOCKET:
		r, _, ok := view[bpf.TracerSocketRecord](sample)
		if ok {
			c.streams.Socket(h, r)
		}
		return ok
	case bpf.TracerRecordTypeRECORD_SOCKET_DATA:
		r, data, ok := view[bpf.TracerSocketDataRecord](sample)
		if ok {
			c.streams.SocketData(h, r, captured(data, r.Captured))
		}
		return ok
	case bpf.TracerRecordTypeRECORD_TLS_IDENTITY:
		r, data, ok := view[bpf.TracerTlsIdentityRecord](sample)
		if ok {
			c.streams.Identity(h, r, captured(data, r.Captured))
		}
		return ok
	case bpf.TracerRecordTypeRECORD_TLS_DATA:
		r, data, ok := view[bpf.TracerTlsDataRecord](sample)
		if ok {
			c.streams.TLSData(h, r, captured(data, r.Captured))
		}
		return ok
	case bpf.TracerRecordTypeRECORD_TLS_FREED:
		r, _, ok := view[bpf.TracerTlsFreedRecord](sample)
		if ok {
			c.streams.TLSFreed(h, r.Ssl)
		}
		return ok
	case bpf.TracerRecordTypeRECORD_THREAD:
		r, _, ok := view[bpf.TracerThreadRecord](sample)
		if ok {
			c.threadChanged(h, r)
		}
		return ok
	case bpf.TracerRecordTypeRECORD_THREAD_WAITED:
		c.emit(&event.ThreadWaited{Header: h})
		return true
	}
	return false
}

// text is a C string.
func text(b []byte) string {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return string(b)
}
