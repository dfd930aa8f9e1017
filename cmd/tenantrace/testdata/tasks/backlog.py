"""Many requests write to one connection, whose other end reads slowly: asyncio keeps what there is no room for and writes it in the context of whoever waited first.
What had to wait must not be tied to that one."""
import asyncio
import socket
import threading
import time

import mini_blocking

PADDING = "x" * (256 << 10)


def slow(listener):
    connection, _ = listener.accept()
    connection.recv(65536)
    connection.sendall(b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I")
    while connection.recv(65536):
        time.sleep(0.0005)


async def connect():
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    threading.Thread(target=slow, args=(listener,), daemon=True).start()
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16384)
    client.connect(listener.getsockname())
    reader, writer = await asyncio.open_connection(sock=client)
    writer.write(mini_blocking.startup())
    await reader.readexactly(15)
    return writer


async def app(scope, receive, send):
    global WRITER
    if scope["type"] == "lifespan":
        await receive()
        WRITER = await connect()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    request = dict(scope["headers"])[b"x-request-id"].decode()
    if not WRITER.transport.get_write_buffer_size():
        WRITER.write(mini_blocking.query_message(request, "had_room"))
    WRITER.write(mini_blocking.query_message(request, "long", PADDING))
    WRITER.write(mini_blocking.query_message(request, "waited"))
    await asyncio.sleep(0.05)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})
