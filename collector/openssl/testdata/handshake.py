"""Makes a TLS connection with a client certificate inside this process, and prints what OpenSSL's accessors say of its server side next to what
stands in memory at given offsets.

usage: handshake.py LIBCRYPTO LIBSSL VERSION OFFSETS
VERSION is 0x303 or 0x304. OFFSETS is a JSON object with the fields of Go's Layout. The files ca.pem, server.pem, server.key, client.pem and
client.key are read from the current folder. The output is a JSON object: for both ends, "said" and "read".
"""

import ctypes
import json
import sys

P = ctypes.c_void_p
crypto = ctypes.CDLL(sys.argv[1], mode=ctypes.RTLD_GLOBAL)
ssl = ctypes.CDLL(sys.argv[2])
version = int(sys.argv[3], 0)
offsets = json.loads(sys.argv[4])


def function(library, name, result, *arguments):
    f = getattr(library, name)
    f.restype, f.argtypes = result, arguments
    return f


def check(ok, what):
    if not ok:
        function(crypto, "ERR_print_errors_fp", None, P)(P.in_dll(ctypes.CDLL(None), "stderr"))
        sys.exit(what)


I, L, S = ctypes.c_int, ctypes.c_long, ctypes.c_char_p
new_context = function(ssl, "SSL_CTX_new", P, P)
method = function(ssl, "TLS_method", P)
control = function(ssl, "SSL_CTX_ctrl", L, P, I, L, P)
use_certificate = function(ssl, "SSL_CTX_use_certificate_file", I, P, S, I)
use_key = function(ssl, "SSL_CTX_use_PrivateKey_file", I, P, S, I)
load_ca = function(ssl, "SSL_CTX_load_verify_locations", I, P, S, S)
set_verify = function(ssl, "SSL_CTX_set_verify", None, P, I, P)
new = function(ssl, "SSL_new", P, P)
set_bio = function(ssl, "SSL_set_bio", None, P, P, P)
do_handshake = function(ssl, "SSL_do_handshake", I, P)
new_bio = function(crypto, "BIO_new", P, P)
memory = function(crypto, "BIO_s_mem", P)
reference = function(crypto, "BIO_up_ref", I, P)


def context(name, mode):
    c = new_context(method())
    check(c, "SSL_CTX_new")
    check(control(c, 123, version, None) and control(c, 124, version, None), "protocol version")
    check(use_certificate(c, (name + ".pem").encode(), 1) == 1, "certificate")
    check(use_key(c, (name + ".key").encode(), 1) == 1, "key")
    check(load_ca(c, b"ca.pem", None) == 1, "CA")
    set_verify(c, mode, None)
    return c


server, client = new(context("server", 3)), new(context("client", 1))
up, down = new_bio(memory()), new_bio(memory())
reference(up)
reference(down)
set_bio(server, up, down)
set_bio(client, down, up)
function(ssl, "SSL_set_connect_state", None, P)(client)
function(ssl, "SSL_set_accept_state", None, P)(server)
for _ in range(10):
    a, b = do_handshake(client), do_handshake(server)
    if a == 1 and b == 1:
        break
check(a == 1 and b == 1, "handshake")


def number(address, size):
    return int.from_bytes(ctypes.string_at(address, size), sys.byteorder)


def said(connection):
    random = ctypes.create_string_buffer(32)
    function(ssl, "SSL_get_client_random", ctypes.c_size_t, P, P, ctypes.c_size_t)(connection, random, 32)
    return {
        "session": function(ssl, "SSL_get_session", P, P)(connection),
        "server": function(ssl, "SSL_is_server", I, P)(connection),
        "verify_result": function(ssl, "SSL_get_verify_result", L, P)(connection),
        "verify_mode": function(ssl, "SSL_get_verify_mode", I, P)(connection),
        "version": function(ssl, "SSL_version", I, P)(connection),
        "random": random.raw.hex(),
    }


def read(connection):
    session = number(connection + offsets["Session"], 8)
    peer = number(session + offsets["Peer"], 8)
    holder = connection
    if offsets["ClientRandomBase"]:
        holder = number(connection + offsets["ClientRandomBase"], 8)
    tbs, signature = peer + offsets["TBS"], peer + offsets["Signature"]
    kind = number(connection, 4) if offsets["QUIC"] else 0
    return {
        "session": session,
        "server": number(connection + offsets["Server"], 4),
        "verify_result": number(connection + offsets["VerifyResult"], 8),
        "verify_mode": number(connection + offsets["VerifyMode"], 4),
        "version": number(connection + offsets["Version"], 4),
        "random": ctypes.string_at(holder + offsets["ClientRandom"], 32).hex(),
        "tbs": ctypes.string_at(number(tbs, 8), number(tbs + 8, 8)).hex(),
        "signature": ctypes.string_at(number(signature + 8, 8), number(signature, 4)).hex(),
        "kind": kind,
    }


out = {}
function(ssl, "SSL_set_verify_result", None, P, L)(client, 18)
for name, connection in ("server", server), ("client", client):
    out[name] = {"said": said(connection), "read": read(connection)}
json.dump(out, sys.stdout)
