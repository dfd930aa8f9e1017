// node-postgres: pg.js PORT
const { Client } = require("pg");

(async () => {
	const c = new Client({ host: "127.0.0.1", port: process.argv[2], user: "app", database: "postgres" });
	await c.connect();
	await c.query("INSERT INTO bills (id, tenant_id, org) VALUES ($1, $2, $3), (2, 'beta', NULL)", [1, "acme", "11223344-5566-7788-99aa-bbccddeeff00"]);
	for (const tenant of ["acme", "beta", "acme"]) {
		await c.query({ name: "by tenant", text: "SELECT id, tenant_id, org FROM bills WHERE tenant_id = $1", values: [tenant] });
	}
	await c.query({ text: "SELECT id, tenant_id FROM bills WHERE id = $1", values: [2], binary: true });
	await c.query({ text: "SELECT tenant_id FROM bills WHERE tenant_id = ANY($1)", values: [["acme", 'x"y']], rowMode: "array" });
	await c.query("BEGIN");
	await c.query("SELECT nothing FROM bills WHERE id = $1", [1]).catch(() => c.query("ROLLBACK"));
	await Promise.all([c.query("SELECT 1; SELECT tenant_id FROM bills"), c.query("SELECT tenant_id FROM bills WHERE id = $1", [1])]);
	await c.end();
})();
