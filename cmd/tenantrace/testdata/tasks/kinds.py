"""What a request does with the database, in every way that asyncio offers. Each statement names its request and its kind in a comment: the truth that the links
are held against. Nothing here knows of contexts but asyncio itself."""
import asyncio
import os

import asyncpg
import psycopg2

DSN = os.environ["TASKS_DSN"]  # libpq's form
HOST, PORT = os.environ["TASKS_HOST"], int(os.environ["TASKS_PORT"])
LATER = set()  # tasks that nobody awaits
state = {}


def text(request, kind):
    return f"SELECT 1 /* gt={request} kind={kind} */"


def blocking(request, kind):
    """One statement on a connection of its own, by psycopg2."""
    connection = psycopg2.connect(DSN)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(text(request, kind))
            cursor.fetchall()
    finally:
        connection.close()


async def query(request, kind):
    async with (await pool()).acquire() as connection:
        await asyncio.sleep(0.001)
        await connection.fetchval(text(request, kind))


async def pool():
    if "pool" not in state:
        # Claimed before the await: requests that come meanwhile share one pool.
        state["pool"] = asyncio.ensure_future(
            asyncpg.create_pool(host=HOST, port=PORT, user="app", database="postgres", min_size=2, max_size=8, ssl=os.environ.get("TASKS_SSL") == "1" and "require" or False)
        )
    return await asyncio.shield(state["pool"])


async def background():
    """No request's: its statements must not be tied to one."""
    while True:
        await query("background", "background")
        await asyncio.sleep(0.005)


async def work(request):
    await query(request, "await")
    await asyncio.gather(*(query(request, "gather") for _ in range(3)))
    await asyncio.create_task(query(request, "create_task"))
    await asyncio.to_thread(blocking, request, "to_thread")
    await asyncio.get_running_loop().run_in_executor(None, blocking, request, "executor")
    later = asyncio.create_task(after(request))
    LATER.add(later)
    later.add_done_callback(LATER.discard)
    async with (await pool()).acquire() as connection:
        async with connection.transaction():
            await connection.fetchval(text(request, "transaction"))
            await asyncio.sleep(0.001)
            await connection.fetchval(text(request, "transaction"))


async def after(request):
    """Runs on after the response."""
    await asyncio.sleep(0.03)
    await query(request, "after")
