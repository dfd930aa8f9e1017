"""Calls SSL_peek of the library at argv[1], itself or in a child, as the commands on standard input say; prints the pid of the process that called."""
import ctypes
import os
import sys

library = ctypes.CDLL(sys.argv[1])
for function in ("TLS_method", "SSL_CTX_new", "SSL_new"):
    getattr(library, function).restype = ctypes.c_void_p
context = library.SSL_CTX_new(ctypes.c_void_p(library.TLS_method()))
connection = library.SSL_new(ctypes.c_void_p(context))
assert connection


def call():
    """Fails, for want of a peer: that is a call as good as any."""
    assert library.SSL_peek(ctypes.c_void_p(connection), ctypes.create_string_buffer(1), 1) == -1
    print(os.getpid(), flush=True)


call()
for command in sys.stdin:
    if command.strip() == "call":
        call()
        continue
    child = os.fork()
    if not child:
        call()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
