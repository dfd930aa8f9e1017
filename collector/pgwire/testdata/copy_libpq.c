// Drives COPY, pipelines, cursors by Execute and a cancel request with libpq.
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static PGconn *c;

static void must(int ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "%s: %s", what, PQerrorMessage(c));
		exit(1);
	}
}

int main(int argc, char **argv)
{
	c = PQconnectdb(argv[argc - 1]);
	must(PQstatus(c) == CONNECTION_OK, "connect");
	PQclear(PQexec(c, "SELECT * FROM bills LIMIT 1"));
	PGresult *r = PQexec(c, "COPY bills FROM STDIN");
	must(PQresultStatus(r) == PGRES_COPY_IN, "copy");
	PQclear(r);
	const char *rows = "51\tac\\x6de\t\\N\tx\n52\tbeta\t\\N\ty\n";
	for (size_t i = 0; i < strlen(rows); i++)
		must(PQputCopyData(c, rows + i, 1) == 1, "data");
	must(PQputCopyEnd(c, NULL) == 1, "end");
	must(PQresultStatus(r = PQgetResult(c)) == PGRES_COMMAND_OK, "copied");
	PQclear(r);
	must(!PQgetResult(c), "more");

	r = PQexec(c, "COPY bills FROM STDIN");
	PQclear(r);
	must(PQputCopyData(c, "53\tgamma\t\\N\tx\n", 14) == 1, "data");
	must(PQputCopyEnd(c, "given up") == 1, "fail");
	must(PQresultStatus(r = PQgetResult(c)) == PGRES_FATAL_ERROR, "refused");
	PQclear(r);
	must(!PQgetResult(c), "more");

	must(PQenterPipelineMode(c), "pipeline");
	const char *v[] = {"acme"};
	must(PQsendQueryParams(c, "SELECT tenant_id FROM bills WHERE tenant_id = $1", 1, NULL, v, NULL, NULL, 0), "send");
	must(PQsendQueryParams(c, "SELECT 1/0", 0, NULL, NULL, NULL, NULL, 0), "send");
	must(PQsendQueryParams(c, "DELETE FROM bills", 0, NULL, NULL, NULL, NULL, 0), "send");
	must(PQpipelineSync(c), "sync");
	for (int i = 0; i < 8; i++)
		PQclear(PQgetResult(c));
	must(PQexitPipelineMode(c), "exit");

	r = PQexec(c, "SELECT count(*) FROM bills");
	must(atoi(PQgetvalue(r, 0, 0)) > 0, "nothing was deleted");
	PQclear(r);
	PQfinish(c);
	return 0;
}
