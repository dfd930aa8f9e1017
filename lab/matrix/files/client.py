"""Clients with a certificate each. Takes one job a line of standard input, as JSON, and answers it by one line: what was sent, when, and who the server must think it was.

A job's mode says how the sessions of its connections come to be:
  full      each connection shakes hands in full
  resume    every second one offers the session of the one before it, and the certificate of somebody else
  protected the server asks for the certificate when a protected path is requested: afterwards (TLS 1.3) or by renegotiation (TLS 1.2)
  kept      the connections that a job with "keep" has left open are used
A certificate's number of -1 stands for none.
"""
import json
import os
import random
import socket
import ssl
import sys
import threading
import time

TIMEOUT = 60
kept = {}  # name of a job -> its connections


class Cut:
    """A connection of TLS whose records go out in two pieces, with a pause between them."""

    def __init__(self, context, plain, session):
        self.plain, self.random = plain, random.Random(plain.getsockname()[1])
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname="localhost", session=session)
        self.do(self.tls.do_handshake)
        self.session_reused = self.tls.session_reused

    def do(self, what, *args):
        while True:
            try:
                done = what(*args)
                self.flush()
                return done
            except ssl.SSLWantReadError:
                self.flush()
            got = self.plain.recv(65536)
            if got:
                self.incoming.write(got)
            else:
                self.incoming.write_eof()

    def flush(self):
        data = self.outgoing.read()
        if len(data) > 1 and self.random.randrange(3):
            cut = self.random.randrange(1, len(data))
            self.plain.sendall(data[:cut])
            time.sleep(0.003)
            data = data[cut:]
        self.plain.sendall(data)

    def sendall(self, data):
        while data:
            data = data[self.do(self.tls.write, data) :]

    def recv(self, n):
        return self.do(self.tls.read, n)

    @property
    def session(self):
        return self.tls.session

    def close(self):
        self.plain.close()


class Connection:
    """A connection, and the number of the certificate that the server's identity of it is to be."""

    def __init__(self, job, context, who, session=None, owner=None):
        plain = socket.create_connection(("127.0.0.1", job["port"]), TIMEOUT)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        host, port = plain.getsockname()
        self.local = f"{host}:{port}"
        if job.get("cut"):
            self.socket = Cut(context, plain, session)
        else:
            self.socket = context.wrap_socket(plain, server_hostname="localhost", session=session)
        self.resumed = bool(self.socket.session_reused)
        self.who = owner if self.resumed else who
        self.input = b""

    def close(self):
        try:
            self.socket.close()
        except OSError:
            pass

    def answer(self):
        """Reads one response; gives its status, and whether the server keeps the connection."""
        while b"\r\n\r\n" not in self.input:
            self.more()
        head, self.input = self.input.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        if fields.get("transfer-encoding", "").lower() == "chunked":
            while self.chunk():
                pass
        elif "content-length" in fields:
            self.take(int(fields["content-length"]))
        else:  # the end of the connection ends the body
            return int(lines[0].split()[1]), False
        return int(lines[0].split()[1]), fields.get("connection", "").lower() != "close" and lines[0].startswith("HTTP/1.1")

    def more(self):
        got = self.socket.recv(65536)
        if not got:
            raise EOFError("the server closed the connection")
        self.input += got

    def take(self, n):
        while len(self.input) < n:
            self.more()
        taken, self.input = self.input[:n], self.input[n:]
        return taken

    def chunk(self):
        while b"\r\n" not in self.input:
            self.more()
        line, self.input = self.input.split(b"\r\n", 1)
        n = int(line.split(b";")[0], 16)
        self.take(n + 2)
        return n


class Client(threading.Thread):
    """One client of a job: one connection at a time."""

    def __init__(self, job, number, requests):
        super().__init__(daemon=True)
        self.job, self.number, self.left = job, number, requests
        self.random = random.Random(number)
        self.sent, self.errors, self.connections = [], [], 0
        self.count = 0
        self.waiting = bool(job.get("until"))
        self.connection = None
        self.remembered = None  # a session and whose it is
        self.context = self.new_context()

    def new_context(self):
        job = self.job
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(job["ca"])
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2 if job["tls"] == "1.2" else ssl.TLSVersion.TLSv1_3
        context.post_handshake_auth = job["mode"] == "protected" and job["tls"] == "1.3"
        if not job.get("tickets", True):
            context.options |= ssl.OP_NO_TICKET
        return context

    def run(self):
        try:
            while self.early() or self.left > 0:
                self.exchange()
        except Exception as error:  # told in the answer, which makes the job fail
            self.errors.append(f"client {self.number}: {type(error).__name__}: {error}")

    def early(self):
        """Tells whether requests do not count yet."""
        self.waiting = self.waiting and not os.path.exists(self.job["until"])
        if self.waiting:
            time.sleep(0.02)
        return self.waiting

    def connect(self):
        job = self.job
        who = job["spread"][self.number % len(job["spread"])]
        session, owner = None, None
        if job["mode"] == "resume" and self.remembered:
            session, owner = self.remembered
            self.remembered = None
            who = job["spread"][(self.number + 1) % len(job["spread"])]
        elif job.get("shuffle"):
            who = self.random.choice(job["spread"])
        if who >= 0:
            certificate = job["certificates"][who]
            self.context.load_cert_chain(certificate["cert"], certificate["key"])
        self.connection = Connection(job, self.context, who, session, owner)
        self.connections += 1
        self.count = 0

    def request(self, i):
        job = self.job
        name = f"{job['name']}.{self.number}.{len(self.sent)}"
        head = f" {job['path']} HTTP/1.1\r\nHost: localhost\r\nX-Request-ID: {name}\r\nX-Client: {self.number}\r\n"
        if job.get("close") or (not job.get("keep") and i + 1 >= job["per"]):
            head += "Connection: close\r\n"
        if job["mode"] != "protected" and i % 5 == 3:
            body = "x" * self.random.randrange(1, self.random.choice((30, 3000, 40000)))
            text = f"POST{head}Content-Type: text/plain\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        else:
            text = f"GET{head}\r\n"
        return name, text.encode()

    def exchange(self):
        if self.connection is None:
            self.connect()
        job, connection = self.job, self.connection
        many = 2 if job.get("pipeline") and self.count % 4 == 1 and (self.waiting or self.left > 1) and self.count + 2 < job["per"] else 1
        begin, text, names = time.time_ns(), b"", []
        for i in range(many):
            name, one = self.request(self.count + i)
            names.append(name)
            text += one
            self.sent.append([name, connection.who, connection.resumed, begin, 0, 0, connection.local])
        if self.count % 7 == 2:  # a record that ends in the middle of a request
            cut = self.random.randrange(1, len(text))
            connection.socket.sendall(text[:cut])
            time.sleep(0.02 if job.get("cut") else 0.001)
            connection.socket.sendall(text[cut:])
        else:
            connection.socket.sendall(text)
        going = True
        for i in range(many):
            status, going = connection.answer()
            self.sent[len(self.sent) - many + i][4:6] = [time.time_ns(), status]
        if not self.waiting:
            self.left -= many
        self.count += many
        if not going or self.count >= job["per"]:
            if job["mode"] == "resume" and not connection.resumed:
                session = connection.socket.session
                if session is not None:
                    self.remembered = session, connection.who
            if not (job.get("keep") and going):
                connection.close()
                self.connection = None


def share(requests, i, n):
    return requests // n + (i < requests % n)


def play(job):
    if job["mode"] == "kept":
        clients = kept.pop(job["of"])
        fresh = []
        for old in clients:
            client = Client(job, old.number, share(job["requests"], old.number, len(clients)))
            client.connection, client.count = old.connection, 1
            fresh.append(client)
        clients = fresh
    else:
        n = job["clients"]
        clients = [Client(job, i, share(job["requests"], i, n)) for i in range(n)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    for client in clients:
        if client.connection and not job.get("keep"):
            client.connection.close()
    if job.get("keep"):
        kept[job["name"]] = clients
    sent = [one for client in clients for one in client.sent if one[5]]
    return {"sent": sent, "errors": [e for client in clients for e in client.errors], "connections": sum(c.connections for c in clients)}


for line in sys.stdin:
    print(json.dumps(play(json.loads(line))), flush=True)
