import io, sys
from urllib.parse import urlsplit
import pg8000

u = urlsplit(sys.argv[1])
c = pg8000.connect(user=u.username, host=u.hostname, port=u.port, database=u.path[1:])
k = c.cursor()
k.execute("COPY bills (id, tenant_id) FROM STDIN WITH (FORMAT csv)", stream=io.BytesIO(b"41,acme\n42,\"be,ta\"\n"))
out = io.BytesIO()
k.execute("COPY bills (id, tenant_id) TO STDOUT", stream=out)
assert b"acme" in out.getvalue()
k.execute("SELECT id FROM bills WHERE tenant_id = %s", ("acme",))
assert len(k.fetchall()) > 0
c.commit()
c.close()
