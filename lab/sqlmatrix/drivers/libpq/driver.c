/* libpq: the extended protocol with text and binary parameters, prepared statements, pipelines, COPY, cursors. */
#include <endian.h>
#include <stdint.h>

#include <libpq-fe.h>

#include "../common/job.h"

#define PARAMS_MAX 16

static PGconn *conn;

static void connect_now(void)
{
	const char *transport = setting("SQLM_TRANSPORT");
	const char *keys[] = {"host", "port", "user", "password", "dbname", "sslmode", NULL};
	const char *values[] = {strcmp(transport, "unix") ? setting("SQLM_HOST") : setting("SQLM_SOCKET"), setting("SQLM_PORT"), setting("SQLM_USER"),
				setting("SQLM_PASSWORD"), setting("SQLM_DATABASE"), strcmp(transport, "tls") ? "disable" : "require", NULL};

	conn = PQconnectdbParams(keys, values, 0);
	if (PQstatus(conn) != CONNECTION_OK)
		die("connect", PQerrorMessage(conn));
}

/* The parameters of a statement. */
struct params {
	int n;
	const char *values[PARAMS_MAX];
	int lengths[PARAMS_MAX], formats[PARAMS_MAX];
	Oid types[PARAMS_MAX];
	char room[PARAMS_MAX][1024];
};

static void fill_binary(struct params *p, int i, char kind, const char *value)
{
	char *to = p->room[i];

	p->formats[i] = 1;
	p->values[i] = to;
	if (kind == 'i') {
		uint64_t big = htobe64((uint64_t)strtoll(value, NULL, 10));

		memcpy(to, &big, p->lengths[i] = sizeof(big));
		p->types[i] = 20; /* int8 */
	} else if (kind == 'u') {
		for (const char *v = value; *v; v += 2) {
			unsigned byte;

			v += *v == '-';
			if (sscanf(v, "%2x", &byte) != 1 || p->lengths[i] == 16)
				die("job", "no uuid");
			to[p->lengths[i]++] = (char)byte;
		}
		p->types[i] = 2950; /* uuid */
	} else {
		snprintf(to, sizeof(p->room[i]), "%s", value);
		p->lengths[i] = (int)strlen(to);
		p->types[i] = 25; /* text */
	}
}

static void fill(struct params *p, char **args, int n, int binary)
{
	memset(p, 0, sizeof(*p));
	if (n > PARAMS_MAX)
		die("job", "too many parameters");
	p->n = n;
	for (int i = 0; i < n; i++) {
		const char *value = value_of(args[i]);

		if (!value)
			continue;
		if (binary) {
			fill_binary(p, i, args[i][0], value);
		} else if (args[i][0] == 'T' || args[i][0] == 'I') {
			snprintf(p->room[i], sizeof(p->room[i]), "{%s}", value);
			p->values[i] = p->room[i];
		} else {
			p->values[i] = value;
		}
	}
}

static void expect(PGresult *r, const char *sql)
{
	switch (PQresultStatus(r)) {
	case PGRES_COMMAND_OK:
	case PGRES_TUPLES_OK:
	case PGRES_SINGLE_TUPLE:
	case PGRES_PIPELINE_SYNC:
		PQclear(r);
		return;
	default:
		die(sql, PQresultErrorMessage(r));
	}
}

static PGresult *run(const char *sql, char **args, int n, int binary)
{
	struct params p;

	if (!n && !binary)
		return PQexec(conn, sql);
	fill(&p, args, n, binary);
	return PQexecParams(conn, sql, n, p.types, p.values, p.lengths, p.formats, binary);
}

static void command(const char *sql) { expect(PQexec(conn, sql), sql); }

/* Sends each set of a batch by one prepared statement, in a pipeline. */
static int many(char *sql, char **args, int n)
{
	int sets = 0;

	expect(PQprepare(conn, "batch", sql, 0, NULL), sql);
	if (!PQenterPipelineMode(conn))
		die("pipeline", PQerrorMessage(conn));
	for (int i = 0, from = 0; i <= n; i++) {
		struct params p;

		if (i < n && strcmp(args[i], ";"))
			continue;
		fill(&p, args + from, i - from, 0);
		if (!PQsendQueryPrepared(conn, "batch", p.n, p.values, p.lengths, p.formats, 0))
			die(sql, PQerrorMessage(conn));
		from = i + 1;
		sets++;
	}
	if (!PQpipelineSync(conn))
		die("pipeline", PQerrorMessage(conn));
	for (int i = 0; i < sets; i++) {
		expect(PQgetResult(conn), sql);
		if (PQgetResult(conn))
			die(sql, "one more result");
	}
	expect(PQgetResult(conn), "sync");
	PQexitPipelineMode(conn);
	command("DEALLOCATE batch");
	return sets;
}

static char *queued[16][PARAMS_MAX + 1];
static int queued_args[16], queue_length;

static void play_queue(void)
{
	if (!PQenterPipelineMode(conn))
		die("pipeline", PQerrorMessage(conn));
	for (int i = 0; i < queue_length; i++) {
		struct params p;

		fill(&p, queued[i] + 1, queued_args[i], 0);
		if (!PQsendQueryParams(conn, queued[i][0], p.n, NULL, p.values, NULL, NULL, 0))
			die(queued[i][0], PQerrorMessage(conn));
	}
	if (!PQpipelineSync(conn))
		die("pipeline", PQerrorMessage(conn));
	for (int i = 0; i < queue_length; i++) {
		expect(PQgetResult(conn), queued[i][0]);
		if (PQgetResult(conn))
			die(queued[i][0], "one more result");
	}
	expect(PQgetResult(conn), "sync");
	PQexitPipelineMode(conn);
	queue_length = 0;
}

static void cursor(const char *rows, const char *sql, char **args, int n)
{
	char text[2048], fetch[128];
	PGresult *r;
	int more = 1;

	snprintf(text, sizeof(text), "DECLARE c CURSOR FOR %s", sql);
	snprintf(fetch, sizeof(fetch), "FETCH FORWARD %s FROM c", rows);
	expect(run(text, args, n, 0), text);
	while (more) {
		r = PQexec(conn, fetch);
		more = PQntuples(r) > 0;
		expect(r, fetch);
	}
	command("CLOSE c");
}

static void copy_in(const char *sql, const char *data)
{
	PGresult *r = PQexec(conn, sql);

	if (PQresultStatus(r) != PGRES_COPY_IN)
		die(sql, PQresultErrorMessage(r));
	PQclear(r);
	if (PQputCopyData(conn, data, (int)strlen(data)) != 1 || PQputCopyEnd(conn, NULL) != 1)
		die(sql, PQerrorMessage(conn));
	while ((r = PQgetResult(conn)))
		expect(r, sql);
}

static void copy_out(const char *sql)
{
	PGresult *r = PQexec(conn, sql);
	char *line;

	if (PQresultStatus(r) != PGRES_COPY_OUT)
		die(sql, PQresultErrorMessage(r));
	PQclear(r);
	while (PQgetCopyData(conn, &line, 0) > 0)
		PQfreemem(line);
	while ((r = PQgetResult(conn)))
		expect(r, sql);
}

static void script(const char *sql)
{
	PGresult *r;

	if (!PQsendQuery(conn, sql) || !PQsetSingleRowMode(conn))
		die(sql, PQerrorMessage(conn));
	while ((r = PQgetResult(conn)))
		expect(r, sql);
}

static void notify(const char *listen, const char *notify)
{
	PGnotify *heard;

	command(listen);
	command(notify);
	while (!(heard = PQnotifies(conn)))
		if (!PQconsumeInput(conn))
			die(notify, PQerrorMessage(conn));
	PQfreemem(heard);
}

static const char *missing(const char *operation)
{
	(void)operation;
	return NULL;
}

static int operation(struct fields *f)
{
	char *what = f->at[0], **args = f->at + 2;
	int n = f->n - 2;
	PGresult *r;

	if (!strcmp(what, "query") || !strcmp(what, "binary")) {
		expect(run(f->at[1], args, n, *what == 'b'), f->at[1]);
	} else if (!strcmp(what, "prepare")) {
		expect(PQprepare(conn, f->at[1], f->at[2], 0, NULL), f->at[2]);
		return 0;
	} else if (!strcmp(what, "execute")) {
		struct params p;

		fill(&p, args, n, 0);
		expect(PQexecPrepared(conn, f->at[1], n, p.values, p.lengths, p.formats, 0), f->at[1]);
	} else if (!strcmp(what, "many")) {
		return many(f->at[1], args, n);
	} else if (!strcmp(what, "begin") || !strcmp(what, "commit") || !strcmp(what, "rollback")) {
		command(what);
		return 0;
	} else if (!strcmp(what, "fail")) {
		r = run(f->at[1], args, n, 0);
		if (PQresultStatus(r) != PGRES_FATAL_ERROR)
			die(f->at[1], "no error");
		PQclear(r);
	} else if (!strcmp(what, "copyin")) {
		copy_in(f->at[1], f->at[2]);
	} else if (!strcmp(what, "copyout")) {
		copy_out(f->at[1]);
	} else if (!strcmp(what, "cursor")) {
		cursor(f->at[1], f->at[2], args + 1, n - 1);
	} else if (!strcmp(what, "pipe")) {
		memcpy(queued[queue_length], f->at + 1, sizeof(char *) * (size_t)(f->n - 1));
		queued_args[queue_length++] = n;
	} else if (!strcmp(what, "sync")) {
		play_queue();
		return 0;
	} else if (!strcmp(what, "script")) {
		script(f->at[1]);
		return comments_in(f->at[1]);
	} else if (!strcmp(what, "notify")) {
		notify(f->at[2], f->at[3]);
		return 2;
	} else {
		die(what, "no such operation");
	}
	return 1;
}

int main(void)
{
	play_job(connect_now, missing, operation);
	PQfinish(conn);
	return 0;
}
