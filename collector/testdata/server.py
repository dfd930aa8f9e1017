"""An HTTPS server that asks for client certificates: server.py CERTIFICATE KEY CA. Prints its port. A path /wait/MODE/0 waits in that mode; /late/0 asks for the
certificate and waits a while for it. In the environment, TIMEOUT keeps sockets from blocking, and LATE leaves the certificate to /late."""
import http.server
import os
import select
import socket
import ssl
import subprocess
import sys


def wait(mode):
    sockets = socket.socketpair()
    if mode == "sleep":  # time.sleep of Python before 3.11
        select.select([], [], [], 0.001)
    elif mode == "child":  # polls both pipes
        subprocess.run(["/bin/echo"], capture_output=True, check=True)
    elif mode.startswith("poll"):
        poll = select.poll()
        for s in sockets[: int(mode[4:])]:
            poll.register(s, select.POLLIN)
        poll.poll(1)
    elif mode.startswith("epoll"):
        with select.epoll() as poll:
            for s in sockets[: int(mode[5:])]:
                poll.register(s, select.EPOLLIN)
            poll.poll(0.001)
    elif mode.startswith("select"):
        sockets = sockets[: int(mode[6:])]
        select.select(sockets, [], sockets, 0.001)


def late(connection):
    connection.verify_client_post_handshake()
    connection.do_handshake()  # asks
    connection.settimeout(3)
    try:
        connection.recv(1)
    except TimeoutError:
        pass
    connection.settimeout(None)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path.startswith("/wait/"):
            wait(self.path.split("/")[2])
        if self.path.startswith("/late/"):
            late(self.connection)
        body = b"x" * int(self.path.rpartition("/")[2] or 0)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    def get_request(self):
        connection, address = super().get_request()
        if "TIMEOUT" in os.environ:
            connection.settimeout(60)
        return context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), address


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
context.load_verify_locations(sys.argv[3])
context.verify_mode = ssl.CERT_REQUIRED
context.post_handshake_auth = "LATE" in os.environ
context.sni_callback = lambda *_: None  # names are accepted, whatever they are
server = Server(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
