"""aiohttp: one task for each connection, which serves all of its requests."""
import asyncio
import ssl
import sys

from aiohttp import web

import kinds


async def handle(request):
    await kinds.work(request.headers["x-request-id"])
    return web.Response(text="ok")


async def begin(app):
    app["background"] = asyncio.create_task(kinds.background())


port, certificate, key, authority = sys.argv[1:]
context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority)
context.verify_mode = ssl.CERT_REQUIRED
context.load_cert_chain(certificate, key)
app = web.Application()
app.router.add_get("/{any:.*}", handle)
app.on_startup.append(begin)
web.run_app(app, host="127.0.0.1", port=int(port), ssl_context=context, print=None, access_log=None)
