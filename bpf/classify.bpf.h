/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What a plain socket carries, from the first bytes of a payload. Only a guess at what is worth sending: Go's parsers decide. */
#ifndef TENANTRACE_CLASSIFY_H
#define TENANTRACE_CLASSIFY_H

static __always_inline __u32 big_endian(const __u8 *b)
{
	return (__u32)b[0] << 24 | (__u32)b[1] << 16 | (__u32)b[2] << 8 | b[3];
}

/* A request line's method and space (RFC 9110, section 9; PATCH of RFC 5789). */
static __always_inline bool is_method(const __u8 *b)
{
	switch (big_endian(b)) {
	case 0x47455420: /* GET_ */
	case 0x50555420: /* PUT_ */
		return true;
	case 0x504f5354: /* POST */
	case 0x48454144: /* HEAD */
		return b[4] == ' ';
	case 0x50415443: /* PATCH */
		return b[4] == 'H' && b[5] == ' ';
	case 0x44454c45: /* DELETE */
		return b[4] == 'T' && b[5] == 'E' && b[6] == ' ';
	case 0x4f505449: /* OPTIONS */
		return b[4] == 'O' && b[5] == 'N' && b[6] == 'S' && b[7] == ' ';
	case 0x54524143: /* TRACE */
		return b[4] == 'E' && b[5] == ' ';
	case 0x434f4e4e: /* CONNECT */
		return b[4] == 'E' && b[5] == 'C' && b[6] == 'T';
	}
	return false;
}

static __always_inline bool begins_method(__u8 c)
{
	return c == 'G' || c == 'P' || c == 'H' || c == 'D' || c == 'O' || c == 'T' || c == 'C';
}

/* PostgreSQL's first message of a client: length, then protocol 3.x or one of the request codes (protocol chapter, "Message Formats"). */
static __always_inline bool is_startup(const __u8 *b)
{
	__u32 length = big_endian(b), code = big_endian(b + 4);

	return length >= 8 && length <= 10000 && ((code >> 16) == 3 || (code >= 80877102 && code <= 80877104));
}

/* A typed message of a client on a connection that is older than the tracing: Query, Parse, Bind, Describe, Execute, Sync, Close, with a length that fits
 * what was written. */
static __always_inline bool is_frontend(const __u8 *b, __u32 n)
{
	__u32 length = big_endian(b + 1);

	switch (b[0]) {
	case 'Q':
	case 'P':
	case 'B':
	case 'D':
	case 'E':
	case 'C':
	case 'S':
		return length >= 4 && length + 1 <= n;
	}
	return false;
}

static __always_inline bool is_printable(__u8 c)
{
	return c >= ' ' && c <= '~';
}

/* MySQL's greeting, the first message of its server: a header (length in three bytes, number 0), protocol version 10, the server's version. There are
 * clients that read the header alone first. */
static __always_inline bool is_greeting(const __u8 *b, __u32 n)
{
	if ((b[0] < 44 && !b[1]) || b[1] > 1 || b[2] || b[3])
		return false;
	return n == 4 || (n >= 8 && b[4] == 10 && is_printable(b[5]) && is_printable(b[6]) && is_printable(b[7]));
}

/* A command of MySQL's client on a connection that is older than the tracing: query, prepare, execute, alone in what was written. */
static __always_inline bool is_command(const __u8 *b, __u32 n)
{
	__u32 length = b[0] | (__u32)b[1] << 8 | (__u32)b[2] << 16;

	if (b[3] || n < 8 || length + 4 != n)
		return false;
	switch (b[4]) {
	case 0x03: /* the text may have attributes in front: their number, and 1 */
		return b[5] >= '\t' || b[6] == 1;
	case 0x16:
		return b[5] >= '\t';
	case 0x17:
		return n >= 14;
	}
	return false;
}

/* first: nothing was moved in this direction before. */
static __always_inline __u32 classify(__u16 origin, bool first, const __u8 *b, __u32 n, __u32 direction)
{
	if (direction == DIRECTION_IN && origin != ORIGIN_ACCEPTED && first && n >= 4 && is_greeting(b, n) && (n > 4 || origin == ORIGIN_CONNECTED))
		return CLASS_MYSQL;
	if (n < 5) /* a client may cut its first bytes as it likes: Go puts them together */
		return direction == DIRECTION_IN && origin == ORIGIN_ACCEPTED && first && begins_method(b[0]) ? CLASS_HTTP : CLASS_UNKNOWN;
	if (direction == DIRECTION_OUT && origin == ORIGIN_LATE && !is_frontend(b, n) && is_command(b, n)) /* its length may look like TLS */
		return CLASS_MYSQL;
	if (b[0] == 0x16 && b[1] == 3 && b[2] <= 4)
		return CLASS_TLS;
	if (direction == DIRECTION_IN)
		return is_method(b) ? CLASS_HTTP : CLASS_UNKNOWN;
	if (is_method(b))
		return CLASS_OTHER; /* a client of HTTP: none of ours */
	if (origin == ORIGIN_ACCEPTED)
		return CLASS_UNKNOWN;
	if (n >= 8 && first && is_startup(b))
		return CLASS_POSTGRESQL;
	if (origin == ORIGIN_LATE && is_frontend(b, n))
		return CLASS_POSTGRESQL;
	return CLASS_UNKNOWN;
}

#endif
