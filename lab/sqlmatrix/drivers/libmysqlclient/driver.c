/* MySQL's own library: the text protocol for statements without parameters, else the binary one. Each statement carries an attribute that is called like a
 * tenant's column and is none, and the session tells of each change of its state. */
#include <stdbool.h>

#include <mysql.h>

#include "../common/job.h"

#define PARAMS_MAX 16

static MYSQL *conn;

static const char *attribute_names[PARAMS_MAX + 1];
static char attribute_value[] = "delta";
static unsigned long attribute_length = sizeof attribute_value - 1;

static MYSQL_BIND attribute(void)
{
	MYSQL_BIND b = {.buffer_type = MYSQL_TYPE_STRING, .buffer = attribute_value, .buffer_length = sizeof attribute_value, .length = &attribute_length};

	return b;
}

/* Runs a text by the text protocol and reads all results. 0: an error. */
static int text_query(const char *sql)
{
	MYSQL_BIND b = attribute();
	const char *name = "tenant_id";
	int more;

	if (mysql_bind_param(conn, 1, &b, &name) || mysql_real_query(conn, sql, strlen(sql)))
		return 0;
	do {
		MYSQL_RES *result = mysql_store_result(conn);

		while (result && mysql_fetch_row(result))
			;
		mysql_free_result(result);
		more = mysql_next_result(conn);
	} while (more == 0);
	return more < 0;
}

static void connect_now(void)
{
	const char *transport = setting("SQLM_TRANSPORT"), *socket = NULL, *host = setting("SQLM_HOST");
	unsigned protocol = MYSQL_PROTOCOL_TCP, mode = SSL_MODE_DISABLED, on = 1;
	bool yes = true;

	conn = mysql_init(NULL);
	if (!strcmp(transport, "unix")) {
		protocol = MYSQL_PROTOCOL_SOCKET;
		socket = setting("SQLM_SOCKET");
		host = "localhost";
	} else if (!strcmp(transport, "tls")) {
		mode = SSL_MODE_REQUIRED;
	}
	mysql_options(conn, MYSQL_OPT_SSL_MODE, &mode);
	mysql_options(conn, MYSQL_OPT_PROTOCOL, &protocol);
	mysql_options(conn, MYSQL_OPT_LOCAL_INFILE, &on);
	mysql_options(conn, MYSQL_OPT_GET_SERVER_PUBLIC_KEY, &yes);
	mysql_options(conn, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	if (!mysql_real_connect(conn, host, setting("SQLM_USER"), setting("SQLM_PASSWORD"), setting("SQLM_DATABASE"), (unsigned)atoi(setting("SQLM_PORT")), socket,
				CLIENT_MULTI_STATEMENTS))
		die("connect", mysql_error(conn));
	if (!text_query("SET session_track_system_variables = '*', session_track_state_change = ON, session_track_transaction_info = 'CHARACTERISTICS'"))
		die("session tracking", mysql_error(conn));
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
	MYSQL_BIND binds[PARAMS_MAX + 1] = {0};
	long long numbers[PARAMS_MAX];

	if (n > PARAMS_MAX)
		die("job", "too many parameters");
	for (int i = 0; i < n; i++) {
		const char *value = value_of(args[i]);

		if (!value) {
			binds[i].buffer_type = MYSQL_TYPE_NULL;
		} else if (args[i][0] == 'i') {
			numbers[i] = strtoll(value, NULL, 10);
			binds[i].buffer_type = MYSQL_TYPE_LONGLONG;
			binds[i].buffer = &numbers[i];
		} else {
			binds[i].buffer_type = MYSQL_TYPE_STRING;
			binds[i].buffer = (void *)value;
			binds[i].buffer_length = strlen(value);
		}
	}
	binds[n] = attribute();
	attribute_names[n] = "tenant_id";
	if (mysql_stmt_bind_named_param(statement, binds, (unsigned)n + 1, attribute_names) || mysql_stmt_execute(statement))
		return 0;
	attribute_names[n] = NULL;
	while (mysql_stmt_field_count(statement) && mysql_stmt_fetch(statement) == 0)
		;
	mysql_stmt_free_result(statement);
	return 1;
}

static int query(const char *sql, char **args, int n, int binary)
{
	MYSQL_STMT *statement;
	int good;

	if (!n && !binary)
		return text_query(sql);
	statement = prepared(sql);
	good = execute(statement, args, n);
	attribute_names[n] = NULL;
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
	if (!text_query(sql))
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
	if (!strcmp(operation, "pipe"))
		return "libmysqlclient has no pipeline of statements";
	return strcmp(operation, "many") ? NULL : "libmysqlclient has no bulk execution";
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
		if (!text_query(f->at[1]))
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
