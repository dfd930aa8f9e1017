"""A client of PostgreSQL's protocol that blocks, of the standard library alone."""
import os
import socket
import struct

HOST, PORT = os.environ["TASKS_HOST"], int(os.environ["TASKS_PORT"])


def startup():
    body = struct.pack("!I", 196608) + b"user\0app\0database\0postgres\0\0"
    return struct.pack("!I", len(body) + 4) + body


def query_message(request, kind, padding=""):
    body = f"SELECT 1 /* gt={request} kind={kind} */ -- {padding}".encode() + b"\0"
    return b"Q" + struct.pack("!I", len(body) + 4) + body


def blocking(request, kind):
    def ready():
        while True:
            head = stream.read(5)
            stream.read(struct.unpack("!I", head[1:])[0] - 4)
            if head[:1] == b"Z":
                return

    with socket.create_connection((HOST, PORT)) as s, s.makefile("rb") as stream:
        s.sendall(startup())
        ready()
        s.sendall(query_message(request, kind))
        ready()
        s.sendall(b"X\0\0\0\4")
