"""Makes two TLS connections with a client certificate inside this process, of which the second resumes the session of the first for another server name, and
prints what OpenSSL's accessors say of their ends next to what stands in memory at given offsets.

usage: handshake.py LIBCRYPTO LIBSSL VERSION OFFSETS
VERSION is 0x303 or 0x304. OFFSETS is a JSON object with the fields of Go's Layout. The files ca.pem, server.pem, server.key, client.pem and
client.key are read from the current folder. The output is a JSON object: for each end, "said" and "read".
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
set_session = function(ssl, "SSL_set_session", I, P, P)
get_session = function(ssl, "SSL_get_session", P, P)
free = function(ssl, "SSL_free", None, P)
NAME_CALLBACK = ctypes.CFUNCTYPE(I, P, P, P)
accept_name = NAME_CALLBACK(lambda *_: 0)  # SSL_TLSEXT_ERR_OK


def context(name, mode, ca):
    c = new_context(method())
    check(c, "SSL_CTX_new")
    check(control(c, 123, version, None) and control(c, 124, version, None), "protocol version")
    check(use_certificate(c, (name + ".pem").encode(), 1) == 1, "certificate")
    check(use_key(c, (name + ".key").encode(), 1) == 1, "key")
    check(not ca or load_ca(c, b"ca.pem", None) == 1, "CA")
    set_verify(c, mode, None)
    return c


contexts = context("server", 3, True), context("client", 0, False)
function(ssl, "SSL_CTX_set_session_id_context", I, P, S, ctypes.c_uint)(contexts[0], b"test", 4)
check(function(ssl, "SSL_CTX_callback_ctrl", L, P, I, NAME_CALLBACK)(contexts[0], 53, accept_name), "server name callback")


def connect(name, session=None):
    """Gives the server's and the client's end of a new connection."""
    server, client = new(contexts[0]), new(contexts[1])
    up, down = new_bio(memory()), new_bio(memory())
    reference(up)
    reference(down)
    set_bio(server, up, down)
    set_bio(client, down, up)
    function(ssl, "SSL_set_connect_state", None, P)(client)
    function(ssl, "SSL_set_accept_state", None, P)(server)
    check(function(ssl, "SSL_ctrl", L, P, I, L, S)(client, 55, 0, name), "server name")
    if session:
        check(set_session(client, session) == 1, "session")
    for _ in range(10):
        a, b = do_handshake(client), do_handshake(server)
        if a == 1 and b == 1:
            break
    check(a == 1 and b == 1, "handshake")
    function(ssl, "SSL_read", I, P, S, I)(client, ctypes.create_string_buffer(1), 1)  # takes the tickets
    return server, client


def number(address, size):
    return int.from_bytes(ctypes.string_at(address, size), sys.byteorder)


def text(address):
    return ctypes.string_at(address).decode() if address else ""


def result_of(session):
    """The verify result that a session brings to a connection."""
    fresh = new(contexts[1])
    check(set_session(fresh, session) == 1, "session")
    result = function(ssl, "SSL_get_verify_result", L, P)(fresh)
    free(fresh)
    return result


def said(connection):
    session = get_session(connection)
    random = ctypes.create_string_buffer(32)
    function(ssl, "SSL_get_client_random", ctypes.c_size_t, P, P, ctypes.c_size_t)(connection, random, 32)
    return {
        "session": session,
        "server": function(ssl, "SSL_is_server", I, P)(connection),
        "verify_result": function(ssl, "SSL_get_verify_result", L, P)(connection),
        "verify_mode": function(ssl, "SSL_get_verify_mode", I, P)(connection),
        "version": function(ssl, "SSL_version", I, P)(connection),
        "random": random.raw.hex(),
        "hit": function(ssl, "SSL_session_reused", I, P)(connection),
        "in_init": function(ssl, "SSL_in_init", I, P)(connection),
        "state": function(ssl, "SSL_get_state", I, P)(connection),
        "name": text(function(ssl, "SSL_get_servername", P, P, I)(connection, 0)),
        "session_name": text(function(ssl, "SSL_SESSION_get0_hostname", P, P)(session)),
        "session_time": function(ssl, "SSL_SESSION_get_time", L, P)(session),
        "session_result": result_of(session),
    }


def read(connection):
    session = number(connection + offsets["Session"], 8)
    peer = number(session + offsets["Peer"], 8)
    holder = connection
    if offsets["ClientRandomBase"]:
        holder = number(connection + offsets["ClientRandomBase"], 8)
    tbs, signature = peer + offsets["TBS"], peer + offsets["Signature"]
    kind = number(connection, 4) if offsets["QUIC"] else 0
    hit, session_name = number(connection + offsets["Hit"], 4), text(number(session + offsets["SessionName"], 8))
    name = text(number(connection + offsets["ServerName"], 8))
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
        "hit": hit,
        "in_init": number(connection + offsets["InInit"], 4),
        "state": number(connection + offsets["State"], 4),
        "name": session_name if hit and version < 0x304 else name,  # as SSL_get_servername has it
        "own_name": name,
        "session_name": session_name,
        "session_time": number(session + offsets["SessionTime"], 8) * offsets["SessionTimeUnit"] // 1_000_000_000,
        "session_result": number(session + offsets["SessionResult"], 8),
    }


first = connect(b"one.example")
session = function(ssl, "SSL_get1_session", P, P)(first[1])
second = connect(b"two.example", session)
out = {}
for (server, client), number_of in (first, ""), (second, " again"):
    function(ssl, "SSL_set_verify_result", None, P, L)(client, 18)
    function(ssl, "SSL_set_verify", None, P, I, P)(client, 1, None)
    for name, connection in ("server" + number_of, server), ("client" + number_of, client):
        out[name] = {"said": said(connection), "read": read(connection)}
json.dump(out, sys.stdout)
