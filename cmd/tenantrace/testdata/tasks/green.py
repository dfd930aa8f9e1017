"""A WSGI application for greenlets: sockets are patched by gunicorn's worker, libpq waits as psycogreen tells it."""
import os
import threading

import psycopg2

DSN = os.environ["TASKS_DSN"]
GREEN = os.environ["TASKS_GREEN"]
if GREEN == "gevent":
    import gevent
    from psycogreen.gevent import patch_psycopg

    patch_psycopg()
elif GREEN == "eventlet":
    import eventlet
    from psycogreen.eventlet import patch_psycopg

    patch_psycopg()


def query(request, kind):
    connection = psycopg2.connect(DSN)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT pg_sleep(0.001) /* gt={request} kind={kind} */")
            cursor.fetchall()
    finally:
        connection.close()


def app(environ, start_response):
    request = environ["HTTP_X_REQUEST_ID"]
    query(request, "direct")
    query(request, "direct")
    if GREEN == "gevent":
        gevent.spawn(query, request, "spawn").join()
    elif GREEN == "eventlet":
        eventlet.spawn(query, request, "spawn").wait()
    else:
        child = threading.Thread(target=query, args=(request, "spawn"))
        child.start()
        child.join()
    query(request, "direct")
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
    return [b"ok"]
