"""Asks a MariaDB server as the commands on standard input say; prints a line when each is done. The arguments are the server's unix socket and its port."""
import io
import ssl  # maps the library, so that the process is traced
import sys

import MySQLdb
import pymysql

SOCKET, PORT = sys.argv[1], int(sys.argv[2])
LOGIN = {"user": "app", "password": "secret", "database": "shop"}
COUNT = 17


class MemoryContext(ssl.SSLContext):
    """Lets TLS go through memory BIOs, as event loops do (asyncio, Node): the library itself moves nothing."""

    def wrap_socket(self, sock, **options):
        return MemorySocket(self, sock)


class MemorySocket(io.RawIOBase):
    def __init__(self, context, sock):
        self.sock, self.incoming, self.outgoing = sock, ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing)
        self.settimeout, self.close = sock.settimeout, sock.close
        self.until(self.tls.do_handshake)

    def until(self, call, *arguments):
        while True:
            try:
                return call(*arguments)
            except ssl.SSLWantReadError:
                self.flush()
                self.incoming.write(self.sock.recv(65536))
            finally:
                self.flush()

    def flush(self):
        while data := self.outgoing.read():
            self.sock.sendall(data)

    def makefile(self, _mode):
        return io.BufferedReader(self)

    def readable(self):
        return True

    def readinto(self, buffer):
        return self.until(self.tls.read, len(buffer), buffer)

    def sendall(self, data):
        self.until(self.tls.write, data)


def ask(connection, tag):
    cursor = connection.cursor()
    for i in range(COUNT):
        cursor.execute("SELECT /* " + tag + " */ note, tenant_id FROM invoices WHERE id <= %s", (1 + i % 2,))
        assert len(cursor.fetchall()) == 1 + i % 2


def tls(connection):
    cursor = connection.cursor()
    cursor.execute("SHOW STATUS LIKE 'Ssl_version'")
    assert cursor.fetchone()[1].startswith("TLS"), "no TLS"


def run(command):
    if command == "tcp":
        connection = pymysql.connect(host="127.0.0.1", port=PORT, **LOGIN)
    elif command == "unix":
        connection = pymysql.connect(unix_socket=SOCKET, **LOGIN)
    elif command == "TLS":
        connection = pymysql.connect(host="127.0.0.1", port=PORT, ssl={"verify_mode": ssl.CERT_NONE, "check_hostname": False}, **LOGIN)
        tls(connection)
    elif command == "memory TLS":
        context = MemoryContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = pymysql.connect(host="127.0.0.1", port=PORT, ssl=context, **LOGIN)
        tls(connection)
    elif command == "library":
        connection = MySQLdb.connect(host="127.0.0.1", port=PORT, **LOGIN)
    elif command == "library over TLS":
        connection = MySQLdb.connect(host="127.0.0.1", port=PORT, ssl={"cipher": "DEFAULT"}, **LOGIN)
        tls(connection)
    else:
        connection = late
    ask(connection, command)
    connection.close()


late = pymysql.connect(host="127.0.0.1", port=PORT, **LOGIN)
print("ready", flush=True)
for line in sys.stdin:
    run(line.strip())
    print("done", flush=True)
