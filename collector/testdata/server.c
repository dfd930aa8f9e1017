/* A server of HTTP over mutual TLS that uses the OpenSSL which it is told to:
 *   server CERT KEY CA           reads commands, one a line, and answers each with a line
 *   server CERT KEY CA one FD    serves the connection FD and ends, leaving all for the kernel to clean up
 * load LIBSSL LIBCRYPTO             maps these and listens, answers with the port; linked in (-DLINKED) it uses what it was linked with
 * prefork LIBSSL LIBCRYPTO NUMBER   the same, but so many forked processes accept
 * branch LIBSSL LIBCRYPTO           the same, but a process accepts that is forked as soon as a probe stands in one of its functions
 * each                              listens, and has a process of its own, which runs the program anew, serve each connection
 * map FILE                          maps a file executable
 * unload                            unmaps the files mapped so
 * A request for /fork/... is answered by a child, which keeps the connection; the parent frees its SSL object. OpenSSL's functions are declared here: one
 * source for all versions, without their headers. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILETYPE_PEM = 1, VERIFY_PEER = 1, VERIFY_FAIL = 2, LISTENERS = 16, MAPPED = 64 };

struct tls {
	void *(*method)(void), *(*new_context)(void *);
	int (*use_certificate)(void *, const char *), (*use_key)(void *, const char *, int), (*load_ca)(void *, const char *, const char *);
	void (*set_verify)(void *, int, void *);
	void *(*new_ssl)(void *);
	int (*set_fd)(void *, int), (*accept)(void *), (*read)(void *, void *, int), (*write)(void *, const void *, int);
	void (*free)(void *);
	void *context;
	int fd, port;
};

static char **files; /* CERT KEY CA */
static struct tls listeners[LISTENERS];
static int listening;
static struct {
	void *at;
	size_t size;
} mapped[MAPPED];
static int maps;

static void fail(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

#ifdef LINKED
void *TLS_server_method(void), *SSL_CTX_new(void *), *SSL_new(void *);
int SSL_CTX_use_certificate_chain_file(void *, const char *), SSL_CTX_use_PrivateKey_file(void *, const char *, int);
int SSL_CTX_load_verify_locations(void *, const char *, const char *), SSL_set_fd(void *, int), SSL_accept(void *);
int SSL_read(void *, void *, int), SSL_write(void *, const void *, int);
void SSL_CTX_set_verify(void *, int, void *), SSL_free(void *);
static void resolve(struct tls *t, const char *ssl, const char *crypto)
{
	(void)ssl;
	(void)crypto;
	*t = (struct tls){TLS_server_method, SSL_CTX_new, SSL_CTX_use_certificate_chain_file, SSL_CTX_use_PrivateKey_file, SSL_CTX_load_verify_locations,
			  SSL_CTX_set_verify, SSL_new, SSL_set_fd, SSL_accept, SSL_read, SSL_write, SSL_free};
}
#else
static void *opened(const char *path)
{
	void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	if (!library) {
		fprintf(stderr, "%s\n", dlerror());
		exit(1);
	}
	return library;
}

static void resolve(struct tls *t, const char *ssl, const char *crypto)
{
	static const char *const names[] = {"TLS_server_method", "SSL_CTX_new", "SSL_CTX_use_certificate_chain_file", "SSL_CTX_use_PrivateKey_file",
					    "SSL_CTX_load_verify_locations", "SSL_CTX_set_verify", "SSL_new", "SSL_set_fd", "SSL_accept", "SSL_read",
					    "SSL_write", "SSL_free"};
	void **to = (void **)t, *library;

	opened(crypto);
	library = opened(ssl);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!(to[i] = dlsym(library, names[i])))
			fail(names[i]);
}
#endif

static void prepare(struct tls *t, const char *ssl, const char *crypto)
{
	resolve(t, ssl, crypto);
	t->context = t->new_context(t->method());
	if (!t->context || t->use_certificate(t->context, files[0]) != 1 || t->use_key(t->context, files[1], FILETYPE_PEM) != 1 ||
	    t->load_ca(t->context, files[2], NULL) != 1)
		fail("read certificates");
	t->set_verify(t->context, VERIFY_PEER | VERIFY_FAIL, NULL);
}

/* One request at a time, without bodies. */
static void serve(struct tls *t, int fd)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhere\n";
	char input[4096];
	void *ssl = t->new_ssl(t->context);
	size_t have = 0;
	int n;

	t->set_fd(ssl, fd);
	if (t->accept(ssl) == 1) {
		while ((n = t->read(ssl, input + have, sizeof(input) - 1 - have)) > 0) {
			have += n;
			input[have] = 0;
			if (!strstr(input, "\r\n\r\n"))
				continue;
			have = 0;
			if (strstr(input, "/fork/")) {
				pid_t child = fork();

				if (child < 0)
					fail("fork");
				if (child)
					break;
			}
			if (t->write(ssl, answer, sizeof(answer) - 1) <= 0)
				break;
		}
	}
	t->free(ssl);
	close(fd);
}

struct job {
	struct tls *tls;
	int fd;
};

static void *serve_job(void *argument)
{
	struct job job = *(struct job *)argument;

	free(argument);
	serve(job.tls, job.fd);
	return NULL;
}

static void in_thread(void *(*run)(void *), void *argument)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, run, argument) || pthread_detach(thread))
		fail("thread");
}

static void *accept_all(void *argument)
{
	struct tls *t = argument;

	for (;;) {
		struct job *job = malloc(sizeof(*job));

		*job = (struct job){t, accept(t->fd, NULL, NULL)};
		if (job->fd < 0)
			fail("accept");
		in_thread(serve_job, job);
	}
	return NULL;
}

static struct tls *listening_on_new_port(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(at);
	struct tls *t = &listeners[listening++];

	if (listening > LISTENERS)
		fail("too many listeners");
	t->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(t->fd, (struct sockaddr *)&at, sizeof(at)) || listen(t->fd, 512) || getsockname(t->fd, (struct sockaddr *)&at, &size))
		fail("listen");
	t->port = ntohs(at.sin_port);
	return t;
}

static int load(const char *ssl, const char *crypto)
{
	struct tls loaded, *t;

	prepare(&loaded, ssl, crypto);
	t = listening_on_new_port();
	loaded.fd = t->fd;
	loaded.port = t->port;
	*t = loaded;
	return t->port;
}

/* Whoever reads the code of a function sees the breakpoint in it. */
static void *branch(void *argument)
{
	struct tls *t = argument;
	const void *code[] = {(const void *)t->read, (const void *)t->write, (const void *)t->accept, (const void *)t->set_fd, (const void *)t->free};
	enum { FUNCTIONS = sizeof(code) / sizeof(*code), BYTES = 8 };
	char before[FUNCTIONS][BYTES];
	int changed = 0;
	pid_t child;

	for (int i = 0; i < FUNCTIONS; i++)
		memcpy(before[i], code[i], BYTES);
	while (!changed) {
		__asm__ volatile("" ::: "memory");
		for (int i = 0; i < FUNCTIONS; i++)
			changed |= memcmp(before[i], code[i], BYTES);
	}
	child = fork();
	if (child < 0)
		fail("fork");
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		accept_all(t);
	}
	for (;;)
		pause();
}

static void *run_each(void *argument)
{
	struct tls *t = argument;

	for (;;) {
		char number[16];
		int fd = accept(t->fd, NULL, NULL);
		pid_t child;

		if (fd < 0)
			fail("accept");
		child = fork();
		if (child < 0)
			fail("fork");
		if (!child) {
			snprintf(number, sizeof(number), "%d", fd);
			execl("/proc/self/exe", "server", files[0], files[1], files[2], "one", number, NULL);
			fail("exec");
		}
		close(fd);
	}
	return NULL;
}

static void workers(int port, int number)
{
	for (int i = 0; i < listening; i++) {
		if (listeners[i].port != port)
			continue;
		while (number--) {
			pid_t child = fork();

			if (child < 0)
				fail("fork");
			if (child)
				continue;
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (;;) {
				int fd = accept(listeners[i].fd, NULL, NULL);

				if (fd < 0)
					fail("accept");
				serve(&listeners[i], fd);
			}
		}
		return;
	}
	fail("no such port");
}

static void map(const char *path)
{
	struct stat status;
	int fd = open(path, O_RDONLY);

	if (maps == MAPPED || fd < 0 || fstat(fd, &status))
		fail(path);
	mapped[maps].size = status.st_size;
	mapped[maps].at = mmap(NULL, status.st_size, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	if (mapped[maps++].at == MAP_FAILED)
		fail(path);
	close(fd);
}

static void command(char *line)
{
	char first[1024], second[1024];
	int port = 0, number;

	if (sscanf(line, "load %1023s %1023s", first, second) == 2) {
		port = load(first, second);
		in_thread(accept_all, &listeners[listening - 1]);
	} else if (sscanf(line, "prefork %1023s %1023s %d", first, second, &number) == 3) {
		port = load(first, second);
		workers(port, number);
	} else if (sscanf(line, "branch %1023s %1023s", first, second) == 2) {
		port = load(first, second);
		in_thread(branch, &listeners[listening - 1]);
	} else if (!strcmp(line, "each\n")) {
		struct tls *t = listening_on_new_port();

		port = t->port;
		in_thread(run_each, t);
	} else if (sscanf(line, "map %1023s", first) == 1) {
		map(first);
	} else if (!strcmp(line, "unload\n")) {
		while (maps--)
			munmap(mapped[maps].at, mapped[maps].size);
		maps = 0;
	} else {
		fail(line);
	}
	printf("%d\n", port);
}

static void keep(void *ssl)
{
	(void)ssl;
}

int main(int argc, char **argv)
{
	char line[4096];

	if (argc != 4 && argc != 6)
		fail("usage: server CERT KEY CA [one FD]");
	files = argv + 1;
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 6) {
		prepare(&listeners[0], "", "");
		listeners[0].free = keep;
		serve(&listeners[0], atoi(argv[5]));
		_exit(0);
	}
	while (fgets(line, sizeof(line), stdin))
		command(line);
	return 0;
}
