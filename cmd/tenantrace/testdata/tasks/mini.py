"""A server, and a client of PostgreSQL, of the standard library alone: for interpreters that have nothing else. One task for each connection, as asyncio's streams
make it, and one more for each request."""
import asyncio
import os
import ssl
import struct
import sys

from mini_blocking import HOST, PORT, blocking, query_message, startup

LATER = set()


class Session:
    async def open(self):
        self.reader, self.writer = await asyncio.open_connection(HOST, PORT)
        self.writer.write(startup())
        await self.ready()
        return self

    async def ready(self):
        while True:
            head = await self.reader.readexactly(5)
            await self.reader.readexactly(struct.unpack("!I", head[1:])[0] - 4)
            if head[:1] == b"Z":
                return

    async def query(self, request, kind):
        self.writer.write(query_message(request, kind))
        await self.ready()


async def query(request, kind):
    session = await POOL.get()
    try:
        await asyncio.sleep(0.001)
        await session.query(request, kind)
    finally:
        POOL.put_nowait(session)


async def after(request):
    await asyncio.sleep(0.03)
    await query(request, "after")


async def fork(request):
    child = os.fork()
    if child == 0:
        blocking(request, "forked")
        os._exit(0)
    await asyncio.to_thread(os.waitpid, child, 0)


async def work(request):
    if "TASKS_FORK" in os.environ:
        await fork(request)
        return
    await query(request, "await")
    await asyncio.gather(*(query(request, "gather") for _ in range(3)))
    await asyncio.create_task(query(request, "create_task"))
    await asyncio.to_thread(blocking, request, "to_thread")
    await asyncio.get_running_loop().run_in_executor(None, blocking, request, "executor")
    later = asyncio.create_task(after(request))
    LATER.add(later)
    later.add_done_callback(LATER.discard)


async def serve(reader, writer):
    while True:
        head = await reader.readuntil(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().lower().split("\r\n")[1:] if line)
        request = fields["x-request-id"]
        await query(request, "connection")
        await asyncio.create_task(work(request))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await writer.drain()


async def connected(reader, writer):
    try:
        await serve(reader, writer)
    except asyncio.IncompleteReadError:
        pass
    finally:
        writer.close()


async def background():
    while True:
        await query("background", "background")
        await asyncio.sleep(0.005)


async def main(port, certificate, key, authority):
    global POOL
    POOL = asyncio.Queue()
    for _ in range(8):
        POOL.put_nowait(await Session().open())
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(certificate, key)
    server = await asyncio.start_server(connected, "127.0.0.1", int(port), ssl=context)
    idle = asyncio.create_task(background())
    async with server:
        await server.serve_forever()
    idle.cancel()


try:
    asyncio.run(main(*sys.argv[1:]))
except KeyboardInterrupt:
    pass
