"""pg8000: the protocol in Python, with named prepared statements; its process uses OpenSSL only where it asks for TLS."""
import io
import os
import struct
import sys

import pg8000
import pg8000.core

if os.environ["SQLM_TRANSPORT"] == "tls":  # else pg8000 loads the library only as it connects, and the first of its session is not seen
    import ssl  # noqa: F401

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "common"))
import sqlm  # noqa: E402


class Player(sqlm.Player):
    missing = {
        "prepare": "pg8000 1.10 has no public API for prepared statements (it prepares what it executes)",
        "pipe": "pg8000 has no pipeline",
        "script": "pg8000 prepares each text, which may hold one statement only",
        "notify": "pg8000 1.10 waits for nothing but answers",
    }

    missing_types = {"j": "pg8000 1.10 has no JSON parameters"}

    def __init__(self):
        place = dict(unix_sock=sqlm.SOCKET + "/.s.PGSQL.%d" % sqlm.PORT, host=None) if sqlm.TRANSPORT == "unix" else dict(host=sqlm.HOST, port=sqlm.PORT)
        self.connection = pg8000.connect(user=sqlm.USER, password=sqlm.PASSWORD, database=sqlm.DATABASE, ssl=sqlm.TRANSPORT == "tls", **place)
        self.connection.autocommit = True

    def run(self, sql, args):
        cursor = self.connection.cursor()
        cursor.execute(sql, tuple(args))
        rows = cursor.fetchall() if cursor.description else None
        cursor.close()
        return rows

    def do_query(self, sql, *args):
        self.run(sql, sqlm.values(args))

    do_binary = do_query  # it takes binary format for the types that it knows

    def do_many(self, sql, *args):
        cursor = self.connection.cursor()
        cursor.executemany(sql, [tuple(s) for s in sqlm.sets(args)])
        cursor.close()
        return len(sqlm.sets(args))

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
        except pg8000.Error:
            return
        sys.exit("no error: " + sql)

    def do_copyin(self, sql, data):
        self.connection.cursor().execute(sql, stream=io.BytesIO(data.encode()))

    def do_copyout(self, sql):
        self.connection.cursor().execute(sql, stream=io.BytesIO())

    def do_cursor(self, n, sql, *args):
        # It takes the rows of each portal in parts of 100; here of n.
        pg8000.core.Connection._row_cache_size_bin = struct.pack("!i", int(n))
        cursor = self.connection.cursor()
        cursor.execute(sql, tuple(sqlm.values(args)))
        while cursor.fetchmany(int(n)):
            pass
        cursor.close()
        pg8000.core.Connection._row_cache_size_bin = struct.pack("!i", 100)

    def close(self):
        self.connection.close()


sqlm.play(Player)
