/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The ciphertext that the library reads through a memory BIO, held against what sockets have shown: for connections that are older than the tracing. */
#ifndef TENANTRACE_CIPHERTEXT_H
#define TENANTRACE_CIPHERTEXT_H

/* BIO_read(BIO *b, void *data, int length) inside of a call on a connection without a socket. These probes are attached only while there are such. */
static __always_inline void bio_read_entered(struct pt_regs *ctx)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct call *call = bpf_map_lookup_elem(&calls, &id);
	struct tls_key key = {.tgid = id >> 32};
	struct tls_state *state;

	if (!call || call->depth || call->socket.sk)
		return;
	key.ssl = call->ssl;
	state = bpf_map_lookup_elem(&tls_states, &key);
	if (state && state->socket.sk)
		return;
	call->record = CALL_ARG1(ctx);
}

/* The library reads a record's header first and its body then, or both at once. */
static __always_inline void bio_read_exited(struct pt_regs *ctx)
{
	__u64 id = bpf_get_current_pid_tgid(), at;
	struct call *call = bpf_map_lookup_elem(&calls, &id);
	struct trait trait = {.tgid = id >> 32, .kind = TRAIT_CIPHERTEXT};
	int n = (int)CALL_RETURN(ctx);
	__u8 head[2] = {}, after_header;

	if (!call || !call->record)
		return;
	at = call->record;
	after_header = call->after_header;
	call->record = 0;
	call->after_header = 0;
	if (n < RECORD_HEADER_SIZE || bpf_probe_read_user(head, sizeof(head), (void *)at))
		return;
	if (n == RECORD_HEADER_SIZE) {
		call->after_header = head[0] == RECORD_APPLICATION && head[1] == 3;
		return;
	}
	if (!after_header) {
		if (head[0] != RECORD_APPLICATION || head[1] != 3)
			return;
		at += RECORD_HEADER_SIZE;
		n -= RECORD_HEADER_SIZE;
	}
	if (n < CIPHERTEXT_SIZE || bpf_probe_read_user(trait.bytes, CIPHERTEXT_SIZE, (void *)at))
		return;
	if (claim_socket(&trait, &call->socket))
		call->by_ciphertext = 1;
}

#endif
