"""The service on uvicorn, without a framework."""
import loop
import truth


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                loop.begin()
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await send({"type": "lifespan.shutdown.complete"})
                return
    fields = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    ask = truth.Ask(scope["query_string"].decode(), lambda name: fields.get(name, ""))
    await loop.work(ask)
    if ask.after:
        loop.go_on(ask)
    answer = ask.answer()
    await send({"type": "http.response.start", "status": 200, "headers": [(n.lower().encode(), v.encode()) for n, v in ask.fields()] + [(b"content-length", str(len(answer)).encode())]})
    await send({"type": "http.response.body", "body": answer})
