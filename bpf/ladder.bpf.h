/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* From a TLS connection to its socket. First a receive inside of the library's call (socket.bpf.h). Where there is none (memory BIO): the client's random, which a
 * socket has shown in a ClientHello; for connections that are older than the tracing, the ciphertext that the library reads. What two sockets have shown, or two
 * connections ask for, gives none: never the last one. */
#ifndef TENANTRACE_LADDER_H
#define TENANTRACE_LADDER_H

/* The state of a socket that is still open. */
static __always_inline struct socket_state *open_socket(struct socket_id *id)
{
	struct socket_state *state = bpf_map_lookup_elem(&sockets, &id->sk);

	return state && state->inode == id->inode ? state : NULL;
}

/* Of a socket that is not open any more the memory is another's. */
static __noinline int describe_socket(struct traced_process *process, struct socket_id *id)
{
	struct socket_state *state = open_socket(id);

	if (state)
		emit_socket(process, id, state);
	return 0;
}

/* Gives the socket that alone has shown the trait, to the first connection that asks. */
static __noinline int claim_socket(struct trait *trait, struct socket_id *id)
{
	struct shown *known = bpf_map_lookup_elem(&traits, trait);
	struct socket_state *state;
	struct socket_id found;

	if (!known || known->others)
		return 0;
	__sync_fetch_and_add(&known->claims, 1);
	if (known->claims != 1)
		return 0;
	found = known->socket;
	state = open_socket(&found);
	if (!state)
		return 0;
	state->class = CLASS_TLS;
	state->hello = HELLO_BOUND;
	*id = found;
	return 1;
}

/* A connection whose random has changed keeps its socket while that is open: another handshake (RFC 5246, section 7.4.1.1). */
static __always_inline void keep_socket(struct socket_id *to, __u32 *rung, struct socket_id *from, __u32 before)
{
	if (before == TLS_SOCKET_REFUSED || (before && open_socket(from))) {
		*to = *from;
		*rung = before;
	}
}

/* The second ClientHello of a handshake (RFC 8446, section 4.1.4) has the random of the first; OpenSSL lets pass another one. Somebody who takes that of
 * another client so gets nothing by it. */
static __noinline int find_by_random(const __u8 *random, __u32 flags, struct socket_id *to, __u32 *rung)
{
	struct trait trait = {.tgid = bpf_get_current_pid_tgid() >> 32, .kind = flags & TLS_SERVER ? TRAIT_RANDOM_IN : TRAIT_RANDOM_OUT};
	struct shown *known;

	__builtin_memcpy(trait.bytes, random, RANDOM_SIZE);
	if (*rung == TLS_SOCKET_REFUSED)
		return 0;
	if (!to->sk) {
		if (claim_socket(&trait, to))
			*rung = TLS_SOCKET_BY_RANDOM;
		return 0;
	}
	known = bpf_map_lookup_elem(&traits, &trait);
	if (known && !same_socket(&known->socket, to)) {
		to->sk = to->inode = 0;
		*rung = TLS_SOCKET_REFUSED;
	}
	return 0;
}

#endif
