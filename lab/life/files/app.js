// Node: one thread for all connections. Ports: certificates that verify; any certificate, or none; HTTP/2.
const fs = require("fs");
const https = require("https");
const http2 = require("http2");
const [cert, key, ca, required, any, second] = process.argv.slice(2);

const options = { cert: fs.readFileSync(cert), key: fs.readFileSync(key), ca: fs.readFileSync(ca), requestCert: true };
const answer = (request, response) => request.resume().on("end", () => response.end("here\n"));

for (const [port, rejectUnauthorized] of [[required, true], [any, false]]) {
  const server = https.createServer({ ...options, rejectUnauthorized }, answer);
  server.keepAliveTimeout = 60000;
  server.listen(Number(port), "127.0.0.1");
}
http2.createSecureServer({ ...options, rejectUnauthorized: true }, answer).listen(Number(second), "127.0.0.1");
