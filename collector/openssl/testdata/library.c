/* Functions with the names and shapes of OpenSSL's, on structures of their own, to see what other compilers and settings make of them. */
#include <stddef.h>
#include <string.h>

struct bit_string { int length, type; unsigned char *data; long flags; };
struct algorithm { void *object, *parameter; };
struct x509 { char parsed[0x70]; unsigned char *encoding; long length; int modified; struct algorithm algorithm; struct bit_string signature; };
struct context { void *before, *lock; };
struct session { char before[0x2b8]; struct x509 *peer; void *chain; long verify_result; char between[0x10]; long long time; char *name; struct context *owner; };

struct ssl {
#ifdef TYPED
	int type;
#else
	int version;
#endif
	char before[0x34];
	int server, failed;
	int hit, in_init, state;
	char *name;
	char between[0xe8];
	unsigned char client_random[32];
	char behind[0x600];
	int verify_mode;
	struct session *session;
	long verify_result;
#ifdef TYPED
	int version;
#endif
};

#ifdef TYPED
struct ssl *inner(const struct ssl *s);
#define CONNECTION(s) ((s) == NULL ? NULL : (s)->type == 0 ? (s) : (s)->type & 0x80 ? inner(s) : NULL)
void OSSL_QUIC_client_method(void) {}
#else
#define CONNECTION(s) (s)
#endif

int move(struct ssl *s, void *buffer, size_t size, unsigned long flags, size_t *moved);
void report(int where);
int encode(struct x509 *x, unsigned char **out, const void *item);

#define MEMBER(type, name, member)                            \
	type name(const struct ssl *s)                        \
	{                                                     \
		const struct ssl *c = CONNECTION(s);          \
		return c ? c->member : (type)0;               \
	}
MEMBER(struct session *, SSL_get_session, session)
MEMBER(int, SSL_is_server, server)
MEMBER(long, SSL_get_verify_result, verify_result)
MEMBER(int, SSL_get_verify_mode, verify_mode)
MEMBER(int, SSL_version, version)
MEMBER(int, SSL_session_reused, hit)
MEMBER(int, SSL_in_init, in_init)
MEMBER(int, SSL_get_state, state)

int SSL_is_init_finished(const struct ssl *s)
{
	const struct ssl *c = CONNECTION(s);
	return c && !c->in_init && c->state == 1;
}

int before(const struct ssl *s);

const char *SSL_get_servername(const struct ssl *s, int type)
{
	const struct ssl *c = CONNECTION(s);
	if (!c || type)
		return NULL;
	if (c->server)
		return c->hit && c->failed < 0x304 ? c->session->name : c->name;
	if (before(s) && !c->name && c->session)
		return c->session->name;
	return c->name;
}

const char *SSL_SESSION_get0_hostname(const struct session *s) { return s->name; }

int lock(void *);
void sorted(struct session *s);
#ifdef TYPED
#define TICKS(seconds) ((unsigned long long)(seconds)*1000000000)
#define SECONDS(ticks) ((unsigned long long)(ticks) / 1000000000)
#else
#define TICKS(seconds) (seconds)
#define SECONDS(ticks) (ticks)
#endif
long SSL_SESSION_get_time(const struct session *s) { return s ? (long)SECONDS(s->time) : 0; }

long SSL_SESSION_set_time(struct session *s, long t)
{
	long long ticks = TICKS(t);
	if (!s)
		return 0;
	if (s->owner && !lock(s->owner->lock))
		return 0;
	s->time = ticks;
	sorted(s);
	return t;
}

int SSL_set_session(struct ssl *s, struct session *session)
{
	struct ssl *c = (struct ssl *)CONNECTION(s);
	if (!c)
		return 0;
	if (before(s) && !lock(session))
		return 0;
	if (session)
		c->verify_result = session->verify_result;
	sorted(c->session);
	c->session = session;
	return 1;
}

struct x509 *SSL_get0_peer_certificate(const struct ssl *s)
{
	const struct ssl *c = CONNECTION(s);
	return !c || !c->session ? NULL : c->session->peer;
}

struct x509 *SSL_SESSION_get0_peer(struct session *s) { return s->peer; }

size_t SSL_get_client_random(const struct ssl *s, unsigned char *out, size_t size)
{
	const struct ssl *c = CONNECTION(s);
	if (!c)
		return 0;
	if (size == 0)
		return sizeof(c->client_random);
	if (size > sizeof(c->client_random))
		size = sizeof(c->client_random);
	memcpy(out, c->client_random, size);
	return size;
}

#define WORKER(name, flags)                                                                                      \
	static __attribute__((noinline)) int name(struct ssl *s, void *buffer, size_t size, size_t *moved)       \
	{                                                                                                        \
		int ok;                                                                                          \
		if (s->failed) {                                                                                 \
			report(1);                                                                               \
			return -1;                                                                               \
		}                                                                                                \
		ok = move(s, buffer, size, flags, moved);                                                        \
		if (ok > 0)                                                                                      \
			s->failed = 0;                                                                           \
		return ok;                                                                                       \
	}
#define CALLERS(plain, sized, worker)                                                                            \
	int plain(struct ssl *s, void *buffer, int size)                                                         \
	{                                                                                                        \
		size_t moved;                                                                                    \
		int ok;                                                                                          \
		if (size < 0) {                                                                                  \
			report(2);                                                                               \
			return -1;                                                                               \
		}                                                                                                \
		ok = worker(s, buffer, (size_t)size, &moved);                                                    \
		return ok > 0 ? (int)moved : ok;                                                                 \
	}                                                                                                        \
	int sized(struct ssl *s, void *buffer, size_t size, size_t *moved)                                       \
	{                                                                                                        \
		int ok = worker(s, buffer, size, moved);                                                         \
		return ok < 0 ? 0 : ok;                                                                          \
	}
WORKER(read_worker, 2)
WORKER(write_worker, 3)
WORKER(peek_worker, 4)
CALLERS(SSL_read, SSL_read_ex, read_worker)
CALLERS(SSL_write, SSL_write_ex, write_worker)
CALLERS(SSL_peek, SSL_peek_ex, peek_worker)

int SSL_do_handshake(struct ssl *s) { return move(s, 0, 0, 1, 0); }
int SSL_accept(struct ssl *s) { s->server = 1; return SSL_do_handshake(s); }
int SSL_connect(struct ssl *s) { s->server = 0; return SSL_do_handshake(s); }
void SSL_free(struct ssl *s) { report(s->failed); }

int i2d_re_X509_tbs(struct x509 *x, unsigned char **out)
{
	x->modified = 1;
	return encode(x, out, NULL);
}

void X509_get0_signature(const struct bit_string **signature, const struct algorithm **algorithm, const struct x509 *x)
{
	if (signature)
		*signature = &x->signature;
	if (algorithm)
		*algorithm = &x->algorithm;
}

struct x509 *d2i_X509(struct x509 **x, const unsigned char **in, long length)
{
	report((int)length);
	return x ? *x : NULL;
}
