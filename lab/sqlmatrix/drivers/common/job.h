/* The loop of a driver program in C: reads a job, lets play_* do its operations, and says what was sent for each label. The program defines struct player's
 * functions and calls play_job. */
#ifndef SQLM_JOB_H
#define SQLM_JOB_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELDS_MAX 64

struct fields {
	int n;
	char *at[FIELDS_MAX];
};

static void die(const char *what, const char *why)
{
	fprintf(stderr, "%s: %s\n", what, why);
	exit(1);
}

static const char *setting(const char *name)
{
	const char *value = getenv(name);

	if (!value)
		die(name, "not set");
	return value;
}

static void unescape(char *s)
{
	char *to = s;

	for (; *s; s++) {
		if (*s != '\\') {
			*to++ = *s;
			continue;
		}
		s++;
		*to++ = *s == 't' ? '\t' : *s == 'n' ? '\n' : *s;
	}
	*to = 0;
}

/* Splits a line in place. */
static void split_line(char *line, struct fields *f)
{
	f->n = 0;
	for (char *tab; line; line = tab) {
		tab = strchr(line, '\t');
		if (tab)
			*tab++ = 0;
		if (f->n == FIELDS_MAX)
			die("job", "too many fields");
		unescape(line);
		f->at[f->n++] = line;
	}
}

static char *read_all(void)
{
	size_t room = 1 << 16, n = 0, got;
	char *text = malloc(room);

	while (text && (got = fread(text + n, 1, room - n - 1, stdin)) > 0) {
		n += got;
		if (room - n - 1 == 0)
			text = realloc(text, room *= 2);
	}
	if (!text)
		die("job", "out of memory");
	text[n] = 0;
	return text;
}

/* How many comments a text has. */
static int comments_in(const char *sql)
{
	int n = 0;

	while ((sql = strstr(sql, "/* m:"))) {
		n++;
		sql++;
	}
	return n;
}

/* The value of an argument "t:...", NULL for "n:". */
static const char *value_of(const char *arg) { return arg[0] == 'n' ? NULL : arg + 2; }

/* missing says why the library does not offer an operation, or NULL. operation does one and gives the number of statements sent. */
static void play_job(void (*connect_now)(void), const char *(*missing)(const char *operation), int (*operation)(struct fields *f))
{
	static struct fields ops[FIELDS_MAX];
	char *text, *next, *label = NULL;
	int n = 0;

	puts("ready");
	fflush(stdout);
	text = read_all();
	connect_now();
	for (char *line = text; line && *line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = 0;
		if (n == FIELDS_MAX)
			die("job", "too many operations");
		split_line(line, &ops[n]);
		if (!strcmp(ops[n].at[0], "label")) {
			label = ops[n].at[1];
			n = 0;
		} else if (!strcmp(ops[n].at[0], "end")) {
			const char *why = NULL;
			int sent = 0;

			for (int i = 0; i < n && !why; i++)
				why = missing(ops[i].at[0]);
			for (int i = 0; i < n && !why; i++)
				sent += operation(&ops[i]);
			if (why)
				printf("na\t%s\t%s\n", label, why);
			else
				printf("sent\t%s\t%d\n", label, sent);
			fflush(stdout);
		} else {
			n++;
		}
	}
}

#endif
