"""The application of the scenarios: each path is a way in which applications come to a tenant's rows, with the fault or without.

The query "take" names the take that is played: its database connections are its own, so that the daemon of the take sees them from their beginning.
"""
import asyncio
import contextlib
import json
import os
import queue
import re
import threading

import asyncpg
import psycopg2
import pymysql
from flask import Flask, jsonify, request

app = Flask(__name__)
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "settings.json")) as file:
    SETTINGS = json.load(file)
SAFE = re.compile(r"[A-Za-z0-9._-]{1,100}")
WAIT = 60  # seconds for another request
local = threading.local()
lock = threading.Lock()
shared = {}  # what the requests of a take have in common, by take and name


def take():
    return request.args["take"]


def label():
    name = request.headers.get("X-Request-ID", "")
    return name if SAFE.fullmatch(name) else "none"


def organisation():
    """The tenant of the client's certificate. gunicorn says which connection the request came on."""
    certificate = request.environ["gunicorn.socket"].getpeercert()
    return next(value for rdn in certificate["subject"] for name, value in rdn if name == "organizationName")


def run(connection, sql, *args):
    with connection.cursor() as cursor:
        cursor.execute(f"{sql} /* gt={label()} */", args or None)
        if not cursor.description:
            return []
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row)) for row in cursor.fetchall()]


def common(name, make):
    """Something that the requests of a take share."""
    key = take(), name
    with lock:
        if key not in shared:
            shared[key] = make()
        return shared[key]


def event(name):
    return common(f"event {name}", threading.Event)


def await_event(name):
    if not event(name).wait(WAIT):
        raise TimeoutError(name)


def postgres(where="postgres", autocommit=True):
    connection = psycopg2.connect(sslmode="disable", **SETTINGS[where])
    connection.autocommit = autocommit
    return connection


def mysql(database=None, autocommit=True):
    return pymysql.connect(autocommit=autocommit, database=database, **SETTINGS["mysql"])


def mine(make):
    """The thread's own connection, which its requests use one after the other."""
    if getattr(local, "take", None) != take():
        local.take, local.connection = take(), make()
    return local.connection


@contextlib.contextmanager
def pooled(make):
    """A pool of one connection, as any pool hands one to a request after the other."""
    pool = common("pool", queue.Queue)
    try:
        connection = pool.get_nowait()
    except queue.Empty:
        connection = make()
    try:
        yield connection
    finally:
        pool.put(connection)


def answer(rows):
    return jsonify(rows=[{name: str(value) for name, value in row.items()} for row in rows])


@app.route("/invoices/<owner>")
def invoices(owner):
    """Of whichever tenant the path names."""
    rows = run(mine(postgres), "SELECT id, tenant_id FROM invoices WHERE tenant_id = %s ORDER BY id", owner)
    return answer([{"id": row["id"], "whose": row["tenant_id"]} for row in rows])


@app.route("/pay/<int:key>")
def pay(key):
    """Marks an invoice as paid, by its key: "read" looks at it before, "scoped" names the tenant beside the key."""
    scope, args = ("", ())
    if request.args.get("scoped"):
        scope, args = " AND tenant_id = %s", (request.args["scoped"],)
    rows, implicit = [], "implicit" in request.args
    with pooled(lambda: mysql("shop", autocommit=not implicit)) as connection:
        if not implicit:
            connection.begin()
        if "read" in request.args:
            rows = run(connection, "SELECT id, tenant_id, whose, paid FROM invoices WHERE id = %s" + scope, key, *args)
        run(connection, "UPDATE invoices SET paid = paid + 1 WHERE id = %s" + scope, key, *args)
        connection.commit()
    return answer(rows)


@app.route("/apartment")
def apartment():
    """Switches to the tenant's schema, and reads. Two requests take turns: the second one's come between those of the first."""
    first, tenant = request.args["turn"] == "first", organisation()
    if not first:
        await_event("switched")
    with contextlib.closing(postgres("pooler", autocommit="local" not in request.args)) as connection:
        run(connection, f"SET {'LOCAL ' if 'local' in request.args else ''}search_path = 't_{tenant}', 'public'")
        if first and "local" not in request.args:
            event("switched").set()
            await_event("read")
        rows = run(connection, "SELECT id, tenant_id, whose FROM orders ORDER BY id")
        connection.commit()
    event("switched" if first else "read").set()
    return answer(rows)


@app.route("/bookings")
def bookings():
    """Row security by a setting that "set" sets for the session, on a connection that is the next request's afterwards."""
    columns = "id, tenant_id, whose" if "owner" in request.args else "id, whose"
    with pooled(postgres) as connection:
        if "set" in request.args:
            run(connection, f"SET app.current_tenant = '{organisation()}'")
        return answer(run(connection, f"SELECT {columns} FROM bookings ORDER BY id"))


@app.route("/bookings/local")
def local_bookings():
    """The same as it should be: for the transaction."""
    with mine(lambda: postgres(autocommit=False)) as connection:
        run(connection, f"SET LOCAL app.current_tenant = '{organisation()}'")
        return answer(run(connection, "SELECT id, whose FROM bookings ORDER BY id"))


@app.route("/orders")
def orders():
    """A schema for each tenant: the search path is set before each use of a cursor."""
    connection = mine(postgres)
    run(connection, f"SET search_path = 't_{organisation()}','public'")
    return answer(run(connection, 'SELECT "orders"."id", "orders"."whose" FROM "orders" WHERE "orders"."id" < %s ORDER BY "orders"."id" ASC', 1000))


@app.route("/members")
def member():
    """Whether an address is taken, by anybody: addresses are unique across tenants."""
    address = request.args["address"]
    if "scoped" in request.args:
        rows = run(mine(postgres), "SELECT 1 AS taken FROM members WHERE email = %s AND tenant_id = %s", address, organisation())
    else:
        rows = run(mine(postgres), "SELECT 1 AS taken FROM members WHERE email = %s", address)
    return answer(rows)


class Loop(asyncio.SelectorEventLoop):
    """An event loop of a thread that waits for its own request's database alone: no other thread wakes it, and it has no pipe for that."""

    def _make_self_pipe(self):
        self._ssock = self._csock = None

    def _close_self_pipe(self):
        pass


@app.route("/devices/<org>")
def devices(org):
    """Of the organisation that the path names, by a parameter in binary format."""

    def connect():
        loop = Loop()
        return loop, loop.run_until_complete(asyncpg.connect(ssl=False, **SETTINGS["postgres"]))

    loop, connection = mine(connect)
    rows = loop.run_until_complete(connection.fetch(f"SELECT id, name FROM devices WHERE org = $1 ORDER BY id /* gt={label()} */", org))
    return answer([{"id": row["id"], "whose": row["name"]} for row in rows])


@app.route("/databases")
def databases():
    """A database for each tenant. "shared" uses one connection for two requests at a time, whose statements do not overlap; but what they switch does."""
    first, tenant = request.args["turn"] == "first", organisation()

    def switch(connection):
        if "command" in request.args:
            connection.select_db(f"app_{tenant}")
        else:
            run(connection, f"USE `app_{tenant}`")

    if not first:
        await_event("switched")
    connection = common("connection" if "shared" in request.args else f"connection {tenant}", mysql)
    switch(connection)
    if first:
        event("switched").set()
        await_event("read")
    rows = run(connection, "SELECT id, whose FROM invoices ORDER BY id")
    event("read").set()
    return answer(rows)


@app.route("/known")
def known():
    """Touches nothing: who asks is known afterwards."""
    return answer([])
