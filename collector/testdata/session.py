"""A client of PostgreSQL whose TLS goes through memory BIOs (asyncio): session.py PORT CA HOW. Begins a session when a line comes, and stays until the next one.
HOW is "asked", after SSLRequest, or "direct", with a ClientHello first (sslnegotiation=direct)."""
import asyncio
import ssl
import struct
import sys


async def main():
    sys.stdin.readline()
    context = ssl.create_default_context(cafile=sys.argv[2])
    context.set_alpn_protocols(["postgresql"])
    reader, writer = await asyncio.open_connection("127.0.0.1", int(sys.argv[1]))
    if sys.argv[3] == "asked":
        writer.write(struct.pack("!II", 8, 80877103))  # SSLRequest
        await writer.drain()
        assert await reader.readexactly(1) == b"S"
    await writer.start_tls(context, server_hostname="127.0.0.1")
    body = struct.pack("!I", 3 << 16) + b"user\0lab\0database\0lab\0\0"
    writer.write(struct.pack("!I", len(body) + 4) + body)
    await writer.drain()
    await asyncio.to_thread(sys.stdin.readline)


asyncio.run(main())
