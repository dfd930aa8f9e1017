// The service on Node: one thread, all connections. truth.py says what the comments are.
const crypto = require("crypto");
const fs = require("fs");
const https = require("https");
const { Client, Pool } = require("pg");

const [cert, key, ca, port] = process.argv.slice(2);
const env = process.env;
const settings = {
  host: env.ACCURACY_HOST, port: Number(env.ACCURACY_PORT), user: "lab_app", password: env.ACCURACY_PASSWORD, database: "lab",
  ssl: env.ACCURACY_SSLMODE === "require" ? { rejectUnauthorized: false } : false,
};
const stale = env.ACCURACY_STALE === "1";
const tokens = env.ACCURACY_TOKENS === "1";
const pool = env.ACCURACY_POOL === "application" ? new Pool({ ...settings, max: Number(env.ACCURACY_POOL_SIZE), idleTimeoutMillis: 0 }) : null;
const LIST = "SELECT id, tenant_id, amount, '/* gt=decoy n=1 t=t000 k=list */' AS note FROM invoices WHERE tenant_id = $1 ORDER BY id LIMIT 3";
const SOME = "SELECT id, amount FROM invoices WHERE tenant_id = $1 LIMIT 2";
const CHANGE = "UPDATE invoices SET amount = amount WHERE tenant_id = $1 AND id = $2";
const KEY = "SELECT id, tenant_id, number FROM invoices WHERE id = $1";
const SET = "SELECT set_config('app.tenant_id', $1, false)";
const SESSION = "SELECT id, tenant_id FROM invoices WHERE tenant_id = current_setting('app.tenant_id', true) ORDER BY id LIMIT 3";
const recent = [];
let current = "";
let lastToken = "";

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

class Ask {
  constructor(request) {
    const q = new URL(request.url, "https://localhost").searchParams;
    this.gt = request.headers["x-gt"];
    this.id = request.headers["x-request-id"];
    this.traceparent = request.headers.traceparent;
    this.own = q.get("own");
    this.other = q.get("other");
    this.flaw = q.get("flaw") || "";
    this.at = Number(q.get("at") || -1);
    this.pause = Number(q.get("pause") || 0);
    this.child = q.has("child");
    this.after = q.has("after");
    this.token = q.has("repeat") && lastToken ? lastToken : crypto.randomUUID().replaceAll("-", "");
    lastToken = this.token;
    this.count = 0;
    this.rows = {};
    current = this.own;
    recent.push([this.id, this.traceparent]);
    if (recent.length > 16) recent.shift();
  }

  tenant(step) {
    if (step !== this.at) return this.own;
    return this.flaw === "independent" ? this.other : this.flaw === "race" ? current : this.own;
  }

  key(tenant) {
    return 100000 + Number(tenant.slice(1)) * 10 + (this.count % 10);
  }

  marks(n) {
    if (tokens && n % 4) return ` /*request_id:${this.token}*/`;
    return ["", ` /*traceparent='${this.traceparent}'*/`, ` /*traceparent='${recent[0][1]}'*/`, ""][n % 4] || (n % 4 === 0 ? ` /*request_id:${recent[0][0]}*/` : "");
  }

  // Sends a statement without values if tokens are to be seen in it: only then it is a simple query.
  async run(client, kind, tenant, sql, ...values) {
    const n = ++this.count;
    if (tokens) {
      sql = sql.replace(/\$(\d)/g, (_, i) => (typeof values[i - 1] === "number" ? values[i - 1] : client.escapeLiteral(values[i - 1])));
      values = [];
    }
    const result = await client.query(`/* gt=${this.gt} n=${n} t=${tenant} k=${kind} */ ${sql}${this.marks(n)}`, values.length ? values : undefined);
    return [n, result.rows];
  }
}

async function session(use) {
  if (pool) {
    const client = await pool.connect();
    try {
      return await use(client);
    } finally {
      client.release();
    }
  }
  const client = new Client(settings);
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

async function listing(ask, step, kind) {
  await session(async (client) => {
    const tenant = ask.tenant(step);
    await ask.run(client, kind, tenant, LIST, tenant);
  });
}

async function work(ask) {
  await session(async (client) => {
    if (stale && ask.flaw !== "stale") await ask.run(client, "set", "", SET, ask.own);
    await sleep(ask.pause);
    let tenant = ask.tenant(0);
    await ask.run(client, "list", tenant, LIST, tenant);
    await client.query("BEGIN");
    tenant = ask.tenant(1);
    await ask.run(client, "transaction", tenant, SOME, tenant);
    await sleep(ask.pause);
    tenant = ask.tenant(2);
    await ask.run(client, "change", tenant, CHANGE, tenant, ask.key(tenant));
    await client.query("COMMIT");
    tenant = ask.tenant(3);
    await ask.run(client, "key", tenant, KEY, ask.key(tenant));
    if (stale) {
      const [n, rows] = await ask.run(client, "session", "?", SESSION);
      ask.rows[n] = rows.length ? rows[0].tenant_id : "";
    }
  });
  if (ask.child) await Promise.all([listing(ask, 4, "gather"), listing(ask, 5, "gather")]);
}

// Begins before there are requests: nothing tells its work from theirs if it is first seen among them.
async function background(tenants) {
  const client = new Client(settings);
  await client.connect();
  for (let n = 1; ; n++) {
    const tenant = "t" + String(n % tenants).padStart(3, "0");
    await client.query(`/* gt=background n=${n} t=${tenant} k=background */ ${LIST.replace("$1", `'${tenant}'`)}`);
    await sleep(10);
  }
}

const options = { cert: fs.readFileSync(cert), key: fs.readFileSync(key), ca: fs.readFileSync(ca), requestCert: true, rejectUnauthorized: true };
const server = https.createServer(options, (request, response) => {
  const ask = new Ask(request);
  request.resume();
  work(ask).then(
    () => {
      if (ask.after) sleep(30).then(() => listing(ask, -2, "after")).catch(console.error);
      response.setHeader("X-Request-ID", tokens ? ask.token : ask.id);
      response.setHeader("Content-Type", "application/json");
      response.end(JSON.stringify(ask.rows));
    },
    (error) => {
      console.error(error);
      response.statusCode = 500;
      response.end();
    },
  );
});
server.keepAliveTimeout = 60000;
server.listen(Number(port), "127.0.0.1");
if (env.ACCURACY_BACKGROUND) background(Number(env.ACCURACY_BACKGROUND));
