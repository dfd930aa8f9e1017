"""What a request does with the database on an event loop, by asyncpg or psycopg (version 3), and by psycopg2 in threads."""
import asyncio
import contextlib
import os

import blocking
import truth

DRIVER = os.environ["ACCURACY_DRIVER"]
POOL, STALE, POOL_SIZE = blocking.POOL, blocking.STALE, blocking.POOL_SIZE
later_tasks = set()
state = {}


class Asyncpg:
    """A connection of asyncpg, with the placeholders that the others have."""

    def __init__(self, connection):
        self.connection = connection

    @staticmethod
    async def connect():
        import asyncpg

        ssl = "require" if os.environ["ACCURACY_SSLMODE"] == "require" else False
        # What was prepared on one of PgBouncer's connections is not there on the next one.
        cache = {"statement_cache_size": 0} if POOL == "pgbouncer" else {}
        return Asyncpg(
            await asyncpg.connect(
                host=os.environ["ACCURACY_HOST"], port=int(os.environ["ACCURACY_PORT"]), user="lab_app", password=os.environ["ACCURACY_PASSWORD"], database="lab", ssl=ssl, **cache
            )
        )

    async def fetch(self, text, *values):
        for i in range(len(values)):
            text = text.replace("%s", f"${i + 1}", 1)
        return await self.connection.fetch(text, *values)

    def transaction(self):
        return self.connection.transaction()

    async def close(self):
        await self.connection.close()


class Psycopg(Asyncpg):
    """A connection of psycopg 3."""

    @staticmethod
    async def connect():
        import psycopg

        connection = await psycopg.AsyncConnection.connect(blocking.DSN, autocommit=True)
        if POOL == "pgbouncer":
            connection.prepare_threshold = None
        return Psycopg(connection)

    async def fetch(self, text, *values):
        async with self.connection.cursor() as cursor:
            await cursor.execute(text, values)
            return await cursor.fetchall() if cursor.description else []


async def connect():
    return await (Psycopg if DRIVER == "psycopg3" else Asyncpg).connect()


@contextlib.asynccontextmanager
async def session():
    if POOL != "application":
        connection = await connect()
        try:
            yield connection
        finally:
            await connection.close()
        return
    if "idle" not in state:
        state["idle"], state["made"] = asyncio.LifoQueue(), 0
    if state["idle"].empty() and state["made"] < POOL_SIZE:
        state["made"] += 1
        connection = await connect()
    else:
        connection = await state["idle"].get()
    try:
        yield connection
    finally:
        state["idle"].put_nowait(connection)


async def execute(connection, ask, kind, tenant, sql, *values):
    text, n = ask.text(kind, tenant, sql)
    # Without a transaction PgBouncer may send what is prepared and what executes it to two connections.
    async with connection.transaction() if POOL == "pgbouncer" and DRIVER == "asyncpg" and kind not in ("transaction", "change") else contextlib.nullcontext():
        return n, await connection.fetch(text, *values)


async def listing(ask, step, kind):
    async with session() as connection:
        tenant = ask.tenant(step)
        await execute(connection, ask, kind, tenant, truth.LIST, tenant)


async def work(ask):
    """The steps 0 to 3 as on a thread, and four ways to have something done by others: 4 and 5 side by side, 6 on a thread with the request's context, 7 on one
    without."""
    if DRIVER == "psycopg2":
        await asyncio.to_thread(blocking.work, ask)
    else:
        await steps(ask)
        await asyncio.gather(listing(ask, 4, "gather"), listing(ask, 5, "gather"))
    if ask.child:
        await asyncio.to_thread(blocking.listing, ask, 6, "to_thread")
        await asyncio.get_running_loop().run_in_executor(None, blocking.listing, ask, 7, "executor")


async def steps(ask):
    async with session() as connection:
        if STALE and ask.flaw != "stale":
            await execute(connection, ask, "set", "", truth.SET, ask.own)
        await asyncio.sleep(ask.pause)
        tenant = ask.tenant(0)
        await execute(connection, ask, "list", tenant, truth.LIST, tenant)
        async with connection.transaction():
            tenant = ask.tenant(1)
            await execute(connection, ask, "transaction", tenant, truth.SOME, tenant)
            await asyncio.sleep(ask.pause)
            tenant = ask.tenant(2)
            await execute(connection, ask, "change", tenant, truth.CHANGE, tenant, ask.key(tenant))

        async def by_key():
            tenant = ask.tenant(3)
            await execute(connection, ask, "key", tenant, truth.KEY, ask.key(tenant))

        await asyncio.create_task(by_key())
        if STALE:
            n, rows = await execute(connection, ask, "session", "?", truth.SESSION)
            ask.rows[n] = rows[0][1] if rows else ""


def go_on(ask):
    """Begins work that goes on when the request has its answer."""

    async def later():
        await asyncio.sleep(0.03)
        if DRIVER == "psycopg2":
            await asyncio.to_thread(blocking.listing, ask, -2, "after")
        else:
            await listing(ask, -2, "after")

    task = asyncio.create_task(later())
    later_tasks.add(task)
    task.add_done_callback(later_tasks.discard)


async def background():
    nobody = truth.Nobody(int(os.environ["ACCURACY_BACKGROUND"]))
    while truth.served[0] < truth.LATE:
        await asyncio.sleep(0.05)
    connection = await connect()
    while True:
        await connection.fetch(nobody.next())
        await asyncio.sleep(0.01)


def begin():
    """Called once, in the loop, before it serves."""
    if os.environ.get("ACCURACY_BACKGROUND"):
        if DRIVER == "psycopg2":
            blocking.begin()
        else:
            state["background"] = asyncio.create_task(background())
