"""Moves bytes over plain sockets as the commands on standard input say; prints a line when each is done."""
import ctypes
import fcntl
import os
import socket
import ssl  # maps the library, so that the process is traced
import struct
import sys
import tempfile
import termios
import threading

STARTUP = b"\0\0\0\x1b\0\3\0\0user\0a\0database\0d\0\0"
QUERY = b"Q\0\0\0\rSELECT 1\0"


def listener(family, address):
    s = socket.socket(family, socket.SOCK_STREAM)
    s.bind(address)
    s.listen(8)
    return s


def pair(server):
    client = socket.socket(server.family, socket.SOCK_STREAM)
    client.connect(server.getsockname())
    return client, server.accept()[0]


def message(kind, body):
    return kind + struct.pack("!I", 4 + len(body)) + body


READY = message(b"Z", b"I")
ROWS = 311
RESULT = (
    message(b"T", struct.pack("!H", 1) + b"tenant_id\0" + struct.pack("!IhIhih", 1, 1, 25, -1, -1, 0))
    + message(b"D", struct.pack("!HI", 1, 1000) + b"a" * 1000) * ROWS
    + message(b"C", b"SELECT %d\0" % ROWS)
    + READY
)


def answer_in_one_read():
    """A query whose whole answer of over 300 KB comes by one read, and another after it."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, 33, 1 << 22)  # SO_RCVBUFFORCE
    client.connect(tcp.getsockname())
    server = tcp.accept()[0]
    server.setsockopt(socket.SOL_SOCKET, 32, 1 << 22)  # SO_SNDBUFFORCE
    client.sendall(STARTUP)
    server.recv(1 << 16)
    server.sendall(message(b"R", struct.pack("!I", 0)) + READY)
    client.recv(1 << 16)
    for _ in range(2):
        client.sendall(QUERY)
        server.recv(1 << 16)
        server.sendall(RESULT)
        waiting = 0
        while waiting < len(RESULT):
            waiting = struct.unpack("i", fcntl.ioctl(client, termios.FIONREAD, b"\0" * 4))[0]
        assert len(client.recv(1 << 22)) == len(RESULT)
    client.close()
    server.close()


def statement_in_segments(client, server):
    """A statement with a parameter as node-postgres writes it: each of its five messages is a segment of one writev."""
    messages = [
        message(b"P", b"\0SELECT id FROM t WHERE tenant_id = $1\0\0\0"),
        message(b"B", b"\0\0" + struct.pack("!HHI", 0, 1, 4) + b"acme" + struct.pack("!H", 0)),
        message(b"D", b"P\0"),
        message(b"E", b"\0" + struct.pack("!I", 0)),
        message(b"S", b""),
    ]
    assert os.writev(client.fileno(), messages) == sum(map(len, messages))
    server.recv(1 << 16)
    server.sendall(message(b"1", b"") + message(b"2", b"") + message(b"n", b"") + message(b"C", b"SELECT 0\0") + READY)
    client.recv(1 << 16)


def values_in_one_write():
    """A statement that is prepared once and executed with a value of 3 MB, with all messages of an execution in one write, and once more with a short one."""
    client, server = pair(tcp)
    client.setsockopt(socket.SOL_SOCKET, 32, 1 << 23)  # SO_SNDBUFFORCE
    client.sendall(STARTUP)
    server.recv(1 << 16)
    server.sendall(message(b"R", struct.pack("!I", 0)) + READY)
    client.recv(1 << 16)
    client.sendall(message(b"P", b"s\0INSERT INTO files VALUES ($1, $2)\0\0\0") + message(b"S", b""))
    server.recv(1 << 16)
    server.sendall(message(b"1", b"") + READY)
    client.recv(1 << 16)
    for size in (3 << 20, 3):
        value = b"v" * size
        bind = message(b"B", b"\0s\0" + struct.pack("!HHI", 0, 2, 4) + b"acme" + struct.pack("!I", size) + value + struct.pack("!H", 0))
        group = bind + message(b"E", b"\0" + struct.pack("!I", 0)) + message(b"S", b"")
        writer = threading.Thread(target=lambda: client.sendall(group))
        writer.start()
        left = len(group)
        while left:
            left -= len(server.recv(left))
        writer.join()  # else the answer may be read before the write has returned
        server.sendall(message(b"2", b"") + message(b"C", b"INSERT 0 1\0") + READY)
        client.recv(1 << 16)
    client.close()
    server.close()


def say(line):
    print(line, flush=True)


tcp = listener(socket.AF_INET, ("127.0.0.1", 0))
path = os.path.join(tempfile.mkdtemp(), "s")
unix = listener(socket.AF_UNIX, path)
old, old_server = pair(tcp)
old.sendall(STARTUP)
old_server.recv(1 << 16)
driver, driver_server = pair(tcp)
driver.sendall(STARTUP)
driver_server.recv(1 << 16)
leave = threading.Event()


def serve():
    for command in sys.stdin:
        command = command.strip()
        if command == "churn":  # sessions over a unix socket that end without a goodbye
            for _ in range(200):
                client, server = pair(unix)
                client.sendall(STARTUP)
                server.recv(1 << 16)
                client.close()
                server.close()
        elif command == "long":  # a session older than the tracing is in the middle of a long result
            for _ in range(40):
                old_server.sendall(b"rows of data" * 100)
                old.recv(1 << 16)
            old.sendall(QUERY)
            old_server.recv(1 << 16)
        elif command == "segments":  # over a session older than the tracing, and over a new one
            statement_in_segments(driver, driver_server)
            statement_in_segments(driver, driver_server)
            client, server = pair(tcp)
            client.sendall(STARTUP)
            server.recv(1 << 16)
            server.sendall(message(b"R", struct.pack("!I", 0)) + READY)
            client.recv(1 << 16)
            statement_in_segments(client, server)
            client.close()
            server.close()
        elif command == "leader":  # the main thread ends, the process lives on
            leave.set()
            while "Z" not in open("/proc/self/task/%d/stat" % os.getpid()).read().rpartition(")")[2]:
                pass
        elif command == "rows":
            answer_in_one_read()
        elif command == "values":
            values_in_one_write()
        elif command == "sendfile":
            client, server = pair(tcp)
            client.setsockopt(socket.SOL_SOCKET, 33, 1 << 22)
            client.sendall(b"GET /f HTTP/1.1\r\nHost: x\r\n\r\n")
            server.recv(1 << 16)
            server.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            f = tempfile.TemporaryFile()
            f.write(b"x" * 100000)
            f.flush()
            n = 0
            while n < 100000:
                n += os.sendfile(server.fileno(), f.fileno(), n, 100000 - n)
            client.close()
            server.close()
        elif command == "small":  # the first byte of a request comes alone
            client, server = pair(tcp)
            client.sendall(b"G")
            server.recv(1)
            client.sendall(b"ET /small HTTP/1.1\r\nHost: x\r\n\r\n")
            server.recv(1 << 16)
            server.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
            client.close()
            server.close()
        say("done")
    os.unlink(path)
    os._exit(0)


threading.Thread(target=serve).start()
say("ready")
leave.wait()
ctypes.CDLL(None).syscall(60 if os.uname().machine == "x86_64" else 93, 0)  # exit(2) ends this thread alone
