/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What a socket shows of the TLS connection on it, when its bytes are received outside of the library's calls (memory BIO): the random of a ClientHello,
 * or the first ciphertext of a record. ladder.bpf.h finds the socket by it. */
#ifndef TENANTRACE_HELLO_H
#define TENANTRACE_HELLO_H

/* A ClientHello up to the end of its random (RFC 8446, sections 4.1.2 and 5.1): record header 5, message header 4, version 2, random 32. */
#define HELLO_SIZE 43
#define HELLO_RANDOM 11
/* The least that the record must hold of it: one that is cut into smaller records shows nothing. */
#define HELLO_RECORD_MIN 38
#define RECORD_HEADER_SIZE 5
#define CIPHERTEXT_SIZE 16
#define RECORD_HANDSHAKE 0x16
#define RECORD_APPLICATION 0x17
/* In the place of the number of bytes collected: the connection on the socket is known. */
#define HELLO_BOUND 0xff

enum trait_kind {
	TRAIT_RANDOM_IN = 1, /* of a ClientHello that was received */
	TRAIT_RANDOM_OUT,    /* that was sent: a process may be the client of itself */
	TRAIT_CIPHERTEXT,    /* of a record of type 0x17: those of a handshake's plaintext are the same on many connections */
};

struct trait {
	__u32 tgid; /* a proxy on this host passes a ClientHello on: each process has its own socket for it */
	__u32 kind; /* enum trait_kind */
	__u8 bytes[RANDOM_SIZE];
};

struct shown {
	struct socket_id socket; /* the first that showed it */
	__u32 others;		 /* times that another one did: then it tells nothing */
	__u32 claims;		 /* TLS connections that asked for it: only the first may have it */
};

/* Trait -> socket. Nobody deletes it: what is shown again later must not look new. The oldest are evicted. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct trait);
	__type(value, struct shown);
} traits SEC(".maps");

struct hello_piece {
	__u64 inode;
	__u8 bytes[128]; /* only HELLO_SIZE of it: the verifier (all kernels) wants room for what the masks below let through */
};

/* sk -> beginning of a ClientHello that came in pieces. Deleted when it is whole, else evicted. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, struct hello_piece);
} hello_pieces SEC(".maps");

/* What does not fit on the stack (512 bytes with those of all callers). Only for programs of system calls: those are not
 * preempted, and no other program touches it. */
struct scratch {
	struct trait trait;
	struct shown shown;
	struct hello_piece piece;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scratch);
} scratches SEC(".maps");

static __always_inline struct scratch *scratch_for(__u32 kind)
{
	__u32 zero = 0;
	struct scratch *s = bpf_map_lookup_elem(&scratches, &zero);

	if (!s)
		return NULL;
	s->trait.tgid = bpf_get_current_pid_tgid() >> 32;
	s->trait.kind = kind;
	return s;
}

static __always_inline bool same_socket(const struct socket_id *a, const struct socket_id *b)
{
	return a->sk == b->sk && a->inode == b->inode;
}

static __noinline int show(struct scratch *s, struct socket_id *id)
{
	struct shown *known = bpf_map_lookup_elem(&traits, &s->trait);

	if (!known) {
		s->shown.socket = *id;
		bpf_map_update_elem(&traits, &s->trait, &s->shown, BPF_NOEXIST);
		known = bpf_map_lookup_elem(&traits, &s->trait); /* another processor may have been first */
	}
	if (!known)
		count_drop(NULL, DROP_MAP_FULL);
	else if (!same_socket(&known->socket, id))
		__sync_fetch_and_add(&known->others, 1);
	return 0;
}

/* Whether the bytes can begin a ClientHello; have: how many there are. */
static __always_inline bool begins_hello(const __u8 *b, __u64 have)
{
	return b[0] == RECORD_HANDSHAKE && (have < 2 || b[1] == 3) && (have < 5 || b[3] || b[4] >= HELLO_RECORD_MIN) && (have < 6 || b[5] == 1);
}

/* 1: the n bytes at `at` are a ClientHello; its random is shown. */
static __noinline int hello_seen(struct socket_id *id, __u32 direction, __u64 at, __u64 n)
{
	struct scratch *s = scratch_for(direction == DIRECTION_IN ? TRAIT_RANDOM_IN : TRAIT_RANDOM_OUT);
	__u8 head[8];

	if (!s || n < HELLO_SIZE || bpf_probe_read_user(head, sizeof(head), (void *)at) || !begins_hello(head, sizeof(head)) ||
	    bpf_probe_read_user(s->trait.bytes, RANDOM_SIZE, (void *)(at + HELLO_RANDOM)))
		return 0;
	show(s, id);
	return 1;
}

enum piece_result {
	PIECE_NONE = 0, /* not of a ClientHello */
	PIECE_TAKEN,
	PIECE_LAST, /* the random is shown */
};

/* Takes n bytes that a process has read, if they begin or continue a ClientHello of a client that sends it in pieces. collected: the socket's. */
static __noinline int hello_in_pieces(struct socket_id *id, __u8 *collected, __u64 at, __u64 n)
{
	struct scratch *s = scratch_for(TRAIT_RANDOM_IN);
	struct hello_piece *piece;
	__u64 have = *collected;

	if (!s || have >= HELLO_SIZE)
		return PIECE_NONE;
	if (!have) {
		s->piece.inode = id->inode;
		bpf_map_update_elem(&hello_pieces, &id->sk, &s->piece, BPF_ANY);
	}
	piece = bpf_map_lookup_elem(&hello_pieces, &id->sk);
	*collected = 0;
	if (!piece || piece->inode != id->inode)
		return PIECE_NONE;
	if (n > HELLO_SIZE - have)
		n = HELLO_SIZE - have;
	/* what clang knows of them the verifier does not (before Linux 6.8): it compares with constants only */
	asm volatile("" : "+r"(have), "+r"(n));
	have &= 63;
	n &= 63;
	if (bpf_probe_read_user(piece->bytes + have, n, (void *)at))
		return PIECE_NONE;
	have += n;
	if (!begins_hello(piece->bytes, have))
		return PIECE_NONE;
	if (have < HELLO_SIZE) {
		*collected = have;
		return PIECE_TAKEN;
	}
	bpf_probe_read_kernel(s->trait.bytes, RANDOM_SIZE, piece->bytes + HELLO_RANDOM);
	bpf_map_delete_elem(&hello_pieces, &id->sk);
	show(s, id);
	return PIECE_LAST;
}

/* Shows the ciphertext of the n bytes at `at`, if a record begins there. */
static __noinline int ciphertext_seen(struct socket_id *id, __u64 at, __u64 n)
{
	struct scratch *s = scratch_for(TRAIT_CIPHERTEXT);
	__u8 head[8];

	if (!s || n < RECORD_HEADER_SIZE + CIPHERTEXT_SIZE || bpf_probe_read_user(head, sizeof(head), (void *)at) || head[0] != RECORD_APPLICATION ||
	    head[1] != 3 || (!head[3] && head[4] < CIPHERTEXT_SIZE) ||
	    bpf_probe_read_user(s->trait.bytes, CIPHERTEXT_SIZE, (void *)(at + RECORD_HEADER_SIZE)))
		return 0;
	__builtin_memset(s->trait.bytes + CIPHERTEXT_SIZE, 0, RANDOM_SIZE - CIPHERTEXT_SIZE);
	show(s, id);
	return 0;
}

#endif
