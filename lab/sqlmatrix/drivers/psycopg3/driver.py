"""psycopg 3, as its synchronous or its asynchronous connection: driver.py sync|async. Values are bound by the server."""
import asyncio
import os
import sys

import psycopg
import psycopg.types.string

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "common"))
import sqlm  # noqa: E402

CONNECT = dict(
    host=sqlm.SOCKET if sqlm.TRANSPORT == "unix" else sqlm.HOST, port=sqlm.PORT, user=sqlm.USER, password=sqlm.PASSWORD, dbname=sqlm.DATABASE,
    sslmode="require" if sqlm.TRANSPORT == "tls" else "disable", autocommit=True)


class JsonDumper(psycopg.types.string.StrDumper):
    """JSON that is sent as it is."""

    oid = psycopg.adapters.types["jsonb"].oid


psycopg.adapters.register_dumper(sqlm.Json, JsonDumper)


class Player(sqlm.Player):
    def __init__(self):
        self.connection = psycopg.connect(**CONNECT)
        self.texts = {}
        self.queue = []

    def run(self, sql, args, **options):
        with self.connection.cursor() as cursor:
            cursor.execute(sql, args or None, **options)
            return cursor.fetchall() if cursor.description else None

    def do_query(self, sql, *args):
        self.run(sql, sqlm.values(args))

    def do_binary(self, sql, *args):
        self.run(sql.replace("%s", "%b"), sqlm.values(args), binary=True)

    def do_prepare(self, name, sql):
        self.texts[name] = sql
        return 0

    def do_execute(self, name, *args):
        self.run(self.texts[name], sqlm.values(args), prepare=True)

    def do_many(self, sql, *args):
        with self.connection.cursor() as cursor:
            cursor.executemany(sql, sqlm.sets(args))
        return len(sqlm.sets(args))

    def do_script(self, sql):
        with self.connection.cursor() as cursor:
            cursor.execute(sql)
            while cursor.nextset():
                pass
        return sql.count("/*")

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
        except psycopg.Error:
            return
        sys.exit("no error: " + sql)

    def do_copyin(self, sql, data):
        with self.connection.cursor() as cursor, cursor.copy(sql) as copy:
            copy.write(data)

    def do_copyout(self, sql):
        with self.connection.cursor() as cursor, cursor.copy(sql) as copy:
            for _ in copy:
                pass

    def do_cursor(self, n, sql, *args):
        with self.connection.cursor("matrix") as cursor:
            cursor.execute(sql, sqlm.values(args) or None)
            while cursor.fetchmany(int(n)):
                pass

    def do_pipe(self, sql, *args):
        self.queue.append((sql, sqlm.values(args)))

    def do_sync(self):
        with self.connection.pipeline():
            cursors = [self.connection.execute(sql, args) for sql, args in self.queue]
            self.queue = []
            for cursor in cursors:
                cursor.fetchall()
        return 0

    def do_notify(self, channel, listen, notify):
        heard = []
        self.connection.add_notify_handler(heard.append)
        self.run(listen, ())
        self.run(notify, ())
        while not heard:
            self.run("", ())
        return 2

    def close(self):
        self.connection.close()


class AsyncPlayer(sqlm.Player):
    """The same over an asynchronous connection. Each operation is a run of the loop."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self.connection = self.wait(psycopg.AsyncConnection.connect(**CONNECT))
        self.texts = {}
        self.queue = []

    def wait(self, coroutine):
        return self.loop.run_until_complete(asyncio.wait_for(coroutine, 30))

    async def run(self, sql, args, **options):
        async with self.connection.cursor() as cursor:
            await cursor.execute(sql, args or None, **options)
            return await cursor.fetchall() if cursor.description else None

    def do_query(self, sql, *args):
        self.wait(self.run(sql, sqlm.values(args)))

    def do_binary(self, sql, *args):
        self.wait(self.run(sql.replace("%s", "%b"), sqlm.values(args), binary=True))

    def do_prepare(self, name, sql):
        self.texts[name] = sql
        return 0

    def do_execute(self, name, *args):
        self.wait(self.run(self.texts[name], sqlm.values(args), prepare=True))

    def do_many(self, sql, *args):
        async def many():
            async with self.connection.cursor() as cursor:
                await cursor.executemany(sql, sqlm.sets(args))
        self.wait(many())
        return len(sqlm.sets(args))

    def do_script(self, sql):
        async def script():
            async with self.connection.cursor() as cursor:
                await cursor.execute(sql)
                while cursor.nextset():
                    pass
        self.wait(script())
        return sql.count("/*")

    def do_begin(self):
        self.wait(self.connection.set_autocommit(False))
        return 0

    def do_commit(self):
        self.wait(self.connection.commit())
        self.wait(self.connection.set_autocommit(True))
        return 0

    def do_rollback(self):
        self.wait(self.connection.rollback())
        self.wait(self.connection.set_autocommit(True))
        return 0

    def do_fail(self, sql, *args):
        try:
            self.wait(self.run(sql, sqlm.values(args)))
        except psycopg.Error:
            return
        sys.exit("no error: " + sql)

    def do_copyin(self, sql, data):
        async def copyin():
            async with self.connection.cursor() as cursor, cursor.copy(sql) as copy:
                await copy.write(data)
        self.wait(copyin())

    def do_copyout(self, sql):
        async def copyout():
            async with self.connection.cursor() as cursor, cursor.copy(sql) as copy:
                async for _ in copy:
                    pass
        self.wait(copyout())

    def do_cursor(self, n, sql, *args):
        async def fetch():
            async with self.connection.cursor("matrix") as cursor:
                await cursor.execute(sql, sqlm.values(args) or None)
                while await cursor.fetchmany(int(n)):
                    pass
        self.wait(fetch())

    def do_pipe(self, sql, *args):
        self.queue.append((sql, sqlm.values(args)))

    def do_sync(self):
        async def sync():
            async with self.connection.pipeline():
                cursors = [await self.connection.execute(sql, args) for sql, args in self.queue]
                self.queue = []
                for cursor in cursors:
                    await cursor.fetchall()
        self.wait(sync())
        return 0

    def do_notify(self, channel, listen, notify):
        async def wait():
            heard = []
            self.connection.add_notify_handler(heard.append)
            await self.run(listen, ())
            await self.run(notify, ())
            while not heard:
                await self.run("", ())
        self.wait(wait())
        return 2

    def close(self):
        self.wait(self.connection.close())


sqlm.play(AsyncPlayer if sys.argv[1] == "async" else Player)
