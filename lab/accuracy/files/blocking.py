"""What a request does with the database on a thread, by psycopg2."""
import contextlib
import os
import queue
import threading
import time

import psycopg2

import truth

DSN = os.environ["ACCURACY_DSN"]
POOL = os.environ["ACCURACY_POOL"]  # none, application, pgbouncer
STALE = os.environ.get("ACCURACY_STALE") == "1"
POOL_SIZE = int(os.environ.get("ACCURACY_POOL_SIZE", "4"))
idle, made, making = queue.LifoQueue(), [], threading.Lock()


def connect():
    connection = psycopg2.connect(DSN)
    connection.autocommit = True
    return connection


@contextlib.contextmanager
def session():
    """A connection to the database, for as long as it is needed."""
    if POOL != "application":
        connection = connect()
        try:
            yield connection
        finally:
            connection.close()
        return
    try:
        connection = idle.get_nowait()
    except queue.Empty:
        with making:
            fresh = len(made) < POOL_SIZE
            if fresh:
                made.append(1)
        connection = connect() if fresh else idle.get()
    try:
        yield connection
    finally:
        idle.put(connection)


@contextlib.contextmanager
def transaction(connection):
    with connection.cursor() as cursor:
        connection.autocommit = False
        try:
            yield cursor
            connection.commit()
        finally:
            connection.autocommit = True


def execute(cursor, ask, kind, tenant, sql, *values):
    text, n = ask.text(kind, tenant, sql)
    cursor.execute(text, values)
    return n


def listing(ask, step, kind):
    """One statement on a connection of its own."""
    with session() as connection, connection.cursor() as cursor:
        tenant = ask.tenant(step)
        execute(cursor, ask, kind, tenant, truth.LIST, tenant)
        cursor.fetchall()


def work(ask, session=session, transaction=transaction):
    """The steps 0 to 3, and 4 for a thread of the request's own."""
    with session() as connection:
        with connection.cursor() as cursor:
            if STALE and ask.flaw != "stale":
                execute(cursor, ask, "set", "", truth.SET, ask.own)
            time.sleep(ask.pause)
            tenant = ask.tenant(0)
            execute(cursor, ask, "list", tenant, truth.LIST, tenant)
            cursor.fetchall()
        with transaction(connection) as cursor:
            tenant = ask.tenant(1)
            execute(cursor, ask, "transaction", tenant, truth.SOME, tenant)
            cursor.fetchall()
            time.sleep(ask.pause)
            tenant = ask.tenant(2)
            execute(cursor, ask, "change", tenant, truth.CHANGE, tenant, ask.key(tenant))
        with connection.cursor() as cursor:
            tenant = ask.tenant(3)
            execute(cursor, ask, "key", tenant, truth.KEY, ask.key(tenant))
            cursor.fetchall()
            if STALE:
                n = execute(cursor, ask, "session", "?", truth.SESSION)
                rows = cursor.fetchall()
                ask.rows[n] = rows[0][1] if rows else ""
    if ask.child:
        child = threading.Thread(target=listing, args=(ask, 4, "child"))
        child.start()
        child.join()


def later(ask):
    """Goes on when the request has its answer."""
    time.sleep(0.03)
    listing(ask, -2, "after")


def background(tenants):
    """A thread that never had to do with a request."""
    nobody = truth.Nobody(tenants)
    while truth.served[0] < truth.LATE:
        time.sleep(0.05)
    connection = connect()
    with connection.cursor() as cursor:
        while True:
            cursor.execute(nobody.next())
            cursor.fetchall()
            time.sleep(0.01)


def begin():
    """Called once in each process that serves."""
    if os.environ.get("ACCURACY_BACKGROUND"):
        threading.Thread(target=background, args=(int(os.environ["ACCURACY_BACKGROUND"]),), daemon=True).start()
