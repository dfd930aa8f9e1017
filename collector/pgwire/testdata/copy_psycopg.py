import sys
import psycopg

with psycopg.connect(sys.argv[1]) as c:
    k = c.cursor()
    with k.copy("COPY bills (id, tenant_id) FROM STDIN") as copy:
        copy.write_row((11, "acme"))
        copy.write_row((12, "be\tta\\"))
    k.execute("SELECT id, tenant_id FROM bills LIMIT 1")
    k.fetchall()
    with k.copy("COPY bills (id, tenant_id) FROM STDIN WITH (FORMAT BINARY)") as copy:
        copy.set_types(["int8", "text"])
        for i in range(3):
            copy.write_row((20 + i, "delta"))
    with k.copy("COPY (SELECT id, tenant_id FROM bills WHERE id > 10) TO STDOUT WITH (FORMAT csv, HEADER)") as copy:
        assert b"delta" in b"".join(bytes(b) for b in copy)
    k.execute("SELECT id FROM bills WHERE tenant_id = ANY(%b)", (["acme", 'x"y'],))
    k.fetchall()
    k.execute("SELECT id FROM bills WHERE id = ANY(%b)", ([1, 70000],))
    k.fetchall()
    with c.pipeline():
        k.execute("SELECT id FROM bills WHERE tenant_id = %s", ("acme",))
        k.execute("SELECT tenant_id FROM bills WHERE id = %s", (11,))
