"""gunicorn settings of a service that asks for certificates and accepts whatever it gets.

Python's ssl module refuses what does not verify, so the mistake is made where C programs make it: a verify callback that
always returns 1 (SSL_CTX_set_verify(3)).
"""

import ctypes
import ssl

libssl = ctypes.CDLL("libssl.so.3")
SSL_VERIFY_PEER = 1
VERIFY_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_void_p)
libssl.SSL_CTX_set_verify.argtypes = [ctypes.c_void_p, ctypes.c_int, VERIFY_CALLBACK]
libssl.SSL_CTX_set_verify.restype = None


@VERIFY_CALLBACK
def accept_anything(ok, store):
    return 1


def wrap_socket(sock, server_side, keyfile, certfile, ca_certs, **options):
    """What gunicorn calls for each connection, in place of ssl.wrap_socket."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certfile, keyfile)
    context.load_verify_locations(ca_certs)
    context.verify_mode = ssl.CERT_REQUIRED
    # The first field of a CPython SSLContext after its object header is the SSL_CTX pointer.
    pointer = ctypes.c_void_p.from_address(id(context) + object.__basicsize__)
    libssl.SSL_CTX_set_verify(pointer, SSL_VERIFY_PEER, accept_anything)
    return context.wrap_socket(sock, server_side=server_side, do_handshake_on_connect=False)


def post_fork(server, worker):
    ssl.wrap_socket = wrap_socket
