/* Two ends of a TLS 1.3 connection in one thread, over memory. For each number on standard input: exchanges that many requests of 200 bytes and responses of
 * 200 bytes and prints the thread's CPU time, ns. argv: certificate, key. OpenSSL's functions are declared here, so that its headers need not be installed. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SSL_FILETYPE_PEM 1

typedef struct ssl_st SSL;
typedef struct ssl_ctx_st SSL_CTX;
typedef struct ssl_method_st SSL_METHOD;
typedef struct bio_st BIO;
const SSL_METHOD *TLS_server_method(void);
const SSL_METHOD *TLS_client_method(void);
SSL_CTX *SSL_CTX_new(const SSL_METHOD *);
int SSL_CTX_use_certificate_file(SSL_CTX *, const char *, int);
int SSL_CTX_use_PrivateKey_file(SSL_CTX *, const char *, int);
SSL *SSL_new(SSL_CTX *);
int BIO_new_bio_pair(BIO **, size_t, BIO **, size_t);
void SSL_set_bio(SSL *, BIO *, BIO *);
void SSL_set_accept_state(SSL *);
void SSL_set_connect_state(SSL *);
int SSL_do_handshake(SSL *);
int SSL_is_init_finished(const SSL *);
int SSL_read(SSL *, void *, int);
int SSL_write(SSL *, const void *, int);

static void check(int ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "%s failed\n", what);
		exit(1);
	}
}

static long long now(void)
{
	struct timespec t;

	check(!clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t), "clock_gettime");
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static SSL *end(const SSL_METHOD *method, BIO *bio, char **files)
{
	SSL_CTX *context = SSL_CTX_new(method);
	SSL *ssl;

	check(context != NULL, "SSL_CTX_new");
	if (files) {
		check(SSL_CTX_use_certificate_file(context, files[0], SSL_FILETYPE_PEM) == 1, "certificate");
		check(SSL_CTX_use_PrivateKey_file(context, files[1], SSL_FILETYPE_PEM) == 1, "key");
	}
	ssl = SSL_new(context);
	check(ssl != NULL, "SSL_new");
	SSL_set_bio(ssl, bio, bio);
	return ssl;
}

int main(int argc, char **argv)
{
	BIO *one, *other;
	SSL *server, *client;
	char message[200] = "", buffer[4096];
	long long n, begin;

	check(argc == 3, "arguments");
	check(BIO_new_bio_pair(&one, 65536, &other, 65536) == 1, "BIO_new_bio_pair");
	server = end(TLS_server_method(), one, argv + 1);
	client = end(TLS_client_method(), other, NULL);
	SSL_set_accept_state(server);
	SSL_set_connect_state(client);
	for (int i = 0; i < 20; i++) {
		SSL_do_handshake(client);
		SSL_do_handshake(server);
	}
	check(SSL_is_init_finished(client) && SSL_is_init_finished(server), "handshake");
	printf("ready\n");
	fflush(stdout);
	while (scanf("%lld", &n) == 1) {
		begin = now();
		for (long long i = 0; i < n; i++) {
			check(SSL_write(client, message, sizeof(message)) == sizeof(message), "SSL_write");
			check(SSL_read(server, buffer, sizeof(buffer)) == sizeof(message), "SSL_read");
			check(SSL_write(server, message, sizeof(message)) == sizeof(message), "SSL_write");
			check(SSL_read(client, buffer, sizeof(buffer)) == sizeof(message), "SSL_read");
		}
		printf("%lld\n", now() - begin);
		fflush(stdout);
	}
	return 0;
}
