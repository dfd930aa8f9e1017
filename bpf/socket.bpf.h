/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Plain sockets of traced processes, at the exit of their system calls. A socket's class is found from its first bytes; one of no interest costs one
 * look-up from then on. */
#ifndef TENANTRACE_SOCKET_H
#define TENANTRACE_SOCKET_H

#define S_IFMT 0170000
#define S_IFSOCK 0140000
#define SOCK_STREAM 1
#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define TCP_CLOSE 7
#define PROT_EXEC 4
#define MSG_PEEK 2
#define ENOENT 2
#define EBADF 9
#define EAGAIN 11
#define EINPROGRESS 115
/* Payloads that are looked at before a socket is said to carry something else; one that is older than the tracing may be in the middle of a long message. */
#define SNIFF_TRIES 4
#define SNIFF_TRIES_LATE 1024
/* Segments of a transfer: node-postgres writes the five messages of a statement with parameters as one each. */
#define IOVEC_MAX 6
/* What a client of PostgreSQL or MySQL sends to ask for TLS: what follows it is its half of a handshake, if the server agrees. MySQL's is a login that ends
 * before the user's name, with its header; MariaDB's flags of its own are within. */
#define PG_SSL_REQUEST_SIZE 8
#define MYSQL_SSL_REQUEST_SIZE 36

struct socket_state {
	__u64 inode;
	__u64 moved[2]; /* bytes by enum direction */
	__u32 class;
	__u8 origin;
	__u8 hello; /* bytes of a ClientHello that were collected, or HELLO_BOUND */
	__u16 tries;
	__u32 backlog; /* a write found no room for all: what follows may be another's */
	__u32 pad;
};

/* sk -> state. Made at connect, accept or the first transfer; deleted when TCP closes; a unix socket's is replaced on reuse or evicted. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, struct socket_state);
} sockets SEC(".maps");

struct transfer {
	struct socket_id id;
	__u64 buffer;
	__u64 iov;
	__u32 iov_count;
	__u32 direction;
	__u64 asked; /* bytes that a write was to move; 0 not known */
};

static __always_inline struct file *file_of(int fd)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct fdtable *table = BPF_CORE_READ(task, files, fdt);
	struct file **files, *file = NULL;

	if (fd < 0 || (__u32)fd >= BPF_CORE_READ(table, max_fds))
		return NULL;
	files = BPF_CORE_READ(table, fd);
	bpf_probe_read_kernel(&file, sizeof(file), files + fd);
	return file;
}

/* The stream socket behind fd. */
static __always_inline bool socket_of(int fd, struct socket_id *id)
{
	struct file *file = file_of(fd);
	struct inode *inode;
	struct socket *socket;

	if (!file)
		return false;
	inode = BPF_CORE_READ(file, f_inode);
	if ((BPF_CORE_READ(inode, i_mode) & S_IFMT) != S_IFSOCK)
		return false;
	socket = BPF_CORE_READ(file, private_data);
	if (BPF_CORE_READ(socket, type) != SOCK_STREAM)
		return false;
	id->inode = BPF_CORE_READ(inode, i_ino);
	id->sk = (__u64)BPF_CORE_READ(socket, sk);
	return id->sk != 0;
}

static __always_inline void emit_socket_closed(struct traced_process *process, struct socket_id *id)
{
	struct socket_closed_record *r = bpf_ringbuf_reserve(&events, sizeof(*r), 0);

	if (!r) {
		count_drop(process, DROP_RINGBUF);
		return;
	}
	fill_header(&r->header, process, RECORD_SOCKET_CLOSED);
	r->socket = *id;
	submit(r);
}

static __always_inline struct socket_state *socket_seen(struct traced_process *process, struct socket_id *id, __u16 origin)
{
	struct socket_state fresh = {.inode = id->inode, .origin = origin}, *state = bpf_map_lookup_elem(&sockets, &id->sk);
	struct sock *sk = (struct sock *)id->sk; /* outside of the macro: it relocates every access in its argument */
	__u16 family;

	if (state && state->inode == id->inode)
		return state;
	if (state && state->class >= CLASS_TLS) { /* a unix socket that was here before: its end is not announced */
		struct socket_id before = {.sk = id->sk, .inode = state->inode};

		emit_socket_closed(process, &before);
	}
	family = BPF_CORE_READ(sk, __sk_common.skc_family);
	if (family != AF_INET && family != AF_INET6 && family != AF_UNIX)
		fresh.class = CLASS_OTHER;
	if (bpf_map_update_elem(&sockets, &id->sk, &fresh, BPF_ANY))
		count_drop(process, DROP_MAP_FULL);
	return bpf_map_lookup_elem(&sockets, &id->sk);
}

static __always_inline void read_unix_path(struct sock *sk, __u8 *path)
{
	struct unix_sock *u = (struct unix_sock *)sk, *peer;
	struct unix_address *address = BPF_CORE_READ(u, addr);
	int length;

	if (!address) { /* the connecting side is unnamed: take its peer's */
		peer = (struct unix_sock *)BPF_CORE_READ(u, peer);
		address = peer ? BPF_CORE_READ(peer, addr) : NULL;
	}
	if (!address)
		return;
	length = BPF_CORE_READ(address, len) - (int)sizeof(__u16);
	if (length <= 0)
		return;
	if (length > UNIX_PATH_SIZE)
		length = UNIX_PATH_SIZE;
	bpf_probe_read_kernel(path, UNIX_PATH_SIZE, (void *)address + bpf_core_field_offset(struct unix_address, name) + sizeof(__u16));
	/* the bytes after the name are not ours */
#pragma unroll
	for (int i = 0; i < UNIX_PATH_SIZE; i++)
		if (i >= length)
			path[i] = 0;
}

static __always_inline void emit_socket(struct traced_process *process, struct socket_id *id, struct socket_state *state)
{
	struct sock *sk = (struct sock *)id->sk;
	struct socket_record *r = bpf_ringbuf_reserve(&events, sizeof(*r), 0);

	if (!r) {
		count_drop(process, DROP_RINGBUF);
		return;
	}
	__builtin_memset(r, 0, sizeof(*r));
	fill_header(&r->header, process, RECORD_SOCKET);
	r->socket = *id;
	if (state) {
		r->class = state->class;
		r->origin = state->origin;
	}
	r->family = BPF_CORE_READ(sk, __sk_common.skc_family);
	if (r->family == AF_UNIX) {
		read_unix_path(sk, r->path);
	} else {
		__u16 port = BPF_CORE_READ(sk, __sk_common.skc_dport);

		r->local_port = BPF_CORE_READ(sk, __sk_common.skc_num);
		r->remote_port = __builtin_bswap16(port);
		if (r->family == AF_INET6) {
			BPF_CORE_READ_INTO(&r->local, sk, __sk_common.skc_v6_rcv_saddr);
			BPF_CORE_READ_INTO(&r->remote, sk, __sk_common.skc_v6_daddr);
		} else {
			*(__u32 *)r->local = BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr);
			*(__u32 *)r->remote = BPF_CORE_READ(sk, __sk_common.skc_daddr);
		}
	}
	submit(r);
}

/* What is left of a database session's transfer. */
struct remainder {
	struct traced_process *process;
	struct socket_data_record *head;
	__u64 user;
	__u64 length;
};

/* A callback of bpf_loop: one full chunk, until the last is left. */
static long emit_full_chunk(__u32 index, struct remainder *r)
{
	struct socket_data_record *head = r->head;

	if (r->length <= DATA_LARGE || !r->user)
		return 1;
	head->length = DATA_LARGE;
	emit_record(r->process, head, sizeof(*head), __builtin_offsetof(struct socket_data_record, captured), DATA_LARGE, (void *)r->user,
		    DATA_LARGE);
	head->offset = forget(head->offset + DATA_LARGE);
	r->user = forget(r->user + DATA_LARGE);
	r->length = forget(r->length - DATA_LARGE);
	return 0;
}

/* Emits the bytes of a transfer. Not in `transferred`: their stacks would add up to more than there is. */
static __noinline int emit_transfer(struct traced_process *process, struct transfer *t, struct task *task, __u32 moved)
{
	struct socket_state *state = bpf_map_lookup_elem(&sockets, &t->id.sk);
	struct socket_data_record head = {};
	__u64 length = moved, total = moved;
	struct user_iovec v;

	if (!state)
		return 0;

	fill_header(&head.header, process, RECORD_SOCKET_DATA);
	head.socket = t->id;
	head.direction = t->direction;
	head.class = state->class;
	head.offset = state->moved[t->direction & 1];
	head.task = *task;
	state->moved[t->direction & 1] += total;
	if (has_loop && !t->iov && state->class >= CLASS_POSTGRESQL) {
		struct remainder r = {.process = process, .head = &head, .user = t->buffer, .length = length};

		bpf_loop(DATA_CHUNKS_LOOP - DATA_CHUNKS, emit_full_chunk, &r, 0);
		t->buffer = r.user;
		length = r.length;
	}
	for (int i = 0; i < IOVEC_MAX; i++) {
		if (i >= t->iov_count && t->iov)
			break;
		if (!t->iov) { /* one buffer */
			v.base = t->buffer;
			v.length = length;
		} else if (bpf_probe_read_user(&v, sizeof(v), (void *)(t->iov + i * sizeof(v)))) {
			count_drop(process, DROP_READ_FAULT);
			v.base = 0;
			v.length = length;
		}
		if (!v.length)
			continue;
		if (v.length > length)
			v.length = length;
		emit_socket_data(process, &head, v.base, v.length);
		head.offset = forget(head.offset + v.length);
		length = forget(length - v.length);
		if (!length)
			return 0;
	}
	count_drop(process, DROP_IOVEC);
	emit_socket_data(process, &head, 0, length);
	return 0;
}

/* The first of a transfer's segments: how many of the bytes are there. */
static __always_inline __u64 first_segment(struct transfer *t, __u64 length, __u64 *at)
{
	struct user_iovec v = {};

	*at = t->buffer;
	if (!t->iov)
		return length;
	if (bpf_probe_read_user(&v, sizeof(v), (void *)t->iov))
		return 0;
	*at = v.base;
	return length < v.length ? length : v.length;
}

/* A client may cut its ClientHello as it likes. */
static __always_inline int take_piece(struct transfer *t, struct socket_state *state, __u8 first, __u64 at, __u64 segment, __u64 length)
{
	if (t->direction != DIRECTION_IN || (!state->hello && (first != RECORD_HANDSHAKE || segment >= HELLO_SIZE)))
		return PIECE_NONE;
	if (segment != length) { /* the rest is elsewhere: what follows it would be taken for it */
		state->hello = 0;
		return PIECE_NONE;
	}
	return hello_in_pieces(&t->id, &state->hello, at, segment);
}

/* Finds the class of a socket by what it moves, and shows what may lead a TLS connection to it. 1: there is no more to it. Not inlined: what it knows of the bytes is
 * forgotten at its end, else the verifier would follow the rest once for each case (before Linux 6.12). */
static __noinline int recognized(struct traced_process *process, struct transfer *t, struct socket_state *state, __u64 length)
{
	__u64 at = 0, segment = forget(first_segment(t, length, &at)), n = segment;
	__u8 head[8] = {};
	int piece;

	at = forget(at);
	if (process->seeking && t->direction == DIRECTION_IN && state->hello != HELLO_BOUND)
		ciphertext_seen(&t->id, at, segment);
	if (state->class >= CLASS_POSTGRESQL && t->direction == DIRECTION_OUT && hello_seen(&t->id, DIRECTION_OUT, at, segment))
		state->class = CLASS_TLS;
	if (state->class != CLASS_UNKNOWN)
		return 0;
	BOUND(n, sizeof(head));
	if (n && at && !bpf_probe_read_user(head, n, (void *)at)) {
		piece = take_piece(t, state, head[0], at, segment, length);
		if (piece) {
			if (piece == PIECE_LAST)
				state->class = CLASS_TLS;
			state->moved[DIRECTION_IN] += length;
			return 1;
		}
		state->class = classify(state->origin, !state->moved[t->direction & 1], head, n < sizeof(head) ? n : length, t->direction);
		if (state->class == CLASS_TLS)
			hello_seen(&t->id, t->direction, at, segment);
	}
	if (state->class == CLASS_UNKNOWN) {
		state->tries++;
		if (state->tries >= (state->origin == ORIGIN_LATE ? SNIFF_TRIES_LATE : SNIFF_TRIES))
			state->class = CLASS_OTHER;
	}
	if (state->class >= CLASS_HTTP)
		emit_socket(process, &t->id, state);
	return 0;
}

/* Whether a client's next bytes are those behind its request for TLS. */
static __always_inline bool asked_for_tls(const struct socket_state *state)
{
	__u64 moved = state->moved[DIRECTION_OUT];

	return (state->class == CLASS_POSTGRESQL && moved == PG_SSL_REQUEST_SIZE) || (state->class == CLASS_MYSQL && moved == MYSQL_SSL_REQUEST_SIZE);
}

/* Whether a transfer is worth a look: a socket of a known class costs no more than this. */
static __always_inline bool worth_a_look(struct traced_process *process, struct transfer *t, struct socket_state *state)
{
	return state->class == CLASS_UNKNOWN || (process->seeking && t->direction == DIRECTION_IN) ||
	       (t->direction == DIRECTION_OUT && asked_for_tls(state));
}

/* A system call moved `length` bytes between a socket and the process. Gives the class if they are to be emitted. */
static __noinline int transferred(struct traced_process *process, int fd, struct transfer *t, __u32 length)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct call *call = bpf_map_lookup_elem(&calls, &id);
	struct socket_state *state;

	if (!socket_of(fd, &t->id))
		return 0;
	state = socket_seen(process, &t->id, ORIGIN_LATE);
	if (!state)
		return 0;
	if (call) { /* inside a TLS call: ciphertext of its connection */
		call->socket = t->id;
		state->class = CLASS_TLS;
		return 0;
	}
	if (worth_a_look(process, t, state) && recognized(process, t, state, length))
		return 0;
	if (state->class == CLASS_OTHER || state->class == CLASS_TLS)
		return 0;
	if (state->class >= CLASS_HTTP) {
		if (state->class == CLASS_HTTP && t->direction == DIRECTION_IN)
			mark_reader();
		return state->class;
	}
	state->moved[t->direction & 1] += length;
	return 0;
}

/* A read returned 0: the peer has closed. Unix sockets have no state tracepoint. */
static __always_inline void end_of_stream(struct traced_process *process, int fd)
{
	struct socket_id id = {};
	struct socket_state *state;

	if (!socket_of(fd, &id))
		return;
	state = bpf_map_lookup_elem(&sockets, &id.sk);
	if (state && state->inode == id.inode && state->class >= CLASS_HTTP)
		emit_socket_closed(process, &id);
}

/* TCP's own end of a socket; runs in any context, so the current process means nothing. */
static __always_inline void tcp_state_changed(struct sock *sk, int state)
{
	struct socket_state *s;
	struct socket_id id = {.sk = (__u64)sk};

	if (state != TCP_CLOSE)
		return;
	s = bpf_map_lookup_elem(&sockets, &id.sk);
	if (!s)
		return;
	id.inode = s->inode;
	if (s->class >= CLASS_TLS)
		emit_socket_closed(NULL, &id);
	bpf_map_delete_elem(&sockets, &id.sk);
}

#endif
