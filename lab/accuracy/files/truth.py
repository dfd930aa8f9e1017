"""What a request is asked to do, and the truth about each statement: which request it is sent for, and whose data it is about. The truth goes to the
database in a comment before the statement, from where the harness takes it out again before anybody judges. Behind the statement stand comments that look
like truth and are none."""
import collections
import json
import os
import threading
import uuid
from urllib.parse import parse_qsl

TOKENS = os.environ.get("ACCURACY_TOKENS") == "1"  # statements bear an identifier that the server makes
FIRST_KEY, KEYS = 100000, 10  # of tenant number n the invoices from FIRST_KEY + n * KEYS on
recent = collections.deque(maxlen=16)  # requests that came lately: foreign identifiers
shared = {"current": "", "token": ""}  # what no server should keep so: the tenant of the last request
served = [0]
LATE = 25  # requests before background work begins: nobody has seen it while there were none


class Ask:
    """A request, as the load describes it in query and header fields."""

    def __init__(self, query, field):
        q = dict(parse_qsl(query, keep_blank_values=True))
        self.gt, self.public, self.traceparent = field("x-gt"), field("x-request-id"), field("traceparent")
        self.own, self.other, self.flaw, self.at = q["own"], q.get("other", ""), q.get("flaw", ""), int(q.get("at", "-1"))
        self.child, self.after, self.mode = "child" in q, "after" in q, q.get("mode", "")
        self.pause = float(q.get("pause", "0")) / 1000
        self.token = uuid.uuid4().hex
        if "repeat" in q and shared["token"]:
            self.token = shared["token"]  # an identifier that is not unique after all
        shared["token"] = self.token
        self.lock, self.count = threading.Lock(), 0
        self.rows = {}  # tenant by number of statement, where only the rows tell it
        shared["current"] = self.own
        served[0] += 1
        recent.append((self.public, self.traceparent))

    def tenant(self, step):
        """Whose data a step is to use. A step with a flaw uses somebody else's."""
        if step != self.at:
            return self.own
        if self.flaw == "independent":
            return self.other
        if self.flaw == "race":
            return shared["current"]
        return self.own

    def key(self, tenant):
        return FIRST_KEY + int(tenant[1:]) * KEYS + (len(self.gt) + self.count) % KEYS

    def text(self, kind, tenant, sql):
        """The statement with its comments, and its number."""
        with self.lock:
            self.count += 1
            n = self.count
        return f"/* gt={self.gt} n={n} t={tenant} k={kind} */ {sql}{self.marks(n)}", n

    def marks(self, n):
        if TOKENS and n % 4:
            return f" /*request_id:{self.token}*/"
        public, traceparent = recent[0]
        if n % 4 == 0:
            return f" /*request_id:{public}*/"
        if n % 4 == 1:
            return f" /*traceparent='{self.traceparent}'*/"
        if n % 4 == 2:
            return f" /*traceparent='{traceparent}'*/"
        return ""

    def fields(self):
        """Header fields of the response. What the client called its request is repeated, as many servers do: no proof of anything."""
        return [("Content-Type", "application/json"), ("X-Request-ID", self.token if TOKENS else self.public)]

    def answer(self):
        return json.dumps(self.rows).encode()


class Nobody:
    """Work that no request asked for: it goes through all tenants."""

    def __init__(self, tenants):
        self.tenants, self.count = tenants, 0

    def next(self):
        self.count += 1
        tenant = f"t{self.count % self.tenants:03d}"
        return f"/* gt=background n={self.count} t={tenant} k=background */ {LIST.replace('%s', quote(tenant))}"


def quote(tenant):
    return "'" + tenant + "'"


LIST = "SELECT id, tenant_id, amount, '/* gt=decoy n=1 t=t000 k=list */' AS note FROM invoices WHERE tenant_id = %s ORDER BY id LIMIT 3"
SOME = "SELECT id, amount FROM invoices WHERE tenant_id = %s LIMIT 2"
CHANGE = "UPDATE invoices SET amount = amount WHERE tenant_id = %s AND id = %s"
KEY = "SELECT id, tenant_id, number FROM invoices WHERE id = %s"
SET = "SELECT set_config('app.tenant_id', %s, false)"
SESSION = "SELECT id, tenant_id FROM invoices WHERE tenant_id = current_setting('app.tenant_id', true) ORDER BY id LIMIT 3"
