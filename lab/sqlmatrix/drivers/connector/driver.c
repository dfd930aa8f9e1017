/* MariaDB Connector/C: the text protocol for statements without parameters, else the binary one; bulk execution, cursors, LOAD DATA LOCAL. */
#include <mysql.h>

#include "../common/job.h"

#define PARAMS_MAX 16
#define SETS_MAX 16

static MYSQL *conn;

static void connect_now(void)
{
	const char *transport = setting("SQLM_TRANSPORT"), *socket = NULL, *host = setting("SQLM_HOST");
	enum mysql_protocol_type protocol = MYSQL_PROTOCOL_TCP;
	unsigned on = 1;

	conn = mysql_init(NULL);
	if (!strcmp(transport, "unix")) {
		protocol = MYSQL_PROTOCOL_SOCKET;
		socket = setting("SQLM_SOCKET");
		host = "localhost";
	} else if (!strcmp(transport, "tls")) {
		mysql_optionsv(conn, MYSQL_OPT_SSL_CA, setting("SQLM_CA"));
		mysql_optionsv(conn, MYSQL_OPT_SSL_ENFORCE, &on);
	}
	mysql_optionsv(conn, MYSQL_OPT_PROTOCOL, &protocol);
	mysql_optionsv(conn, MYSQL_OPT_LOCAL_INFILE, &on);
	mysql_optionsv(conn, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	if (!mysql_real_connect(conn, host, setting("SQLM_USER"), setting("SQLM_PASSWORD"), setting("SQLM_DATABASE"), (unsigned)atoi(setting("SQLM_PORT")), socket,
				CLIENT_MULTI_STATEMENTS))
		die("connect", mysql_error(conn));
}

/* Runs a text by the text protocol and reads all results. 0: an error. */
static int text_query(const char *sql, int stream)
{
	int more;

	if (mysql_real_query(conn, sql, strlen(sql)))
		return 0;
	do {
		MYSQL_RES *result = stream ? mysql_use_result(conn) : mysql_store_result(conn);

		while (result && mysql_fetch_row(result))
			;
		mysql_free_result(result);
		more = mysql_next_result(conn);
	} while (more == 0);
	return more < 0;
}

/* The parameters of an execution, or of the sets of a bulk execution. */
struct params {
	MYSQL_BIND binds[PARAMS_MAX];
	long long numbers[PARAMS_MAX][SETS_MAX];
	const char *texts[PARAMS_MAX][SETS_MAX];
	unsigned long lengths[PARAMS_MAX][SETS_MAX];
	char nulls[PARAMS_MAX][SETS_MAX];
};

static void fill(struct params *p, int column, int set, const char *arg)
{
	const char *value = value_of(arg);
	MYSQL_BIND *b = &p->binds[column];

	p->nulls[column][set] = value ? STMT_INDICATOR_NONE : STMT_INDICATOR_NULL;
	if (arg[0] == 'i') {
		b->buffer_type = MYSQL_TYPE_LONGLONG;
		b->buffer = p->numbers[column];
		p->numbers[column][set] = strtoll(value, NULL, 10);
		return;
	}
	b->buffer_type = MYSQL_TYPE_STRING;
	b->buffer = p->texts[column];
	b->length = p->lengths[column];
	p->texts[column][set] = value ? value : "";
	p->lengths[column][set] = strlen(p->texts[column][set]);
}

static MYSQL_STMT *prepared(const char *sql)
{
	MYSQL_STMT *statement = mysql_stmt_init(conn);

	if (mysql_stmt_prepare(statement, sql, strlen(sql)))
		die(sql, mysql_stmt_error(statement));
	return statement;
}

/* Executes once. 0: an error. */
static int execute(MYSQL_STMT *statement, char **args, int n)
{
	struct params p = {0};
	my_bool is_null = 1;

	if (n > PARAMS_MAX)
		die("job", "too many parameters");
	for (int i = 0; i < n; i++) {
		fill(&p, i, 0, args[i]);
		if (p.binds[i].buffer_type == MYSQL_TYPE_STRING)
			p.binds[i].buffer = (void *)p.texts[i][0];
		if (!value_of(args[i]))
			p.binds[i].is_null = &is_null;
	}
	if ((n && mysql_stmt_bind_param(statement, p.binds)) || mysql_stmt_execute(statement))
		return 0;
	while (mysql_stmt_field_count(statement) && mysql_stmt_fetch(statement) == 0)
		;
	mysql_stmt_free_result(statement);
	return 1;
}

/* Executes all sets at once. */
static void bulk(const char *sql, char **args, int n)
{
	MYSQL_STMT *statement = prepared(sql);
	struct params p = {0};
	unsigned sets = 0;

	for (int i = 0, column = 0; i <= n; i++) {
		if (i == n || !strcmp(args[i], ";")) {
			sets++;
			column = 0;
			continue;
		}
		if (column == PARAMS_MAX || sets == SETS_MAX)
			die("job", "too many parameters");
		fill(&p, column, (int)sets, args[i]);
		p.binds[column].u.indicator = p.nulls[column];
		column++;
	}
	mysql_stmt_attr_set(statement, STMT_ATTR_ARRAY_SIZE, &sets);
	if (mysql_stmt_bind_param(statement, p.binds) || mysql_stmt_execute(statement))
		die(sql, mysql_stmt_error(statement));
	mysql_stmt_close(statement);
}

static int query(const char *sql, char **args, int n, int binary)
{
	MYSQL_STMT *statement;
	int good;

	if (!n && !binary)
		return text_query(sql, 0);
	statement = prepared(sql);
	good = execute(statement, args, n);
	if (!good)
		fprintf(stderr, "%s\n", mysql_stmt_error(statement));
	mysql_stmt_close(statement);
	return good;
}

static void cursor(const char *rows, const char *sql, char **args, int n)
{
	MYSQL_STMT *statement = prepared(sql);
	unsigned long type = CURSOR_TYPE_READ_ONLY, prefetch = strtoul(rows, NULL, 10);

	mysql_stmt_attr_set(statement, STMT_ATTR_CURSOR_TYPE, &type);
	mysql_stmt_attr_set(statement, STMT_ATTR_PREFETCH_ROWS, &prefetch);
	if (!execute(statement, args, n))
		die(sql, mysql_stmt_error(statement));
	mysql_stmt_close(statement);
}

static void load(const char *sql, const char *data)
{
	FILE *file = fopen("data", "w");

	if (!file || fputs(data, file) < 0 || fclose(file))
		die("data", "cannot be written");
	if (!text_query(sql, 0))
		die(sql, mysql_error(conn));
	remove("data");
}

static struct {
	const char *name;
	MYSQL_STMT *statement;
} named[8];

static MYSQL_STMT **slot(const char *name)
{
	for (int i = 0; i < 8; i++)
		if (!named[i].name || !strcmp(named[i].name, name)) {
			named[i].name = name;
			return &named[i].statement;
		}
	die(name, "too many prepared statements");
	return NULL;
}

static const char *missing(const char *operation)
{
	return strcmp(operation, "pipe") ? NULL : "Connector/C has no pipeline of statements";
}

static int operation(struct fields *f)
{
	char *what = f->at[0], **args = f->at + 2;
	int n = f->n - 2;

	if (!strcmp(what, "query") || !strcmp(what, "binary")) {
		if (!query(f->at[1], args, n, *what == 'b'))
			die(f->at[1], mysql_error(conn));
	} else if (!strcmp(what, "prepare")) {
		*slot(f->at[1]) = prepared(f->at[2]);
		return 0;
	} else if (!strcmp(what, "execute")) {
		if (!execute(*slot(f->at[1]), args, n))
			die(f->at[1], mysql_stmt_error(*slot(f->at[1])));
	} else if (!strcmp(what, "many")) {
		bulk(f->at[1], args, n);
	} else if (!strcmp(what, "begin")) {
		mysql_autocommit(conn, 0);
		return 0;
	} else if (!strcmp(what, "commit") || !strcmp(what, "rollback")) {
		if (*what == 'c' ? mysql_commit(conn) : mysql_rollback(conn))
			die(what, mysql_error(conn));
		mysql_autocommit(conn, 1);
		return 0;
	} else if (!strcmp(what, "fail")) {
		if (query(f->at[1], args, n, 0))
			die(f->at[1], "no error");
	} else if (!strcmp(what, "loadin")) {
		load(f->at[1], f->at[2]);
	} else if (!strcmp(what, "cursor")) {
		cursor(f->at[1], f->at[2], args + 1, n - 1);
	} else if (!strcmp(what, "script")) {
		if (!text_query(f->at[1], 1))
			die(f->at[1], mysql_error(conn));
		return comments_in(f->at[1]);
	} else {
		die(what, "no such operation");
	}
	return 1;
}

int main(void)
{
	play_job(connect_now, missing, operation);
	mysql_close(conn);
	return 0;
}
