"""An HTTPS server with a thread for each connection, whose requests hand work to other threads; a scheduler works beside them for all tenants."""
import concurrent.futures
import http.server
import socketserver
import ssl
import sys
import threading
import time

import psycopg2

dsn, certificate, key, roots = sys.argv[1:]


def query(mark, tenant):
    connection = psycopg2.connect(dsn)
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute("SELECT id AS %s, tenant_id FROM invoices WHERE tenant_id = '%s'" % (mark, tenant))
    cursor.fetchall()
    connection.close()


def schedule():
    while True:
        for tenant in ("acme", "beta"):
            query("nightly", tenant)
        time.sleep(0.2)


threading.Thread(target=schedule, daemon=True).start()
pool = concurrent.futures.ThreadPoolExecutor(1)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_GET(self):
        mark, tenant = self.path.split("/")[1:]
        if mark == "after":
            threading.Thread(target=lambda: (time.sleep(0.3), query(mark, tenant))).start()
        elif mark == "joined":
            thread = threading.Thread(target=query, args=(mark, tenant))
            thread.start()
            thread.join()
        elif mark == "pooled":
            pool.submit(query, mark, tenant).result()
        else:
            query(mark, tenant)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True

    def get_request(self):
        client, address = self.socket.accept()
        return context.wrap_socket(client, server_side=True, do_handshake_on_connect=False), address


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
context.load_verify_locations(roots)
context.verify_mode = ssl.CERT_REQUIRED
server = Server(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
