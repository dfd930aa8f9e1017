"""The service on threads: gunicorn and uWSGI."""
import os
import threading

GREEN = os.environ.get("ACCURACY_GREEN") == "1"
if GREEN:  # sockets are patched by gunicorn's worker; libpq waits as psycogreen tells it
    from psycogreen.gevent import patch_psycopg

    patch_psycopg()

import blocking
import raw
import truth

blocking.begin()
raw.begin()
cache = {}


def serve(ask):
    """What a request does, by its mode."""
    if ask.mode == "":
        blocking.work(ask)
    elif ask.mode == "remember":
        blocking.listing(ask, 0, "list")
        cache["invoices"] = ask.own
    elif ask.mode == "cached":  # the answer to another tenant's request
        ask.rows[0] = cache["invoices"]
    elif ask.mode == "enqueue":
        with open(os.path.join(os.environ["ACCURACY_JOBS"], ask.public), "w") as file:
            file.write(ask.other or ask.own)
        blocking.listing(ask, 0, "list")
    else:
        raw.work(ask)


def app(environ, start_response):
    ask = truth.Ask(environ["QUERY_STRING"], lambda name: environ.get("HTTP_" + name.upper().replace("-", "_"), ""))
    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    serve(ask)
    if ask.after:
        threading.Thread(target=blocking.later, args=(ask,)).start()
    answer = ask.answer()
    start_response("200 OK", ask.fields() + [("Content-Length", str(len(answer)))])
    return [answer]
