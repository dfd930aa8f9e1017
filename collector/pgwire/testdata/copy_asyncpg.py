import asyncio, sys, uuid
import asyncpg

async def main():
    c = await asyncpg.connect(sys.argv[1])
    await c.copy_records_to_table("bills", records=[(31, "acme"), (32, None)], columns=["id", "tenant_id"])
    rows = await c.fetch("SELECT id FROM bills WHERE tenant_id = ANY($1::text[])", ["acme", "beta"])
    assert len(rows) > 0
    await c.fetch("SELECT id FROM bills WHERE org = ANY($1)", [uuid.UUID("11223344-5566-7788-99AA-BBCCDDEEFF00")])
    await c.fetch("SELECT id FROM bills WHERE id = ANY($1)", [1, None, 2])
    async with c.transaction():
        n = 0
        async for r in c.cursor("SELECT id, tenant_id FROM bills", prefetch=2):
            n += 1
        assert n == 2
    await c.close()

asyncio.run(main())
