"""Asks a server for /late/0 and gives it the certificate that it asks for record by record, with pauses: late.py PORT CERTIFICATE KEY. Prints the number of records
and when the last one was sent, in nanoseconds since the Unix epoch."""
import socket
import ssl
import sys
import time

PAUSE = 0.5
plain = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
context.post_handshake_auth = True
context.load_cert_chain(sys.argv[2], sys.argv[3])
received, to_send = ssl.MemoryBIO(), ssl.MemoryBIO()
tls = context.wrap_bio(received, to_send)


def until_done(call, send):
    """Calls until it succeeds; sends what it wants sent, and receives what it wants to read."""
    while True:
        try:
            result = call()
            send(to_send.read())
            return result
        except ssl.SSLWantReadError:
            send(to_send.read())
            received.write(plain.recv(65536))


def record_by_record(data):
    global records, last
    while data:
        time.sleep(PAUSE)
        size = 5 + int.from_bytes(data[3:5], "big")
        records, last = records + 1, time.time_ns()
        plain.sendall(data[:size])
        data = data[size:]


records, last = 0, 0
until_done(tls.do_handshake, plain.sendall)
tls.write(b"GET /late/0 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
plain.sendall(to_send.read())
answer = until_done(lambda: tls.read(4096), record_by_record)
assert answer.startswith(b"HTTP/1.1 200"), answer
print(records, last)
