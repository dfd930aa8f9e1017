import io, sys
import psycopg2

c = psycopg2.connect(sys.argv[1])
k = c.cursor()
k.copy_from(io.StringIO("1\tacme\t\\N\n2\tbeta\tx\n"), "bills", columns=("id", "tenant_id", "note"))
k.copy_expert("COPY bills (id, tenant_id, note) FROM STDIN WITH (FORMAT csv, HEADER)", io.StringIO('id,tenant_id,note\n3,gamma,"a\nb"\n'))
out = io.StringIO()
k.copy_to(out, "bills", columns=("tenant_id", "id"))
assert out.getvalue().count("\n") == 3
k.execute("SELECT id FROM bills WHERE tenant_id = ANY(%s)", (["acme", "beta"],))
assert len(k.fetchall()) == 2
c.commit()
