"""The service on threads: gunicorn and uWSGI."""
import os
import threading

GREEN = os.environ.get("ACCURACY_GREEN") == "1"
if GREEN:  # sockets are patched by gunicorn's worker; libpq waits as psycogreen tells it
    from psycogreen.gevent import patch_psycopg

    patch_psycopg()

import blocking
import truth

blocking.begin()


def app(environ, start_response):
    ask = truth.Ask(environ["QUERY_STRING"], lambda name: environ.get("HTTP_" + name.upper().replace("-", "_"), ""))
    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    blocking.work(ask)
    if ask.after:
        threading.Thread(target=blocking.later, args=(ask,)).start()
    answer = ask.answer()
    start_response("200 OK", ask.fields() + [("Content-Length", str(len(answer)))])
    return [answer]
