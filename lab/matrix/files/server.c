/* A server on one thread that waits for all connections at once. Each port has a context of its own:
 *   server CERT KEY CA TICKETS STATEFUL OFF CARELESS
 * tickets; sessions kept in the process; no sessions; a callback that lets every certificate pass. OpenSSL's functions are declared here, as they are
 * in 1.1.1 and in 3.x, so that one source is compiled for all of them without their headers. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct ssl_st SSL;
typedef struct ssl_ctx_st SSL_CTX;
typedef struct ssl_method_st SSL_METHOD;
typedef struct x509_store_ctx_st X509_STORE_CTX;
const SSL_METHOD *TLS_server_method(void);
SSL_CTX *SSL_CTX_new(const SSL_METHOD *);
int SSL_CTX_use_certificate_chain_file(SSL_CTX *, const char *);
int SSL_CTX_use_PrivateKey_file(SSL_CTX *, const char *, int);
int SSL_CTX_load_verify_locations(SSL_CTX *, const char *, const char *);
void SSL_CTX_set_verify(SSL_CTX *, int, int (*)(int, X509_STORE_CTX *));
int SSL_CTX_set_session_id_context(SSL_CTX *, const unsigned char *, unsigned);
unsigned long SSL_CTX_set_options(SSL_CTX *, unsigned long);
long SSL_CTX_ctrl(SSL_CTX *, int, long, void *);
int SSL_CTX_set_num_tickets(SSL_CTX *, size_t);
SSL *SSL_new(SSL_CTX *);
int SSL_set_fd(SSL *, int);
void SSL_set_accept_state(SSL *);
int SSL_read(SSL *, void *, int);
int SSL_write(SSL *, const void *, int);
int SSL_get_error(const SSL *, int);
int SSL_shutdown(SSL *);
void SSL_free(SSL *);
void ERR_clear_error(void);

enum { FILETYPE_PEM = 1, VERIFY_PEER = 1, VERIFY_FAIL = 2, ERROR_WANT_READ = 2, ERROR_WANT_WRITE = 3, CTRL_SESS_CACHE_MODE = 44 };
#define OP_NO_TICKET (1UL << 14)

enum { PORTS = 4, CONNECTIONS = 1024, INPUT = 65536 };

struct connection {
	SSL *ssl;
	size_t length;
	char input[INPUT];
};

static struct pollfd polled[PORTS + CONNECTIONS];
static struct connection connections[PORTS + CONNECTIONS];
static SSL_CTX *contexts[PORTS];

static int let_pass(int ok, X509_STORE_CTX *store)
{
	(void)ok;
	(void)store;
	return 1;
}

static void fail(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

static SSL_CTX *context(char **files, int number)
{
	SSL_CTX *c = SSL_CTX_new(TLS_server_method());

	if (!c || SSL_CTX_use_certificate_chain_file(c, files[0]) != 1 || SSL_CTX_use_PrivateKey_file(c, files[1], FILETYPE_PEM) != 1 ||
	    SSL_CTX_load_verify_locations(c, files[2], NULL) != 1)
		fail("read certificates");
	SSL_CTX_set_session_id_context(c, (const unsigned char *)"lab", 3);
	SSL_CTX_set_verify(c, VERIFY_PEER | VERIFY_FAIL, number == 3 ? let_pass : NULL);
	if (number == 1 || number == 2)
		SSL_CTX_set_options(c, OP_NO_TICKET);
	if (number == 2) {
		SSL_CTX_ctrl(c, CTRL_SESS_CACHE_MODE, 0, NULL);
		SSL_CTX_set_num_tickets(c, 0);
	}
	return c;
}

static int listen_on(const char *port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(atoi(port)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) || listen(fd, 512))
		fail(port);
	return fd;
}

static void accept_on(int port)
{
	int fd = accept(polled[port].fd, NULL, NULL), one = 1;

	if (fd < 0)
		return;
	for (int i = PORTS; i < PORTS + CONNECTIONS; i++) {
		struct connection *c = &connections[i];

		if (c->ssl)
			continue;
		fcntl(fd, F_SETFL, O_NONBLOCK);
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		c->ssl = SSL_new(contexts[port]);
		c->length = 0;
		if (!c->ssl)
			fail("connection");
		SSL_set_fd(c->ssl, fd);
		SSL_set_accept_state(c->ssl);
		polled[i] = (struct pollfd){.fd = fd, .events = POLLIN};
		return;
	}
	close(fd);
}

static void drop(int i)
{
	SSL_shutdown(connections[i].ssl);
	SSL_free(connections[i].ssl);
	connections[i].ssl = NULL;
	close(polled[i].fd);
	polled[i].fd = -1;
}

/* Length of the first request in the input, 0 if it is not there yet. */
static size_t request(struct connection *c, int *last)
{
	char *end, *length, *close;
	size_t head, body = 0;

	c->input[c->length] = 0;
	end = strstr(c->input, "\r\n\r\n");
	if (!end)
		return 0;
	head = end + 4 - c->input;
	length = strcasestr(c->input, "\r\nContent-Length:");
	if (length && length < end)
		body = strtoul(length + 17, NULL, 10);
	close = strcasestr(c->input, "\r\nConnection: close");
	*last = close && close < end;
	return c->length >= head + body ? head + body : 0;
}

static int answer(int i)
{
	static const char text[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhere\n";
	struct connection *c = &connections[i];
	int last = 0;
	size_t n;

	while ((n = request(c, &last))) {
		if (SSL_write(c->ssl, text, sizeof(text) - 1) <= 0)
			return 0;
		c->length -= n;
		memmove(c->input, c->input + n, c->length);
		if (last)
			return 0;
	}
	return c->length < INPUT - 1;
}

static void readable(int i)
{
	struct connection *c = &connections[i];

	for (;;) {
		int n, error;

		ERR_clear_error();
		n = SSL_read(c->ssl, c->input + c->length, INPUT - 1 - c->length);
		if (n <= 0) {
			error = SSL_get_error(c->ssl, n);
			if (error == ERROR_WANT_READ || error == ERROR_WANT_WRITE)
				return;
			drop(i);
			return;
		}
		c->length += n;
		if (!answer(i)) {
			drop(i);
			return;
		}
	}
}

int main(int argc, char **argv)
{
	if (argc != 4 + PORTS)
		fail("usage: server CERT KEY CA TICKETS STATEFUL OFF CARELESS");
	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < PORTS + CONNECTIONS; i++)
		polled[i].fd = -1;
	for (int i = 0; i < PORTS; i++) {
		contexts[i] = context(argv + 1, i);
		polled[i] = (struct pollfd){.fd = listen_on(argv[4 + i]), .events = POLLIN};
	}
	for (;;) {
		if (poll(polled, PORTS + CONNECTIONS, -1) < 0 && errno != EINTR)
			fail("poll");
		for (int i = 0; i < PORTS + CONNECTIONS; i++) {
			if (polled[i].fd < 0 || !polled[i].revents)
				continue;
			if (i < PORTS)
				accept_on(i);
			else
				readable(i);
		}
	}
}
