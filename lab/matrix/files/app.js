// Node's server: one process, one thread, all connections. The second port lets everybody in and asks for a certificate all the same.
const fs = require("fs");
const https = require("https");
const [cert, key, ca, required, ignored] = process.argv.slice(2);

function serve(port, rejectUnauthorized) {
  const options = { cert: fs.readFileSync(cert), key: fs.readFileSync(key), ca: fs.readFileSync(ca), requestCert: true, rejectUnauthorized };
  const server = https.createServer(options, (request, response) => {
    request.resume().on("end", () => response.end("here\n"));
  });
  server.keepAliveTimeout = 60000;
  server.listen(Number(port), "127.0.0.1");
}

serve(required, true);
serve(ignored, false);
