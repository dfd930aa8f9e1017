/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* OpenSSL: calls on a connection, its state, and the plaintext that they move. */
#ifndef TENANTRACE_TLS_H
#define TENANTRACE_TLS_H

#define LIBRARIES_MAX 256

/* Index (of the attach cookie) -> offsets. Written by Go before it attaches. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, LIBRARIES_MAX);
	__type(key, __u32);
	__type(value, struct library);
} libraries SEC(".maps");

struct tls_key {
	__u64 ssl;
	__u32 tgid;
	__u32 pad;
};

struct tls_state {
	__u8 random[RANDOM_SIZE]; /* of the client: the nonce of the connection, since addresses are reused at once */
	__u64 peer;
	__s64 verify_result;
	__u64 moved[2];
	struct socket_id socket;
	__u64 session_time; /* of a resumed session of TLS 1.3, as it was during the handshake */
	__u32 announced;
	__u32 renewed; /* another handshake of an announced connection */
	__u32 flags;
	__u32 rung;	 /* TLS_SOCKET_ of enum tls_flags */
	__u32 described; /* the socket was sent */
	__u32 pad;
};

/* SSL object of a process -> its connection. Deleted at SSL_free, else evicted. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, struct tls_key);
	__type(value, struct tls_state);
} tls_states SEC(".maps");

/* Cookie: library << 16 | kind << 8 | argument of the length pointer << 4 | enum length_from. */
static __always_inline __u64 cookie_of(void *ctx)
{
	return has_cookie ? bpf_get_attach_cookie(ctx) : fixed_cookie;
}

static __always_inline void call_entered(struct pt_regs *ctx)
{
	__u64 cookie = cookie_of(ctx), id = bpf_get_current_pid_tgid(), fifth;
	struct traced_process *process = trace_current();
	struct call fresh = {}, *outer;

	if (!process)
		return;
	fresh.ssl = CALL_ARG0(ctx);
	fresh.buffer = CALL_ARG1(ctx);
	fresh.stack = CALL_STACK(ctx);
	fresh.library = cookie >> 16;
	fresh.kind = cookie >> 8;
	fresh.length_from = cookie & 15;
	fresh.length_pointer = CALL_ARG3(ctx);
	fifth = CALL_ARG4(ctx);
	/* keeps clang from choosing between two context offsets, which the verifier refuses (all kernels) */
	asm volatile("" : "+r"(fifth));
	if (((cookie >> 4) & 15) == 4)
		fresh.length_pointer = fifth;
	outer = bpf_map_lookup_elem(&calls, &id);
	if (outer && fresh.stack < outer->stack) {
		if (outer->ssl != fresh.ssl)
			count_drop(process, DROP_NESTED);
		outer->depth++;
		return;
	}
	if (bpf_map_update_elem(&calls, &id, &fresh, BPF_ANY))
		count_drop(process, DROP_MAP_FULL);
}

static __always_inline bool same_random(const __u8 *a, const __u8 *b)
{
	const __u64 *x = (const __u64 *)a, *y = (const __u64 *)b;

	return x[0] == y[0] && x[1] == y[1] && x[2] == y[2] && x[3] == y[3];
}

/* Bytes that the call moved, 0 if it failed. */
static __always_inline __u32 moved_by(struct call *call, long ret)
{
	__u64 n = 0;

	if (call->length_from == LENGTH_RETURN)
		return (int)ret > 0 ? (int)ret : 0;
	if (call->length_from == LENGTH_ARGUMENT && (int)ret == 1 && read_u64(&n, call->length_pointer))
		return n > 0x7fffffff ? 0x7fffffff : n;
	return 0;
}

/* Not inlined: its stack and that of the task's functions would add up to more than there is. */
static __noinline int emit_moved(struct traced_process *process, struct call *call, struct tls_state *state, struct task *task, __u32 length)
{
	struct tls_data_record head = {};
	__u32 direction = call->kind == CALL_WRITE ? DIRECTION_OUT : DIRECTION_IN;

	fill_header(&head.header, process, RECORD_TLS_DATA);
	head.ssl = call->ssl;
	head.socket = state->socket;
	head.direction = direction;
	head.offset = state->moved[direction & 1];
	head.flags = state->flags | state->rung;
	__builtin_memcpy(head.random, state->random, sizeof(head.random));
	head.task = *task;
	state->moved[direction & 1] += length;
	if (direction == DIRECTION_IN && (state->flags & (TLS_SERVER | TLS_ROLE_UNKNOWN)))
		mark_reader();
	emit_tls_data(process, &head, call->buffer, length);
	return 0;
}

/* For which request a call works: a server's read, or a shake of hands, begins one; a client's write is asked. */
static __noinline int task_of_call(struct call *call, struct tls_state *state, struct task *task, bool moved)
{
	bool server = state->flags & (TLS_SERVER | TLS_ROLE_UNKNOWN);

	if (!python_of_current())
		return 0;
	if (call->kind == CALL_WRITE) {
		if (moved && !(state->flags & TLS_SERVER))
			task_now(task);
	} else if (server && (moved || call->kind == CALL_HANDSHAKE)) {
		task->object = call->ssl;
		task->nonce = *(__u64 *)state->random;
		task->tls = 1;
		task->read = moved ? state->moved[DIRECTION_IN] + 1 : 0;
		task_begins(task);
	}
	return 0;
}

/* Begins the state of a connection. Not inlined: it takes a fourth of the stack. */
static __noinline int begin_state(struct traced_process *process, struct tls_key *key, const __u8 *random, struct tls_state *before)
{
	struct tls_state fresh = {};

	if (before) {
		fresh.renewed = before->announced | before->renewed;
		keep_socket(&fresh.socket, &fresh.rung, &before->socket, before->rung);
	}
	__builtin_memcpy(fresh.random, random, sizeof(fresh.random));
	if (bpf_map_update_elem(&tls_states, key, &fresh, BPF_ANY))
		count_drop(process, DROP_MAP_FULL);
	return 0;
}

/* The state of the call's connection; a new one if the SSL object now serves another. */
static __always_inline struct tls_state *state_of(struct traced_process *process, struct tls_key *key, const __u8 *random)
{
	struct tls_state *state = bpf_map_lookup_elem(&tls_states, key);

	if (state && same_random(state->random, random))
		return state;
	begin_state(process, key, random, state);
	state = bpf_map_lookup_elem(&tls_states, key);
	return state && same_random(state->random, random) ? state : NULL;
}

/* Whether the identity is to be told. A call that moved nothing may be in the middle of a handshake: after it only that of a connection of which one was told
 * before, and whose handshake is over. Not inlined: its outcomes look alike to the verifier then (5.10: a third less). */
static __noinline bool to_be_told(struct library *library, __u64 ssl, struct tls_state *state, struct tls_sample *s, int ret)
{
	bool changed = state->peer != s->peer;

	if (ret > 0)
		return (!state->announced || changed || state->verify_result != s->verify_result) && !handshake_under_way(library, ssl);
	if (!state->announced && !state->session_time && s->session && s->version == TLS_1_3 && handshake_under_way(library, ssl) &&
	    session_resumed(library, ssl))
		state->session_time = session_time(library, s->session);
	return (state->announced ? changed : state->renewed) && !(s->flags & TLS_UNREADABLE) && handshake_over(library, ssl);
}

static __always_inline void call_exited(struct pt_regs *ctx)
{
	__u64 id = bpf_get_current_pid_tgid();
	__u32 tgid = id >> 32, length;
	struct call call, *c = bpf_map_lookup_elem(&calls, &id);
	struct tls_key key = {.tgid = tgid};
	struct traced_process *process;
	struct tls_sample sample = {};
	struct task task = {};
	struct tls_state *state;
	struct library *library;
	int ret = (int)CALL_RETURN(ctx);

	if (!c)
		return;
	if (c->depth) {
		c->depth--;
		return;
	}
	call = *c;
	bpf_map_delete_elem(&calls, &id);
	process = bpf_map_lookup_elem(&processes, &tgid);
	library = bpf_map_lookup_elem(&libraries, &call.library);
	if (!process || !library)
		return;
	key.ssl = call.ssl;
	if (library->known && !sample_ssl(library, call.ssl, &sample))
		return;
	state = state_of(process, &key, sample.random);
	if (!state)
		return;
	if (!library->known)
		state->flags = TLS_ROLE_UNKNOWN;
	else if (!(sample.flags & TLS_UNREADABLE)) /* a server may write before its handshake is over */
		state->flags = sample.flags & TLS_SERVER;
	if (call.socket.sk) {
		if (!same_socket(&call.socket, &state->socket))
			state->described = 0;
		state->socket = call.socket;
		state->rung = call.by_ciphertext ? TLS_SOCKET_BY_CIPHERTEXT : 0;
	} else if (library->known && !state->announced) {
		find_by_random(sample.random, sample.flags, &state->socket, &state->rung);
	}
	call.socket = state->socket;
	if (call.socket.sk && !state->described) {
		describe_socket(process, &call.socket);
		state->described = 1;
	}
	if (library->known && to_be_told(library, call.ssl, state, &sample, ret)) {
		state->flags = sample.flags & TLS_SERVER;
		state->peer = sample.peer;
		state->verify_result = sample.verify_result;
		sample.session_time = state->session_time;
		sample.flags |= state->rung;
		state->announced = !emit_identity(process, library, &call, &sample);
	}
	length = ret > 0 && call.kind != CALL_PEEK ? moved_by(&call, ret) : 0;
	task_of_call(&call, state, &task, length);
	if (!length)
		return;
	bpf_probe_read_kernel(&task, sizeof(task), &task); /* all outcomes look alike to the verifier then */
	emit_moved(process, &call, state, &task, length);
}

/* d2i_X509(X509 **a, const unsigned char **in, long length) inside a call on an SSL object whose offsets are not known: the first is the peer's
 * leaf (RFC 8446, section 4.4.2). Blind for resumed sessions and connections that are older than the tracing. */
static __always_inline void certificate_decoded(struct pt_regs *ctx)
{
	__u64 id = bpf_get_current_pid_tgid(), der = 0, length = CALL_ARG2(ctx);
	struct call *call = bpf_map_lookup_elem(&calls, &id);
	struct tls_key key = {.tgid = id >> 32};
	const __u8 random[RANDOM_SIZE] = {};
	struct tls_identity_record *r;
	struct traced_process *process;
	struct library *library;
	struct tls_state *state;
	__u32 index;

	if (!call)
		return;
	index = call->library;
	library = bpf_map_lookup_elem(&libraries, &index);
	process = bpf_map_lookup_elem(&processes, &key.tgid);
	if (!process || !library || library->known || !read_u64(&der, CALL_ARG1(ctx)))
		return;
	key.ssl = call->ssl;
	state = state_of(process, &key, random);
	if (!state || state->announced)
		return;
	r = bpf_ringbuf_reserve(&events, sizeof(*r) + CERTIFICATE_LARGE, 0);
	if (!r) {
		count_drop(process, DROP_RINGBUF);
		return;
	}
	fill_header(&r->header, process, RECORD_TLS_IDENTITY);
	r->ssl = call->ssl;
	r->socket = state->socket;
	r->verify_result = -1;
	r->verify_mode = 0;
	r->version = 0;
	r->session_result = 0;
	r->session_time = 0;
	r->server_name[0] = 0;
	r->session_name[0] = 0;
	r->signature_length = 0;
	__builtin_memcpy(r->random, random, sizeof(r->random));
	r->flags = TLS_FROM_D2I | TLS_ROLE_UNKNOWN | TLS_HAS_PEER;
	r->length = length;
	BOUND(length, CERTIFICATE_LARGE);
	if (bpf_probe_read_user((void *)(r + 1), length, (void *)der)) {
		count_drop(process, DROP_READ_FAULT);
		length = 0;
	}
	r->captured = length;
	submit(r);
	state->announced = 1;
}

static __always_inline void ssl_freed(struct pt_regs *ctx)
{
	struct tls_key key = {.ssl = CALL_ARG0(ctx), .tgid = bpf_get_current_pid_tgid() >> 32};
	struct traced_process *process = bpf_map_lookup_elem(&processes, &key.tgid);
	struct tls_freed_record *r;

	if (!process || bpf_map_delete_elem(&tls_states, &key))
		return;
	r = bpf_ringbuf_reserve(&events, sizeof(*r), 0);
	if (!r) {
		count_drop(process, DROP_RINGBUF);
		return;
	}
	fill_header(&r->header, process, RECORD_TLS_FREED);
	r->ssl = key.ssl;
	submit(r);
}

#endif
