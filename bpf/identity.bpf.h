/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The peer's identity, read from the SSL object by offsets that Go learned from the library's own accessors. */
#ifndef TENANTRACE_IDENTITY_H
#define TENANTRACE_IDENTITY_H

#define CERTIFICATE_MEDIUM 2048
#define CERTIFICATE_LARGE 16384

/* Reads who the peer is. False: no connection to speak of yet, or a QUIC object. On a fault the flags say TLS_UNREADABLE. */
static __always_inline bool sample_ssl(struct library *library, __u64 ssl, struct tls_sample *s)
{
	__u64 holder = ssl;
	__u32 type = 0, server = 0, any = 0;

	if (library->quic && (!read_u32(&type, ssl) || type))
		return false;
	if (library->client_random_base && !read_u64(&holder, ssl + library->client_random_base))
		return false;
	if (!holder || bpf_probe_read_user(s->random, sizeof(s->random), (void *)(holder + library->client_random)))
		return false;
#pragma unroll
	for (int i = 0; i < RANDOM_SIZE; i++)
		any |= s->random[i];
	if (!any)
		return false;
	if (!read_u32(&server, ssl + library->server) || !read_u32(&s->verify_mode, ssl + library->verify_mode) ||
	    !read_u32(&s->version, ssl + library->version) || !read_u64((__u64 *)&s->verify_result, ssl + library->verify_result) ||
	    !read_u64(&s->session, ssl + library->session)) {
		s->flags |= TLS_UNREADABLE;
		return true;
	}
	if (server)
		s->flags |= TLS_SERVER;
	if (s->session && !read_u64(&s->peer, s->session + library->peer))
		s->flags |= TLS_UNREADABLE;
	if (s->peer)
		s->flags |= TLS_HAS_PEER;
	return true;
}

static __always_inline int emit_identity_sized(struct traced_process *process, struct library *library, struct call *call, struct tls_sample *s,
					       __u64 tbs, __u32 length, const __u32 size)
{
	struct tls_identity_record *r = bpf_ringbuf_reserve(&events, sizeof(*r) + size, 0);
	__u64 signature = 0, n = length;
	__u32 bits = 0;
	int fault = 0;

	if (!r) {
		count_drop(process, DROP_RINGBUF);
		return -1;
	}
	fill_header(&r->header, process, RECORD_TLS_IDENTITY);
	r->ssl = call->ssl;
	r->socket = call->socket;
	r->verify_result = s->verify_result;
	r->verify_mode = s->verify_mode;
	r->version = s->version;
	r->flags = s->flags;
	r->length = length;
	r->captured = 0;
	r->signature_length = 0;
	__builtin_memcpy(r->random, s->random, sizeof(r->random));
	fault = fill_session(r, library, s);
	if (tbs) {
		BOUND(n, size);
		if (!bpf_probe_read_user((void *)(r + 1), n, (void *)tbs))
			r->captured = n;
		else
			fault = -1;
		if (!read_u32(&bits, s->peer + library->signature) || !read_u64(&signature, s->peer + library->signature + 8))
			fault = -1;
		r->signature_length = n = bits;
		if (n > SIGNATURE_MAX)
			n = 0;
		BOUND(n, SIGNATURE_MAX);
		if (!fault)
			fault = bpf_probe_read_user(r->signature, n, (void *)signature);
	}
	if (fault) {
		r->flags |= TLS_UNREADABLE;
		count_drop(process, DROP_READ_FAULT);
	}
	submit(r);
	return fault;
}

/* 0: emitted whole; else to be tried again at the next exit. */
static __noinline int emit_identity(struct traced_process *process, struct library *library, struct call *call, struct tls_sample *s)
{
	__u64 tbs = 0, length = 0;

	if (s->flags & TLS_UNREADABLE || !s->peer)
		return emit_identity_sized(process, library, call, s, 0, 0, 0);
	if (!read_u64(&tbs, s->peer + library->tbs) || !read_u64(&length, s->peer + library->tbs + 8) || !tbs) {
		s->flags |= TLS_UNREADABLE;
		return emit_identity_sized(process, library, call, s, 0, 0, 0);
	}
	if (length > 0xffffffff)
		length = 0xffffffff;
	if (length <= CERTIFICATE_MEDIUM)
		return emit_identity_sized(process, library, call, s, tbs, length, CERTIFICATE_MEDIUM);
	return emit_identity_sized(process, library, call, s, tbs, length, CERTIFICATE_LARGE);
}

#endif
