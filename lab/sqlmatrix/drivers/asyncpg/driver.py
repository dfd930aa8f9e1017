"""asyncpg: the extended protocol in binary format, statements prepared and kept; TLS over memory BIOs."""
import asyncio
import io
import os
import ssl
import sys

import asyncpg

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "common"))
import sqlm  # noqa: E402


class Player(sqlm.Player):
    missing = {"pipe": "asyncpg has no pipeline"}

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        context = False
        if sqlm.TRANSPORT == "tls":
            context = ssl.create_default_context(cafile=sqlm.CA)
        self.connection = self.wait(asyncpg.connect(
            host=sqlm.SOCKET if sqlm.TRANSPORT == "unix" else sqlm.HOST, port=sqlm.PORT, user=sqlm.USER, password=sqlm.PASSWORD, database=sqlm.DATABASE, ssl=context))
        self.prepared = {}
        self.transaction = None

    def wait(self, coroutine):
        return self.loop.run_until_complete(asyncio.wait_for(coroutine, 30))

    def do_query(self, sql, *args):
        self.wait(self.connection.fetch(sql, *sqlm.values(args)))

    do_binary = do_query

    def do_prepare(self, name, sql):
        self.prepared[name] = self.wait(self.connection.prepare(sql))
        return 0

    def do_execute(self, name, *args):
        self.wait(self.prepared[name].fetch(*sqlm.values(args)))

    def do_many(self, sql, *args):
        self.wait(self.connection.executemany(sql, sqlm.sets(args)))
        return len(sqlm.sets(args))

    def do_script(self, sql):
        self.wait(self.connection.execute(sql))
        return sql.count("/*")

    def do_begin(self):
        self.transaction = self.connection.transaction()
        self.wait(self.transaction.start())
        return 0

    def do_commit(self):
        self.wait(self.transaction.commit())
        return 0

    def do_rollback(self):
        self.wait(self.transaction.rollback())
        return 0

    def do_fail(self, sql, *args):
        try:
            self.wait(self.connection.fetch(sql, *sqlm.values(args)))
        except asyncpg.PostgresError:
            return
        sys.exit("no error: " + sql)

    # copy_to_table and copy_from_query make the statement by themselves, without a comment: these are what they call.
    def do_copyin(self, sql, data):
        self.wait(self.connection._copy_in(sql, io.BytesIO(data.encode()), 30))

    def do_copyout(self, sql):
        self.wait(self.connection._copy_out(sql, io.BytesIO(), 30))

    def do_cursor(self, n, sql, *args):
        async def fetch():
            async for _ in self.connection.cursor(sql, *sqlm.values(args), prefetch=int(n)):
                pass
        self.wait(fetch())

    def do_notify(self, channel, listen, notify):
        async def wait():
            heard = asyncio.Event()
            await self.connection.execute(listen)
            hear = lambda *_: heard.set()  # noqa: E731
            await self.connection.add_listener(channel, hear)
            await self.connection.execute(notify)
            await heard.wait()
            await self.connection.remove_listener(channel, hear)
        self.wait(wait())
        return 2

    def close(self):
        self.wait(self.connection.close())


sqlm.play(Player)
