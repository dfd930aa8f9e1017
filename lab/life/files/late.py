"""A client whose certificate is asked for late, and who changes it meanwhile: what Go's TLS cannot do. It takes a job as JSON from standard input, does its steps in
their order, and writes the answers to its requests:
  connect      opens a connection with a certificate; with "resume" it offers the session of the last one, and fails if that is not taken
  certificate  changes the certificate of the open connection
  get          sends a request
"""
import http.client
import json
import socket
import ssl
import sys

TIMEOUT = 60


class Client:
    def __init__(self, job):
        self.job = job
        self.context = self.new_context()  # of all connections: a session belongs to its context
        self.socket = None

    def new_context(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.job["ca"])
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2 if self.job["tls"] == "1.2" else ssl.TLSVersion.TLSv1_3
        context.post_handshake_auth = self.job["tls"] == "1.3"
        return context

    def load(self, context, step):
        context.load_cert_chain(step["cert"], step["key"])

    def connect(self, step):
        session = self.socket.session if step.get("resume") else None
        if self.socket:
            self.socket.close()
        self.load(self.context, step)
        plain = socket.create_connection(("127.0.0.1", self.job["port"]), TIMEOUT)
        self.socket = self.context.wrap_socket(plain, server_hostname="localhost", session=session)
        if self.socket.session_reused != bool(session):
            raise RuntimeError(f"session resumed: {self.socket.session_reused}, wanted: {bool(session)}")

    def certificate(self, step):
        context = self.new_context()
        self.load(context, step)
        self.socket.context = context

    def get(self, step):
        self.socket.sendall(f"GET {step['path']} HTTP/1.1\r\nHost: localhost\r\nX-Request-ID: {step['id']}\r\n\r\n".encode())
        answer = http.client.HTTPResponse(self.socket, method="GET")
        answer.begin()
        body = answer.read()
        return {"id": step["id"], "status": answer.status, "body": json.loads(body) if answer.status == 200 else None}


def main():
    job = json.load(sys.stdin)
    client, answers = Client(job), []
    for step in job["steps"]:
        answer = getattr(client, step["do"])(step)
        if answer:
            answers.append(answer)
    client.socket.close()
    json.dump(answers, sys.stdout)


main()
