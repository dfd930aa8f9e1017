/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Of a connection's session and its handshake: whether it was resumed, for which name, since when, and whether the handshake is over. Each offset may be unknown. */
#ifndef TENANTRACE_SESSION_H
#define TENANTRACE_SESSION_H

#define STATE_OK 1 /* TLS_ST_OK, openssl/ssl.h */
#define TLS_1_3 0x0304

/* What is read from an SSL object at one exit. */
struct tls_sample {
	__u8 random[RANDOM_SIZE];
	__u64 peer;
	__s64 verify_result;
	__u64 session;
	__u64 session_time; /* of a resumed one, as it was during the handshake */
	__u32 verify_mode;
	__u32 version;
	__u32 flags;
	__u32 pad;
};

static __always_inline bool read_u32(__u32 *to, __u64 from)
{
	return !bpf_probe_read_user(to, sizeof(*to), (void *)from);
}

static __always_inline bool read_u64(__u64 *to, __u64 from)
{
	return !bpf_probe_read_user(to, sizeof(*to), (void *)from);
}

/* The host name whose address is at `from`; empty if there is none. */
static __always_inline void read_name(__u8 *to, __u64 from)
{
	__u64 name = 0;

	to[0] = 0;
	if (read_u64(&name, from) && name && bpf_probe_read_user_str(to, HOST_NAME_SIZE, (void *)name) < 0)
		to[0] = 0;
}

static __always_inline __u64 session_time(struct library *library, __u64 session)
{
	__u64 time = 0;

	if (!library->session_time || !read_u64(&time, session + library->session_time))
		return 0;
	return time * library->session_time_unit;
}

static __always_inline bool session_resumed(struct library *library, __u64 ssl)
{
	__u32 hit = 0;

	return library->hit && read_u32(&hit, ssl + library->hit) && hit;
}

/* False where it is not known. */
static __always_inline bool handshake_under_way(struct library *library, __u64 ssl)
{
	__u32 in_init = 0;

	return library->in_init && read_u32(&in_init, ssl + library->in_init) && in_init;
}

/* False where it is not known. */
static __always_inline bool handshake_over(struct library *library, __u64 ssl)
{
	__u32 in_init = 1, state = 0;

	return library->in_init && read_u32(&in_init, ssl + library->in_init) && !in_init && read_u32(&state, ssl + library->state) &&
	       state == STATE_OK;
}

/* Fills what a record says of the session. A server of TLS 1.3 has by then given its client new tickets, and the session their time: that of the one which was
 * resumed was taken before (RFC 8446, section 4.6.1; tls_construct_new_session_ticket). Not 0: to be tried again. */
static __noinline int fill_session(struct tls_identity_record *r, struct library *library, struct tls_sample *s)
{
	r->session_result = 0;
	r->session_time = 0;
	r->server_name[0] = 0;
	r->session_name[0] = 0;
	if (library->server_name)
		read_name(r->server_name, r->ssl + library->server_name);
	if (!s->session)
		return 0;
	if (library->session_result &&
	    bpf_probe_read_user(&r->session_result, sizeof(r->session_result), (void *)(s->session + library->session_result)))
		return -1;
	if (!session_resumed(library, r->ssl))
		return 0;
	r->flags |= TLS_RESUMED;
	r->session_time = s->version == TLS_1_3 ? s->session_time : session_time(library, s->session);
	if (library->session_name)
		read_name(r->session_name, s->session + library->session_name);
	return 0;
}

#endif
