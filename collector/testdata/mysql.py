"""Asks a MariaDB server as the commands on standard input say; prints a line when each is done. The arguments are the server's unix socket and its port."""
import ssl  # maps the library, so that the process is traced
import sys

import MySQLdb
import pymysql

SOCKET, PORT = sys.argv[1], int(sys.argv[2])
LOGIN = {"user": "app", "password": "secret", "database": "shop"}
COUNT = 17


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
