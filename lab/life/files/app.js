// Node: one thread for all connections, with the rows of the tenant that the certificate names, as app.py. Ports: certificates that verify; any certificate, or
// none; HTTP/2.
const fs = require("fs");
const https = require("https");
const http2 = require("http2");
const { Pool } = require("pg");
const [cert, key, ca, required, any, second] = process.argv.slice(2);

const pool = new Pool({ ...JSON.parse(fs.readFileSync("database.json")), max: 4, maxUses: 1 }); // a connection for each statement: none is older than a daemon
const options = { cert: fs.readFileSync(cert), key: fs.readFileSync(key), ca: fs.readFileSync(ca), requestCert: true };

async function answer(request, response) {
  const name = (request.socket.getPeerCertificate().subject || {}).CN || "acme-client"; // the default tenant that some services fall back to
  const text = "SELECT id, tenant_id AS tenant FROM invoices WHERE tenant_id = $1 ORDER BY id LIMIT 3";
  const { rows } = await pool.query(text, [name.replace(/-client$/, "")]);
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify({ rows }));
}

for (const [port, rejectUnauthorized] of [[required, true], [any, false]]) {
  const server = https.createServer({ ...options, rejectUnauthorized }, answer);
  server.keepAliveTimeout = 60000;
  server.listen(Number(port), "127.0.0.1");
}
http2.createSecureServer({ ...options, rejectUnauthorized: true }, answer).listen(Number(second), "127.0.0.1");
