"""A loop of its own, in one context: it reads of all connections, and works for each a turn later. Nothing tells from outside for whom it
works."""
import contextvars
import selectors
import socket
import ssl
import sys

import mini_blocking

mark = contextvars.ContextVar("mark")
mark.set("the loop has a context of its own")
port, certificate, key, authority = sys.argv[1:]
context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority)
context.verify_mode = ssl.CERT_REQUIRED
context.load_cert_chain(certificate, key)
listener = socket.create_server(("127.0.0.1", int(port)))
selector = selectors.DefaultSelector()
selector.register(listener, selectors.EVENT_READ)
waiting = []
try:
    while True:
        for at, _ in selector.select(0.005):
            if at.fileobj is listener:
                connection, _ = listener.accept()
                try:
                    connection = context.wrap_socket(connection, server_side=True)
                except (ssl.SSLError, OSError):
                    continue
                selector.register(connection, selectors.EVENT_READ, b"")
                continue
            try:
                data = at.fileobj.recv(65536)
            except OSError:
                data = b""
            if not data:
                selector.unregister(at.fileobj)
                at.fileobj.close()
                continue
            assert data.endswith(b"\r\n\r\n")
            fields = dict(line.split(": ", 1) for line in data.decode().lower().split("\r\n")[1:] if line)
            request = fields["x-request-id"]
            mini_blocking.blocking(request, "at_once") if len(waiting) % 2 else None
            contextvars.copy_context().run(mini_blocking.blocking, request, "copied_at_once")
            waiting.append([at.fileobj, request, 3])
        mini_blocking.blocking("background", "background")
        contextvars.copy_context().run(mini_blocking.blocking, "background", "background_copied")
        for w in waiting[:]:
            w[2] -= 1
            if w[2]:
                continue
            waiting.remove(w)
            mini_blocking.blocking(w[1], "later")
            contextvars.copy_context().run(mini_blocking.blocking, w[1], "copied_later")
            w[0].sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
except KeyboardInterrupt:
    pass
