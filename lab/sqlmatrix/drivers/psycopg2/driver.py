"""psycopg2: libpq's simple protocol, values put into the text by the client."""
import io
import os
import select
import sys

import psycopg2
import psycopg2.extensions
import psycopg2.extras

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "common"))
import sqlm  # noqa: E402

psycopg2.extras.register_uuid()


def adapted(args):
    return [psycopg2.extras.Json(None, dumps=lambda _, text=a: text) if isinstance(a, sqlm.Json) else a for a in args]


class Player(sqlm.Player):
    missing = {
        "binary": "psycopg2 binds on the client",
        "prepare": "psycopg2 has no prepared statements",
        "pipe": "psycopg2 has no pipeline",
    }

    def __init__(self):
        self.connection = psycopg2.connect(
            host=sqlm.SOCKET if sqlm.TRANSPORT == "unix" else sqlm.HOST, port=sqlm.PORT, user=sqlm.USER, password=sqlm.PASSWORD,
            dbname=sqlm.DATABASE, sslmode="require" if sqlm.TRANSPORT == "tls" else "disable")
        self.connection.autocommit = True

    def run(self, sql, args):
        with self.connection.cursor() as cursor:
            cursor.execute(sql, adapted(args) or None)
            return cursor.fetchall() if cursor.description else None

    def do_query(self, sql, *args):
        self.run(sql, sqlm.values(args))

    def do_script(self, sql):
        self.run(sql, ())
        return sql.count("/*")

    def do_many(self, sql, *args):
        all_sets = [adapted(s) for s in sqlm.sets(args)]
        with self.connection.cursor() as cursor:
            cursor.executemany(sql, all_sets[:1])
            psycopg2.extras.execute_batch(cursor, sql, all_sets[1:])  # several in one text
        return len(all_sets)

    def do_begin(self):
        self.connection.autocommit = False
        return 0

    def do_commit(self):
        self.connection.commit()
        self.connection.autocommit = True
        return 0

    def do_rollback(self):
        self.connection.rollback()
        self.connection.autocommit = True
        return 0

    def do_fail(self, sql, *args):
        try:
            self.run(sql, sqlm.values(args))
        except psycopg2.Error:
            return
        sys.exit("no error: " + sql)

    def do_copyin(self, sql, data):
        with self.connection.cursor() as cursor:
            cursor.copy_expert(sql, io.StringIO(data))

    def do_copyout(self, sql):
        with self.connection.cursor() as cursor:
            cursor.copy_expert(sql, io.StringIO())

    def do_cursor(self, n, sql, *args):
        with self.connection.cursor("matrix") as cursor:
            cursor.execute(sql, adapted(sqlm.values(args)))
            while cursor.fetchmany(int(n)):
                pass

    def do_notify(self, channel, listen, notify):
        self.run(listen, ())
        self.run(notify, ())
        while not self.connection.notifies:
            select.select([self.connection], [], [], 10)
            self.connection.poll()
        return 2

    def close(self):
        self.connection.close()


sqlm.play(Player)
