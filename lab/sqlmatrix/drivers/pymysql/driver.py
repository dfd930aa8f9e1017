"""PyMySQL and mysqlclient: driver.py pymysql|MySQLdb. Text protocol, values put into the text by the client."""
import importlib
import os
import ssl
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "common"))
import sqlm  # noqa: E402

library = importlib.import_module(sys.argv[1])
cursors = importlib.import_module(sys.argv[1] + ".cursors")
MULTI_STATEMENTS = 1 << 16


def adapted(args):
    return [str(a) if isinstance(a, sqlm.Json) or type(a).__name__ == "UUID" else a for a in args]


class Player(sqlm.Player):
    missing = {
        "binary": sys.argv[1] + " has no binary protocol",
        "prepare": sys.argv[1] + " has no prepared statements",
        "pipe": sys.argv[1] + " has no pipeline",
    }

    def __init__(self):
        options = dict(user=sqlm.USER, password=sqlm.PASSWORD, database=sqlm.DATABASE, charset="utf8mb4")
        if sqlm.TRANSPORT == "unix":
            options["unix_socket"] = sqlm.SOCKET
        else:
            options.update(host=sqlm.HOST, port=sqlm.PORT)
        if sys.argv[1] == "pymysql":
            options.update(local_infile=True, client_flag=MULTI_STATEMENTS)
            if sqlm.TRANSPORT == "tls":
                options["ssl"] = ssl.create_default_context(cafile=sqlm.CA)
        else:
            options.update(local_infile=1, client_flag=MULTI_STATEMENTS)
            if sqlm.TRANSPORT == "tls":
                options["ssl"] = {"ca": sqlm.CA}
        self.connection = library.connect(**options)
        self.connection.autocommit(True)

    def run(self, sql, args, kind=None):
        cursor = self.connection.cursor(kind)
        cursor.execute(sql, args or None)
        while True:
            cursor.fetchall()
            if not cursor.nextset():
                break
        cursor.close()

    def do_query(self, sql, *args):
        self.run(sql, adapted(sqlm.values(args)))

    def do_script(self, sql):
        self.run(sql, ())
        return sql.count("/*")

    def do_many(self, sql, *args):
        cursor = self.connection.cursor()
        sets = [adapted(s) for s in sqlm.sets(args)]
        cursor.executemany(sql, sets)
        cursor.close()
        return 1 if sql.startswith("INSERT") else len(sets)  # an INSERT becomes one of many rows

    def do_begin(self):
        self.connection.begin()
        return 0

    def do_commit(self):
        self.connection.commit()
        return 0

    def do_rollback(self):
        self.connection.rollback()
        return 0

    def do_fail(self, sql, *args):
        try:
            self.run(sql, adapted(sqlm.values(args)))
        except library.Error:
            return
        sys.exit("no error: " + sql)

    def do_loadin(self, sql, data):
        with tempfile.NamedTemporaryFile("w", dir=".") as file:
            file.write(data)
            file.flush()
            os.chmod(file.name, 0o644)
            self.run(sql.replace("'data'", "'%s'" % file.name), ())

    def do_cursor(self, n, sql, *args):
        cursor = self.connection.cursor(cursors.SSCursor)  # rows are read from the socket as they are wanted
        cursor.execute(sql, adapted(sqlm.values(args)) or None)
        while cursor.fetchmany(int(n)):
            pass
        cursor.close()

    def close(self):
        self.connection.close()


sqlm.play(Player)
