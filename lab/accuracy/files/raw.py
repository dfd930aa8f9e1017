"""A client of PostgreSQL that does what some drivers do wrong: it gives a connection back whose answer it has not read, or uses one from before a fork."""
import os
import queue
import socket
import struct
import time

import truth

HOST, PORT = os.environ["ACCURACY_HOST"], int(os.environ["ACCURACY_PORT"])


class Session:
    def __init__(self):
        self.socket = socket.create_connection((HOST, PORT))
        self.socket.settimeout(10)
        body = struct.pack("!I", 196608) + b"user\0lab_app\0database\0lab\0\0"
        self.socket.sendall(struct.pack("!I", len(body) + 4) + body)
        self.answer()

    def send(self, text):
        body = text.encode() + b"\0"
        self.socket.sendall(b"Q" + struct.pack("!I", len(body) + 4) + body)

    def take(self, n):
        data = b""
        while len(data) < n:
            got = self.socket.recv(n - len(data))
            if not got:
                raise EOFError("the server closed the connection")
            data += got
        return data

    def answer(self):
        while True:
            kind, length = struct.unpack("!cI", self.take(5))
            body = self.take(length - 4)
            if kind == b"E":
                raise RuntimeError(body)
            if kind == b"Z":
                return


pool = queue.LifoQueue()
before = []  # what was made before a fork


def text(ask, wait):
    return ask.text("raw", ask.own, f"SELECT id, tenant_id FROM invoices, pg_sleep({wait}) WHERE tenant_id = {truth.quote(ask.own)} LIMIT 3")[0]


def session():
    try:
        return pool.get_nowait()
    except queue.Empty:
        return Session()


def work(ask):
    if ask.mode == "leave":  # gives up waiting, as when a client has gone, and gives the connection back as it is
        s = session()
        s.send(text(ask, 0.4))
        time.sleep(0.1)
        pool.put(s)
    elif ask.mode == "drop":  # the same, but closes the connection
        s = session()
        s.send(text(ask, 0.4))
        time.sleep(0.1)
        s.socket.close()
    elif ask.mode == "take":
        s = session()
        s.send(text(ask, 0))
        s.answer()
        pool.put(s)
    elif ask.mode == "forked":
        s = before[0]
        s.send(text(ask, 0.4))
        s.answer()
    elif ask.mode == "own":
        s = session()
        s.send(text(ask, 0.4))
        s.answer()
        pool.put(s)


def begin():
    if os.environ.get("ACCURACY_BEFORE") == "1":
        s = Session()
        s.send("SELECT 1")
        s.answer()
        before.append(s)
