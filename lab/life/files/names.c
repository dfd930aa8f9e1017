/* A server with two names, each with authorities of its own, and one key for the session tickets of both, as a context that is chosen by server name
 * has (CVE-2025-23419):
 *   names CERT KEY PORT NAME CA NAME CA
 * It has a process for each connection. OpenSSL's functions are declared here, so that its headers are not needed. */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
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
long SSL_CTX_callback_ctrl(SSL_CTX *, int, void (*)(void));
const char *SSL_get_servername(const SSL *, int);
SSL_CTX *SSL_set_SSL_CTX(SSL *, SSL_CTX *);
SSL *SSL_new(SSL_CTX *);
int SSL_set_fd(SSL *, int);
int SSL_accept(SSL *);
int SSL_read(SSL *, void *, int);
int SSL_write(SSL *, const void *, int);
int SSL_shutdown(SSL *);

enum { FILETYPE_PEM = 1, VERIFY_PEER = 1, VERIFY_FAIL = 2, HOST_NAME = 0, SET_SERVERNAME_CALLBACK = 53, NAME_OK = 0, NAME_REFUSED = 2, NAMES = 2 };

static const char *names[NAMES];
static SSL_CTX *contexts[NAMES];

static void fail(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

static int choose(SSL *ssl, int *alert, void *unused)
{
	const char *asked = SSL_get_servername(ssl, HOST_NAME);

	(void)alert;
	(void)unused;
	for (int i = 0; asked && i < NAMES; i++) {
		if (!strcasecmp(asked, names[i])) {
			SSL_set_SSL_CTX(ssl, contexts[i]);
			return NAME_OK;
		}
	}
	return NAME_REFUSED;
}

static SSL_CTX *context(const char *certificate, const char *key, const char *authorities)
{
	SSL_CTX *c = SSL_CTX_new(TLS_server_method());

	if (!c || SSL_CTX_use_certificate_chain_file(c, certificate) != 1 || SSL_CTX_use_PrivateKey_file(c, key, FILETYPE_PEM) != 1 ||
	    SSL_CTX_load_verify_locations(c, authorities, NULL) != 1)
		fail("read certificates");
	SSL_CTX_set_session_id_context(c, (const unsigned char *)"lab", 3);
	SSL_CTX_set_verify(c, VERIFY_PEER | VERIFY_FAIL, NULL);
	return c;
}

static int listen_on(const char *port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(atoi(port)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) || listen(fd, 64))
		fail(port);
	return fd;
}

/* Answers requests without a body until the client leaves. */
static void serve(SSL *ssl)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhere\n";
	static char input[65536];
	size_t length = 0;

	if (SSL_accept(ssl) != 1)
		return;
	for (;;) {
		int n = SSL_read(ssl, input + length, sizeof(input) - 1 - length);
		char *end;

		if (n <= 0)
			break;
		length += n;
		input[length] = 0;
		while ((end = strstr(input, "\r\n\r\n"))) {
			if (SSL_write(ssl, answer, sizeof(answer) - 1) <= 0)
				return;
			length -= end + 4 - input;
			memmove(input, end + 4, length + 1);
		}
	}
	SSL_shutdown(ssl);
}

int main(int argc, char **argv)
{
	int listener;

	if (argc != 4 + 2 * NAMES)
		fail("usage: names CERT KEY PORT NAME CA NAME CA");
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
	for (int i = 0; i < NAMES; i++) {
		names[i] = argv[4 + 2 * i];
		contexts[i] = context(argv[1], argv[2], argv[5 + 2 * i]);
	}
	SSL_CTX_callback_ctrl(contexts[0], SET_SERVERNAME_CALLBACK, (void (*)(void))choose);
	listener = listen_on(argv[3]);
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		SSL *ssl;

		if (fd < 0 || fork()) {
			if (fd >= 0)
				close(fd);
			continue;
		}
		close(listener);
		ssl = SSL_new(contexts[0]);
		SSL_set_fd(ssl, fd);
		serve(ssl);
		_exit(0);
	}
}
