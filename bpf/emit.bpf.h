/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Payload into the ring buffer. A reservation's size must be a constant, so there are three sizes, and a long payload takes several records. */
#ifndef TENANTRACE_EMIT_H
#define TENANTRACE_EMIT_H

/* Copies head (head_size bytes, a constant) and n <= size bytes of user memory into one record of head_size + size bytes. `captured` is where in the
 * head the number of bytes copied goes. A fault copies nothing, and is counted: the length keeps the stream's framing. */
static __always_inline void emit_record(struct traced_process *process, const void *head, const __u32 head_size, const __u32 captured,
					const __u32 size, const void *user, __u64 n)
{
	__u8 *r = bpf_ringbuf_reserve(&events, head_size + size, 0);

	if (!r) {
		count_drop(process, DROP_RINGBUF);
		return;
	}
	__builtin_memcpy(r, head, head_size);
	BOUND(n, size);
	if (!user) { /* moved inside the kernel: known by number only */
		n = 0;
	} else if (bpf_probe_read_user(r + head_size, n, user)) {
		count_drop(process, DROP_READ_FAULT);
		n = 0;
	}
	*(__u32 *)(r + captured) = n;
	submit(r);
}

/* Makes the verifier forget what it knows of a number, so that the rounds of a loop look alike to it and are verified once (all kernels). */
static __always_inline __u64 forget(__u64 n)
{
	__u64 same = 0;

	bpf_probe_read_kernel(&same, sizeof(same), &n);
	return same;
}

/* Emits length bytes as chunks. The offsets of the head's fields and its size are constants of the caller. Of more than fits, the last chunk is the beginning of the
 * rest, or with `tail` its end: messages of a database session go on behind a long value, and an answer has its end there. */
static __always_inline void emit_chunks(struct traced_process *process, void *head, const __u32 head_size, const __u32 captured,
					const __u32 length_at, const __u32 offset_at, __u64 user, __u64 length, bool tail)
{
	/* All but the last are full. Bytes that are known by number only take one record: the sum of no address and an offset would be one. */
	for (int i = 0; i < DATA_CHUNKS - 1; i++) {
		if (length <= DATA_LARGE || !user)
			break;
		*(__u32 *)(head + length_at) = DATA_LARGE;
		emit_record(process, head, head_size, captured, DATA_LARGE, (void *)user, DATA_LARGE);
		*(__u64 *)(head + offset_at) = forget(*(__u64 *)(head + offset_at) + DATA_LARGE);
		user = forget(user + DATA_LARGE);
		length = forget(length - DATA_LARGE);
	}
	if (tail && length > DATA_LARGE && user) { /* what is left out shows as a gap between the offsets */
		*(__u64 *)(head + offset_at) = forget(*(__u64 *)(head + offset_at) + length - DATA_LARGE);
		user = forget(user + length - DATA_LARGE);
		length = forget(DATA_LARGE);
	}
	*(__u32 *)(head + length_at) = length;
	if (length <= DATA_SMALL || !user)
		emit_record(process, head, head_size, captured, DATA_SMALL, (void *)user, length);
	else if (length <= DATA_MEDIUM)
		emit_record(process, head, head_size, captured, DATA_MEDIUM, (void *)user, length);
	else
		emit_record(process, head, head_size, captured, DATA_LARGE, (void *)user, length);
}

/* Not inlined: verified and compiled once per program. The head is on the caller's stack: a per-CPU scratch area could be overwritten, since uprobe
 * programs are preemptible. */
static __noinline int emit_socket_data(struct traced_process *process, struct socket_data_record *head, __u64 user, __u64 length)
{
	emit_chunks(process, head, sizeof(*head), __builtin_offsetof(struct socket_data_record, captured),
		    __builtin_offsetof(struct socket_data_record, length), __builtin_offsetof(struct socket_data_record, offset), user, length,
		    head->class >= CLASS_POSTGRESQL);
	return 0;
}

static __noinline int emit_tls_data(struct traced_process *process, struct tls_data_record *head, __u64 user, __u64 length)
{
	emit_chunks(process, head, sizeof(*head), __builtin_offsetof(struct tls_data_record, captured),
		    __builtin_offsetof(struct tls_data_record, length), __builtin_offsetof(struct tls_data_record, offset), user, length,
		    !(head->flags & (TLS_SERVER | TLS_ROLE_UNKNOWN)));
	return 0;
}

#endif
