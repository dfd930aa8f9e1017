"""The service on aiohttp: one task for each connection, which serves all of its requests."""
import ssl
import sys

from aiohttp import web

import loop
import truth


async def handle(request):
    ask = truth.Ask(request.query_string, lambda name: request.headers.get(name, ""))
    await loop.work(ask)
    if ask.after:
        loop.go_on(ask)
    return web.Response(body=ask.answer(), headers=dict(ask.fields()))


async def begin(app):
    loop.begin()


port, certificate, key, authority = sys.argv[1:]
context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority)
context.verify_mode = ssl.CERT_REQUIRED
context.load_cert_chain(certificate, key)
app = web.Application()
app.router.add_get("/{any:.*}", handle)
app.on_startup.append(begin)
web.run_app(app, host="127.0.0.1", port=int(port), ssl_context=context, print=None, access_log=None)
